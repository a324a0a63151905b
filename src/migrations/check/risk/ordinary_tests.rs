//! False positives: what people write every day.
//!
//! Each block is a script as it stands in many projects, for the databases its letters name, written in several manners. Nothing in it is an
//! error, and every warning is one a reviewer agrees with: both are listed here, and were looked at one by one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::tests::{DIALECTS, findings};
use super::*;

/// Databases, a name, and the script; `{t}` and `{u}` are tables, `{c}` is a column.
const BLOCKS: &[(&str, &str, &str)] = &[
    (
        "p",
        "table",
        "CREATE TABLE {t} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    {c} varchar(100) NOT NULL,\n    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done')),\n    parent bigint REFERENCES {u} (id) ON DELETE CASCADE ON UPDATE SET NULL,\n    created_at timestamptz NOT NULL DEFAULT now(),\n    UNIQUE ({c}, state)\n);",
    ),
    (
        "m",
        "table",
        "CREATE TABLE {t} (\n    id BIGINT NOT NULL AUTO_INCREMENT,\n    {c} VARCHAR(100) NOT NULL,\n    password VARCHAR(60) NOT NULL DEFAULT '',\n    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n    parent BIGINT,\n    PRIMARY KEY (id),\n    KEY {t}_parent (parent),\n    CONSTRAINT {t}_fk FOREIGN KEY (parent) REFERENCES {u} (id) ON DELETE CASCADE ON UPDATE CASCADE\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='drop table, delete from, update';",
    ),
    (
        "s",
        "table",
        "CREATE TABLE IF NOT EXISTS {t} (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    {c} TEXT NOT NULL COLLATE NOCASE,\n    parent INTEGER REFERENCES {u} (id) ON DELETE SET NULL\n) STRICT;",
    ),
    (
        "pms",
        "table and index",
        "CREATE TABLE {t} (id int PRIMARY KEY, {c} int, other int);\nCREATE INDEX {t}_{c} ON {t} ({c});\nCREATE UNIQUE INDEX {t}_other ON {t} (other);",
    ),
    (
        "pms",
        "table, then changed",
        "CREATE TABLE {t} (id int);\nALTER TABLE {t} ADD COLUMN {c} int NOT NULL DEFAULT 0;\nALTER TABLE {t} ADD COLUMN more varchar(10);\nALTER TABLE {t} RENAME COLUMN more TO less;",
    ),
    (
        "p",
        "table as pg_dump writes it",
        "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.{t} (\n    id integer NOT NULL,\n    {c} text\n);\nALTER TABLE public.{t} OWNER TO app;\nCREATE SEQUENCE public.{t}_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;\nALTER SEQUENCE public.{t}_id_seq OWNED BY public.{t}.id;\nALTER TABLE ONLY public.{t} ALTER COLUMN id SET DEFAULT nextval('public.{t}_id_seq'::regclass);\nALTER TABLE ONLY public.{t} ADD CONSTRAINT {t}_pkey PRIMARY KEY (id);\nALTER TABLE ONLY public.{t} ADD CONSTRAINT {t}_fk FOREIGN KEY (id) REFERENCES public.{u}(id);\nCREATE INDEX {t}_{c} ON public.{t} USING btree ({c});",
    ),
    (
        "m",
        "table as phpMyAdmin writes it",
        "SET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";\nSTART TRANSACTION;\nCREATE TABLE `{t}` (\n  `id` int(11) NOT NULL,\n  `{c}` varchar(50) NOT NULL\n) ENGINE=InnoDB;\nALTER TABLE `{t}`\n  ADD PRIMARY KEY (`id`),\n  ADD KEY `{c}` (`{c}`);\nALTER TABLE `{t}`\n  MODIFY `id` int(11) NOT NULL AUTO_INCREMENT;\nALTER TABLE `{t}` ADD CONSTRAINT `{t}_fk` FOREIGN KEY (`id`) REFERENCES `{u}` (`id`);\nCOMMIT;",
    ),
    (
        "m",
        "table as mysqldump writes it",
        "/*!40101 SET NAMES utf8 */;\n/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;\nCREATE TABLE `{t}` (`id` int NOT NULL, `{c}` text, PRIMARY KEY (`id`));\nLOCK TABLES `{t}` WRITE;\n/*!40000 ALTER TABLE `{t}` DISABLE KEYS */;\nINSERT INTO `{t}` VALUES (1,'DELETE FROM x'),(2,'it''s');\n/*!40000 ALTER TABLE `{t}` ENABLE KEYS */;\nUNLOCK TABLES;",
    ),
    (
        "pms",
        "rows",
        "INSERT INTO {t} (id, {c}) VALUES (1, 'DROP TABLE x; -- no'), (2, 'it''s; DELETE FROM y');\nINSERT INTO {t} (id, {c}) SELECT id, {c} FROM {u} WHERE id > 2;",
    ),
    (
        "ps",
        "rows or else",
        "INSERT INTO {t} (id, {c}) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET {c} = excluded.{c};\nINSERT INTO {t} (id) VALUES (2) ON CONFLICT DO NOTHING;",
    ),
    (
        "m",
        "rows or else",
        "INSERT INTO {t} (id, {c}) VALUES (1, 'a') ON DUPLICATE KEY UPDATE {c} = VALUES({c});\nREPLACE INTO {t} (id, {c}) VALUES (2, 'b');\nINSERT IGNORE INTO {t} (id) VALUES (3);",
    ),
    (
        "s",
        "rows or else (SQLite)",
        "INSERT OR REPLACE INTO {t} (id, {c}) VALUES (1, 'a');\nUPDATE OR IGNORE {t} SET {c} = 'b' WHERE id = 2;",
    ),
    (
        "pms",
        "rows changed",
        "UPDATE {t} SET {c} = 'x' WHERE {c} IS NULL;\nDELETE FROM {t} WHERE id IN (SELECT id FROM {u} WHERE {c} = 'gone');",
    ),
    (
        "p",
        "rows changed from another table",
        "UPDATE {t} AS a SET {c} = b.{c} FROM {u} b WHERE a.id = b.id;\nDELETE FROM {t} a USING {u} b WHERE a.id = b.id;",
    ),
    (
        "m",
        "rows changed by a join",
        "UPDATE {t} a INNER JOIN {u} b ON a.id = b.id SET a.{c} = b.{c};\nDELETE a FROM {t} a INNER JOIN {u} b ON a.id = b.id;",
    ),
    (
        "p",
        "rows moved",
        "WITH moved AS (\n    DELETE FROM {t} WHERE id < 100 RETURNING *\n)\nINSERT INTO {u} SELECT * FROM moved;",
    ),
    (
        "pms",
        "all rows filled",
        "ALTER TABLE {t} ADD COLUMN {c} int;\nUPDATE {t} SET {c} = id;",
    ),
    (
        "pms",
        "column",
        "ALTER TABLE {t} ADD COLUMN {c} varchar(20);\nALTER TABLE {t} ADD COLUMN more int DEFAULT 0 NOT NULL;",
    ),
    (
        "p",
        "columns",
        "ALTER TABLE IF EXISTS {t}\n    ADD COLUMN IF NOT EXISTS {c} jsonb NOT NULL DEFAULT '{}'::jsonb,\n    ADD COLUMN IF NOT EXISTS seen_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    ALTER COLUMN state SET DEFAULT 'new',\n    ALTER COLUMN note DROP NOT NULL;",
    ),
    (
        "m",
        "columns",
        "ALTER TABLE {t}\n    ADD COLUMN {c} ENUM('a', 'b') NOT NULL DEFAULT 'a' AFTER id,\n    ADD COLUMN seen_at DATETIME NULL COMMENT 'NOT NULL later',\n    ADD INDEX {t}_{c} ({c});",
    ),
    (
        "pms",
        "column that must not be null",
        "ALTER TABLE {t} ADD COLUMN {c} varchar(20) NOT NULL;",
    ),
    ("p", "index", "CREATE INDEX {t}_{c} ON {t} ({c});"),
    (
        "p",
        "index, concurrently",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS {t}_{c} ON {t} USING gin ({c} gin_trgm_ops) WHERE state <> 'done';\nDROP INDEX CONCURRENTLY IF EXISTS {t}_old;",
    ),
    (
        "ms",
        "index",
        "CREATE INDEX {t}_{c} ON {t} ({c});\nCREATE UNIQUE INDEX {t}_more ON {t} (more, {c});",
    ),
    (
        "p",
        "foreign key",
        "ALTER TABLE {t} ADD CONSTRAINT {t}_fk FOREIGN KEY ({c}) REFERENCES {u} (id) NOT VALID;",
    ),
    ("p", "foreign key, later", "ALTER TABLE {t} VALIDATE CONSTRAINT {t}_fk;"),
    (
        "pm",
        "foreign key, at once",
        "ALTER TABLE {t} ADD CONSTRAINT {t}_fk FOREIGN KEY ({c}) REFERENCES {u} (id) ON DELETE CASCADE;",
    ),
    (
        "p",
        "unique",
        "ALTER TABLE {t} ADD CONSTRAINT {t}_{c}_key UNIQUE ({c});",
    ),
    ("m", "unique", "ALTER TABLE {t} ADD UNIQUE KEY {t}_{c} ({c});"),
    ("p", "type", "ALTER TABLE {t} ALTER COLUMN {c} TYPE varchar(200);"),
    ("m", "type", "ALTER TABLE {t} MODIFY COLUMN {c} VARCHAR(200) NOT NULL;"),
    ("pms", "renamed", "ALTER TABLE {t} RENAME COLUMN {c} TO other;"),
    (
        "pms",
        "constraint and index gone",
        "ALTER TABLE {t} DROP CONSTRAINT {t}_fk;",
    ),
    ("pms", "column gone", "ALTER TABLE {t} DROP COLUMN {c};"),
    ("pms", "table gone", "DROP TABLE IF EXISTS {t};"),
    (
        "pms",
        "view",
        "DROP VIEW IF EXISTS {t}_view;\nCREATE VIEW {t}_view AS SELECT a.id, count(*) AS total FROM {t} a LEFT JOIN {u} b ON b.id = a.id GROUP BY a.id;",
    ),
    (
        "pm",
        "view replaced",
        "CREATE OR REPLACE VIEW {t}_view AS SELECT id, {c} FROM {t} WHERE state <> 'deleted';",
    ),
    (
        "p",
        "materialized view",
        "DROP MATERIALIZED VIEW IF EXISTS {t}_totals;\nCREATE MATERIALIZED VIEW {t}_totals AS SELECT {c}, count(*) FROM {t} GROUP BY {c} WITH NO DATA;\nCREATE UNIQUE INDEX {t}_totals_key ON {t}_totals ({c});\nREFRESH MATERIALIZED VIEW {t}_totals;",
    ),
    (
        "p",
        "function",
        "CREATE OR REPLACE FUNCTION {t}_touch() RETURNS trigger AS $$\nBEGIN\n    UPDATE {u} SET touched = now();\n    DELETE FROM {t};\n    NEW.{c} := now();\n    RETURN NEW;\nEND;\n$$ LANGUAGE plpgsql;",
    ),
    (
        "p",
        "function, by the standard",
        "CREATE FUNCTION {t}_total() RETURNS bigint LANGUAGE sql STABLE\nBEGIN ATOMIC\n    SELECT count(*) FROM {t};\nEND;",
    ),
    (
        "p",
        "trigger",
        "DROP TRIGGER IF EXISTS {t}_touch ON {t};\nCREATE TRIGGER {t}_touch BEFORE INSERT OR UPDATE OR DELETE ON {t}\n    FOR EACH ROW EXECUTE FUNCTION {t}_touch();",
    ),
    (
        "s",
        "trigger",
        "CREATE TRIGGER {t}_touch AFTER UPDATE ON {t}\nBEGIN\n    UPDATE {u} SET touched = datetime('now');\n    DELETE FROM {u}_cache;\nEND;",
    ),
    (
        "m",
        "trigger",
        "CREATE TRIGGER {t}_touch AFTER DELETE ON {t} FOR EACH ROW DELETE FROM {u}_cache;",
    ),
    (
        "p",
        "block",
        "DO $$\nBEGIN\n    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = '{t}_state') THEN\n        CREATE TYPE {t}_state AS ENUM ('new', 'done');\n    END IF;\nEXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;",
    ),
    (
        "p",
        "constraint in a block",
        "DO $$ BEGIN\n    ALTER TABLE {t} ADD CONSTRAINT {t}_fk FOREIGN KEY ({c}) REFERENCES {u} (id);\nEXCEPTION WHEN duplicate_object THEN null;\nEND $$;",
    ),
    (
        "p",
        "enum",
        "CREATE TYPE {t}_state AS ENUM ('new', 'done');\nCREATE TABLE {t} (id int, state {t}_state NOT NULL DEFAULT 'new');",
    ),
    (
        "p",
        "enum, one more",
        "ALTER TYPE {t}_state ADD VALUE IF NOT EXISTS 'gone' AFTER 'done';",
    ),
    (
        "p",
        "extension and schema",
        "CREATE EXTENSION IF NOT EXISTS pgcrypto;\nCREATE SCHEMA IF NOT EXISTS {t};\nSET search_path TO {t}, public;",
    ),
    (
        "p",
        "rights",
        "CREATE ROLE {t}_reader NOLOGIN;\nGRANT USAGE ON SCHEMA public TO {t}_reader;\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO {t}_reader;\nALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {t}_reader;\nREVOKE ALL ON {t} FROM PUBLIC;",
    ),
    (
        "m",
        "rights",
        "CREATE USER IF NOT EXISTS '{t}'@'%' IDENTIFIED BY '${{t}_password}';\nGRANT SELECT, INSERT ON shop.* TO '{t}'@'%';\nFLUSH PRIVILEGES;",
    ),
    ("pm", "all rights", "GRANT ALL PRIVILEGES ON {t} TO app;"),
    (
        "p",
        "row security",
        "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY;\nCREATE POLICY {t}_own ON {t} FOR UPDATE USING (owner = current_user);",
    ),
    (
        "p",
        "partitions",
        "CREATE TABLE {t} (id int, at date NOT NULL) PARTITION BY RANGE (at);\nCREATE TABLE {t}_2026 PARTITION OF {t} FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');\nCREATE INDEX {t}_at ON {t} (at);",
    ),
    (
        "p",
        "comments",
        "COMMENT ON TABLE {t} IS 'DROP TABLE {t} when all is done';\nCOMMENT ON COLUMN {t}.{c} IS 'the password, hashed';",
    ),
    (
        "p",
        "temporary table",
        "CREATE TEMP TABLE {t}_work ON COMMIT DROP AS SELECT * FROM {t};\nUPDATE {t}_work SET {c} = NULL;\nCREATE INDEX ON {t}_work ({c});\nDROP TABLE {t}_work;",
    ),
    (
        "m",
        "temporary table",
        "CREATE TEMPORARY TABLE {t}_work AS SELECT * FROM {t};\nDELETE FROM {t}_work;\nDROP TEMPORARY TABLE IF EXISTS {t}_work;",
    ),
    (
        "s",
        "table rebuilt",
        "PRAGMA foreign_keys=off;\nCREATE TABLE {t}_new (id INTEGER PRIMARY KEY, {c} TEXT NOT NULL);\nINSERT INTO {t}_new SELECT id, {c} FROM {t};\nDROP TABLE {t};\nALTER TABLE {t}_new RENAME TO {t};\nCREATE INDEX {t}_{c} ON {t} ({c});\nPRAGMA foreign_keys=on;",
    ),
    (
        "p",
        "sequence",
        "CREATE SEQUENCE {t}_seq;\nALTER SEQUENCE {t}_seq RESTART WITH 100;\nSELECT setval('{t}_seq', (SELECT max(id) FROM {t}));\nDROP SEQUENCE IF EXISTS {t}_old_seq;",
    ),
    (
        "m",
        "procedure",
        "CREATE PROCEDURE {t}_clear(IN days INT)\nBEGIN\n    IF days > 0 THEN\n        DELETE FROM {t};\n    END IF;\n    UPDATE {u} SET {c} = 0;\nEND;",
    ),
    (
        "pms",
        "lock for a job",
        "SELECT id FROM {t} WHERE state = 'new' ORDER BY id LIMIT 1;",
    ),
    (
        "p",
        "users and their passwords",
        "INSERT INTO users (name, password) VALUES ('admin', crypt('x', gen_salt('bf')));\nUPDATE users SET password = 'reset' WHERE name = 'guest';",
    ),
    (
        "p",
        "placeholders",
        "CREATE TABLE ${schema}.{t} (id int);\nALTER TABLE ${schema}.{t} ADD COLUMN {c} int NOT NULL;\nGRANT SELECT ON ${schema}.{t} TO ${reader};\nCREATE ROLE {t}_app LOGIN PASSWORD '${app_password}';",
    ),
];

