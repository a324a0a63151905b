//! What is read in the logs of Liquibase and dbmate, and what they wrote into their own tables.

use std::process::{Command, Output};

use shipway::execute::Report;
use shipway::execute::report::Reader;

use super::folder::Folder;
use super::{dbmate, liquibase};
use crate::parts::output;

fn read(output: &Output) -> Option<Report> {
    let mut reader = Reader::default();
    for stream in [&output.stdout, &output.stderr] {
        for line in String::from_utf8_lossy(stream).lines() {
            reader.line(line);
        }
    }
    reader.finish()
}

/// A column of a table of the folder's database.
fn column(folder: &Folder, query: &str) -> Vec<String> {
    let script =
        "import sqlite3,sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print('::'.join(row))";
    let database = folder.place.path().join("database.sqlite3");
    let text = output(Command::new("python3").args(["-c", script]).arg(database).arg(query));
    text.lines().map(str::to_owned).collect()
}

/// Catches a migration told as applied that dbmate has not recorded, and a failure in another script.
#[test]
#[ignore = "needs ci/real.sh"]
fn what_is_read_is_what_dbmate_recorded() {
    let script = |sql: &str| format!("-- migrate:up\n{sql}\n-- migrate:down\n");
    let good = [script("CREATE TABLE a (id int);"), script("CREATE TABLE b (id int);")];
    let broken = script("CREATE TABLE c (id int);\nINSERT INTO nothere VALUES (1);");
    let folder = Folder::of([("001_a.sql", good[0].as_str()), ("002_b_c.sql", &good[1])]);
    let versions = || column(&folder, "select version from schema_migrations order by version");
    let first = read(&dbmate::dbmate(&folder, &["migrate"])).expect("dbmate spoke");
    let told: Vec<_> = first.executed.iter().filter_map(|one| one.version.clone()).collect();
    assert_eq!(told, versions());
    assert_eq!(first.executed[1].description, "b c");
    assert_eq!(first.error, None);
    // It says nothing where there is nothing to do.
    assert_eq!(read(&dbmate::dbmate(&folder, &["migrate"])), None);

    std::fs::write(folder.place.path().join("003_broken.sql"), broken).expect("a file can be written");
    let failed = dbmate::dbmate(&folder, &["migrate"]);
    assert!(!failed.status.success());
    let report = read(&failed).expect("dbmate spoke");
    assert_eq!(report.executed, []);
    assert_eq!(versions().len(), 2);
    let error = report.error.expect("it failed");
    assert_eq!(error.script.as_deref(), Some("003_broken.sql"));
    assert!(error.message.contains("nothere"), "{error:?}");
}

/// Catches a changeset told as run that Liquibase has not recorded, and a failure in another file.
#[test]
#[ignore = "needs ci/real.sh"]
fn what_is_read_is_what_liquibase_recorded() {
    let good = "--liquibase formatted sql\n--changeset me:1\ncreate table a (id int);\n--changeset her:orders table\nselect 1;\n";
    let folder = Folder::of([("root.sql", good)]);
    let recorded = || {
        column(
            &folder,
            "select FILENAME, ID, AUTHOR from DATABASECHANGELOG order by ORDEREXECUTED",
        )
    };
    let told = |report: &Report| -> Vec<String> {
        let executed = report.executed.iter();
        executed
            .map(|one| format!("{}::{}", one.script.as_deref().unwrap_or_default(), one.description))
            .collect()
    };
    let first = read(&liquibase::update(&folder, "root.sql")).expect("Liquibase spoke");
    assert_eq!(told(&first), recorded());
    assert_eq!(first.executed.len(), 2);
    assert!(first.tool_version.is_some());

    let nothing = read(&liquibase::update(&folder, "root.sql")).expect("Liquibase spoke");
    assert_eq!((told(&nothing), nothing.error), (Vec::new(), None));

    let broken = format!("{good}--changeset me:3\nselect 3;\n--changeset me:broken\ninsert into nothere values (1);\n");
    std::fs::write(folder.place.path().join("root.sql"), broken).expect("a file can be written");
    let failed = liquibase::update(&folder, "root.sql");
    assert!(!failed.status.success());
    let report = read(&failed).expect("Liquibase spoke");
    assert_eq!(told(&report), recorded()[2..]);
    assert_eq!(report.executed.len(), 1);
    let error = report.error.expect("it failed");
    assert_eq!(error.script.as_deref(), Some("root.sql"));
    assert_eq!(error.statement.as_deref(), Some("insert into nothere values (1)"));
    assert!(error.message.contains("nothere"), "{error:?}");
}
