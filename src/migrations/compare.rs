//! How a set of migrations differs from the one that was shipped.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::manifest::{Callback, Manifest, Migration, MigrationKind};

#[cfg(test)]
mod tests;

/// How many characters of a description the history table keeps; what it keeps of a longer one are the first of them and dots.
const DESCRIPTION_LIMIT: usize = 200;

/// A migration that both sets have, and that is not the same in both.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// As it was.
    pub before: Migration,
    /// As it is.
    pub after: Migration,
}

/// A key of the configuration that has another value.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigChange {
    /// The key.
    pub key: String,
    /// What it was; `None` if it was not there.
    pub before: Option<Value>,
    /// What it is; `None` if it is not there any more.
    pub after: Option<Value>,
}

/// What happened to a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackChange {
    /// As it was; `None` if it is new.
    pub before: Option<Callback>,
    /// As it is; `None` if it is gone.
    pub after: Option<Callback>,
}

/// How one set of migrations differs from another. Each list is in the order of the manifests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// New ones.
    pub added: Vec<Migration>,
    /// Versions that were shipped and whose content, description or kind is another now.
    pub changed: Vec<Change>,
    /// Those whose bytes changed, but not what the tool compares.
    pub touched: Vec<Change>,
    /// Repeatable ones that changed, and run again.
    pub repeated: Vec<Change>,
    /// Those that are gone.
    pub removed: Vec<Migration>,
    /// Those that lie somewhere else, whether or not something else changed.
    pub moved: Vec<Change>,
    /// Those that were given another version or description, found by their content: one of `removed` and one of `added`.
    pub renamed: Vec<Change>,
    /// Those of `added` whose version is not above all that were shipped.
    pub late: Vec<Migration>,
    /// What runs at the next `migrate`, in its order, on a database on which all of the earlier set ran.
    pub pending: Vec<Migration>,
    /// What is different in the configuration.
    pub config: Vec<ConfigChange>,
    /// What is different among the callbacks.
    pub callbacks: Vec<CallbackChange>,
}

impl Change {
    /// Whether the content the tool compares is another.
    #[must_use]
    pub fn is_content(&self) -> bool {
        match (self.before.checksum, self.after.checksum) {
            (Some(before), Some(after)) => before != after,
            _ => self.before.sha256 != self.after.sha256,
        }
    }

    /// Whether the description the tool compares is another. Flyway compares what the history table keeps.
    #[must_use]
    pub fn is_description(&self) -> bool {
        // Its history knows a repeatable one by its description, a changeset has none.
        matches!(self.after.kind, MigrationKind::Versioned | MigrationKind::Baseline)
            && self.before.checksum.is_some()
            && kept(&self.before.description) != kept(&self.after.description)
    }

    /// Whether another program runs it: the database, or an interpreter.
    #[must_use]
    pub fn is_type(&self) -> bool {
        self.before.program != self.after.program
    }
}

/// Migrations with the same bytes: those that are gone, and those that are new.
type GoneAndNew<'a> = (Vec<&'a Migration>, Vec<&'a Migration>);

/// What makes a migration the same one in another set.
type Identity = (MigrationKind, String);

fn identity(migration: &Migration) -> Identity {
    (migration.kind, migration.key.clone())
}

/// What the history table keeps of a description; Java counts UTF-16 units.
fn kept(description: &str) -> Vec<u16> {
    let mut units: Vec<u16> = description.encode_utf16().collect();
    if units.len() > DESCRIPTION_LIMIT {
        units.truncate(DESCRIPTION_LIMIT - 3);
        units.extend("...".encode_utf16());
    }
    units
}

impl Comparison {
    /// Compares the set that was shipped with another.
    #[must_use]
    pub fn of(before: &Manifest, after: &Manifest) -> Self {
        let mut comparison = Self::default();
        let shipped: BTreeMap<Identity, _> = before.migrations.iter().map(|one| (identity(one), one)).collect();
        let mut seen = BTreeSet::new();
        for migration in &after.migrations {
            seen.insert(identity(migration));
            match shipped.get(&identity(migration)) {
                None => comparison.added.push(migration.clone()),
                Some(earlier) => comparison.classify(Change {
                    before: (*earlier).clone(),
                    after: migration.clone(),
                }),
            }
        }
        let is_gone = |migration: &&Migration| !seen.contains(&identity(migration));
        comparison.removed = before.migrations.iter().filter(is_gone).cloned().collect();
        comparison.find_renamed();
        comparison.find_late(before, after);
        comparison.find_pending(after);
        comparison.compare_config(before, after);
        comparison.compare_callbacks(before, after);
        comparison
    }

