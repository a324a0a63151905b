-- What each order comes to. Flyway runs this file again whenever its text changes.
CREATE OR REPLACE VIEW order_totals AS
SELECT o.id, COUNT(l.line) AS number_of_lines, COALESCE(SUM(l.quantity * l.unit_price), 0) AS total
FROM orders o
LEFT JOIN order_lines l ON l.order_id = o.id
GROUP BY o.id;
