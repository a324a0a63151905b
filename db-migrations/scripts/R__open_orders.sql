-- Orders that wait for a parcel. Flyway runs this file again whenever its text changes.
CREATE OR REPLACE VIEW open_orders AS
SELECT o.id, o.placed_at, c.full_name, c.email
FROM orders o
JOIN customers c ON c.id = o.customer_id
WHERE o.status = 'open';