const TABLES: [(&str, &str, &str); 2] = [("orders", "customers", "number"), ("audit_log", "users", "body")];

/// Manners of writing: as it stands, in small letters, over many lines with comments, in a hurry.
fn manners(script: &str) -> [String; 4] {
    let commented = format!(
        "-- Ticket 4711: DROP TABLE no_more;\n/* DELETE FROM here; */\n{}\n-- the end\n",
        script.replace(", ", " /* and */,\n    ")
    );
    [
        script.to_owned(),
        script.to_lowercase(),
        commented,
        script.replace('\n', "\r\n"),
    ]
}

#[test]
fn ordinary_scripts_give_no_errors() {
    let mut scripts = 0;
    let mut seen: BTreeMap<(&str, String, &str), BTreeMap<String, usize>> = BTreeMap::new();
    for (letters, block, text) in BLOCKS {
        for (letter, dialect) in DIALECTS {
            if !letters.contains(letter) {
                continue;
            }
            for (table, other, column) in TABLES {
                let script = text.replace("{t}", table).replace("{u}", other).replace("{c}", column);
                for script in manners(&script) {
                    scripts += 1;
                    for finding in findings(dialect, &script) {
                        assert_ne!(finding.level, Level::Error, "{dialect}, {block}: {finding:?}\n{script}");
                        let key = (finding.rule.code, dialect.to_string(), *block);
                        let message = format!("{}: {}", finding.level, finding.message);
                        *seen.entry(key).or_default().entry(message).or_default() += 1;
                    }
                }
            }
        }
    }
    let mut list = String::new();
    for ((code, dialect, block), messages) in seen {
        // Off unless asked for.
        if code == "R017" {
            continue;
        }
        let all: usize = messages.values().sum();
        let first = messages.keys().next_back().expect("a message");
        writeln!(list, "{code} {all:2} {}, {block}: {first}", dialect).expect("text");
    }
    insta::assert_snapshot!(scripts, @"744");
    insta::assert_snapshot!(list, @r##"
    R001  8 mysql, table gone: warning: table orders is dropped, with its rows
    R001  8 postgresql, table gone: warning: table orders is dropped, with its rows
    R001  8 sqlite, table gone: warning: table orders is dropped, with its rows
    R002  8 mysql, column gone: warning: column number of orders is dropped, with what is in it
    R002  8 postgresql, column gone: warning: column number of orders is dropped, with what is in it
    R002  8 sqlite, column gone: warning: column number of orders is dropped, with what is in it
    R003  8 mysql, all rows filled: warning: all rows of orders are changed at once
    R003  8 postgresql, all rows filled: warning: all rows of orders are changed at once
    R003  8 sqlite, all rows filled: warning: all rows of orders are changed at once
    R010  8 postgresql, index: warning: index orders_number is made on orders while everybody who writes to it waits
    R011  8 mysql, foreign key, at once: warning: foreign key orders_fk is added to orders, which copies the table while writers wait
    R011  8 postgresql, foreign key, at once: warning: foreign key orders_fk is added to orders, and all rows are checked while writers wait
    R012  8 postgresql, unique: warning: UNIQUE (number) is built on orders while everybody who uses it waits
    R013  8 mysql, column that must not be null: warning: column number of orders must not be null: the rows there are get 0 or ''
    R013  8 postgresql, column that must not be null: warning: column number of orders must not be null, and the rows there are have no value for it
    R013  8 sqlite, column that must not be null: warning: column number of orders must not be null, and the rows there are have no value for it
    R015  8 mysql, type: info: the type of number in orders is changed, which is free only if it gets wider
    R015  8 postgresql, type: info: the type of number in orders is changed, which is free only if it gets wider
    R016  8 mysql, renamed: warning: column number of orders is renamed to other
    R016  8 postgresql, renamed: warning: column number of orders is renamed to other
    R016  8 sqlite, renamed: warning: column number of orders is renamed to other
    R020  8 mysql, all rights: warning: all rights on orders are granted
    R020  8 postgresql, all rights: warning: all rights on orders are granted
    "##);
}
