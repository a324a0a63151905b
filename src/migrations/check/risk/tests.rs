use super::*;
use crate::sql::{Splitter, tokens};

pub(super) const DIALECTS: [(char, Dialect); 4] = [
    ('p', Dialect::Postgres),
    ('m', Dialect::MySql),
    ('s', Dialect::Sqlite),
    ('u', Dialect::Unknown),
];

fn risks(dialect: Dialect, script: &str) -> Risks {
    let mut risks = Risks::new(dialect, "V1__a.sql");
    let mut splitter = Splitter::new(dialect);
    let mut look = |statement: Statement<'_>| risks.statement(&statement, &tokens(statement.text, dialect));
    splitter.update(script.as_bytes(), &mut look);
    splitter.finish(&mut look);
    risks
}

pub(super) fn findings(dialect: Dialect, script: &str) -> Vec<Finding> {
    risks(dialect, script).finish().0
}

/// The codes of what is found, but for R017, which is off unless a project asks for it.
fn codes(dialect: Dialect, script: &str) -> String {
    let found = findings(dialect, script);
    let codes = found.iter().map(|finding| finding.rule.code);
    codes.filter(|code| *code != "R017").collect::<Vec<_>>().join(" ")
}

/// Each row: a script, the databases in which something is found (PostgreSQL, MySQL, SQLite, Unknown), and what.
fn state_table(rows: &[(&str, &str, &str)]) {
    for (script, dialects, expected) in rows {
        for (letter, dialect) in DIALECTS {
            let expected = if dialects.contains(letter) { expected } else { "" };
            assert_eq!(codes(dialect, script), expected, "{dialect}: {script}");
        }
    }
}

#[test]
fn dropped_tables() {
    state_table(&[
        ("DROP TABLE orders;", "pmsu", "R001"),
        ("drop table if exists orders cascade;", "pmsu", "R001"),
        ("DROP TABLE a, b;", "pmsu", "R001 R001"),
        ("/* old */ DROP -- it\nTABLE sales.\"Orders\";", "pmsu", "R001"),
        ("DROP SCHEMA audit CASCADE;", "pmsu", "R001"),
        ("DROP DATABASE shop;", "pmsu", "R001"),
        ("DROP TABLE ${schema}.orders;", "pmsu", "R001"),
        ("DROP TABLE ${prefix}_orders;", "pmsu", "R001"),
        ("CREATE TABLE a (id int); DROP TABLE a;", "", ""),
        ("CREATE TABLE a (id int); DROP TABLE public.A;", "", ""),
        ("CREATE TABLE s.a (id int); DROP TABLE a;", "", ""),
        ("CREATE TABLE s.a (id int); DROP TABLE t.a;", "pmsu", "R001"),
        ("DROP TABLE IF EXISTS a; CREATE TABLE a (id int);", "pmsu", "R001"),
        ("CREATE TEMPORARY TABLE a (id int); DROP TABLE a;", "", ""),
        ("CREATE TEMP TABLE a AS SELECT 1; DROP TABLE IF EXISTS a;", "", ""),
        ("DROP TEMPORARY TABLE IF EXISTS a;", "", ""),
        ("CREATE SCHEMA s; DROP SCHEMA s;", "", ""),
        ("SELECT 1 INTO TEMP a; DROP TABLE a;", "msu", "R001"),
        (
            "DROP VIEW a; DROP MATERIALIZED VIEW b; DROP SEQUENCE c; DROP TYPE d; DROP FUNCTION e(int);",
            "",
            "",
        ),
        (
            "DROP TRIGGER t ON orders; DROP POLICY p ON orders; DROP USER u; DROP FOREIGN TABLE f;",
            "",
            "",
        ),
        ("INSERT INTO log VALUES ('DROP TABLE orders');", "", ""),
        ("-- DROP TABLE orders;\nSELECT 1;", "", ""),
        (
            "CREATE FUNCTION f() RETURNS void AS $$ BEGIN DROP TABLE orders; END $$ LANGUAGE plpgsql;",
            "",
            "",
        ),
        ("ALTER TABLE orders DROP PARTITION p2020, p2021;", "m", "R001"),
        (
            "CREATE TABLE a_new (id int); INSERT INTO a_new SELECT * FROM a; DROP TABLE a; ALTER TABLE a_new RENAME TO a;",
            "",
            "",
        ),
    ]);
    for (script, expected) in [
        ("DO $$ BEGIN DROP TABLE orders; END $$;", "R001"),
        (
            "DO $x$ BEGIN IF true THEN DROP TABLE IF EXISTS a, b; END IF; END $x$ LANGUAGE plpgsql;",
            "R001 R001",
        ),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident('a'); END $$;", ""),
        ("DO $$ BEGIN CREATE TEMP TABLE a (id int); DROP TABLE a; END $$;", ""),
        ("DO $$ BEGIN RAISE NOTICE 'x'; -- DROP TABLE a;\nEND $$;", ""),
        (
            "DO $$ BEGIN CREATE TABLE a (id int); END $$; ALTER TABLE a DROP COLUMN id;",
            "",
        ),
        ("SELECT * INTO a FROM b; DROP TABLE a;", ""),
    ] {
        assert_eq!(codes(Dialect::Postgres, script), expected, "{script}");
    }
}

