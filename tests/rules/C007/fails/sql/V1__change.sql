INSERT INTO notes (text) VALUES ('don't');
