//! Logs that real tools wrote, and what is read in them.
//!
//! `fixtures/NAME.out` and `.err` are what the tool wrote to its two streams, `NAME.json` is the report. Addresses and folders were
//! replaced, and stack traces cut. Atlas's are of the form that its own tests give.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::*;

struct Fixture {
    name: String,
    output: String,
    error: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/execute/report/fixtures")
}

fn fixtures() -> Vec<Fixture> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (stem, kind) = name.rsplit_once('.').unwrap();
        if kind == "out" || kind == "err" {
            names.insert(stem.to_owned());
        }
    }
    let read = |name: &str, kind: &str| fs::read_to_string(folder().join(format!("{name}.{kind}"))).unwrap_or_default();
    let found: Vec<Fixture> = names
        .into_iter()
        .map(|name| Fixture {
            output: read(&name, "out"),
            error: read(&name, "err"),
            name,
        })
        .collect();
    assert!(found.len() > 40, "{} fixtures", found.len());
    found
}

fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Report> {
    let mut reader = Reader::default();
    for line in lines {
        reader.line(line);
    }
    reader.finish()
}

fn json(report: Option<&Report>) -> String {
    format!("{}\n", serde_json::to_string_pretty(&report).unwrap())
}

impl Fixture {
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.output.lines().chain(self.error.lines())
    }
}

/// Catches a line of a real tool that is no longer read, or read otherwise.
#[test]
fn what_real_tools_wrote_is_read() {
    for fixture in fixtures() {
        let report = read(fixture.lines());
        let golden = fs::read_to_string(folder().join(format!("{}.json", fixture.name))).unwrap_or_default();
        assert_eq!(json(report.as_ref()), golden, "{}", fixture.name);
    }
}

/// Catches a reader that only knows a log as it was written, and not as its keeper gives it back.
#[test]
fn what_the_logs_keeper_does_changes_nothing() {
    for fixture in fixtures() {
        let report = read(fixture.lines());
        let other_way = read(fixture.error.lines().chain(fixture.output.lines()));
        assert_eq!(other_way, report, "{}: the streams the other way round", fixture.name);
        let adorned: Vec<String> = fixture
            .lines()
            .map(|line| format!("\u{1b}[36mflyway-1  |\u{1b}[0m 2026-11-23T05:10:55.123456789Z {line}\r"))
            .collect();
        assert_eq!(
            read(adorned.iter().map(String::as_str)),
            report,
            "{}: adorned",
            fixture.name
        );
        let without_empty = fixture.lines().filter(|line| !line.trim().is_empty());
        assert_eq!(read(without_empty), report, "{}: as CloudWatch keeps it", fixture.name);
        let whole = fixture.lines().collect::<Vec<_>>().join("\n");
        assert_eq!(read([whole.as_str()]), report, "{}: all at once", fixture.name);
        let wrapped: Vec<String> = fixture
            .lines()
            .map(|line| serde_json::json!({ "time": 1, "message": line }).to_string())
            .collect();
        if !fixture.output.starts_with('{') {
            assert_eq!(
                read(wrapped.iter().map(String::as_str)),
                report,
                "{}: wrapped",
                fixture.name
            );
        }
    }
}

/// Catches a migration that is told as done although the log ends before it says so.
#[test]
fn a_log_that_ends_too_soon_tells_no_more_than_it_says() {
    for fixture in fixtures() {
        let lines: Vec<&str> = fixture.lines().collect();
        let whole = read(lines.iter().copied())
            .map(|report| report.executed)
            .unwrap_or_default();
        for end in 0..lines.len() {
            let part = read(lines[..end].iter().copied())
                .map(|report| report.executed)
                .unwrap_or_default();
            // dbmate says "Applied" of one that failed, and that it failed in the last line.
            let is_told_late = fixture.name.starts_with("dbmate") && end + 1 == lines.len();
            assert!(
                is_told_late || whole.starts_with(&part),
                "{} up to line {end}: {part:?} is not in {whole:?}",
                fixture.name
            );
        }
    }
}