#[test]
fn dropped_columns() {
    state_table(&[
        ("ALTER TABLE orders DROP COLUMN note;", "pmsu", "R002"),
        ("ALTER TABLE orders DROP note;", "pmsu", "R002"),
        (
            "ALTER TABLE IF EXISTS ONLY orders DROP COLUMN IF EXISTS note CASCADE;",
            "pmsu",
            "R002",
        ),
        (
            "ALTER TABLE orders ADD COLUMN a int, DROP COLUMN b, DROP COLUMN c;",
            "pmsu",
            "R002 R002",
        ),
        (
            "ALTER TABLE orders ADD COLUMN a numeric(10, 2), /* then */ DROP b;",
            "pmsu",
            "R002",
        ),
        ("ALTER TABLE `orders` DROP COLUMN `note`;", "msu", "R002"),
        ("ALTER TABLE orders DROP \"constraint\";", "pmsu", "R002"),
        (
            "CREATE TABLE orders (a int, b int); ALTER TABLE orders DROP COLUMN b;",
            "",
            "",
        ),
        ("ALTER TABLE orders DROP CONSTRAINT orders_fk;", "", ""),
        (
            "ALTER TABLE orders DROP INDEX i, DROP KEY k, DROP PRIMARY KEY, DROP FOREIGN KEY f, DROP CHECK c;",
            "",
            "",
        ),
        (
            "ALTER TABLE orders ALTER COLUMN a DROP DEFAULT, ALTER b DROP NOT NULL, ALTER c DROP EXPRESSION;",
            "",
            "",
        ),
        ("ALTER TYPE point3 DROP ATTRIBUTE z;", "", ""),
        ("ALTER VIEW v ALTER COLUMN c DROP DEFAULT;", "", ""),
    ]);
}

#[test]
fn all_rows() {
    state_table(&[
        ("DELETE FROM orders;", "pmsu", "R003"),
        ("UPDATE orders SET total = 0;", "pmsu", "R003"),
        ("TRUNCATE TABLE orders;", "pmsu", "R003"),
        ("TRUNCATE a, ONLY b RESTART IDENTITY CASCADE;", "pmsu", "R003 R003"),
        (
            "UPDATE ONLY sales.orders AS o SET total = (SELECT 1 FROM x WHERE x.id = o.id);",
            "pmsu",
            "R003",
        ),
        ("DELETE FROM orders USING x;", "pmsu", "R003"),
        (
            "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone;",
            "pmsu",
            "R003",
        ),
        ("WITH x AS (SELECT 1 WHERE true) UPDATE a SET b = 1;", "pmsu", "R003"),
        ("DELETE FROM orders WHERE id = 1;", "", ""),
        ("UPDATE orders SET a = 1 WHERE id = 1;", "", ""),
        ("DELETE FROM orders WHERE true;", "", ""),
        (
            "WITH gone AS (DELETE FROM a WHERE x < 3 RETURNING *) INSERT INTO b SELECT * FROM gone;",
            "",
            "",
        ),
        (
            "WITH x AS (SELECT id FROM a) DELETE FROM a USING x WHERE a.id = x.id;",
            "",
            "",
        ),
        ("WITH x AS (SELECT 1) SELECT * FROM x FOR UPDATE;", "", ""),
        (
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x ON CONFLICT (id) DO UPDATE SET a = 1;",
            "",
            "",
        ),
        ("UPDATE a JOIN b ON a.id = b.id SET a.x = b.x;", "", ""),
        ("DELETE a FROM a LEFT JOIN b ON a.id = b.id;", "", ""),
        ("DELETE FROM log LIMIT 100;", "", ""),
        ("SELECT * FROM orders FOR UPDATE;", "", ""),
        ("INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE b = 1;", "", ""),
        ("INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET b = 1;", "", ""),
        (
            "CREATE TRIGGER t AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f();",
            "",
            "",
        ),
        (
            "CREATE TABLE c (a int REFERENCES p (id) ON DELETE CASCADE ON UPDATE SET NULL);",
            "",
            "",
        ),
        ("CREATE RULE r AS ON DELETE TO v DO INSTEAD DELETE FROM orders;", "", ""),
        (
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1); UPDATE a SET id = 2; DELETE FROM a; TRUNCATE a;",
            "",
            "",
        ),
        ("CREATE TEMP TABLE a (id int); UPDATE a SET id = 2;", "", ""),
        ("DELETE FROM sqlite_sequence;", "", ""),
        ("ALTER TABLE orders TRUNCATE PARTITION p1;", "m", "R003"),
        ("PREPARE p AS DELETE FROM a;", "", ""),
    ]);
}

