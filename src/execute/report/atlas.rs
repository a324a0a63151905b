//! Atlas: `Migrating to version 3 from 1 (2 migrations in total):`, then a paragraph for each migration. With a format, JSON.

use serde_json::Value;

use super::goose::unquoted;
use super::line::{LONGEST_NAME, LONGEST_STATEMENT, cut, go_milliseconds, note, tool_error};
use super::{Executed, Report, ToolError};

/// What has been read of Atlas so far.
#[derive(Debug, Default)]
pub(super) struct Atlas {
    is_there: bool,
    initial: Option<String>,
    target: Option<String>,
    begun: Option<String>,
    executed: Vec<Executed>,
    /// The last line of the paragraph of a migration: where it failed, what the database says.
    last: String,
    error: Option<ToolError>,
}

impl Atlas {
    /// Takes a line; says whether it is Atlas's.
    pub(super) fn line(&mut self, text: &str) -> bool {
        if let Some(rest) = text
            .strip_prefix("Migrating to version ")
            .filter(|rest| rest.contains(" in total)"))
        {
            let from = rest.split_once(" from ").and_then(|(_, from)| from.split(' ').next());
            self.initial = from.map(|from| cut(from, LONGEST_NAME));
            self.is_there = true;
            return true;
        }
        if text == "No migration files to execute" {
            self.is_there = true;
            return true;
        }
        if let Some(message) = text.strip_prefix("Error: ") {
            // It goes to the other stream, and may come first.
            self.error.get_or_insert_with(|| error_of(message));
            return self.is_there;
        }
        if !self.is_there {
            return false;
        }
        let inner = text.trim_start();
        if let Some(version) = inner.strip_prefix("-- migrating version ") {
            self.begun = Some(cut(version, LONGEST_NAME));
            self.last.clear();
        } else if let Some(time) = inner.strip_prefix("-- ok (") {
            // The checks before a migration end in the same words.
            if let Some(version) = self.begun.take() {
                let executed = Executed {
                    version: Some(version),
                    milliseconds: time.strip_suffix(')').and_then(go_milliseconds),
                    ..Executed::default()
                };
                note(&mut self.executed, executed);
            }
        } else if inner.starts_with("----") {
            return true;
        } else if self.begun.is_some() && !inner.is_empty() && !inner.starts_with("-- ") {
            self.last = cut(inner, LONGEST_STATEMENT);
        }
        true
    }

    /// Takes a document; says whether it is Atlas's.
    pub(super) fn document(&mut self, document: &Value) -> bool {
        let is_atlas = document.get("Driver").is_some_and(Value::is_string)
            && ["Applied", "Pending", "Target", "Current"]
                .iter()
                .any(|key| document.get(key).is_some());
        if !is_atlas {
            return false;
        }
        self.is_there = true;
        self.initial = text(document, "Current");
        for file in document.get("Applied").and_then(Value::as_array).into_iter().flatten() {
            let name = text(file, "Name").unwrap_or_default();
            let failed = file.get("Error").filter(|error| !error.is_null());
            if let Some(failed) = failed {
                let said = text(failed, "Text").unwrap_or_default();
                self.error = Some(ToolError {
                    script: Some(name),
                    statement: text(failed, "Stmt").or_else(|| text(failed, "SQL")),
                    ..tool_error(&said)
                });
                continue;
            }
            let executed = Executed {
                version: text(file, "Version"),
                description: text(file, "Description").unwrap_or_default(),
                script: Some(name),
                milliseconds: None,
            };
            note(&mut self.executed, executed);
        }
        if let Some(message) = text(document, "Error") {
            self.error.get_or_insert_with(|| error_of(&message));
        }
        true
    }

    /// What it did, if it was there.
    pub(super) fn finish(mut self) -> Option<Report> {
        if !self.is_there {
            return None;
        }
        if self.error.is_none() && self.begun.is_some() && !self.last.is_empty() && !self.last.starts_with("->") {
            self.error = Some(tool_error(&self.last));
        }
        if let Some(error) = &mut self.error
            && error.script.is_none()
        {
            error.script = self.begun;
        }
        let reached = self.executed.last().and_then(|last| last.version.clone());
        Some(Report {
            tool: "atlas".to_owned(),
            tool_version: None,
            target: reached.or_else(|| self.target.take()).or_else(|| self.initial.clone()),
            initial: self.initial,
            executed: self.executed,
            warnings: Vec::new(),
            error: self.error,
        })
    }
}

/// `sql/migrate: executing statement "insert …" from version "3": no such table`
fn error_of(message: &str) -> ToolError {
    let read = message.split_once("executing statement \"").and_then(|(_, rest)| {
        let (statement, rest) = rest.split_once("\" from version \"")?;
        let (version, said) = rest.split_once("\": ")?;
        Some((statement, version, said))
    });
    match read {
        Some((statement, version, said)) => ToolError {
            script: Some(cut(version, LONGEST_NAME)),
            statement: Some(cut(&unquoted(statement), LONGEST_STATEMENT)),
            ..tool_error(said)
        },
        None => tool_error(message),
    }
}

/// A text that is there and not empty.
fn text(object: &Value, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    (!text.is_empty()).then(|| cut(text, LONGEST_STATEMENT))
}
