use crate::migrations::examine::{Examined, examine};
use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::inventory::Listed;
use crate::migrations::{Inventory, Tool};
use crate::sql::Dialect::{self, MySql, Postgres, Sqlite, Unknown};

fn examined(tool: Tool, dialect: Dialect, files: &[(&str, &[u8])]) -> Examined {
    let listed = files.iter().map(|(path, bytes)| Listed::in_memory(path, bytes));
    let inventory = Inventory::of(tool, listed);
    examine(&inventory, dialect).expect("all is in memory").swap_remove(0)
}

/// The content findings of a script: code, line, column.
fn found(tool: Tool, dialect: Dialect, files: &[(&str, &[u8])]) -> Vec<String> {
    let examined = examined(tool, dialect, files);
    let content = examined
        .findings
        .iter()
        .filter(|finding| finding.rule.code.starts_with('C'));
    content
        .map(|finding| format!("{} {}:{}", finding.rule.code, finding.place.line, finding.place.column))
        .collect()
}

fn configured(change: impl FnOnce(&mut FlywayConfig)) -> Tool {
    let mut config = FlywayConfig::default();
    change(&mut config);
    Tool::Flyway(Box::new(config))
}

#[track_caller]
fn flyway(dialect: Dialect, script: &str, expected: &[&str]) {
    assert_eq!(
        found(Tool::flyway(), dialect, &[("V1__a.sql", script.as_bytes())]),
        expected,
        "{dialect}: {script}"
    );
}

#[test]
fn c001_and_c002_encodings() {
    let of = |bytes: &[u8]| found(Tool::flyway(), Unknown, &[("V1__a.sql", bytes)]);
    assert_eq!(of(b"SELECT 1;\n\xe9"), ["C001 2:1"]);
    assert_eq!(of(b"\xff\xfeS\0E\0"), ["C001 1:1"]);
    assert_eq!(of("SELECT '\u{e9}';".as_bytes()), [""; 0]);
    assert_eq!(of("\u{feff}SELECT 1;".as_bytes()), [""; 0]);
    assert_eq!(of("SELECT 1;\n \u{feff}SELECT 2;".as_bytes()), ["C002 2:2"]);
    assert_eq!(of(b"S\0E\0L\0"), ["C002 1:2"]);
    let latin = configured(|config| config.encoding = "ISO-8859-1".to_owned());
    assert_eq!(found(latin, Unknown, &[("V1__a.sql", b"SELECT '\xe9';")]), [""; 0]);
}

#[test]
fn c003_and_c004_placeholders() {
    flyway(
        Unknown,
        "SELECT 1;\n-- ${a} ${A}\nSELECT '${b}';",
        &["C003 2:4", "C003 3:9"],
    );
    flyway(MySql, "SELECT $${a};", &[]);
    flyway(Unknown, "SELECT '${flyway:user} ${flyway:timestamp}';", &[]);
    flyway(Unknown, "SELECT '${flyway:nothing}';", &["C003 1:9"]);
    flyway(Unknown, "SELECT '${a';", &["C003 1:9"]);
    let given = || {
        configured(|config| {
            config.placeholders.values.insert("a".to_owned(), Some("x".to_owned()));
            config.placeholders.values.insert("b".to_owned(), None);
        })
    };
    let script: &[u8] = b"SELECT '${A} ${b} ${flyway:timestamp}';";
    assert_eq!(found(given(), Unknown, &[("V1__a.sql", script)]), [""; 0]);
    assert_eq!(
        found(given(), Unknown, &[("R__a.sql", script)]),
        ["C004 1:14", "C004 1:19"]
    );
    assert_eq!(
        examined(given(), Unknown, &[("R__a.sql", script)]).placeholders.len(),
        3
    );
    let off = configured(|config| config.placeholders.replace = false);
    assert_eq!(found(off, Unknown, &[("V1__a.sql", b"SELECT '${a}';")]), [""; 0]);
    let own: &[u8] = b"placeholderReplacement=false";
    assert_eq!(
        found(
            Tool::flyway(),
            Unknown,
            &[("V1__a.sql", b"SELECT '${a}';"), ("V1__a.sql.conf", own)]
        ),
        [""; 0]
    );
}

