-- What is sold. Prices are decimals with a currency beside them, never floating point.
CREATE TABLE products (
    id        INTEGER        NOT NULL,
    sku       VARCHAR(40)    NOT NULL,
    title     VARCHAR(200)   NOT NULL,
    price     DECIMAL(12, 2) NOT NULL,
    currency  CHAR(3)        NOT NULL DEFAULT 'EUR',
    CONSTRAINT products_pk PRIMARY KEY (id),
    CONSTRAINT products_sku_unique UNIQUE (sku),
    CONSTRAINT products_price_not_negative CHECK (price >= 0)
);

INSERT INTO products (id, sku, title, price) VALUES (1, 'CRATE-S', 'Small crate', 12.50);
INSERT INTO products (id, sku, title, price) VALUES (2, 'CRATE-L', 'Large crate; holds two small ones', 29.00);
