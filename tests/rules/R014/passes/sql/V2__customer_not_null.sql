ALTER TABLE orders VALIDATE CONSTRAINT customer_not_null;
ALTER TABLE orders ALTER COLUMN customer SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT customer_not_null;
