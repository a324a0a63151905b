INSERT INTO notes (text) VALUES (E'it\'s');