#[test]
fn indexes() {
    state_table(&[
        ("CREATE INDEX i ON orders (a);", "p", "R010"),
        ("CREATE INDEX ON orders (a);", "p", "R010"),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON sales.orders USING btree (a, b) WHERE c;",
            "p",
            "R010",
        ),
        ("DROP INDEX i;", "p", "R010"),
        ("DROP INDEX IF EXISTS i, j;", "p", "R010"),
        ("REINDEX TABLE orders;", "p", "R010"),
        ("REINDEX (VERBOSE) INDEX i;", "p", "R010"),
        ("CREATE INDEX CONCURRENTLY i ON orders (a);", "", ""),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (a);",
            "",
            "",
        ),
        ("CREATE INDEX i ON ONLY orders (a);", "", ""),
        ("DROP INDEX CONCURRENTLY IF EXISTS i;", "", ""),
        ("REINDEX TABLE CONCURRENTLY orders;", "", ""),
        ("REINDEX (CONCURRENTLY) INDEX i;", "", ""),
        (
            "CREATE TABLE orders (a int); CREATE INDEX i ON orders (a); DROP INDEX i;",
            "",
            "",
        ),
        ("CREATE TABLE s.orders (a int); CREATE INDEX i ON s.orders (a);", "", ""),
        ("CREATE TEMP TABLE x (a int); CREATE INDEX i ON x (a);", "", ""),
        (
            "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE INDEX i ON m (a);",
            "",
            "",
        ),
        ("CREATE FULLTEXT INDEX i ON posts (body);", "m", "R010"),
        ("ALTER TABLE posts ADD FULLTEXT INDEX i (body);", "m", "R010"),
        ("ALTER TABLE posts ADD INDEX i (a), ADD UNIQUE KEY u (b);", "p", "R012"),
        ("CREATE INDEX i ON orders (a) ALGORITHM=COPY;", "pm", "R010"),
        ("DROP INDEX i ON orders LOCK = EXCLUSIVE;", "pm", "R010"),
        ("CREATE INDEX i ON orders (a) ALGORITHM=INPLACE LOCK=NONE;", "p", "R010"),
    ]);
}

#[test]
fn constraints() {
    state_table(&[
        (
            "ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES b (id);",
            "pm",
            "R011",
        ),
        (
            "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id) ON DELETE CASCADE;",
            "pm",
            "R011",
        ),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0);", "pm", "R011"),
        ("ALTER TABLE ONLY a ADD CHECK (b > 0);", "pm", "R011"),
        ("ALTER TABLE a ADD CHECK (b > 0) NOT ENFORCED;", "p", "R011"),
        ("ALTER TABLE a ADD COLUMN b int REFERENCES b (id);", "p", "R011"),
        ("ALTER TABLE a ADD COLUMN b int CHECK (b > 0);", "p", "R011"),
        ("ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0);", "p", "R011"),
        (
            "ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES b (id) NOT VALID;",
            "m",
            "R011",
        ),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID;", "m", "R011"),
        ("ALTER TABLE a VALIDATE CONSTRAINT c;", "", ""),
        (
            "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT c;",
            "pm",
            "R011",
        ),
        (
            "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID; COMMIT; ALTER TABLE a VALIDATE CONSTRAINT c;",
            "m",
            "R011",
        ),
        (
            "SET foreign_key_checks = 0; ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id);",
            "p",
            "R011",
        ),
        (
            "SET @@session.foreign_key_checks=0; SET FOREIGN_KEY_CHECKS=1; ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id);",
            "pm",
            "R011",
        ),
        (
            "CREATE TABLE a (b int); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id), ADD CHECK (b > 0);",
            "",
            "",
        ),
        ("CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CHECK (value > 0);", "", ""),
        ("ALTER TABLE a ADD CONSTRAINT c UNIQUE (b);", "p", "R012"),
        ("ALTER TABLE a ADD PRIMARY KEY (id);", "p", "R012"),
        (
            "ALTER TABLE a ADD UNIQUE NULLS NOT DISTINCT (b) USING INDEX TABLESPACE fast;",
            "p",
            "R012",
        ),
        ("ALTER TABLE a ADD COLUMN b text UNIQUE;", "p", "R012"),
        ("ALTER TABLE a ADD CONSTRAINT c UNIQUE USING INDEX i;", "", ""),
        ("ALTER TABLE a ADD CONSTRAINT c PRIMARY KEY USING INDEX i;", "", ""),
        (
            "CREATE TABLE a (b int); ALTER TABLE ONLY a ADD CONSTRAINT c PRIMARY KEY (b);",
            "",
            "",
        ),
        ("ALTER TABLE a ADD CONSTRAINT c EXCLUDE USING gist (r WITH &&);", "", ""),
        ("ALTER TABLE a DROP CONSTRAINT c, RENAME CONSTRAINT d TO e;", "", ""),
    ]);
}

