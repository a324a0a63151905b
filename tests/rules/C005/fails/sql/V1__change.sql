ALTER TABLE orders ADD COLUMN customer int;
VACUUM orders;
