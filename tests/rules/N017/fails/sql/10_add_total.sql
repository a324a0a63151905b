-- migrate:up
ALTER TABLE orders ADD COLUMN total numeric;

-- migrate:down
ALTER TABLE orders DROP COLUMN total;
