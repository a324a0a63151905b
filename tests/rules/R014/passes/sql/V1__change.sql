ALTER TABLE orders ADD CONSTRAINT customer_not_null CHECK (customer IS NOT NULL) NOT VALID;
