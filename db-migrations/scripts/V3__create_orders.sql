-- What was bought. A line keeps the price of its day, so a later change of the product does not rewrite the past.
CREATE TABLE orders (
    id           INTEGER     NOT NULL,
    customer_id  INTEGER     NOT NULL,
    status       VARCHAR(16) NOT NULL DEFAULT 'open',
    placed_at    TIMESTAMP   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT orders_pk PRIMARY KEY (id),
    CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id),
    CONSTRAINT orders_status_known CHECK (status IN ('open', 'shipped', 'cancelled'))
);

CREATE TABLE order_lines (
    order_id    INTEGER        NOT NULL,
    line        INTEGER        NOT NULL,
    product_id  INTEGER        NOT NULL,
    quantity    INTEGER        NOT NULL,
    unit_price  DECIMAL(12, 2) NOT NULL,
    CONSTRAINT order_lines_pk PRIMARY KEY (order_id, line),
    CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT order_lines_product_fk FOREIGN KEY (product_id) REFERENCES products (id),
    CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0)
);