#[test]
fn columns() {
    state_table(&[
        ("ALTER TABLE a ADD COLUMN b int NOT NULL;", "pmsu", "R013"),
        (
            "ALTER TABLE a ADD b varchar(10) NOT NULL, ADD c int NOT NULL DEFAULT 0;",
            "pmsu",
            "R013",
        ),
        (
            "ALTER TABLE a ADD COLUMN IF NOT EXISTS b int NOT NULL DEFAULT NULL;",
            "pmsu",
            "R013",
        ),
        ("ALTER TABLE a ADD COLUMN (b int NOT NULL, c int);", "pmsu", "R013"),
        (
            "ALTER TABLE a ADD COLUMN b timestamp NOT NULL ON UPDATE SET DEFAULT;",
            "pmsu",
            "R013",
        ),
        ("ALTER TABLE a ADD COLUMN b int;", "", ""),
        ("ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0;", "", ""),
        ("ALTER TABLE a ADD COLUMN b timestamptz NOT NULL DEFAULT now();", "", ""),
        (
            "ALTER TABLE a ADD COLUMN b timestamp DEFAULT CURRENT_TIMESTAMP NOT NULL;",
            "",
            "",
        ),
        ("ALTER TABLE a ADD COLUMN b int NOT NULL AUTO_INCREMENT;", "m", "R022"),
        ("ALTER TABLE a ADD COLUMN b int CHECK (b IS NOT NULL);", "p", "R011"),
        (
            "CREATE TABLE a (x int); ALTER TABLE a ADD COLUMN b int NOT NULL;",
            "",
            "",
        ),
        ("ALTER TABLE a ALTER COLUMN b SET NOT NULL;", "p", "R014"),
        (
            "ALTER TABLE a ALTER b SET NOT NULL, ALTER c DROP NOT NULL, ALTER d SET DEFAULT 1;",
            "p",
            "R014",
        ),
        ("ALTER TABLE a ADD CONSTRAINT c NOT NULL b;", "p", "R014"),
        (
            "ALTER TABLE a VALIDATE CONSTRAINT b_not_null; ALTER TABLE a ALTER COLUMN b SET NOT NULL;",
            "",
            "",
        ),
        (
            "ALTER TABLE a ADD CONSTRAINT c CHECK (b IS NOT NULL); ALTER TABLE a ALTER b SET NOT NULL;",
            "pm",
            "R011",
        ),
        (
            "ALTER TABLE a ALTER b SET NOT NULL, DROP CONSTRAINT b_not_null;",
            "",
            "",
        ),
        (
            "ALTER TABLE a VALIDATE CONSTRAINT c; ALTER TABLE x ALTER COLUMN b SET NOT NULL;",
            "p",
            "R014",
        ),
        ("ALTER TABLE a ALTER COLUMN b TYPE bigint;", "p", "R015"),
        (
            "ALTER TABLE a ALTER b SET DATA TYPE bigint USING b::bigint;",
            "p",
            "R015",
        ),
        ("ALTER TABLE a MODIFY b bigint NOT NULL;", "m", "R015"),
        (
            "ALTER TABLE a MODIFY COLUMN b bigint NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;",
            "",
            "",
        ),
        ("ALTER TABLE a CHANGE COLUMN b b bigint;", "m", "R015"),
        (
            "CREATE TABLE a (b int); ALTER TABLE a MODIFY b int NOT NULL AUTO_INCREMENT;",
            "",
            "",
        ),
        ("CREATE TABLE a (b int); ALTER TABLE a ALTER b TYPE text;", "", ""),
        (
            "ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid();",
            "p",
            "R022",
        ),
        (
            "ALTER TABLE a ADD COLUMN b uuid NOT NULL DEFAULT public.uuid_generate_v4();",
            "p",
            "R022",
        ),
        ("ALTER TABLE a ADD COLUMN b bigserial;", "p", "R022"),
        (
            "ALTER TABLE a ADD COLUMN b bigint GENERATED BY DEFAULT AS IDENTITY;",
            "p",
            "R022",
        ),
        (
            "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c + 1) STORED;",
            "pm",
            "R022",
        ),
        ("ALTER TABLE a ADD COLUMN b char(36) DEFAULT (uuid());", "m", "R022"),
        (
            "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c + 1) VIRTUAL;",
            "",
            "",
        ),
        ("ALTER TABLE a ADD COLUMN b int AS (c + 1) VIRTUAL NOT NULL;", "", ""),
        (
            "ALTER TABLE a ADD COLUMN uuid uuid DEFAULT '00000000-0000-0000-0000-000000000000';",
            "",
            "",
        ),
    ]);
}

