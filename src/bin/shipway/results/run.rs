//! What is told of a run.

use std::time::Duration;

use serde_json::{Map, Value, json};
use shipway::execute::{History, Outcome, Report, Row, Table};

use super::{migrations_json, one_line};

/// The name and version of the JSON form.
const SCHEMA: &str = "shipway.run/v1";

/// The object of the JSON form.
pub(crate) fn run_json(outcome: &Outcome, report: Option<&Report>) -> Value {
    let mut object = Map::from_iter([
        ("schema".to_owned(), json!(SCHEMA)),
        ("status".to_owned(), json!(outcome.status.as_str())),
        ("exitCode".to_owned(), json!(outcome.exit_code)),
        ("image".to_owned(), json!(outcome.image)),
        ("imageId".to_owned(), json!(outcome.image_id)),
    ]);
    let mut add = |key: &str, value: Value| object.insert(key.to_owned(), value);
    if let Some(digest) = &outcome.digest {
        add("digest", json!(digest));
    }
    add(
        "container",
        match &outcome.container {
            Some(name) => json!({ "name": name }),
            None => Value::Null,
        },
    );
    let timings = &outcome.timings;
    add(
        "timings",
        json!({
            "pullSeconds": seconds(timings.pull),
            "prepareSeconds": seconds(timings.prepare),
            "runSeconds": seconds(timings.run),
            "totalSeconds": seconds(timings.total),
        }),
    );
    if let Some(report) = report {
        add("migrations", migrations_json(report));
    }
    if let Some(rehearsal) = &outcome.rehearsal {
        add(
            "database",
            json!({
                "engine": rehearsal.engine.name(),
                "image": rehearsal.image,
                "container": rehearsal.container,
                "readySeconds": rehearsal.ready.map(seconds),
            }),
        );
        add("history", history(&rehearsal.history));
    }
    if !outcome.left_behind.is_empty() {
        add("leftBehind", json!(outcome.left_behind));
    }
    if let Some(failure) = &outcome.failure {
        add("error", json!(failure.to_string()));
    }
    Value::Object(object)
}

/// The rows of all tables; `null` where there is no table, or nobody knows.
fn history(history: &History) -> Value {
    let History::Tables(tables) = history else {
        return Value::Null;
    };
    let row = |schema: &str, row: &Row| {
        json!({
            "schema": schema,
            "rank": row.rank,
            "version": row.version,
            "description": row.description,
            "type": row.kind,
            "script": row.script,
            "checksum": row.checksum,
            "installedOn": row.installed_on,
            "milliseconds": row.milliseconds,
            "success": row.is_success,
        })
    };
    let rows = tables
        .iter()
        .flat_map(|table| table.rows.iter().map(move |each| row(&table.schema, each)));
    rows.collect()
}

/// To the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A history table for people: a line for each row, below a heading.
pub(crate) fn history_lines(table: &Table) -> Vec<String> {
    let head = ["rank", "version", "description", "type", "state", "ms"].map(str::to_owned);
    let row = |row: &Row| {
        [
            row.rank.to_string(),
            row.version.clone().unwrap_or_default(),
            one_line(&row.description),
            row.kind.clone(),
            match row.is_success {
                true => "success".to_owned(),
                false => "failed".to_owned(),
            },
            row.milliseconds.to_string(),
        ]
    };
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(table.rows.iter().map(row)).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).enumerate();
        let cells: Vec<String> = cells
            .map(|(column, (cell, width))| match column {
                // Numbers stand on the right.
                0 | 5 => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            })
            .collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use shipway::execute::{Engine, Failure, Rehearsal, Status, Timings};

    use super::*;

    fn outcome() -> Outcome {
        Outcome {
            status: Status::Succeeded,
            exit_code: Some(0),
            image: "orders:1".to_owned(),
            image_id: Some("sha256:1".to_owned()),
            digest: None,
            container: Some("shipway-1".to_owned()),
            timings: Timings {
                run: Duration::from_micros(1_234_567),
                ..Timings::default()
            },
            rehearsal: None,
            left_behind: Vec::new(),
            failure: None,
        }
    }

    fn table() -> Table {
        let row = Row {
            rank: 1,
            version: Some("1".to_owned()),
            description: "create\ncustomers".to_owned(),
            kind: "SQL".to_owned(),
            script: "V1__create_customers.sql".to_owned(),
            checksum: Some(-5),
            installed_on: "2026-01-02 03:04:05".to_owned(),
            milliseconds: 12,
            is_success: true,
        };
        let failed = Row {
            rank: 12,
            version: None,
            description: "views".to_owned(),
            is_success: false,
            ..row.clone()
        };
        Table {
            schema: "rehearsal".to_owned(),
            rows: vec![row, failed],
        }
    }

    #[test]
    fn a_success_says_no_more_than_there_is() {
        let text = run_json(&outcome(), None).to_string();
        insta::assert_snapshot!(text, @r#"{"schema":"shipway.run/v1","status":"succeeded","exitCode":0,"image":"orders:1","imageId":"sha256:1","container":{"name":"shipway-1"},"timings":{"pullSeconds":0.0,"prepareSeconds":0.0,"runSeconds":1.235,"totalSeconds":0.0}}"#);
    }

    #[test]
    fn a_failed_rehearsal_shows_its_history() {
        let outcome = Outcome {
            status: Status::Failed,
            exit_code: Some(1),
            rehearsal: Some(Rehearsal {
                engine: Engine::MariaDb,
                image: "mariadb:11".to_owned(),
                container: Some("shipway-1-database".to_owned()),
                ready: Some(Duration::from_millis(1500)),
                history: History::Tables(vec![table()]),
            }),
            failure: Some(Failure::new("orders:1 ran and failed").because("why")),
            left_behind: vec!["shipway-1".to_owned()],
            ..outcome()
        };
        let json = run_json(&outcome, None);
        assert_eq!(json["history"][1]["version"], Value::Null);
        assert_eq!(json["history"][0]["success"], true);
        assert_eq!(json["database"]["readySeconds"], 1.5);
        assert_eq!(json["leftBehind"][0], "shipway-1");
        assert_eq!(json["error"], "orders:1 ran and failed: why");
    }

    #[test]
    fn a_table_is_aligned() {
        insta::assert_snapshot!(history_lines(&table()).join("\n"), @"
  rank  version  description       type  state    ms
     1  1        create customers  SQL   success  12
    12           views             SQL   failed   12
");
    }
}
