//! Names: what the tool would not see, would mix up, or would refuse.

use std::collections::BTreeMap;

use super::Finding;
use super::finding::Place;
use crate::migrations::Inventory;
use crate::migrations::examine::Examined;
use crate::migrations::flyway::name::Kind;
use crate::migrations::inventory::Entry;
use crate::migrations::manifest::{Manifest, MigrationKind};
use crate::migrations::tool::Tool;

mod atlas;
mod flyway;
mod liquibase;
mod lookalike;
mod numbered;

#[cfg(test)]
mod tests;

/// Finds what is wrong with the names of files.
#[must_use]
pub fn check(inventory: &Inventory, examined: &[Examined]) -> Vec<Finding> {
    match inventory.tool() {
        Tool::Flyway(config) => flyway::check(inventory, config),
        Tool::Liquibase(_) => liquibase::check(inventory),
        Tool::Dbmate | Tool::GolangMigrate | Tool::Goose => numbered::check(inventory, examined),
        Tool::Atlas => {
            let mut findings = numbered::check(inventory, examined);
            findings.extend(atlas::check(inventory));
            findings
        }
        Tool::Unknown => Vec::new(),
    }
}

/// Finds versions that are spelled differently from the set that was shipped (N008).
///
/// Places name scripts by their path below their location, as the manifests do.
#[must_use]
pub fn spelled_differently(before: &Manifest, after: &Manifest) -> Vec<Finding> {
    let runs_once = |kind| {
        matches!(
            kind,
            MigrationKind::Versioned | MigrationKind::Baseline | MigrationKind::Undo
        )
    };
    let shipped: BTreeMap<_, _> = before
        .migrations
        .iter()
        .map(|one| ((one.kind, one.key.as_str()), one))
        .collect();
    let finding = |migration: &crate::migrations::manifest::Migration| {
        let earlier = shipped.get(&(migration.kind, migration.key.as_str()))?;
        let (now, then) = (migration.version.as_deref()?, earlier.version.as_deref()?);
        (now != then).then(|| {
            let message = format!("version {now} was shipped as {then}");
            let help = "the history table keeps the text it was run with; the old spelling makes both easier to find";
            Finding::new("N008", Place::file(&migration.script), message).help(help)
        })
    };
    after
        .migrations
        .iter()
        .filter(|one| runs_once(one.kind))
        .filter_map(finding)
        .collect()
}

/// A finding about a file as a whole.
fn about(code: &str, entry: &Entry, message: impl Into<String>) -> Finding {
    Finding::new(code, Place::file(&entry.shown), message)
}

/// The name of the file, without its folders.
fn file_name(entry: &Entry) -> &str {
    entry.path.rsplit('/').next().unwrap_or(&entry.path)
}

/// Finds entries that share what must be their own; `key` gives it, and `say` what to say of one that another has, too.
fn shared<'a, K: Ord>(
    code: &str,
    entries: &'a [Entry],
    key: impl Fn(&'a Entry) -> Option<K>,
    say: impl Fn(&K, &Entry) -> String,
) -> Vec<Finding> {
    let mut groups: BTreeMap<K, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(key) = key(entry) {
            groups.entry(key).or_default().push(entry);
        }
    }
    let mut findings = Vec::new();
    for (key, mut group) in groups {
        group.sort_by(|one, other| one.path.cmp(&other.path));
        if let [first, others @ ..] = &*group {
            findings.extend(others.iter().map(|entry| about(code, entry, say(&key, first))));
        }
    }
    findings
}

/// Whether there is nothing that the tool would run (N014).
fn no_migrations(inventory: &Inventory) -> bool {
    let runs = |entry: &Entry| {
        matches!(
            entry.kind,
            Kind::Versioned { .. } | Kind::Repeatable { .. } | Kind::Baseline { .. }
        )
    };
    !inventory.entries().iter().any(runs)
}
