//! goose: `OK   00001_a.sql (3.76ms)`, and at the end `goose: successfully migrated database to version: 2`.

use super::line::{LONGEST_NAME, LONGEST_STATEMENT, cut, go_milliseconds, note, of_file, tool_error};
use super::{Executed, Report, ToolError};

/// What has been read of goose so far.
#[derive(Debug, Default)]
pub(super) struct Goose {
    is_there: bool,
    initial: Option<String>,
    target: Option<String>,
    executed: Vec<Executed>,
    error: Option<ToolError>,
}

impl Goose {
    /// Takes a line; says whether it is goose's.
    pub(super) fn line(&mut self, text: &str) -> bool {
        let done = text.strip_prefix("OK ").or_else(|| text.strip_prefix("EMPTY "));
        if let Some((file, time)) = done.and_then(|rest| rest.trim().rsplit_once(" (")) {
            let Some(time) = time.strip_suffix(')').and_then(go_milliseconds) else {
                return false;
            };
            let executed = Executed {
                milliseconds: Some(time),
                ..of_file(file.trim())
            };
            note(&mut self.executed, executed);
            self.is_there = true;
            return true;
        }
        if let Some(rest) = text.strip_prefix("goose: ") {
            let version = rest
                .rsplit_once("version: ")
                .map(|(_, version)| cut(version.trim(), LONGEST_NAME));
            if rest.starts_with("no migrations to run") {
                self.initial.clone_from(&version);
            }
            self.target = version.or(self.target.take());
            self.is_there = true;
            return true;
        }
        if let Some(message) = text.strip_prefix("goose run: ") {
            self.error = Some(error(message));
            self.is_there = true;
            return true;
        }
        false
    }

    /// What it did, if it was there.
    pub(super) fn finish(self) -> Option<Report> {
        if !self.is_there {
            return None;
        }
        // Its own version has no leading zeros.
        let reached = self.executed.last().and_then(|last| last.version.clone());
        let reached = reached.map(|version| version.trim_start_matches('0').to_owned());
        Some(Report {
            tool: "goose".to_owned(),
            tool_version: None,
            initial: self.initial,
            target: self.target.or(reached),
            executed: self.executed,
            warnings: Vec::new(),
            error: self.error,
        })
    }
}

/// `ERROR 3_x.sql: failed to run SQL migration: failed to execute SQL query "insert …": no such table`
fn error(message: &str) -> ToolError {
    let (script, mut message) = match message.strip_prefix("ERROR ").and_then(|rest| rest.split_once(": ")) {
        Some((script, rest)) => (Some(cut(script, LONGEST_NAME)), rest),
        None => (None, message),
    };
    let mut statement = None;
    if let Some((_, rest)) = message.split_once("failed to execute SQL query \"")
        && let Some((quoted, said)) = rest.split_once("\": ")
    {
        statement = Some(cut(&unquoted(quoted), LONGEST_STATEMENT));
        message = said;
    }
    ToolError {
        script,
        statement,
        ..tool_error(message)
    }
}

/// A text as Go quotes it, without the commonest escapes.
pub(super) fn unquoted(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
}
