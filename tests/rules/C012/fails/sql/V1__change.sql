CREATE TABLE invoices (id int PRIMARY KEY);
ALTER TABLE orders ADD COLUMN invoice int;