#[test]
fn c005_and_c006_statements_that_refuse_a_transaction() {
    let index = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);";
    flyway(Postgres, index, &["C006 1:21"]);
    flyway(Postgres, &format!("SELECT 1;\n{index}"), &["C005 2:21", "C006 2:21"]);
    flyway(Postgres, "DROP INDEX CONCURRENTLY i;", &["C006 1:12"]);
    flyway(Postgres, "REFRESH MATERIALIZED VIEW CONCURRENTLY v; SELECT 1;", &[]);
    flyway(Postgres, "VACUUM t; SELECT 1;", &["C005 1:1"]);
    flyway(Postgres, "VACUUM t;", &[]);
    flyway(Postgres, "CREATE INDEX concurrently_i ON t (a); SELECT 1;", &[]);
    flyway(Postgres, "DROP DATABASE a; CREATE TABLESPACE b LOCATION 'c';", &[]);
    flyway(Sqlite, "PRAGMA foreign_keys = OFF; SELECT 1;", &["C005 1:8"]);
    flyway(Sqlite, "PRAGMA user_version = 1; SELECT 1;", &[]);
    flyway(MySql, "DROP DATABASE a; SELECT 1;", &[]);
    let free = || configured(|config| config.transactional_lock = false);
    assert_eq!(found(free(), Postgres, &[("V1__a.sql", index.as_bytes())]), [""; 0]);
    let mixed = configured(|config| (config.mixed, config.transactional_lock) = (true, false));
    let both = format!("SELECT 1; {index}");
    assert_eq!(found(mixed, Postgres, &[("V1__a.sql", both.as_bytes())]), [""; 0]);
    let own = |text: &'static str| -> Vec<String> {
        found(
            free(),
            Postgres,
            &[("V1__a.sql", both.as_bytes()), ("V1__a.sql.conf", text.as_bytes())],
        )
    };
    assert_eq!(own("executeInTransaction=false"), [""; 0]);
    assert_eq!(own("executeInTransaction=true"), ["C005 1:31"]);
    let transactional = |script: &str| examined(free(), Postgres, &[("V1__a.sql", script.as_bytes())]).transactional;
    assert_eq!(
        (transactional(index), transactional("SELECT 1;")),
        (Some(false), Some(true))
    );
}

#[test]
fn c007_and_c008_what_does_not_end() {
    flyway(Postgres, "SELECT 1;\nSELECT 'a;\n", &["C007 2:8"]);
    flyway(Postgres, "SELECT (1;\n", &["C007 1:8"]);
    flyway(Postgres, "COPY t FROM stdin;\n1\n", &["C007 1:1"]);
    flyway(MySql, "DELIMITER //\nCREATE PROCEDURE p() BEGIN END//\n", &["C008 1:1"]);
    flyway(
        MySql,
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN END//\nDELIMITER ;\n",
        &[],
    );
}

#[test]
fn c009_transactions_in_transactions() {
    for (script, expected) in [
        ("BEGIN;\nSELECT 1;\nCOMMIT;", &["C009 1:1"][..]),
        ("SELECT 1;\nROLLBACK WORK;", &["C009 2:1"]),
        ("START TRANSACTION READ ONLY;", &["C009 1:1"]),
        ("SET autocommit = 0;", &["C009 1:1"]),
        ("SET @@session.autocommit=1;", &["C009 1:1"]),
        ("SAVEPOINT a; ROLLBACK TO a; RELEASE SAVEPOINT a;", &[]),
        ("COMMENT ON TABLE a IS 'commit';", &[]),
        ("SELECT begin FROM commit;", &[]),
    ] {
        for dialect in [Postgres, MySql, Sqlite, Unknown] {
            flyway(dialect, script, expected);
        }
    }
    flyway(MySql, "CREATE PROCEDURE p() BEGIN START TRANSACTION; COMMIT; END;", &[]);
    flyway(Postgres, "DO $$ BEGIN COMMIT; END $$;", &[]);
    let own: &[u8] = b"executeInTransaction=false";
    assert_eq!(
        found(
            Tool::flyway(),
            Postgres,
            &[("V1__a.sql", b"BEGIN; COMMIT;"), ("V1__a.sql.conf", own)]
        ),
        [""; 0]
    );
}

