//! What a run is called, wherever it is asked about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longest name. With what stands around it, it has to fit into `startedBy` (RunTask: 128 characters).
const LONGEST: usize = 100;
/// Length of a client token (RunTask, clientToken).
const TOKEN_LENGTH: usize = 64;

/// What a run is called: whoever starts one under the same name means the same run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// A name that no run can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run's name has 1 to {LONGEST} letters of a to z and A to Z, digits, '-' and '_'")]
pub struct RunIdError;

impl RunId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a name of any text: what no name may hold becomes `-`, and what is too long is cut.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let character = |c: char| if is_allowed(c) { c } else { '-' };
        let mut name: String = text.chars().map(character).take(LONGEST).collect();
        if name.is_empty() {
            name.push('-');
        }
        Self(name)
    }

    /// What ECS is told as `startedBy`, which tasks can be listed by.
    #[must_use]
    pub fn started_by(&self) -> String {
        format!("shipway/{}", self.0)
    }

    /// The name in a task's `startedBy`; `None` where something else started it.
    #[must_use]
    pub fn of_started_by(text: &str) -> Option<Self> {
        text.strip_prefix("shipway/")?.parse().ok()
    }

    /// The client token of one attempt in a cluster and a family: ECS starts one task for it, however often it is asked.
    #[must_use]
    pub fn client_token(&self, cluster: &str, family: &str, attempt: u32) -> String {
        let digest = Sha256::digest(format!("{cluster}|{family}|{}|{attempt}", self.0));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.chars().take(TOKEN_LENGTH).collect()
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let is_good = !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_allowed);
        is_good.then(|| Self(text.to_owned())).ok_or(RunIdError)
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdError;

    fn try_from(text: String) -> Result<Self, RunIdError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_where_it_is_used() {
        for wrong in ["", "a/b", "ü", "a b", &"x".repeat(LONGEST + 1)] {
            assert_eq!(wrong.parse::<RunId>(), Err(RunIdError), "{wrong}");
        }
        let longest = RunId::of(&"ü/ x".repeat(100));
        assert_eq!(longest.as_str().parse(), Ok(longest.clone()));
        assert!(longest.started_by().len() <= 128);
        assert_eq!(RunId::of_started_by(&longest.started_by()), Some(longest));
        assert_eq!(RunId::of_started_by("ecs-svc/123"), None);
    }

    #[test]
    fn each_attempt_has_a_token_of_its_own() {
        let id = RunId::of("gl-1-2-abc-migrate");
        let token = id.client_token("migrations", "flyway", 1);
        assert_eq!(token, id.client_token("migrations", "flyway", 1));
        assert_eq!(token.len(), TOKEN_LENGTH);
        for (cluster, family, attempt) in [
            ("migrations", "flyway", 2),
            ("production", "flyway", 1),
            ("migrations", "tenant", 1),
        ] {
            assert_ne!(token, id.client_token(cluster, family, attempt));
        }
    }
}
