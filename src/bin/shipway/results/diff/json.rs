//! The JSON form.

use serde_json::{Value, json};
use shipway::migrations::compare::Change;
use shipway::migrations::manifest::Migration;

use super::patch::Patch;
use super::{DiffResult, DiffSide};

/// The name and version of the JSON form.
const SCHEMA: &str = "shipway.diff/v1";

pub(super) fn json(result: &DiffResult<'_>, patches: &[Patch]) -> serde_json::Result<Value> {
    let comparison = result.comparison;
    let list = |migrations: &[Migration]| serde_json::to_value(migrations);
    let changes = |changes: &[Change]| -> Value {
        let change = |change: &Change| json!({ "before": change.before, "after": change.after });
        changes.iter().map(change).collect()
    };
    let callbacks = comparison.callbacks.iter();
    let config = comparison.config.iter();
    let mut object = json!({
        "schema": SCHEMA,
        "before": side(result.before),
        "after": side(result.after),
        "equal": comparison.is_empty(),
        "breaksShipped": comparison.breaks_shipped(),
        "pending": list(&comparison.pending)?,
        "added": list(&comparison.added)?,
        "changed": changes(&comparison.changed),
        "removed": list(&comparison.removed)?,
        "late": list(&comparison.late)?,
        "repeated": changes(&comparison.repeated),
        "renamed": changes(&comparison.renamed),
        "moved": changes(&comparison.moved),
        "touched": changes(&comparison.touched),
        "callbacks": callbacks
            .map(|change| json!({ "before": change.before, "after": change.after }))
            .collect::<Value>(),
        "config": config
            .map(|change| json!({ "key": change.key, "before": change.before, "after": change.after }))
            .collect::<Value>(),
    });
    if result.patch
        && let Some(object) = object.as_object_mut()
    {
        let patches = patches
            .iter()
            .map(|patch| json!({ "script": patch.script, "patch": patch.text }));
        object.insert("patches".to_owned(), patches.collect());
    }
    Ok(object)
}

fn side(side: &DiffSide<'_>) -> Value {
    json!({
        "name": side.name,
        "identity": side.identity,
        "project": side.manifest.project,
        "migrations": side.manifest.migrations.len(),
        "highestVersion": side.manifest.highest_version(),
        "setDigest": side.manifest.set_digest,
    })
}
