INSERT INTO notes (text) VALUES (e'it\'s');