#[test]
fn what_may_be_free_is_only_told() {
    for (dialect, script, level) in [
        (Dialect::Postgres, "ALTER TABLE a ALTER b TYPE text;", Level::Info),
        (
            Dialect::Postgres,
            "ALTER TABLE a ALTER b TYPE varchar(200);",
            Level::Info,
        ),
        (
            Dialect::Postgres,
            "ALTER TABLE a ALTER b TYPE character varying;",
            Level::Info,
        ),
        (
            Dialect::Postgres,
            "ALTER TABLE a ALTER b TYPE text USING b::text;",
            Level::Warning,
        ),
        (
            Dialect::Postgres,
            "ALTER TABLE a ALTER b TYPE timestamptz;",
            Level::Warning,
        ),
        (Dialect::MySql, "ALTER TABLE a MODIFY b varchar(200);", Level::Info),
        (Dialect::MySql, "ALTER TABLE a MODIFY b ENUM('a', 'b');", Level::Info),
        (Dialect::MySql, "ALTER TABLE a MODIFY b int;", Level::Warning),
    ] {
        let found = findings(dialect, script);
        let levels: Vec<_> = found
            .iter()
            .filter(|finding| finding.rule.code == "R015")
            .map(|finding| finding.level)
            .collect();
        assert_eq!(levels, [level], "{script}");
    }
}

#[test]
fn new_names() {
    state_table(&[
        ("ALTER TABLE a RENAME TO b;", "pmsu", "R016"),
        ("ALTER TABLE IF EXISTS a RENAME COLUMN b TO c;", "pmsu", "R016"),
        ("ALTER TABLE a RENAME b TO c;", "pmsu", "R016"),
        ("ALTER TABLE a RENAME AS b;", "pmsu", "R016"),
        ("ALTER TABLE a RENAME b;", "m", "R016"),
        ("RENAME TABLE a TO b, c TO d;", "m", "R016 R016"),
        ("ALTER TABLE a CHANGE b c int;", "m", "R016"),
        ("ALTER TABLE a RENAME CONSTRAINT b TO c;", "", ""),
        ("ALTER TABLE a RENAME INDEX b TO c, RENAME KEY d TO e;", "", ""),
        (
            "ALTER INDEX a RENAME TO b; ALTER SEQUENCE a RENAME TO b; ALTER TYPE t RENAME VALUE 'a' TO 'b';",
            "",
            "",
        ),
        (
            "CREATE TABLE a (b int); ALTER TABLE a RENAME COLUMN b TO c; ALTER TABLE a RENAME TO d; ALTER TABLE d DROP COLUMN c;",
            "",
            "",
        ),
        ("CREATE TABLE a_new (b int); RENAME TABLE a_new TO x;", "", ""),
    ]);
}

