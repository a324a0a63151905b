-- Nothing reads note since release 41; it is dropped with the next one.
ALTER TABLE orders ALTER COLUMN note DROP DEFAULT;
