//! What is told of earlier runs: a table with durations over time for people, and JSON.

use std::time::Duration;

use serde_json::{Value, json};
use shipway::execute::Record;

use super::{migrations_json, one_line};

mod figures;

use figures::{Figures, Slow};

/// The name and version of the JSON form.
const SCHEMA: &str = "shipway.history/v1";
/// The bar of the longest run.
const LONGEST_BAR: u128 = 16;
/// Longest text in a column, but for the last.
const LONGEST_CELL: usize = 40;
/// What a column is called.
const HEAD: [&str; 7] = ["started (UTC)", "status", "time", "", "migrations", "for", "run"];

/// Runs for people, the newest first: a line for each below a heading, and what is to be said of all of them.
pub(crate) fn record_lines(records: &[Record]) -> Vec<String> {
    if records.is_empty() {
        return Vec::new();
    }
    let longest = records.iter().filter_map(figures::time).max().unwrap_or_default();
    let rows: Vec<[String; 7]> = records.iter().map(|record| row(record, longest)).collect();
    let head = HEAD.map(str::to_owned);
    let mut widths = [0; 7];
    for (column, width) in widths.iter_mut().enumerate() {
        let widest = rows.iter().map(|row| row[column].chars().count()).max();
        // A column that nothing is in takes no room.
        *width = match widest.unwrap_or_default() {
            0 => 0,
            widest => widest.max(HEAD[column].chars().count()),
        };
    }
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).enumerate();
        let cells: Vec<String> = cells
            .filter(|(_, (_, width))| *width > 0)
            .map(|(column, (cell, width))| match column {
                // Times stand on the right.
                2 => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = std::iter::once(&head).chain(&rows).map(line).collect();
    lines.push(String::new());
    lines.extend(figure_lines(&Figures::of(records)));
    lines
}

fn row(record: &Record, longest: Duration) -> [String; 7] {
    let time = figures::time(record);
    let run = record.run_id.as_ref().map_or("", |id| id.as_str());
    [
        at(record.started_at).map_or_else(String::new, |time| time.strftime("%Y-%m-%d %H:%M").to_string()),
        record.status.as_str().to_owned(),
        time.map(for_people).unwrap_or_default(),
        time.map(|time| bar(time, longest)).unwrap_or_default(),
        cell(&migrations(record)),
        cell(record.requested_by.as_deref().unwrap_or_default()),
        match record.attempt {
            0 | 1 => run.to_owned(),
            attempt => format!("{run} (attempt {attempt})"),
        },
    ]
}

/// What was done to the schema; where it failed.
fn migrations(record: &Record) -> String {
    let Some(report) = &record.report else {
        return String::new();
    };
    if let Some(error) = &report.error {
        return match (&error.script, error.line) {
            (Some(script), Some(line)) => format!("{}:{line}", file_name(script)),
            (Some(script), None) => file_name(script).to_owned(),
            (None, _) => error.sql_state.clone().unwrap_or_default(),
        };
    }
    let count = report.executed.len();
    match (&report.initial, &report.target) {
        _ if count == 0 => "none".to_owned(),
        (Some(initial), Some(target)) => format!("{count}: {initial} → {target}"),
        (None, Some(target)) => format!("{count}: → {target}"),
        (_, None) => count.to_string(),
    }
}

/// Scripts are called by their file's name: the folder is the same for all of them.
fn file_name(script: &str) -> &str {
    script.rsplit(['/', '\\']).next().unwrap_or(script)
}

/// A text as it may stand in a column.
fn cell(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// As long as its share of the longest time. What took any time at all is seen.
fn bar(time: Duration, longest: Duration) -> String {
    let (time, longest) = (time.as_millis(), longest.as_millis().max(1));
    let length = (time * LONGEST_BAR + longest / 2) / longest;
    let length = length.clamp(u128::from(time > 0), LONGEST_BAR);
    (0..length).map(|_| '█').collect()
}

/// Two units at most.
fn for_people(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn figure_lines(figures: &Figures<'_>) -> Vec<String> {
    let noun = match figures.runs {
        1 => "run",
        _ => "runs",
    };
    let statuses: Vec<String> = figures
        .statuses
        .iter()
        .map(|(status, count)| format!("{count} {}", status.as_str()))
        .collect();
    let mut lines = vec![format!("{} {noun}: {}", figures.runs, statuses.join(", "))];
    if let Some(times) = &figures.times {
        let (last, median, longest) = (times.last, times.median, times.longest);
        lines.push(format!(
            "time of those that succeeded: last {}, median {}, longest {}",
            for_people(last),
            for_people(median),
            for_people(longest)
        ));
    }
    if !figures.slowest.is_empty() {
        let slowest: Vec<String> = figures.slowest.iter().map(slow_text).collect();
        lines.push(format!("slowest migrations: {}", slowest.join(", ")));
    }
    lines
}

fn slow_text(slow: &Slow<'_>) -> String {
    let Slow { migration, time, .. } = slow;
    let description = migration.description.as_str();
    let name = match &migration.version {
        Some(version) => format!("{version} {description}"),
        None => description.to_owned(),
    };
    format!("{} ({})", cell(name.trim()), for_people(*time))
}

/// The object of the JSON form.
pub(crate) fn history_json(records: &[Record]) -> Value {
    let figures = Figures::of(records);
    let statuses = figures
        .statuses
        .iter()
        .map(|(status, count)| (status.as_str().to_owned(), json!(count)));
    let slowest = figures.slowest.iter().map(|slow| {
        json!({
            "version": slow.migration.version,
            "description": slow.migration.description,
            "script": slow.migration.script,
            "seconds": slow.time.as_secs_f64(),
            "runId": slow.run.run_id,
        })
    });
    json!({
        "schema": SCHEMA,
        "runs": records.iter().map(record_json).collect::<Vec<_>>(),
        "summary": {
            "runs": figures.runs,
            "statuses": Value::Object(statuses.collect()),
            "seconds": figures.times.as_ref().map(|times| json!({
                "last": times.last.as_secs_f64(),
                "median": times.median.as_secs_f64(),
                "longest": times.longest.as_secs_f64(),
            })),
            "slowestMigrations": slowest.collect::<Vec<_>>(),
        },
    })
}

fn record_json(record: &Record) -> Value {
    let time = |milliseconds| at(milliseconds).map(|time| format!("{time:.3}"));
    json!({
        "runId": record.run_id,
        "attempt": record.attempt,
        "status": record.status.as_str(),
        "exitCode": record.exit_code,
        "family": record.family,
        "cluster": record.environment,
        "image": record.image,
        "task": {
            "arn": record.task_arn,
            "definition": record.task_definition,
            "stopCode": record.stop_code,
        },
        "command": record.command,
        "requestedBy": record.requested_by,
        "git": { "sha": record.git.sha, "ref": record.git.reference },
        "startedAt": time(record.started_at),
        "endedAt": record.ended_at.and_then(time),
        "timings": {
            "runSeconds": figures::run_time(record).map(|time| time.as_secs_f64()),
            "totalSeconds": figures::total_time(record).map(|time| time.as_secs_f64()),
        },
        "migrations": record.report.as_ref().map(migrations_json),
        "error": record.error,
    })
}

/// A time of a record.
fn at(milliseconds: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(milliseconds).ok()
}

#[cfg(test)]
mod tests {
    use shipway::execute::report::{Executed, ToolError};
    use shipway::execute::{Git, Report, RunId, Status};

    use super::*;

    fn run(number: i64, status: Status, seconds: Option<u64>) -> Record {
        Record {
            run_id: Some(RunId::of(&format!("gl-7-{number}-migrate"))),
            attempt: 1,
            family: "flyway".to_owned(),
            environment: "migrations".to_owned(),
            status,
            requested_by: Some(format!("gitlab:group/orders#{number}")),
            started_at: 1_795_409_220_007 + number * 86_400_000,
            run_milliseconds: seconds.map(|seconds| seconds * 1000),
            ..Record::default()
        }
    }

    fn records() -> Vec<Record> {
        let executed = |version: &str, description: &str, milliseconds| Executed {
            version: Some(version.to_owned()),
            description: description.to_owned(),
            script: None,
            milliseconds: Some(milliseconds),
        };
        let report = Report {
            tool: "flyway".to_owned(),
            initial: Some("1.2".to_owned()),
            target: Some("1.4".to_owned()),
            executed: vec![
                executed("1.3", "index of orders", 61_000),
                executed("1.4", "a\nname", 900),
            ],
            ..Report::default()
        };
        let failed = Report {
            tool: "flyway".to_owned(),
            error: Some(ToolError {
                script: Some("/flyway/sql/V1_3__index.sql".to_owned()),
                line: Some(12),
                ..ToolError::default()
            }),
            ..Report::default()
        };
        vec![
            run(4, Status::Running, None),
            Record {
                attempt: 2,
                exit_code: Some(0),
                report: Some(report),
                git: Git {
                    sha: Some("a1".to_owned()),
                    reference: None,
                },
                ended_at: Some(1_795_409_220_007 + 3 * 86_400_000 + 100_000),
                ..run(3, Status::Succeeded, Some(75))
            },
            Record {
                report: Some(failed),
                error: Some("V1_3__index.sql:12".to_owned()),
                ..run(2, Status::Failed, Some(9))
            },
            Record {
                report: Some(Report::default()),
                requested_by: None,
                ..run(1, Status::Succeeded, Some(0))
            },
        ]
    }

    #[test]
    fn a_table_shows_durations_over_time() {
        insta::assert_snapshot!(record_lines(&records()).join("\n"), @"
        started (UTC)     status           time                    migrations          for                    run
        2026-11-27 04:47  running                                                      gitlab:group/orders#4  gl-7-4-migrate
        2026-11-26 04:47  succeeded  1 min 15 s  ████████████████  2: 1.2 → 1.4        gitlab:group/orders#3  gl-7-3-migrate (attempt 2)
        2026-11-25 04:47  failed          9.0 s  ██                V1_3__index.sql:12  gitlab:group/orders#2  gl-7-2-migrate
        2026-11-24 04:47  succeeded       0.0 s                    none                                       gl-7-1-migrate

        4 runs: 2 succeeded, 1 running, 1 failed
        time of those that succeeded: last 1 min 15 s, median 37.5 s, longest 1 min 15 s
        slowest migrations: 1.3 index of orders (1 min 01 s)
        ");
    }

    #[test]
    fn a_single_run_says_what_is_known_and_no_more() {
        let record = Record {
            requested_by: None,
            ..run(1, Status::StartFailed, None)
        };
        insta::assert_snapshot!(record_lines(&[record]).join("\n"), @"
        started (UTC)     status        run
        2026-11-24 04:47  start_failed  gl-7-1-migrate

        1 run: 1 start_failed
        ");
        assert!(record_lines(&[]).is_empty());
    }

    #[test]
    fn json_has_every_run_and_a_summary() {
        let told = history_json(&records());
        let run = &told["runs"][1];
        insta::assert_snapshot!(run["timings"].to_string(), @r#"{"runSeconds":75.0,"totalSeconds":100.0}"#);
        assert_eq!(run["startedAt"], "2026-11-26T04:47:00.007Z");
        assert_eq!(run["migrations"]["executed"][0]["version"], "1.3");
        assert_eq!(run["requestedBy"], "gitlab:group/orders#3");
        assert_eq!(told["runs"][2]["error"], "V1_3__index.sql:12");
        assert_eq!(told["runs"][2]["migrations"]["error"]["line"], 12);
        insta::assert_snapshot!(told["summary"].to_string(), @r#"{"runs":4,"statuses":{"succeeded":2,"running":1,"failed":1},"seconds":{"last":75.0,"median":37.5,"longest":75.0},"slowestMigrations":[{"version":"1.3","description":"index of orders","script":null,"seconds":61.0,"runId":"gl-7-3-migrate"}]}"#);
        let none = history_json(&[]);
        insta::assert_snapshot!(none.to_string(), @r#"{"schema":"shipway.history/v1","runs":[],"summary":{"runs":0,"statuses":{},"seconds":null,"slowestMigrations":[]}}"#);
    }

    #[test]
    fn hostile_texts_stay_in_their_line() {
        let record = Record {
            requested_by: Some(format!("\u{1b}[31mx\n{}", "ü".repeat(100))),
            report: Some(Report {
                target: Some("1\n2".to_owned()),
                executed: vec![Executed::default()],
                ..Report::default()
            }),
            ..run(1, Status::Succeeded, Some(1))
        };
        let lines = record_lines(&[record]);
        assert_eq!(lines.len(), 5);
        assert!(
            lines.iter().all(|line| !line.chars().any(char::is_control)),
            "{lines:?}"
        );
        assert!(lines[1].contains("üü…"), "{lines:?}");
    }

    #[test]
    fn times_are_written_for_people() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (59_949, "59.9 s"),
            (60_000, "1 min 00 s"),
            (3_599_000, "59 min 59 s"),
            (3_600_000, "1 h 00 min"),
            (90_061_000, "25 h 01 min"),
        ] {
            assert_eq!(for_people(Duration::from_millis(milliseconds)), text);
        }
    }
}
