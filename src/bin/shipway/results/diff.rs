//! How two sets of migrations differ, for people and for programs.

use serde_json::{Value, json};
use shipway::migrations::MigrationSet;
use shipway::migrations::compare::{CallbackChange, Change, Comparison};
use shipway::migrations::manifest::{Manifest, Migration};
use similar::TextDiff;

mod markdown;
mod text;

/// Largest script that is compared line by line.
const PATCH_LIMIT: u64 = 4 * 1024 * 1024;
/// How much of one difference is shown.
const MOST_LINES: usize = 2000;

/// One of the two sets.
#[derive(Debug)]
pub(crate) struct DiffSide<'a> {
    /// As it was named.
    pub(crate) name: &'a str,
    /// What the name stood for: a digest or a commit.
    pub(crate) identity: Option<&'a str>,
    pub(crate) manifest: &'a Manifest,
    /// The files, where lines are to be compared.
    pub(crate) set: Option<&'a MigrationSet>,
}

/// How two sets of migrations differ.
#[derive(Debug)]
pub(crate) struct DiffResult<'a> {
    pub(crate) before: DiffSide<'a>,
    pub(crate) after: DiffSide<'a>,
    pub(crate) comparison: &'a Comparison,
}

impl DiffSide<'_> {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "identity": self.identity,
            "project": self.manifest.project,
            "migrations": self.manifest.migrations.len(),
            "highestVersion": self.manifest.highest_version(),
            "setDigest": self.manifest.set_digest,
        })
    }

    /// The text of a script; `None` where the files are not at hand.
    fn script(&self, path: &str) -> Option<Result<String, &'static str>> {
        let entry = self.set?.inventory.entries().iter().find(|entry| entry.path == path)?;
        Some(match entry.content.read(PATCH_LIMIT) {
            Ok((_, false)) => Err("too large to compare line by line"),
            Ok((bytes, true)) => String::from_utf8(bytes).map_err(|_| "not UTF-8"),
            Err(_) => Err("cannot be read"),
        })
    }
}

impl DiffResult<'_> {
    /// The JSON form.
    pub(crate) fn json(&self) -> Value {
        let comparison = self.comparison;
        let changes = |changes: &[Change]| changes.iter().map(|change| self.change(change)).collect::<Vec<_>>();
        let config = comparison.config.iter();
        let config = config.map(|change| json!({ "key": change.key, "before": change.before, "after": change.after }));
        let callbacks = comparison.callbacks.iter();
        json!({
            "schema": "io.shipway.diff/v1",
            "before": self.before.json(),
            "after": self.after.json(),
            "pending": comparison.pending,
            "added": comparison.added,
            "changed": changes(&comparison.changed),
            "removed": comparison.removed,
            "renamed": changes(&comparison.renamed),
            "moved": changes(&comparison.moved),
            "late": comparison.late,
            "repeated": changes(&comparison.repeated),
            "touched": changes(&comparison.touched),
            "config": config.collect::<Vec<_>>(),
            "callbacks": callbacks.map(|change| json!({ "before": change.before, "after": change.after })).collect::<Vec<_>>(),
        })
    }

    fn change(&self, change: &Change) -> Value {
        let mut told = json!({ "before": change.before, "after": change.after });
        if let Some(patch) = self.patch(change) {
            told["patch"] = patch.into();
        }
        told
    }

    /// The lines that changed, as a unified difference; `None` where the files are not at hand or the same.
    fn patch(&self, change: &Change) -> Option<String> {
        if change.before.sha256 == change.after.sha256 {
            return None;
        }
        let before = self.before.script(&change.before.script)?;
        let after = self.after.script(&change.after.script)?;
        let (before, after) = match (before, after) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(reason), _) | (_, Err(reason)) => return Some(format!("({reason})\n")),
        };
        let difference = TextDiff::from_lines(&before, &after);
        let unified = difference
            .unified_diff()
            .context_radius(3)
            .header(
                &format!("a/{}", change.before.script),
                &format!("b/{}", change.after.script),
            )
            .to_string();
        let lines: Vec<&str> = unified.split_inclusive('\n').collect();
        if lines.len() <= MOST_LINES {
            return Some(unified);
        }
        let left = lines.len() - MOST_LINES;
        Some(format!("{}({left} more lines)\n", lines[..MOST_LINES].concat()))
    }
}

/// What a person calls a migration: its version, or that it repeats.
fn label(migration: &Migration) -> &str {
    migration.version.as_deref().unwrap_or("repeatable")
}

/// What happened to a callback, and to which.
fn callback(change: &CallbackChange) -> Option<(&'static str, &str)> {
    match (&change.before, &change.after) {
        (None, Some(new)) => Some(("added", &new.script)),
        (Some(_), Some(now)) => Some(("changed", &now.script)),
        (Some(gone), None) => Some(("removed", &gone.script)),
        (None, None) => None,
    }
}

/// What is said first.
fn headline(comparison: &Comparison) -> String {
    match comparison.pending.len() {
        0 => "nothing will run".to_owned(),
        1 => "1 migration will run".to_owned(),
        count => format!("{count} migrations will run"),
    }
}
