-- shipway:allow R001 nobody reads it, and a copy is kept
DROP TABLE order_totals;