#[test]
fn values_of_enums() {
    state_table(&[
        ("ALTER TYPE t ADD VALUE 'x'; INSERT INTO a VALUES ('x');", "p", "R018"),
        (
            "ALTER TYPE t ADD VALUE IF NOT EXISTS 'x' AFTER 'w'; ALTER TABLE a ALTER b SET DEFAULT 'x';",
            "p",
            "R018",
        ),
        (
            "ALTER TYPE t ADD VALUE 'x'; UPDATE a SET b = 'x' WHERE id = 1;",
            "p",
            "R018",
        ),
        (
            "ALTER TYPE t ADD VALUE 'x'; CREATE INDEX CONCURRENTLY i ON a (b) WHERE c = 'x';",
            "p",
            "R018",
        ),
        (
            "ALTER TYPE t ADD VALUE 'x'; ALTER TYPE t ADD VALUE 'y' AFTER 'x';",
            "",
            "",
        ),
        ("ALTER TYPE t ADD VALUE 'x'; INSERT INTO a VALUES ('w');", "", ""),
        (
            "ALTER TYPE t ADD VALUE 'x'; COMMIT; INSERT INTO a VALUES ('x');",
            "",
            "",
        ),
        ("ALTER TYPE t ADD VALUE 'x'; COMMENT ON TYPE t IS 'x';", "", ""),
        (
            "CREATE TYPE t AS ENUM ('a'); ALTER TYPE t ADD VALUE 'x'; INSERT INTO a VALUES ('x');",
            "",
            "",
        ),
        ("INSERT INTO a VALUES ('x'); ALTER TYPE t ADD VALUE 'x';", "", ""),
    ]);
    let mut apart = risks(
        Dialect::Postgres,
        "ALTER TYPE t ADD VALUE 'x'; INSERT INTO a VALUES ('x');",
    );
    apart.without_transaction();
    assert_eq!(apart.finish().0, []);
}

#[test]
fn rights() {
    state_table(&[
        ("GRANT ALL ON orders TO app;", "pmsu", "R020"),
        ("GRANT ALL PRIVILEGES ON shop.* TO 'app'@'%';", "pmsu", "R020"),
        ("GRANT SELECT ON orders TO PUBLIC;", "pmsu", "R020"),
        ("GRANT SELECT ON orders TO app, public;", "pmsu", "R020"),
        ("GRANT SELECT ON orders TO app WITH GRANT OPTION;", "pmsu", "R020"),
        ("GRANT admin TO app WITH ADMIN OPTION;", "pmsu", "R020"),
        ("GRANT ALL ON orders TO PUBLIC WITH GRANT OPTION;", "pmsu", "R020"),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT ALL ON TABLES TO app;",
            "pmsu",
            "R020",
        ),
        ("GRANT SELECT, INSERT ON orders TO app;", "", ""),
        ("GRANT USAGE ON SCHEMA public TO app;", "", ""),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app;", "", ""),
        ("GRANT EXECUTE ON FUNCTION f(int) TO app;", "", ""),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app;", "", ""),
        ("REVOKE ALL ON orders FROM PUBLIC;", "", ""),
    ]);
}

#[test]
fn passwords() {
    state_table(&[
        ("CREATE ROLE app LOGIN PASSWORD 'hunter2';", "pmsu", "R021"),
        (
            "CREATE USER app WITH ENCRYPTED PASSWORD 'hunter2' VALID UNTIL 'infinity';",
            "pmsu",
            "R021",
        ),
        ("ALTER USER app PASSWORD 'hunter2';", "pmsu", "R021"),
        ("CREATE USER 'app'@'%' IDENTIFIED BY 'hunter2';", "pmsu", "R021"),
        (
            "CREATE USER IF NOT EXISTS app IDENTIFIED WITH mysql_native_password BY 'hunter2';",
            "pmsu",
            "R021",
        ),
        (
            "ALTER USER app IDENTIFIED WITH mysql_native_password AS '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9';",
            "pmsu",
            "R021",
        ),
        (
            "CREATE USER app IDENTIFIED VIA mysql_native_password USING PASSWORD('hunter2');",
            "pmsu",
            "R021",
        ),
        ("GRANT SELECT ON a.* TO app IDENTIFIED BY 'hunter2';", "pmsu", "R021"),
        ("SET PASSWORD FOR 'app'@'%' = PASSWORD('hunter2');", "pmsu", "R021"),
        ("SET PASSWORD = 'hunter2';", "pmsu", "R021"),
        (
            "CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'a', password 'hunter2');",
            "pmsu",
            "R021",
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p;",
            "pmsu",
            "R021",
        ),
        (
            "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='hunter2';",
            "pmsu",
            "R021",
        ),
        ("CREATE ROLE app PASSWORD '${app_password}';", "", ""),
        ("CREATE ROLE app PASSWORD '{{ password }}';", "", ""),
        ("CREATE ROLE app PASSWORD ${app_password};", "", ""),
        ("CREATE ROLE app PASSWORD '';", "", ""),
        ("CREATE ROLE app PASSWORD '<password>';", "", ""),
        ("CREATE ROLE app PASSWORD :'pw';", "", ""),
        ("ALTER ROLE app PASSWORD NULL;", "", ""),
        ("ALTER USER app PASSWORD EXPIRE;", "", ""),
        ("CREATE ROLE app LOGIN;", "", ""),
        ("CREATE USER app IDENTIFIED BY '${app_password}';", "", ""),
        ("CREATE USER app IDENTIFIED BY RANDOM PASSWORD;", "", ""),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=${pw}' PUBLICATION p;",
            "",
            "",
        ),
        ("INSERT INTO users (name, password) VALUES ('a', 'b');", "", ""),
        ("CREATE TABLE users (password varchar(100) DEFAULT 'x');", "", ""),
        ("COMMENT ON COLUMN users.password IS 'hashed';", "", ""),
        ("GRANT SELECT (password) ON users TO app;", "", ""),
    ]);
    let script = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles) THEN\nCREATE ROLE app LOGIN PASSWORD 'hunter2'; END IF; END $$;";
    let found = findings(Dialect::Postgres, script);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].place.line, found[0].place.column, found[0].place.width),
        (2, 23, 8)
    );
    for (_, dialect) in DIALECTS {
        for script in [
            "ALTER USER a PASSWORD 'hunter2';",
            "ALTER USER a IDENTIFIED BY 'hunter2';",
            "SET PASSWORD FOR a = 'hunter2';",
        ] {
            let found = format!("{:?}", findings(dialect, script));
            assert!(found.contains("R021") && !found.contains("hunter2"), "{found}");
        }
    }
}

