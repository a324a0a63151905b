ALTER TABLE orders ADD total INT;