    /// Whether nothing is different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something that was shipped is not what it was, so that the tool would refuse or miss it.
    #[must_use]
    pub fn breaks_shipped(&self) -> bool {
        !self.changed.is_empty() || self.removed.iter().any(|gone| gone.kind != MigrationKind::Undo)
    }

    fn classify(&mut self, change: Change) {
        let repeats = change.after.kind == MigrationKind::Repeatable || change.after.repeats;
        if change.before.script != change.after.script {
            self.moved.push(change.clone());
        }
        if repeats && change.is_content() {
            self.repeated.push(change);
        } else if change.is_content() || change.is_description() || change.is_type() {
            self.changed.push(change);
        } else if change.before.sha256 != change.after.sha256 {
            self.touched.push(change);
        }
    }

    /// One that is gone and one that is new with the same bytes are one that was renamed, as long as no third has them.
    fn find_renamed(&mut self) {
        let mut by_content: BTreeMap<(MigrationKind, &str), GoneAndNew<'_>> = BTreeMap::new();
        for gone in &self.removed {
            by_content.entry((gone.kind, &gone.sha256)).or_default().0.push(gone);
        }
        for new in &self.added {
            by_content.entry((new.kind, &new.sha256)).or_default().1.push(new);
        }
        let pairs = by_content
            .into_values()
            .filter_map(|(gone, new)| match (&*gone, &*new) {
                ([gone], [new]) => Some(Change {
                    before: (*gone).clone(),
                    after: (*new).clone(),
                }),
                _ => None,
            });
        let mut by_new: BTreeMap<Identity, Change> = pairs.map(|pair| (identity(&pair.after), pair)).collect();
        self.renamed = self
            .added
            .iter()
            .filter_map(|new| by_new.remove(&identity(new)))
            .collect();
    }

    fn find_late(&mut self, before: &Manifest, after: &Manifest) {
        let profile = after.runner.profile.as_str();
        let Some(highest) = before.highest() else { return };
        let highest = highest.order(profile);
        let is_late = |new: &&Migration| new.kind == MigrationKind::Versioned && new.order(profile) <= highest;
        self.late = self.added.iter().filter(is_late).cloned().collect();
    }

    fn find_pending(&mut self, after: &Manifest) {
        // dbmate and Liquibase run whatever has not run yet.
        let runs_late = after.says("outOfOrder") || matches!(after.runner.profile.as_str(), "dbmate" | "liquibase");
        let mut runs: BTreeSet<Identity> = self.added.iter().map(identity).collect();
        runs.extend(self.repeated.iter().map(|change| identity(&change.after)));
        if !runs_late {
            self.late.iter().for_each(|late| {
                runs.remove(&identity(late));
            });
        }
        let is_run = |migration: &&Migration| {
            !matches!(migration.kind, MigrationKind::Baseline | MigrationKind::Undo)
                && runs.contains(&identity(migration))
        };
        self.pending = after.migrations.iter().filter(is_run).cloned().collect();
    }

    fn compare_config(&mut self, before: &Manifest, after: &Manifest) {
        let keys: BTreeSet<&String> = before.config.keys().chain(after.config.keys()).collect();
        for key in keys {
            let (before, after) = (before.config.get(key), after.config.get(key));
            if before != after {
                self.config.push(ConfigChange {
                    key: key.clone(),
                    before: before.cloned(),
                    after: after.cloned(),
                });
            }
        }
    }

    fn compare_callbacks(&mut self, before: &Manifest, after: &Manifest) {
        let by_name = |callbacks: &[Callback]| -> BTreeMap<(String, String), Callback> {
            let named =
                |callback: &Callback| ((callback.event.clone(), callback.description.clone()), callback.clone());
            callbacks.iter().map(named).collect()
        };
        let (before, after) = (by_name(&before.callbacks), by_name(&after.callbacks));
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (before, after) = (before.get(name), after.get(name));
            if before.map(|callback| &callback.sha256) != after.map(|callback| &callback.sha256) {
                self.callbacks.push(CallbackChange {
                    before: before.cloned(),
                    after: after.cloned(),
                });
            }
        }
    }
}
