//! Keeping a run within what an item may hold.

use serde_json::{Map, Value, json};

use crate::execute::Record;

/// What a run may take: DynamoDB refuses items of more than 400 KB, names and keys included, and a page of a history is 1 MB.
const LARGEST: usize = 200_000;
/// Longest text of a run: messages of databases are shorter, and who needs a whole statement has the log.
const LONGEST_TEXT: usize = 4_000;
/// Longest list of texts, in bytes: warnings, and arguments, of which a task may be given 8192 characters.
const LONGEST_LIST: usize = 40_000;
/// What is written where something is missing.
const CUT: char = '…';

/// What is known of a run, as JSON that fits into an item. Where migrations had to be left out, a warning of the report says so.
pub(super) fn fitted(record: &Record) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(record) else {
        return Map::new();
    };
    members.values_mut().for_each(shorten);
    let spare = LARGEST.saturating_sub(size_without_migrations(&mut members));
    if let Some(Value::Object(report)) = members.get_mut("report") {
        drop_migrations(report, spare);
    }
    members
}

/// Cuts texts, and lists of texts.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            text.truncate(text.floor_char_boundary(LONGEST_TEXT));
            text.push(CUT);
        }
        Value::Array(values) => {
            values.iter_mut().for_each(shorten);
            if values.iter().all(Value::is_string) {
                shorten_list(values);
            }
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Keeps the first texts of a list.
fn shorten_list(values: &mut Vec<Value>) {
    let mut left = LONGEST_LIST;
    let fitting = values.iter().take_while(|value| {
        let size = size(value);
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    let kept = fitting.count();
    if kept < values.len() {
        values.truncate(kept);
        values.push(json!(CUT.to_string()));
    }
}

fn size_without_migrations(members: &mut Map<String, Value>) -> usize {
    let executed = members.get_mut("report").and_then(|report| report.get_mut("executed"));
    let Some(executed) = executed.map(Value::take) else {
        return size(&Value::Object(members.clone()));
    };
    let rest = size(&Value::Object(members.clone()));
    members["report"]["executed"] = executed;
    rest
}

/// Keeps the last of the migrations, which tell where the schema is now.
fn drop_migrations(report: &mut Map<String, Value>, spare: usize) {
    let Some(Value::Array(executed)) = report.get_mut("executed") else {
        return;
    };
    let mut left = spare;
    let fitting = executed.iter().rev().take_while(|migration| {
        let size = size(migration) + 1;
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    let (kept, all) = (fitting.count(), executed.len());
    if kept == all {
        return;
    }
    executed.drain(..all - kept);
    let missing = format!("only the last {kept} of {all} migrations are kept here: more do not fit into an item");
    if let Some(Value::Array(warnings)) = report.get_mut("warnings") {
        warnings.insert(0, json!(missing));
    }
}

/// At least what DynamoDB counts for a value: three bytes for a list or map, one for each of its members, numbers at half their digits.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => number.to_string().len() + 1,
        Value::String(text) => text.len() + 1,
        Value::Array(values) => 3 + values.iter().map(|value| size(value) + 1).sum::<usize>(),
        Value::Object(members) => {
            3 + members
                .iter()
                .map(|(name, value)| name.len() + size(value) + 1)
                .sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::Report;
    use crate::execute::report::{Executed, ToolError};

    fn record(migrations: usize, description: usize) -> Record {
        let executed = |number| Executed {
            version: Some(format!("{number}")),
            description: "ü".repeat(description),
            ..Executed::default()
        };
        Record {
            report: Some(Report {
                tool: "flyway".to_owned(),
                executed: (1..=migrations).map(executed).collect(),
                ..Report::default()
            }),
            ..Record::default()
        }
    }

    fn read(members: Map<String, Value>) -> Record {
        serde_json::from_value(Value::Object(members)).unwrap()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let record = record(500, 40);
        assert_eq!(read(fitted(&record)), record);
    }

    #[test]
    fn the_last_migrations_are_kept_and_it_is_said() {
        for (migrations, description) in [(3000, 40), (20_000, 3), (100, 5_000)] {
            let members = fitted(&record(migrations, description));
            let kept_size = size(&Value::Object(members.clone()));
            assert!(kept_size < LARGEST + 1000, "{kept_size}");
            assert!(kept_size > LARGEST * 9 / 10, "{kept_size}");
            let report = read(members).report.unwrap();
            let kept = report.executed.len();
            assert_eq!(
                report.executed.last().and_then(|last| last.version.clone()),
                Some(format!("{migrations}"))
            );
            assert_eq!(
                report.warnings,
                [format!(
                    "only the last {kept} of {migrations} migrations are kept here: more do not fit into an item"
                )]
            );
        }
    }

    #[test]
    fn hostile_output_fits() {
        let mut record = record(1, 1);
        record.error = Some("€".repeat(1_000_000));
        record.requested_by = Some("x".repeat(1_000_000));
        record.command = Some(vec!["y".repeat(9); 10_000]);
        let report = record.report.as_mut().unwrap();
        report.warnings = vec!["w".repeat(5_000); 10_000];
        report.error = Some(ToolError {
            message: "m".repeat(5_000_000),
            statement: Some("s".repeat(5_000_000)),
            ..ToolError::default()
        });
        let members = fitted(&record);
        assert!(size(&Value::Object(members.clone())) < LARGEST);
        let kept = read(members);
        assert!(kept.error.is_some_and(|error| error.ends_with("€…")));
        assert_eq!(kept.command.map(|words| words.len()), Some(LONGEST_LIST / 10 + 1));
    }
}
