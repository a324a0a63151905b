ALTER TABLE orders ADD COLUMN id_wide bigint;
