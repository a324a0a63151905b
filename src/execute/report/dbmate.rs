//! dbmate: `Applying: 001_a.sql`, then `Applied: 001_a.sql in 6ms`.
//!
//! Since 2.0 it writes the second of one that failed, too, and only then the error, on another stream.

use super::line::{go_milliseconds, note, of_file, tool_error};
use super::{Executed, Report, ToolError};

/// What has been read of dbmate so far.
#[derive(Debug, Default)]
pub(super) struct Dbmate {
    is_there: bool,
    tool_version: Option<String>,
    begun: Option<Executed>,
    applied: Vec<Executed>,
    /// The schema was written out after the last one: that one ended well.
    is_dumped: bool,
    error: Option<String>,
}

impl Dbmate {
    /// Takes a line; says whether it is dbmate's.
    pub(super) fn line(&mut self, text: &str) -> bool {
        if let Some(file) = text.strip_prefix("Applying: ") {
            self.is_there = true;
            self.is_dumped = false;
            self.begun = Some(of_file(file));
            return true;
        }
        if let Some(rest) = text.strip_prefix("Applied: ") {
            let (file, time) = rest.rsplit_once(" in ").unwrap_or((rest, ""));
            let executed = Executed {
                milliseconds: go_milliseconds(time),
                ..of_file(file)
            };
            self.begun = None;
            note(&mut self.applied, executed);
            self.is_there = true;
            return true;
        }
        if let Some(version) = text.strip_prefix("dbmate version ") {
            self.tool_version = Some(version.to_owned());
            self.is_there = true;
            return true;
        }
        if let Some(message) = text.strip_prefix("Error: ") {
            // It can come before the first line of the other stream.
            self.error.get_or_insert_with(|| message.to_owned());
            return self.is_there;
        }
        self.is_dumped |= self.is_there && text.starts_with("Writing: ");
        false
    }

    /// What it did, if it was there.
    pub(super) fn finish(mut self) -> Option<Report> {
        if !self.is_there {
            return None;
        }
        let error = self.error.map(|message| {
            let failed = match self.begun.take() {
                Some(begun) => Some(begun),
                None if self.is_dumped => None,
                None => self.applied.pop(),
            };
            ToolError {
                script: failed.and_then(|failed| failed.script),
                line: line_in(&message),
                ..tool_error(&message)
            }
        });
        Some(Report {
            tool: "dbmate".to_owned(),
            tool_version: self.tool_version,
            initial: None,
            target: self.applied.last().and_then(|last| last.version.clone()),
            executed: self.applied,
            warnings: Vec::new(),
            error,
        })
    }
}

/// The line in `line: 3, column: 13, position: 52: pq: …`, counted from the line with `migrate:up`.
fn line_in(message: &str) -> Option<u64> {
    let rest = message.strip_prefix("line: ")?;
    rest.split(',').next()?.parse().ok()
}
