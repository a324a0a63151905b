//! What a migration tool says it did, read from what it wrote.
//!
//! A [`Reader`] is fed the log line by line. It knows Flyway's text and JSON, Liquibase, dbmate, golang-migrate, goose and Atlas. What
//! is said is taken for true only as far as the tool says that it is done: a migration that began and of which nothing more is heard
//! was not run to its end.

mod atlas;
mod database;
mod dbmate;
mod document;
mod flyway;
mod golang_migrate;
mod goose;
mod line;
mod liquibase;
mod reader;
pub mod repair;
pub mod summary;

pub use reader::Reader;
pub use repair::{FailedRow, NotRepairable, repairable};

use serde::{Deserialize, Serialize};

use super::Lines;

/// What a migration tool says it did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The tool: `flyway`, `liquibase`, `dbmate`, `golang-migrate`, `goose` or `atlas`.
    pub tool: String,
    /// Its version, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_version: Option<String>,
    /// The version the schema had before; `None` where it was empty or nothing is said.
    pub initial: Option<String>,
    /// The version it has now.
    pub target: Option<String>,
    /// Migrations that were run to their end, in their order.
    pub executed: Vec<Executed>,
    /// What it warns of.
    pub warnings: Vec<String>,
    /// What it failed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ToolError>,
}

impl Report {
    /// Masks what may repeat a value that the database or the tool was given. Versions and names are those of files.
    pub fn mask(&mut self, lines: &Lines) {
        let error = self.error.iter_mut();
        let texts = error.flat_map(|error| std::iter::once(&mut error.message).chain(&mut error.statement));
        for text in self.warnings.iter_mut().chain(texts) {
            *text = lines.mask(text).into_owned();
        }
    }
}

/// A migration that was run to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Executed {
    /// Its version; repeatable migrations have none.
    pub version: Option<String>,
    /// What it does, in its author's words.
    pub description: String,
    /// Its file, where the tool names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// How long it took, where the tool tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
}

/// What a tool failed at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolError {
    /// What it says.
    pub message: String,
    /// The script it failed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The line of the statement in that script, counted from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The database's SQLSTATE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql_state: Option<String>,
    /// The error's code: the database's own, or the tool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The statement, cut to a readable length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

#[cfg(test)]
mod tests;
