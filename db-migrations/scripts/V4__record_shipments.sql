-- An order may leave the house in several parcels.
CREATE TABLE shipments (
    id          INTEGER     NOT NULL,
    order_id    INTEGER     NOT NULL,
    carrier     VARCHAR(60) NOT NULL,
    tracking    VARCHAR(80),
    shipped_on  DATE        NOT NULL,
    CONSTRAINT shipments_pk PRIMARY KEY (id),
    CONSTRAINT shipments_order_fk FOREIGN KEY (order_id) REFERENCES orders (id)
);

ALTER TABLE orders ADD COLUMN gift_note VARCHAR(500);
