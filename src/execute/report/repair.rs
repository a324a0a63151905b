//! Whether `flyway repair` would do no more than take one failed row out of the history.
//!
//! `repair` cannot be limited to a row. It takes out every failed one, makes checksums, types and descriptions of all others those of
//! the image, and marks what the image lacks as deleted. `info` shows the rows and their states, but calls a row whose script has
//! changed `Success` (12.4.0): that is told by `validate` alone. So both are asked, in one command:
//! `flyway info validate -outputType=json`.

use serde_json::Value;

use super::document::{Documents, Taken};
use super::line::{LONGEST_NAME, cut};

/// What `flyway` is asked before a repair: its arguments.
pub const QUESTION: [&str; 3] = ["info", "validate", "-outputType=json"];

/// The row that `repair` would take out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRow {
    /// Its version; repeatable migrations have none.
    pub version: Option<String>,
    /// What it does, in its author's words.
    pub description: String,
    /// Its script, where the image has it.
    pub script: Option<String>,
}

/// Why `repair` is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRepairable {
    /// There is no result of `info`.
    #[error("flyway info told nothing that can be read")]
    NoInfo,
    /// There is no result of `validate`, which alone tells of scripts that have changed.
    #[error("flyway validate told nothing that can be read")]
    NotValidated,
    /// Flyway itself failed.
    #[error("flyway failed: {0}")]
    Failed(String),
    /// There is nothing to repair.
    #[error("no migration is recorded as failed")]
    NothingFailed,
    /// There is more than one thing to repair.
    #[error("{} migrations are recorded as failed: {}", .0.len(), .0.join(", "))]
    SeveralFailed(Vec<String>),
    /// A row that `repair` would touch, or that nobody here knows.
    #[error("{migration} is in the state {state:?}, and repair would change more than the failed row")]
    State {
        /// Which one.
        migration: String,
        /// Flyway's word.
        state: String,
    },
    /// A row that differs from the image.
    #[error("{migration} does not pass validation ({code}), and repair would make the history agree with the image")]
    Mismatch {
        /// Which one.
        migration: String,
        /// Flyway's word.
        code: String,
    },
}

/// States in which `repair` leaves a row alone.
const UNTOUCHED: [&str; 13] = [
    "Success",
    "Pending",
    "Above Target",
    "Below Baseline",
    "Baseline",
    "Ignored",
    "Ignored (Baseline)",
    "Out of Order",
    "Outdated",
    "Superseded",
    "Available",
    "Undone",
    "Deleted",
];

/// What validation may say although `repair` does no more than it should: of the failed row, and of what is not applied yet.
const HARMLESS: [&str; 5] = [
    "FAILED_VERSIONED_MIGRATION",
    "FAILED_REPEATABLE_MIGRATION",
    "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED",
    "RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED",
    "OUTDATED_REPEATABLE_MIGRATION",
];

/// The one row that `repair` would take out, where it would do nothing else.
///
/// Takes what `flyway info validate -outputType=json` wrote, with whatever else stands in the log.
///
/// # Errors
/// What else is wrong, or that it cannot be told.
pub fn repairable(log: &str) -> Result<FailedRow, NotRepairable> {
    let (mut info, mut validate) = (None, None);
    let mut documents = Documents::default();
    for line in log.split('\n') {
        let Taken::Whole(document) = documents.line(line) else {
            continue;
        };
        let several = document.get("individualResults").and_then(Value::as_array).cloned();
        for result in several.unwrap_or_else(|| vec![document]) {
            if let Some(error) = result.get("error").filter(|error| !error.is_null()) {
                let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
                return Err(NotRepairable::Failed(cut(message, LONGEST_NAME)));
            }
            match result.get("operation").and_then(Value::as_str) {
                Some("info") => info = Some(result),
                Some("validate") => validate = Some(result),
                _ => {}
            }
        }
    }
    let row = failed_row(&info.ok_or(NotRepairable::NoInfo)?)?;
    passes(&validate.ok_or(NotRepairable::NotValidated)?)?;
    Ok(row)
}

fn failed_row(info: &Value) -> Result<FailedRow, NotRepairable> {
    let rows = info
        .get("migrations")
        .and_then(Value::as_array)
        .ok_or(NotRepairable::NoInfo)?;
    let mut failed = Vec::new();
    for row in rows {
        match text(row, "state").as_deref().unwrap_or_default() {
            "Failed" => failed.push(row),
            state if UNTOUCHED.contains(&state) => {}
            state => {
                return Err(NotRepairable::State {
                    migration: name(row),
                    state: state.to_owned(),
                });
            }
        }
    }
    match failed.as_slice() {
        [] => Err(NotRepairable::NothingFailed),
        [row] => Ok(FailedRow {
            version: text(row, "version"),
            description: text(row, "description").unwrap_or_default(),
            script: text(row, "filepath"),
        }),
        several => Err(NotRepairable::SeveralFailed(
            several.iter().map(|row| name(row)).collect(),
        )),
    }
}

fn passes(validate: &Value) -> Result<(), NotRepairable> {
    let is_told = validate.get("validationSuccessful").is_some_and(Value::is_boolean);
    let invalid = validate.get("invalidMigrations").and_then(Value::as_array);
    let invalid = invalid.filter(|_| is_told).ok_or(NotRepairable::NotValidated)?;
    for row in invalid {
        let code = row
            .get("errorDetails")
            .and_then(|details| text(details, "errorCode"))
            .unwrap_or_default();
        if !HARMLESS.contains(&code.as_str()) {
            return Err(NotRepairable::Mismatch {
                migration: name(row),
                code,
            });
        }
    }
    Ok(())
}

/// A migration for people.
fn name(row: &Value) -> String {
    let description = text(row, "description").unwrap_or_default();
    match text(row, "version") {
        Some(version) => format!("{version} ({description})"),
        None => description,
    }
}

/// A text that is there and not empty.
fn text(object: &Value, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    (!text.is_empty()).then(|| cut(text, LONGEST_NAME))
}
