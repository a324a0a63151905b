-- Who buys. The application hands out the keys: how a database counts is where engines differ most.
CREATE TABLE customers (
    id          INTEGER      NOT NULL,
    email       VARCHAR(254) NOT NULL,
    full_name   VARCHAR(120) NOT NULL,
    created_at  TIMESTAMP    NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT customers_pk PRIMARY KEY (id),
    CONSTRAINT customers_email_unique UNIQUE (email)
);
