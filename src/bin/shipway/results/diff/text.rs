//! A difference as a person reads it.

use std::fmt::Write as _;

use shipway::migrations::compare::Change;
use shipway::migrations::manifest::Migration;

use super::{DiffResult, callback, headline, label};

impl DiffResult<'_> {
    /// The text form; with the lines that changed where the files are at hand.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        for (word, side) in [("from", &self.before), ("to", &self.after)] {
            let identity = side
                .identity
                .map(|identity| format!(" ({identity})"))
                .unwrap_or_default();
            let version = side.manifest.highest_version().unwrap_or("-");
            let count = side.manifest.migrations.len();
            writeln!(
                text,
                "{word:<5} {}{identity}: {count} migrations, version {version}",
                side.name
            )?;
        }
        let comparison = self.comparison;
        if comparison.is_empty() {
            writeln!(text, "no difference")?;
            return Ok(text);
        }
        section(&mut text, &headline(comparison), &comparison.pending)?;
        self.changes(&mut text, "shipped, and changed since", &comparison.changed)?;
        section(&mut text, "shipped, and gone", &comparison.removed)?;
        section(&mut text, "new, and not above what was shipped", &comparison.late)?;
        self.changes(&mut text, "repeatable, and changed", &comparison.repeated)?;
        self.changes(&mut text, "other bytes, same checksum", &comparison.touched)?;
        pairs(&mut text, "renamed", &comparison.renamed)?;
        pairs(&mut text, "moved", &comparison.moved)?;
        let others = comparison
            .added
            .iter()
            .filter(|new| !comparison.pending.contains(new) && !comparison.late.contains(new));
        section(
            &mut text,
            "new, and not run by itself",
            &others.cloned().collect::<Vec<_>>(),
        )?;
        if !comparison.callbacks.is_empty() {
            writeln!(text, "\ncallbacks")?;
            for (what, script) in comparison.callbacks.iter().filter_map(callback) {
                writeln!(text, "  {what:<14} {script}")?;
            }
        }
        if !comparison.config.is_empty() {
            writeln!(text, "\nconfiguration")?;
            for change in &comparison.config {
                let value =
                    |value: &Option<serde_json::Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
                writeln!(
                    text,
                    "  {}: {} -> {}",
                    change.key,
                    value(&change.before),
                    value(&change.after)
                )?;
            }
        }
        Ok(text)
    }

    fn changes(&self, text: &mut String, title: &str, changes: &[Change]) -> std::fmt::Result {
        if changes.is_empty() {
            return Ok(());
        }
        writeln!(text, "\n{title}")?;
        for change in changes {
            line(text, &change.after)?;
            if let Some(patch) = self.patch(change) {
                for line in patch.lines() {
                    writeln!(text, "    {line}")?;
                }
            }
        }
        Ok(())
    }
}

fn section(text: &mut String, title: &str, migrations: &[Migration]) -> std::fmt::Result {
    if migrations.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{title}")?;
    migrations.iter().try_for_each(|migration| line(text, migration))
}

fn line(text: &mut String, migration: &Migration) -> std::fmt::Result {
    writeln!(text, "  {:<14} {}", label(migration), migration.script)
}

fn pairs(text: &mut String, title: &str, changes: &[Change]) -> std::fmt::Result {
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{title}")?;
    for change in changes {
        writeln!(text, "  {} -> {}", change.before.script, change.after.script)?;
    }
    Ok(())
}
