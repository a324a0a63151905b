INSERT INTO cities (name) VALUES ('Orléans');
