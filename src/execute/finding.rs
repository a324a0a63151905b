//! What was looked at before anything is run, and how it is.

use serde::{Deserialize, Serialize};

use crate::content::ContentError;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works, and should be looked after.
    Warning,
    /// A run would fail.
    Failed,
    /// It could not be looked at.
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// What was found, on one line.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl Finding {
    /// Something that was found.
    #[must_use]
    pub fn new(name: &str, health: Health, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            health,
            text: text.into(),
            hints: Vec::new(),
        }
    }

    /// Something that could not be done, with its causes on one line.
    #[must_use]
    pub fn of_error(name: &str, health: Health, error: &ContentError) -> Self {
        let finding = Self::new(name, health, error.in_one_line());
        error.hints().iter().fold(finding, |finding, hint| finding.hint(hint))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
