# Writes scripts for PostgreSQL into a folder: usage: awk -v folder=DIR -v scripts=N -f corpus.awk
# Each makes a table, fills it, and does one thing to a table that is there already; every second one does the same to its own.
function risk(kind, table) {
    if (kind == 0) return "CREATE INDEX " table "_number ON " table " (number);"
    if (kind == 1) return "CREATE INDEX CONCURRENTLY " table "_number ON " table " (number);"
    if (kind == 2) return "ALTER TABLE " table " ADD CONSTRAINT " table "_total CHECK (total >= 0);"
    if (kind == 3) return "ALTER TABLE " table " ADD CONSTRAINT " table "_total CHECK (total >= 0) NOT VALID;"
    if (kind == 4) return "ALTER TABLE " table " ADD CONSTRAINT " table "_customer FOREIGN KEY (customer) REFERENCES customers (id);"
    if (kind == 5) return "ALTER TABLE " table " ADD CONSTRAINT " table "_key UNIQUE (number);"
    if (kind == 6) return "ALTER TABLE " table " ADD COLUMN currency text NOT NULL;"
    if (kind == 7) return "ALTER TABLE " table " ADD COLUMN currency text NOT NULL DEFAULT 'EUR';"
    if (kind == 8) return "ALTER TABLE " table " ALTER COLUMN customer SET NOT NULL;"
    if (kind == 9) return "ALTER TABLE " table " ALTER COLUMN number TYPE bigint;"
    if (kind == 10) return "ALTER TABLE " table " RENAME COLUMN total TO amount;"
    if (kind == 11) return "ALTER TABLE " table " RENAME TO " table "_old;"
    if (kind == 12) return "ALTER TABLE " table " DROP COLUMN IF EXISTS note;"
    if (kind == 13) return "DROP TABLE IF EXISTS " table ";"
    if (kind == 14) return "TRUNCATE TABLE " table " CASCADE;"
    if (kind == 15) return "ALTER TABLE " table " ADD COLUMN reference uuid DEFAULT gen_random_uuid();"
    if (kind == 16) return "DROP INDEX IF EXISTS " table "_number;"
    if (kind == 17) return "UPDATE " table " SET total = 0;"
    if (kind == 18) return "DO $$\nBEGIN\n    RAISE NOTICE 'DROP TABLE " table ";';\nEND;\n$$;"
    return "COMMENT ON TABLE " table " IS 'DROP TABLE " table ";';"
}
BEGIN {
    srand(11)
    for (number = 1; number <= scripts; number++) {
        file = sprintf("%s/V%05d__change.sql", folder, number)
        table = "made_" number
        print "-- Change " number ".\nCREATE TABLE IF NOT EXISTS " table " (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n" \
            "    number text,\n    customer bigint,\n    total numeric(12, 2) NOT NULL DEFAULT 0,\n    note text\n);" >file
        kind = int((number - 1) / 2) % 20
        print risk(kind, number % 2 ? table : "there_" number) >file
        for (row = 0; row < 55; row++)
            print "INSERT INTO " table " (number, customer, total) VALUES ('" int(1e9 * rand()) "', " int(1e4 * rand()) ", " row ".5);" >file
        close(file)
    }
}