#[test]
fn locks_without_a_limit() {
    for (script, expected) in [
        ("ALTER TABLE a ADD COLUMN b int;", 1),
        (
            "ALTER TABLE a ADD COLUMN b int; ALTER TABLE a ADD COLUMN c int; DROP TABLE d;",
            2,
        ),
        ("SET lock_timeout = '5s'; ALTER TABLE a ADD COLUMN b int;", 0),
        ("SET LOCAL lock_timeout TO '5s'; DROP TABLE a;", 0),
        ("SELECT set_config('lock_timeout', '5s', true); DROP TABLE a;", 0),
        ("CREATE TABLE a (b int); ALTER TABLE a ADD COLUMN c int;", 0),
        ("CREATE INDEX CONCURRENTLY i ON a (b);", 0),
        ("CREATE INDEX i ON a (b);", 1),
        ("ALTER TABLE a VALIDATE CONSTRAINT c;", 0),
        ("SELECT 1;", 0),
    ] {
        let found = findings(Dialect::Postgres, script);
        let count = found.iter().filter(|finding| finding.rule.code == "R017").count();
        assert_eq!(count, expected, "{script}");
        assert!(
            findings(Dialect::MySql, script)
                .iter()
                .all(|finding| finding.rule.code != "R017")
        );
    }
}

/// Catches a place counted in bytes, from the statement, or from the comment before it.
#[test]
fn findings_point_at_the_words() {
    let script = "-- é first\nSELECT 'é'; /* é */ ALTER TABLE a\n  ADD COLUMN é int,\n  DROP COLUMN b;\n";
    let found = findings(Dialect::Postgres, script);
    let dropped = found.iter().find(|finding| finding.rule.code == "R002").expect("R002");
    let place = &dropped.place;
    assert_eq!((place.line, place.column, place.width), (4, 3, 11));
    assert_eq!(place.path, "V1__a.sql");
    let found = findings(Dialect::Postgres, "SELECT 'é'; /* é */ DROP TABLE a;");
    let place = &found[0].place;
    assert_eq!((place.line, place.column, place.width), (1, 21, 10));
}

#[test]
fn tables_are_told_in_lower_case() {
    let (_, creates) = risks(
        Dialect::Postgres,
        "CREATE TABLE \"Orders\" (id int); CREATE UNLOGGED TABLE IF NOT EXISTS sales.Items (id int); CREATE TEMP TABLE t (id int); CREATE TABLE ${s}.log (id int); CREATE TABLE public.p PARTITION OF q DEFAULT;",
    )
    .finish();
    assert_eq!(
        creates.into_iter().collect::<Vec<_>>(),
        ["log", "orders", "p", "sales.items"]
    );
    let found = findings(Dialect::Postgres, "ALTER TABLE Sales.\"Items\" DROP COLUMN a;");
    assert_eq!(found[0].table.as_deref(), Some("sales.items"));
    // What is dropped before it is created is not new.
    let found = findings(Dialect::Postgres, "DROP TABLE a; CREATE TABLE a (id int);");
    let dropped = found.iter().find(|finding| finding.rule.code == "R001").expect("R001");
    assert_eq!(dropped.table, None);
}