/// Catches a panic, and memory without limit, whatever a program writes.
#[test]
fn hostile_logs_do_no_harm() {
    let mut random = fastrand::Rng::with_seed(6);
    let pieces: Vec<String> = fixtures()
        .iter()
        .flat_map(|f| f.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let odd = [
        "{",
        "}",
        "\"",
        "\\",
        "\u{1b}[",
        "\u{0}",
        "ü€",
        " in line ",
        "(",
        ")",
        ": ",
        "[",
        "\n",
        " failed!",
        "::",
    ];
    for _ in 0..500 {
        let mut reader = Reader::default();
        for _ in 0..random.usize(1..30) {
            let mut line = pieces[random.usize(..pieces.len())].clone();
            for _ in 0..random.usize(..4) {
                let at = random.usize(..=line.len());
                let at = (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap();
                match random.bool() {
                    true => line.truncate(at),
                    false => line.insert_str(at, odd[random.usize(..odd.len())]),
                }
            }
            reader.line(&line);
        }
        if let Some(report) = reader.finish() {
            assert!(summary::summary(&report).len() <= 13);
        }
    }
    let mut reader = Reader::default();
    reader.line("Flyway OSS Edition 12.4.0 by Redgate");
    let name = "x".repeat(2000);
    for number in 0..11_000 {
        reader.line(&format!("Migrating schema \"x\" to version \"{number} - {name}\""));
        reader.line(&format!("WARNING: {number} {name}"));
    }
    reader.line(
        "Successfully applied 11000 migrations to schema \"x\", now at version v10999 (execution time 00:00.000s)",
    );
    let report = reader.finish().unwrap();
    assert_eq!(report.executed.len(), line::MOST_MIGRATIONS);
    assert_eq!(report.warnings.len(), line::MOST_WARNINGS);
    assert!(
        report
            .executed
            .iter()
            .all(|one| one.description.chars().count() <= line::LONGEST_NAME + 1)
    );
}

/// Catches an earlier failure told as that of a later run that succeeded.
#[test]
fn a_second_run_in_one_log_is_the_one_that_counts() {
    let read_two = |first: &str, second: &str| {
        let all = fixtures();
        let find = |name: &str| all.iter().find(|fixture| fixture.name == name).unwrap();
        read(find(first).lines().chain(find(second).lines())).unwrap()
    };
    let report = read_two("flyway-mariadb-broken", "flyway-mariadb-nothing");
    assert_eq!(report.error, None);
    assert_eq!(report.executed.len(), 1);
    let report = read_two("flyway-mariadb-first", "flyway-mariadb-broken");
    assert_eq!(report.executed.len(), 4);
    assert_eq!(report.error.unwrap().line, Some(5));
    assert_eq!(report.target.as_deref(), Some("1.9"));
}

/// Catches lines of a program that is no migration tool taken for one.
#[test]
fn a_log_of_something_else_tells_nothing() {
    for log in [
        "",
        "Error: it failed",
        "ERROR: it failed\nMessage    : x",
        "error: it failed",
        "{\"message\": \"hello\"}\n{\"error\": {\"message\": \"x\"}}",
        "WARNING: x\nOK (done)\nOK   x\n1/u\n1/u x\nCurrent\nApplying\n-- ok (1ms)",
    ] {
        assert_eq!(read(log.lines()), None, "{log}");
    }
}

fn asked(name: &str) -> Result<FailedRow, NotRepairable> {
    let all = fixtures();
    let fixture = all.iter().find(|fixture| fixture.name == name).unwrap();
    repairable(&format!("before\n{}WARNING: behind\n", fixture.output))
}

/// Catches a repair that would do more than take one failed row out.
#[test]
fn repair_is_for_exactly_one_failed_row() {
    let row = FailedRow {
        version: Some("2".to_owned()),
        description: "broken".to_owned(),
        script: Some("/flyway/sql/V2__broken.sql".to_owned()),
    };
    assert_eq!(asked("ask-failed"), Ok(row.clone()));
    assert_eq!(asked("ask-fixed"), Ok(row));
    assert_eq!(asked("ask-repeatable").map(|row| row.version), Ok(None));
    // `info` calls the row whose script has changed `Success`.
    let mismatch = NotRepairable::Mismatch {
        migration: "1 (create customers)".to_owned(),
        code: "CHECKSUM_MISMATCH".to_owned(),
    };
    assert_eq!(asked("ask-mismatch"), Err(mismatch));
    assert_eq!(asked("ask-outdated"), Err(NotRepairable::NothingFailed));
    assert_eq!(asked("ask-info-only"), Err(NotRepairable::NotValidated));
    assert_eq!(asked("ask-text"), Err(NotRepairable::NoInfo));
    assert!(matches!(asked("flyway-json-password"), Err(NotRepairable::Failed(_))));
}

/// Catches a state or a code of Flyway's that lets a repair through.
#[test]
fn every_other_state_and_code_forbids_a_repair() {
    let question = |rows: &[&str], codes: &[&str]| {
        let rows: Vec<_> = rows
            .iter()
            .map(|state| serde_json::json!({ "version": "1", "description": "x", "state": state, "filepath": "" }))
            .collect();
        let codes: Vec<_> = codes
            .iter()
            .map(
                |code| serde_json::json!({ "version": "1", "description": "x", "errorDetails": { "errorCode": code } }),
            )
            .collect();
        let results = serde_json::json!({ "individualResults": [
            { "operation": "info", "migrations": rows },
            { "operation": "validate", "validationSuccessful": codes.is_empty(), "invalidMigrations": codes },
        ] });
        repairable(&results.to_string())
    };
    assert!(question(&["Success", "Failed", "Pending"], &["FAILED_VERSIONED_MIGRATION"]).is_ok());
    for state in [
        "Missing",
        "Future",
        "Failed (Missing)",
        "Failed (Future)",
        "",
        "Something New",
    ] {
        let refused = question(&["Failed", state], &[]);
        assert!(
            matches!(refused, Err(NotRepairable::State { .. })),
            "{state}: {refused:?}"
        );
    }
    for code in [
        "CHECKSUM_MISMATCH",
        "TYPE_MISMATCH",
        "DESCRIPTION_MISMATCH",
        "APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED",
        "APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED",
        "",
        "SOMETHING_NEW",
    ] {
        let refused = question(&["Failed"], &[code]);
        assert!(
            matches!(refused, Err(NotRepairable::Mismatch { .. })),
            "{code}: {refused:?}"
        );
    }
    let several = question(&["Failed", "Failed"], &[]).unwrap_err();
    assert_eq!(several.to_string(), "2 migrations are recorded as failed: 1 (x), 1 (x)");
}

/// Catches words that do not say what happened, and a long or hostile text that spoils the terminal.
#[test]
fn a_summary_is_for_people() {
    let mut report = Report {
        tool: "flyway".to_owned(),
        initial: Some("1.2".to_owned()),
        target: Some("1.4".to_owned()),
        ..Report::default()
    };
    assert_eq!(
        summary::summary(&report),
        ["flyway had nothing to apply, at version 1.4"]
    );
    report.executed = (1..=12)
        .map(|number| Executed {
            version: (number != 12).then(|| number.to_string()),
            description: "orders\u{1b}[31m\nand more".to_owned(),
            milliseconds: Some(number),
            ..Executed::default()
        })
        .collect();
    report.error = Some(ToolError {
        message: "ERROR: no\n  such \u{7}table".to_owned(),
        script: Some("/flyway/sql/V3__x.sql".to_owned()),
        line: Some(12),
        sql_state: Some("42S02".to_owned()),
        error_code: Some("1146".to_owned()),
        ..ToolError::default()
    });
    let lines = summary::summary(&report);
    assert_eq!(lines.len(), 13);
    assert_eq!(lines[0], "flyway applied 12 migrations, 1.2 → 1.4");
    assert_eq!(lines[1], "  1 orders [31m and more (1 ms)");
    assert_eq!(lines[11], "  and 2 more");
    assert_eq!(
        lines[12],
        "failed in V3__x.sql line 12 (SQLSTATE 42S02, error 1146): ERROR: no such table"
    );
}
