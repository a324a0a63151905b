//! What is read in Flyway's log, and what Flyway itself says is so: `info` before and after, and what `repair` does.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use shipway::execute::Report;
use shipway::execute::report::{NotRepairable, Reader, repair, repairable};

use super::project::Project;
use crate::parts::{output, setting};

const SQLITE: [(&str, &str); 3] = [
    ("sql/V1__create_customers.sql", "CREATE TABLE customers (id int);\n"),
    ("sql/sub/V1_2__orders_and_more.sql", "CREATE TABLE orders (id int);\n"),
    (
        "sql/R__views.sql",
        "DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT * FROM orders;\n",
    ),
];

/// Fails in its fifth line.
const BROKEN: &str = "-- fine\nCREATE TABLE b (id int);\n\n-- not fine\nINSERT INTO nothere\n  VALUES (1);\n";

fn read(output: &Output) -> Report {
    let mut reader = Reader::default();
    for stream in [&output.stdout, &output.stderr] {
        for line in String::from_utf8_lossy(stream).lines() {
            reader.line(line);
        }
    }
    let told = || format!("{output:?}");
    reader
        .finish()
        .unwrap_or_else(|| panic!("nothing is read in {}", told()))
}

/// What a migration is called, its state, and when it was installed.
fn rows(project: &Project, database: &str, login: &[&str]) -> Vec<(Option<String>, String, String)> {
    let json = project.json(database, &[login, &["info"]].concat());
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let migrations = json["migrations"].as_array().expect("a list").iter();
    migrations
        .map(|row| {
            let version = text(row, "version");
            (
                (!version.is_empty()).then_some(version),
                text(row, "description"),
                text(row, "state"),
            )
        })
        .collect()
}

/// Those that are done.
fn done(project: &Project, database: &str, login: &[&str]) -> Vec<(Option<String>, String)> {
    let rows = rows(project, database, login).into_iter();
    rows.filter(|(.., state)| state == "Success")
        .map(|(version, description, _)| (version, description))
        .collect()
}

fn executed(report: &Report) -> Vec<(Option<String>, String)> {
    let executed = report.executed.iter();
    executed
        .map(|one| (one.version.clone(), one.description.clone()))
        .collect()
}

fn write(project: &Project, path: &str, text: &str) {
    fs::write(project.path(path), text).expect("a file can be written");
}

/// A first run, one with nothing to do, one that fails, and one after the failure; `login` are arguments.
fn story(project: &Project, database: &str, login: &[&str], format: &[&str]) {
    let run = || project.run(database, &[login, format, &["migrate"]].concat());
    let is_json = !format.is_empty();

    let first = run();
    let report = read(&first);
    assert_eq!(executed(&report), done(project, database, login), "{first:?}");
    assert_eq!(report.executed.len(), 3);
    assert_eq!(
        (report.initial.as_deref(), report.target.as_deref()),
        (None, Some("1.2"))
    );
    assert_eq!(report.error, None);
    assert!(report.tool_version.is_some_and(|version| version.starts_with("12.")));
    if is_json {
        let paths: Vec<_> = report
            .executed
            .iter()
            .map(|one| one.script.as_deref().unwrap_or_default())
            .collect();
        assert!(paths[1].ends_with("sql/sub/V1_2__orders_and_more.sql"), "{paths:?}");
        assert!(report.executed.iter().all(|one| one.milliseconds.is_some()));
    }

    let nothing = read(&run());
    assert_eq!(executed(&nothing), []);
    assert_eq!(
        (nothing.initial.as_deref(), nothing.target.as_deref()),
        (Some("1.2"), Some("1.2"))
    );

    let before = done(project, database, login);
    write(project, "sql/V1_9__fill.sql", "INSERT INTO orders VALUES (2);\n");
    write(project, "sql/V2__broken.sql", BROKEN);
    let output = run();
    assert!(!output.status.success());
    let report = read(&output);
    let after = done(project, database, login);
    let new: Vec<_> = after.into_iter().filter(|row| !before.contains(row)).collect();
    assert_eq!(executed(&report), new);
    assert_eq!(
        (report.initial.as_deref(), report.target.as_deref()),
        (Some("1.2"), Some("1.9"))
    );
    let error = report.error.expect("it failed");
    assert!(
        error
            .script
            .as_deref()
            .is_some_and(|path| path.ends_with("sql/V2__broken.sql")),
        "{error:?}"
    );
    assert_eq!(error.line, Some(5));
    assert!(error.message.contains("nothere"), "{error:?}");
    let is_mariadb = database.contains("mariadb");
    assert_eq!(error.sql_state.as_deref(), is_mariadb.then_some("42S02"));
    assert_eq!(error.error_code.as_deref(), Some(if is_mariadb { "1146" } else { "1" }));
}

