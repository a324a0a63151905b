//! Liquibase: `Running Changeset: file::id::author`.
//!
//! A schema has no version there: what a changeset is called is its description.

use super::line::{LONGEST_NAME, LONGEST_STATEMENT, MOST_MESSAGE_LINES, cut, note, tool_error, warn};
use super::{Executed, Report, ToolError};

/// What stands behind an error, below an empty line. CloudWatch keeps no empty lines.
const ADVICE: &str = "For more information, please use";

/// What has been read of Liquibase so far.
#[derive(Debug, Default)]
pub(super) struct Liquibase {
    is_there: bool,
    tool_version: Option<String>,
    begun: Vec<Executed>,
    is_successful: bool,
    warnings: Vec<String>,
    error: Vec<String>,
    is_ended: bool,
}

impl Liquibase {
    /// Takes a line; says whether it is Liquibase's.
    pub(super) fn line(&mut self, text: &str) -> bool {
        if let Some(changeset) = text.strip_prefix("Running Changeset: ") {
            let executed = changeset_of(changeset);
            // Its log tells again what its output told.
            if self.begun.last() != Some(&executed) {
                note(&mut self.begun, executed);
            }
        } else if let Some(version) = text.strip_prefix("Liquibase Version: ") {
            self.tool_version = Some(cut(version, LONGEST_NAME));
        } else if let Some(message) = text.strip_prefix("Unexpected error running Liquibase: ") {
            if self.error.is_empty() {
                self.error.push(message.to_owned());
            }
        } else if is_success(text) {
            self.is_successful = true;
        } else if let Some(warning) = text.strip_prefix("WARNING: ").filter(|_| self.is_there) {
            warn(&mut self.warnings, warning);
        } else if !self.error.is_empty() && !self.is_ended {
            self.is_ended = text.is_empty() || text.starts_with(ADVICE) || self.error.len() >= MOST_MESSAGE_LINES;
            if !self.is_ended {
                self.error.push(text.trim().to_owned());
            }
        } else {
            return false;
        }
        self.is_there = true;
        true
    }

    /// What it did, if it was there.
    pub(super) fn finish(mut self) -> Option<Report> {
        if !self.is_there {
            return None;
        }
        let error = (!self.error.is_empty()).then(|| self.error.join("\n"));
        if !self.is_successful {
            // The last one failed, or nothing proves its end.
            let failed = error.as_deref().and_then(failed_changeset);
            let last = self.begun.last();
            let is_told = failed.as_ref().is_none_or(|failed| last == Some(failed));
            if is_told {
                self.begun.pop();
            }
        }
        Some(Report {
            tool: "liquibase".to_owned(),
            tool_version: self.tool_version,
            initial: None,
            target: None,
            executed: self.begun,
            warnings: self.warnings,
            error: error.as_deref().map(error_of),
        })
    }
}

fn is_success(text: &str) -> bool {
    (text.starts_with("Liquibase command '") && text.ends_with("' was executed successfully."))
        || text.starts_with("Liquibase: Update has been successful.")
        || text == "Database is up to date, no changesets to execute"
}

/// `file::id::author`. An id may hold `::`, too; a path and an author hardly do.
fn changeset_of(text: &str) -> Executed {
    let (file, rest) = text.split_once("::").unwrap_or(("", text));
    Executed {
        version: None,
        description: cut(rest, LONGEST_NAME),
        script: (!file.is_empty()).then(|| cut(file, LONGEST_NAME)),
        milliseconds: None,
    }
}

/// The changeset in `Migration failed for changeset file::id::author:`.
fn failed_changeset(message: &str) -> Option<Executed> {
    let first = message.lines().next()?;
    let rest = first
        .strip_prefix("Migration failed for changeset ")
        .or_else(|| first.strip_prefix("Migration failed for change set "))?;
    Some(changeset_of(rest.strip_suffix(':').unwrap_or(rest)))
}

/// `Reason: liquibase.exception.DatabaseException: … [Failed SQL: (1146) insert …]`, below the changeset's name.
fn error_of(message: &str) -> ToolError {
    let Some(failed) = failed_changeset(message) else {
        return tool_error(message);
    };
    let reason = message.split_once('\n').map_or("", |(_, reason)| reason);
    let reason = reason.strip_prefix("Reason: ").unwrap_or(reason);
    let reason = match reason
        .strip_prefix("liquibase.exception.")
        .and_then(|text| text.split_once(": "))
    {
        Some((_, reason)) => reason,
        None => reason,
    };
    let (said, sql) = reason.split_once(" [Failed SQL: ").unwrap_or((reason, ""));
    let sql = sql.trim_end().strip_suffix(']').unwrap_or(sql);
    let (code, statement) = match sql.strip_prefix('(').and_then(|text| text.split_once(") ")) {
        Some((code, statement)) if code.chars().all(|c| c.is_ascii_digit() || c == '-') => (code, statement),
        _ => ("0", sql),
    };
    let mut error = tool_error(super::flyway::without_connection(said));
    if error.message.is_empty() {
        error.message = format!("changeset {} failed", failed.description);
    }
    error.script = failed.script;
    if code != "0" {
        error.error_code = Some(cut(code, LONGEST_NAME));
    }
    error.statement = Some(cut(statement, LONGEST_STATEMENT)).filter(|statement| !statement.is_empty());
    error
}
