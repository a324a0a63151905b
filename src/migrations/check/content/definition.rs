//! Several definitions where none can be taken back (C012).

use super::{Beginning, Scene, is_baseline};
use crate::migrations::check::{Finding, Place};
use crate::sql::{Dialect, Statement};

/// The definitions of one script.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    count: u64,
    second: Option<Place>,
}

impl Definitions {
    pub(super) fn statement(&mut self, scene: Scene<'_>, statement: &Statement<'_>, words: &Beginning<'_>) {
        if scene.dialect != Dialect::MySql
            || !words.is_any(0, &["create", "alter", "drop", "rename"])
            || words.is(1, "temporary")
        {
            return;
        }
        // What can run again does no harm half way.
        let is_repeatable = words.has("exists") || (words.is(1, "or") && words.is(2, "replace"));
        if is_repeatable {
            return;
        }
        self.count += 1;
        if let Some(first) = words.get(0).filter(|_| self.count == 2) {
            self.second = Some(scene.at(statement, &first));
        }
    }

    pub(super) fn finish(self, scene: Scene<'_>, findings: &mut Vec<Finding>) {
        // A baseline runs on an empty database, which can be thrown away.
        if let Some(place) = self.second.filter(|_| !is_baseline(scene.entry)) {
            let message = format!(
                "one of {} definitions: MySQL commits each, so that a failure leaves the script half applied",
                self.count
            );
            findings.push(
                Finding::new("C012", place, message)
                    .help("one definition per script, or definitions that can run again"),
            );
        }
    }
}