/// A database of its own on the MariaDB, and the arguments that open it.
fn mariadb(name: &str) -> (String, [&'static str; 2]) {
    let address = setting("SHIPWAY_TEST_FLYWAY_MARIADB");
    let (host, port) = address.split_once(':').expect("a host and a port");
    output(
        Command::new("mariadb")
            .args(["--no-defaults", "-h", host, "-P", port, "-uflyway", "-pflyway"])
            .args(["-e", &format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}")]),
    );
    (
        format!("jdbc:mariadb://{address}/{name}"),
        ["-user=flyway", "-password=flyway"],
    )
}

fn mariadb_files() -> [(&'static str, &'static str); 3] {
    let [one, two, (path, _)] = SQLITE;
    [one, two, (path, "CREATE OR REPLACE VIEW v AS SELECT * FROM orders;\n")]
}

/// Catches a text or JSON of Flyway's that says something else than its own history.
#[test]
#[ignore = "needs ci/real.sh"]
fn what_is_read_is_what_flyway_did() {
    for format in [&[][..], &["-outputType=json"]] {
        let project = Project::new(SQLITE);
        story(&project, &project.sqlite(), &[], format);
        let project = Project::new(mariadb_files());
        let (database, login) = mariadb(if format.is_empty() {
            "report_text"
        } else {
            "report_json"
        });
        story(&project, &database, &login, format);
    }
}

/// Catches a guard that lets Flyway do more than take the failed row out, and one that forbids that.
#[test]
#[ignore = "needs ci/real.sh"]
fn repair_does_what_the_guard_says() {
    let project = Project::new(mariadb_files());
    let (database, login) = mariadb("report_repair");
    let ask = || {
        let asked = project.run(&database, &[&login[..], &repair::QUESTION].concat());
        repairable(&String::from_utf8_lossy(&asked.stdout))
    };
    let run = |word: &str| project.run(&database, &[&login[..], &[word]].concat());
    assert!(run("migrate").status.success());
    assert_eq!(ask(), Err(NotRepairable::NothingFailed));
    write(&project, "sql/V2__broken.sql", BROKEN);
    assert!(!run("migrate").status.success());

    // A script that ran has changed: `repair` would take over its new checksum.
    let [(path, text), ..] = SQLITE;
    write(&project, path, "-- changed\n");
    assert!(matches!(ask(), Err(NotRepairable::Mismatch { code, .. }) if code == "CHECKSUM_MISMATCH"));
    write(&project, path, text);
    // One that ran is not there any more: `repair` would mark it as deleted.
    let moved = project.path("elsewhere.sql");
    fs::rename(project.path(path), &moved).expect("a file can be moved");
    assert!(matches!(ask(), Err(NotRepairable::State { state, .. }) if state == "Missing"));
    fs::rename(&moved, project.path(path)).expect("a file can be moved");

    // With the script put right the row is still the failed one, and nothing else is in the way.
    write(&project, "sql/V2__broken.sql", "CREATE TABLE b2 (id int);\n");
    let row = ask().expect("one row failed");
    assert_eq!(
        (row.version.as_deref(), row.description.as_str()),
        (Some("2"), "broken")
    );
    let before = rows(&project, &database, &login);
    assert!(run("repair").status.success());
    let mut expected = before;
    for row in &mut expected {
        if row.2 == "Failed" {
            row.2 = "Pending".to_owned();
        }
    }
    let sorted = |mut rows: Vec<_>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(rows(&project, &database, &login)), sorted(expected));
    assert_eq!(ask(), Err(NotRepairable::NothingFailed));
    let report = read(&run("migrate"));
    assert_eq!(executed(&report), [(Some("2".to_owned()), "broken".to_owned())]);
}