#[test]
fn a_schema_on_one_side_only_does_not_count() {
    let created = |tables: &[&str]| tables.iter().map(|table| (*table).to_owned()).collect::<BTreeSet<_>>();
    assert!(is_created(&created(&["orders"]), "sales.orders"));
    assert!(is_created(&created(&["sales.orders"]), "orders"));
    assert!(is_created(&created(&["sales.orders"]), "sales.orders"));
    assert!(!is_created(&created(&["sales.orders"]), "audit.orders"));
    assert!(!is_created(&created(&["sales.orders"]), "items"));
}

#[test]
fn helps_say_the_very_statement() {
    let help = |script: &str| {
        let found = findings(Dialect::Postgres, script);
        let found = found.into_iter().find(|finding| finding.rule.code != "R017");
        found.and_then(|finding| finding.help).unwrap_or_default()
    };
    insta::assert_snapshot!(help("CREATE UNIQUE INDEX IF NOT EXISTS i\n  ON orders (a, -- first\n lower(b));"), @"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (a, lower(b)); in a script of its own that runs outside a transaction");
    insta::assert_snapshot!(help("DROP INDEX IF EXISTS i;"), @"DROP INDEX CONCURRENTLY IF EXISTS i; in a script of its own that runs outside a transaction");
    insta::assert_snapshot!(help("ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0);"), @"end it with NOT VALID, and in a later script: ALTER TABLE orders VALIDATE CONSTRAINT c;");
    insta::assert_snapshot!(help("ALTER TABLE \"Orders\" ADD CONSTRAINT c UNIQUE (a, b);"), @r#"CREATE UNIQUE INDEX CONCURRENTLY Orders_index ON "Orders" (a, b); in a script outside a transaction, then ALTER TABLE "Orders" ADD CONSTRAINT c UNIQUE USING INDEX Orders_index;"#);
    insta::assert_snapshot!(help("ALTER TABLE orders ALTER COLUMN a SET NOT NULL;"), @"ALTER TABLE orders ADD CONSTRAINT a_not_null CHECK (a IS NOT NULL) NOT VALID; and in a later script VALIDATE CONSTRAINT, SET NOT NULL, which then reads nothing (from PostgreSQL 12), and DROP CONSTRAINT");
    insta::assert_snapshot!(help("ALTER TABLE orders RENAME TO purchases;"), @"the program that still runs asks for the old name: leave a view behind, CREATE VIEW orders AS SELECT * FROM purchases");
}

/// Catches a rule that panics on what ends too early.
#[test]
fn half_statements_are_no_trouble() {
    let whole = [
        "ALTER TABLE IF EXISTS ONLY a ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES d (e) NOT VALID, ALTER COLUMN f SET DATA TYPE int USING (1), RENAME TO g",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a.b USING btree (c) WHERE d",
        "CREATE USER MAPPING FOR a SERVER b OPTIONS (user 'c', password 'd') IDENTIFIED WITH x BY 'y'",
        "SET PASSWORD FOR 'a'@'b' = PASSWORD('c')",
        "WITH RECURSIVE a AS (DELETE FROM ${b}.c WHERE d) UPDATE ONLY e SET f = 1 FROM g",
        "GRANT ALL PRIVILEGES ON a TO PUBLIC WITH GRANT OPTION",
        "DO $x$ BEGIN DROP TABLE IF EXISTS a, b; END $x$",
        "SELECT set_config('lock_timeout', '1', true) INTO TEMP TABLE a",
        "ALTER TYPE a ADD VALUE IF NOT EXISTS 'b' BEFORE 'c'",
        "RENAME TABLE a TO b, c TO d",
        "ALTER DOMAIN a ADD CONSTRAINT b CHECK (c) NOT VALID",
        "ALTER TABLE a CHANGE COLUMN b c int NOT NULL DEFAULT uuid(), ALGORITHM=INPLACE",
        "SET @@session.foreign_key_checks := 0",
        "REINDEX (VERBOSE) TABLE CONCURRENTLY a",
    ];
    for script in whole {
        for (end, _) in script.char_indices() {
            for (_, dialect) in DIALECTS {
                findings(dialect, &script[..end]);
            }
        }
    }
}
