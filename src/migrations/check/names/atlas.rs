//! Whether `atlas.sum` fits the files beside it.

use super::super::finding::{Finding, Place};
use crate::migrations::Inventory;
use crate::migrations::atlas::sum::{self, Misfit};

pub(super) fn check(inventory: &Inventory) -> Vec<Finding> {
    // Whoever reads the files has said so if one cannot be read.
    let misfits = sum::verify(inventory).unwrap_or_default();
    let shown = |path: &str| {
        let entry = inventory.entries().iter().find(|entry| entry.path == path);
        entry.map(|entry| entry.shown.clone())
    };
    let finding = |misfit: Misfit| {
        let path = match &misfit {
            Misfit::Extra(path) | Misfit::Changed(path) => shown(path),
            Misfit::Missing | Misfit::Form(_) | Misfit::Total | Misfit::Gone(_) => shown(sum::NAME),
        };
        let line = match &misfit {
            Misfit::Form(line) => *line as u64,
            _ => 0,
        };
        let help = match &misfit {
            Misfit::Gone(_) => "bring the file back, or run atlas migrate hash if it never ran anywhere",
            Misfit::Changed(_) => "take the change back, or run atlas migrate hash if it never ran anywhere",
            _ => "run atlas migrate hash, and look at what it changes",
        };
        let place = Place {
            line,
            ..Place::file(path.unwrap_or_else(|| sum::NAME.to_owned()))
        };
        Finding::new("N015", place, misfit.to_string()).help(help)
    };
    misfits.into_iter().map(finding).collect()
}