#[test]
fn c010_what_flyway_misreads() {
    flyway(Postgres, "SELECT e'it\\'s';", &["C010 1:8"]);
    flyway(Postgres, "INSERT INTO a VALUES (1, e'it\\'s');", &["C010 1:26"]);
    flyway(Postgres, "SELECT E'it\\'s', e'a';", &[]);
    flyway(
        Postgres,
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql RETURN $1 + 1;",
        &["C010 1:56"],
    );
    flyway(
        Postgres,
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 $$;",
        &[],
    );
    flyway(Postgres, "SELECT 'a$1', \"b$1\", c$1;", &[]);
    flyway(MySql, "SELECT e'it\\'s';", &[]);
}

#[test]
fn c011_commands_of_clients() {
    flyway(Postgres, "\\connect a\nSELECT 1;", &["C011 1:1"]);
    flyway(Postgres, "SELECT 1;\n  \\i b.sql\n", &["C011 2:3"]);
    flyway(Postgres, "SELECT 1 AS a \\gset\n;", &["C011 1:15"]);
    flyway(Postgres, "USE a;", &["C011 1:1"]);
    flyway(MySql, "USE a;", &[]);
    flyway(MySql, "source a.sql;\n", &["C011 1:1"]);
    flyway(Sqlite, ".read a.sql\nSELECT 1;", &["C011 1:1"]);
    flyway(Unknown, "SELECT 1\nGO\n", &[]);
    flyway(Unknown, "SELECT 1;\nGO\nSELECT 2;", &["C011 2:1"]);
    flyway(Unknown, "SELECT use, source FROM go;", &[]);
    flyway(Unknown, "USE a; UPDATE t SET use = '\\i', source = 1;", &[]);
    flyway(Postgres, "DELIMITER //\nSELECT 1;", &["C011 1:1"]);
}

#[test]
fn c012_definitions_in_mysql() {
    flyway(
        MySql,
        "CREATE TABLE a (b INT);\nALTER TABLE c ADD d INT;\nDROP TABLE e;",
        &["C012 2:1"],
    );
    flyway(Postgres, "CREATE TABLE a (b INT); CREATE TABLE c (d INT);", &[]);
    flyway(
        MySql,
        "CREATE TEMPORARY TABLE a (b INT); DROP TEMPORARY TABLE a; CREATE TABLE c (d INT);",
        &[],
    );
    flyway(
        MySql,
        "DROP TABLE IF EXISTS a; CREATE TABLE a (b INT); CREATE OR REPLACE VIEW v AS SELECT 1;",
        &[],
    );
    flyway(MySql, "CREATE TABLE a (b INT); INSERT INTO a VALUES (1);", &[]);
    let script: &[u8] = b"CREATE TABLE a (b INT); CREATE TABLE c (d INT);";
    assert_eq!(found(Tool::flyway(), MySql, &[("B1__a.sql", script)]), [""; 0]);
}

#[test]
fn c013_scripts_without_a_statement() {
    for script in ["", " \n", "-- a;\n/* b */", ";"] {
        flyway(Unknown, script, &["C013 0:0"]);
    }
    flyway(Unknown, "SELECT 1", &[]);
}

#[test]
fn statements_are_counted_in_sql_only() {
    let statements = |files: &[(&str, &[u8])]| examined(Tool::flyway(), Unknown, files).statements;
    assert_eq!(statements(&[("V1__a.sql", b"a; b; -- c\n")]), Some(2));
    assert_eq!(statements(&[("afterMigrate.sql", b"a")]), Some(1));
    assert_eq!(statements(&[("README.md", b"a")]), None);
    assert_eq!(statements(&[("V1__a.sh", b"a")]), None);
}

#[test]
fn comments_allow_content() {
    flyway(Unknown, "SELECT 1;", &[]);
    let script = b"-- shipway:allow C011 the tool takes it\n\\connect a\n";
    let examined = examined(Tool::flyway(), Postgres, &[("V1__a.sql", script)]);
    assert_eq!(examined.findings.len(), 1);
    assert_eq!(examined.findings[0].allowed.as_deref(), Some("the tool takes it"));
}
