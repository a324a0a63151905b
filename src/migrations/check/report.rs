//! All that was found, and what could not be looked for.

use super::finding::Finding;
use super::rule::{Family, Level};

/// What a set of migrations was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// With nothing: nobody asked.
    Off,
    /// With this image, revision or folder.
    Compared {
        /// As it was named.
        against: String,
        /// What the name stood for: a digest or a commit.
        identity: Option<String>,
    },
    /// Nothing has been shipped under this name yet.
    First {
        /// As it was named.
        against: String,
    },
    /// It could not be compared.
    Unchecked {
        /// As it was named.
        against: String,
        /// Why.
        reason: String,
    },
}

/// All that was found, the worst first.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was found and counts, sorted by place.
    pub findings: Vec<Finding>,
    /// What was found and is allowed by a comment, sorted by place.
    pub allowed: Vec<Finding>,
    /// What the migrations were compared with.
    pub drift: Drift,
    /// How many migrations there are.
    pub migrations: usize,
    /// The highest version.
    pub highest_version: Option<String>,
    /// Digest of the set, in hexadecimal digits.
    pub set_digest: String,
}

impl Report {
    /// How many findings there are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether one of the findings is an error about a secret.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        let is_secret = |finding: &&Finding| finding.rule.family == Family::Secrets && finding.level == Level::Error;
        self.findings.iter().any(|finding| is_secret(&finding))
    }
}
