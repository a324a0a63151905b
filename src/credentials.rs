//! Who we are at a registry.
//!
//! A registry is handed a [`Credentials`] value; where it comes from is settled here: what the user said outright, then
//! the files Docker and Podman keep, and the helper programs those files name.

use std::fmt;

mod error;
mod file;
mod helper;
mod host;
mod secret;
mod store;

pub use error::CredentialsError;
pub use secret::Secret;
pub use store::{AuthFile, Explicit, Store};

/// Who to be at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user with a password: sent as it is, or traded for a token.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, which the registry's token service trades for access tokens.
    IdentityToken {
        /// The token.
        token: Secret,
    },
    /// An access token, sent as it is.
    RegistryToken {
        /// The token.
        token: Secret,
    },
}

/// Credentials, and where they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The credentials.
    pub credentials: Credentials,
    /// Where they come from, for people: `Docker config /home/x/.docker/config.json`.
    pub origin: String,
    /// Whether the user said outright who to be, so that nobody else will do.
    pub is_explicit: bool,
}

impl fmt::Display for Credentials {
    /// Says what they are without the secret part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("no credentials"),
            Self::Basic { username, .. } => write!(f, "user {username:?} with a password"),
            Self::IdentityToken { .. } => f.write_str("an identity token"),
            Self::RegistryToken { .. } => f.write_str("a registry token"),
        }
    }
}

#[cfg(test)]
mod tests;
