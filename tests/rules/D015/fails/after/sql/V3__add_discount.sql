ALTER TABLE orders ADD discount INT;
