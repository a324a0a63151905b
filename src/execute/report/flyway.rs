//! Flyway: what its text and its JSON say.
//!
//! Its text goes to two streams, which whoever keeps the log may have mixed up: the lines of an error need not stand behind those of
//! the migration. With `group` the text does not tell that the migrations before the failed one were taken back; the JSON does.

mod failure;
mod json;

use super::line::{LONGEST_NAME, cut, note, tool_error, warn};
use super::{Executed, Report, ToolError};
use failure::Block;
pub(super) use failure::without_connection;

/// What has been read of Flyway so far.
#[derive(Debug, Default)]
pub(super) struct Flyway {
    is_there: bool,
    tool_version: Option<String>,
    /// The version before anything ran, once it was told; there is none where the schema was empty.
    initial: Option<Option<String>>,
    target: Option<String>,
    /// Migrations that began, in their order; the first `proved` of them ended well.
    begun: Vec<Executed>,
    proved: usize,
    /// What failed, as Flyway calls it: `version "2 - broken"`.
    failed: Option<String>,
    warnings: Vec<String>,
    block: Block,
    error: Option<ToolError>,
}

impl Flyway {
    /// Takes a line of text; says whether it is Flyway's.
    pub(super) fn line(&mut self, text: &str) -> bool {
        if self.told(text) {
            self.is_there = true;
            return true;
        }
        if !self.is_there && !text.starts_with("ERROR: ") {
            return false;
        }
        let is_flyways = self.block.line(text);
        if let Some(error) = self.block.is_flyways() {
            self.is_there |= error;
        }
        is_flyways && self.is_there
    }

    /// Lines that mean something by themselves.
    fn told(&mut self, text: &str) -> bool {
        if let Some(rest) = text.strip_prefix("Migrating schema ") {
            let (migration, name) = migration(rest);
            // With the statements of a debug log, some are told twice.
            if self.begun.len() == self.proved || self.begun.last() != Some(&migration) {
                note(&mut self.begun, migration);
            }
            return !name.is_empty();
        }
        if let Some(rest) = text.strip_prefix("Current version of schema ") {
            let version = rest.rsplit_once(": ").map_or("", |(_, version)| version);
            self.begins_at((!version.starts_with("<<")).then_some(version));
            return true;
        }
        if let Some(rest) = text.strip_prefix("Successfully applied ") {
            self.proved = self.begun.len();
            let at = rest.split_once(", now at version v").map(|(_, at)| at);
            if let Some(at) = at {
                self.target = Some(cut(at.split(" (").next().unwrap_or(at), LONGEST_NAME));
            }
            return true;
        }
        if let Some(rest) = text.strip_prefix("ERROR: Migration of schema ") {
            let (name, _) = rest.rsplit_once(" failed!").unwrap_or((rest, ""));
            self.failed = Some(migration(name).1);
            return true;
        }
        if let Some(rest) = text.strip_prefix("Flyway ") {
            // `Flyway OSS Edition 12.4.0 by Redgate`; an earlier run's end is history.
            let Some((_, version)) = rest.split_once("Edition ") else {
                return false;
            };
            let Some((version, _)) = version.split_once(" by ") else {
                return false;
            };
            if self.tool_version.is_some() {
                self.forget();
            }
            self.tool_version = Some(cut(version, LONGEST_NAME));
            return true;
        }
        if let Some(version) = text.strip_prefix("Schema version: ").filter(|_| self.is_there) {
            self.begins_at((!version.starts_with("<<")).then_some(version));
            return true;
        }
        if let Some(warning) = text.strip_prefix("WARNING: ").filter(|_| self.is_there) {
            warn(&mut self.warnings, warning);
            return true;
        }
        // What else its other stream may put between the lines of an error.
        self.is_there
            && ["Database: ", "Successfully ", "Creating ", "DB: "]
                .iter()
                .any(|start| text.starts_with(start))
    }

    fn begins_at(&mut self, version: Option<&str>) {
        let version = version.map(|version| cut(version.trim(), LONGEST_NAME));
        self.initial.get_or_insert(version);
    }

    /// Another run begins: what the one before failed at is not what this one fails at.
    fn forget(&mut self) {
        self.block = Block::default();
        self.error = None;
        self.begun.truncate(self.ended_well());
        self.proved = self.begun.len();
        self.failed = None;
    }

    /// How many of the migrations that began ended well.
    fn ended_well(&self) -> usize {
        let begun = &self.begun[self.proved.min(self.begun.len())..];
        let Some((_, before)) = begun.split_last() else {
            return self.begun.len();
        };
        if let Some(failed) = &self.failed {
            let at = begun.iter().rposition(|one| &name_of(one) == failed);
            return self.proved + at.unwrap_or(before.len());
        }
        // One that cannot be parsed fails before it begins. Else nothing proves the last one's end.
        let unparsed = self.block.is_unparsed();
        self.proved + if unparsed { begun.len() } else { before.len() }
    }

    /// What it did, if it was there.
    pub(super) fn finish(mut self) -> Option<Report> {
        if !self.is_there {
            return None;
        }
        let ended_well = self.ended_well();
        self.begun.truncate(ended_well);
        let error = self.error.or_else(|| self.block.error()).or_else(|| {
            let failed = self.failed.as_ref()?;
            Some(tool_error(&format!("migration to {failed} failed")))
        });
        let initial = self.initial.flatten();
        let is_ended = self.proved == self.begun.len() && !self.begun.is_empty();
        let reached = self.begun.iter().rev().find_map(|one| one.version.clone());
        let target = self.target.filter(|_| is_ended).or(reached).or_else(|| initial.clone());
        Some(Report {
            tool: "flyway".to_owned(),
            tool_version: self.tool_version,
            initial,
            target,
            executed: self.begun,
            warnings: self.warnings,
            error,
        })
    }
}

/// The migration in `"public" to version "1.2 - orders" [out of order]`, and what Flyway calls it when it fails.
fn migration(text: &str) -> (Executed, String) {
    let quoted = |behind: &str| {
        let (_, inner) = behind.split_once('"')?;
        inner.rsplit_once('"').map(|(inner, _)| inner.to_owned())
    };
    // A schema's name stands before; descriptions may hold anything but do not hold both words so.
    if let Some((_, rest)) = text.split_once(" with repeatable migration ") {
        let description = quoted(rest).unwrap_or_else(|| rest.trim().to_owned());
        let executed = Executed {
            description: cut(&description, LONGEST_NAME),
            ..Executed::default()
        };
        let name = name_of(&executed);
        return (executed, name);
    }
    let Some((_, rest)) = text.split_once(" to version ") else {
        return (Executed::default(), String::new());
    };
    let inner = quoted(rest).unwrap_or_else(|| rest.trim().to_owned());
    let (version, description) = inner.split_once(" - ").unwrap_or((&inner, ""));
    let executed = Executed {
        version: Some(cut(version, LONGEST_NAME)),
        description: cut(description, LONGEST_NAME),
        ..Executed::default()
    };
    let name = name_of(&executed);
    (executed, name)
}

fn name_of(migration: &Executed) -> String {
    let description = &migration.description;
    match &migration.version {
        Some(version) => format!("version {version} ({description})"),
        None => format!("repeatable ({description})"),
    }
}
