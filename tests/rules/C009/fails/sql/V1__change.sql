BEGIN;
UPDATE orders SET state = 'open' WHERE state IS NULL;
COMMIT;
