//! What is told of two sets of migrations: lines for people, JSON, and Markdown for the comment of a merge request.

use serde_json::Value;
use shipway::migrations::MigrationSet;
use shipway::migrations::compare::{Change, Comparison};
use shipway::migrations::manifest::{Manifest, Migration, MigrationKind};

mod json;
mod markdown;
mod patch;
mod text;

use patch::Patch;

/// One of the sets.
#[derive(Debug)]
pub(crate) struct DiffSide<'a> {
    /// As it was named.
    pub(crate) name: &'a str,
    /// What the name stood for: a digest or a commit.
    pub(crate) identity: Option<&'a str>,
    pub(crate) manifest: &'a Manifest,
    /// The files, where there are any; without them no script is shown.
    pub(crate) set: Option<&'a MigrationSet>,
}

/// What is told of two sets.
#[derive(Debug)]
pub(crate) struct DiffResult<'a> {
    pub(crate) before: &'a DiffSide<'a>,
    pub(crate) after: &'a DiffSide<'a>,
    pub(crate) comparison: &'a Comparison,
    /// Whether it is shown what changed within scripts.
    pub(crate) patch: bool,
}

impl DiffResult<'_> {
    /// The lines for people.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(text::text(self, &self.patches()?))
    }

    /// The object of the JSON form, on one line.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        let value: Value = json::json(self, &self.patches()?)?;
        Ok(format!("{value}\n"))
    }

    /// Markdown for the comment of a merge request.
    pub(crate) fn markdown(&self) -> anyhow::Result<String> {
        Ok(markdown::markdown(self, &self.patches()?))
    }

    /// What changed within scripts, if that was asked for.
    fn patches(&self) -> anyhow::Result<Vec<Patch>> {
        match (self.patch, self.before.set, self.after.set) {
            (true, Some(before), Some(after)) => patch::patches(self.comparison, before, after),
            _ => Ok(Vec::new()),
        }
    }

    /// What happens at the next `migrate`, in a phrase.
    fn headline(&self) -> String {
        match self.comparison.pending.len() {
            0 => "no migration will run".to_owned(),
            1 => "1 migration will run".to_owned(),
            count => format!("{count} migrations will run"),
        }
    }

    /// What will fail, or not do what is expected: a word for it, and a sentence with the names of scripts between backticks.
    fn warnings(&self) -> Vec<Warning<'_>> {
        let comparison = self.comparison;
        let renamed_from = |gone: &Migration| comparison.renamed.iter().find(|change| change.before == *gone);
        let mut all = Vec::new();
        for change in &comparison.changed {
            all.push(Warning {
                word: "changed",
                script: &change.after.script,
                text: format!("{} was shipped with another {}", named(&change.after), what_of(change)),
            });
        }
        for gone in comparison
            .removed
            .iter()
            .filter(|gone| gone.kind != MigrationKind::Undo)
        {
            let text = match renamed_from(gone) {
                Some(change) => format!("{} was shipped, and is {} now", named(gone), change.after.script),
                None => format!("{} was shipped and is gone", named(gone)),
            };
            all.push(Warning {
                word: "removed",
                script: &gone.script,
                text,
            });
        }
        let highest = self.before.manifest.highest_version().unwrap_or_default();
        for late in &comparison.late {
            let is_run = comparison.pending.contains(late);
            let text = match is_run {
                true => format!(
                    "{} will run behind version {highest}, which was shipped already",
                    named(late)
                ),
                false => format!("{} will not run: version {highest} was shipped already", named(late)),
            };
            all.push(Warning {
                word: "late",
                script: &late.script,
                text,
            });
        }
        all
    }

    /// Changes that hurt nobody, with a word for each.
    fn remarks(&self) -> Vec<(&'static str, String)> {
        let comparison = self.comparison;
        let mut all = Vec::new();
        for change in &comparison.touched {
            all.push(("touched", format!("{}: its checksum is the same", change.after.script)));
        }
        for change in &comparison.moved {
            all.push(("moved", format!("{} -> {}", change.before.script, change.after.script)));
        }
        for change in &comparison.callbacks {
            let (word, callback) = match (&change.before, &change.after) {
                (None, Some(callback)) => ("new", callback),
                (Some(callback), None) => ("gone", callback),
                (_, Some(callback)) => ("changed", callback),
                (None, None) => continue,
            };
            all.push(("callback", format!("{}: {word}", callback.script)));
        }
        for change in &comparison.config {
            let value = |value: &Option<Value>| value.as_ref().map_or("(not set)".to_owned(), Value::to_string);
            all.push((
                "config",
                format!("{}: {} -> {}", change.key, value(&change.before), value(&change.after)),
            ));
        }
        all
    }
}

/// Something that will fail, or not do what is expected.
struct Warning<'a> {
    word: &'static str,
    script: &'a str,
    text: String,
}

/// What a migration is, without its file.
fn named(migration: &Migration) -> String {
    let version = migration.version.as_deref().unwrap_or(&migration.key);
    match migration.kind {
        MigrationKind::Versioned => format!("version {version}"),
        MigrationKind::Baseline => format!("baseline {version}"),
        MigrationKind::Undo => format!("undo of {version}"),
        MigrationKind::Repeatable => format!("repeatable {:?}", migration.description),
        MigrationKind::Changeset => format!("changeset {}", migration.key),
    }
}

/// Why a migration runs.
fn why(migration: &Migration, comparison: &Comparison) -> &'static str {
    match comparison.repeated.iter().any(|change| change.after == *migration) {
        true => "again",
        false => "new",
    }
}

fn what_of(change: &Change) -> &'static str {
    if change.is_content() {
        "content"
    } else if change.is_description() {
        "description"
    } else {
        "kind"
    }
}

#[cfg(test)]
mod tests;
