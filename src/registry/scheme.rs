//! What a login is for, and how a registry wants it.

use serde::{Deserialize, Serialize};

/// What a request is allowed to do: the scopes a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope(Vec<String>);

impl Scope {
    /// Reading from a repository.
    #[must_use]
    pub(super) fn pull(path: &str) -> Self {
        Self(vec![format!("repository:{path}:pull")])
    }

    /// Reading from and writing to a repository.
    #[must_use]
    pub(super) fn push(path: &str) -> Self {
        Self(vec![format!("repository:{path}:pull,push")])
    }

    /// Writing to one repository and taking blobs over from another.
    #[must_use]
    pub(super) fn mount(path: &str, from: &str) -> Self {
        Self(vec![
            format!("repository:{path}:pull,push"),
            format!("repository:{from}:pull"),
        ])
    }

    /// Whether it is for writing.
    #[must_use]
    pub(super) fn is_to_write(&self) -> bool {
        self.texts().any(|text| text.ends_with(",push"))
    }

    /// Each scope in the words of the token specification.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// How a registry wants to be logged in to. Remembered between runs; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "scheme")]
pub(super) enum Scheme {
    /// Not at all.
    Open,
    /// A user and a password with every request.
    Basic,
    /// A token from a token server.
    Bearer {
        /// Address of the token server.
        realm: String,
        /// Name of the registry at the token server.
        service: String,
    },
}

/// Hosts known to want a token: asking for it first saves the request that would only be told so.
const KNOWN_BEARER: &[(&str, &str, &str)] = &[
    ("docker.io", "https://auth.docker.io/token", "registry.docker.io"),
    ("ghcr.io", "https://ghcr.io/token", "ghcr.io"),
    (
        "registry.gitlab.com",
        "https://gitlab.com/jwt/auth",
        "container_registry",
    ),
    ("quay.io", "https://quay.io/v2/auth", "quay.io"),
];

/// The way of logging in to a host that is known.
pub(super) fn known_bearer(host: &str) -> Option<Scheme> {
    let (_, realm, service) = KNOWN_BEARER.iter().find(|(name, _, _)| *name == host)?;
    Some(Scheme::Bearer {
        realm: (*realm).to_owned(),
        service: (*service).to_owned(),
    })
}
