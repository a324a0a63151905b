//! What the user said about who to be.

use crate::credentials::Secret;

/// Who to be at AWS, as far as the user said so; the rest is up to the chain of places identities are found in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// A profile of AWS's config files; asked for by name, so nothing else will do.
    pub profile: Option<String>,
    /// The ARN of a role to take on.
    pub role: Option<String>,
    /// A token that is traded for the role, such as GitLab's.
    pub web_identity: Option<WebIdentity>,
    /// Whether the services are asked at addresses of the user's own. These have no FIPS and no dual-stack variants.
    pub has_own_endpoints: bool,
    /// What about the environment may explain that no identity is found; told only then.
    pub remarks: Vec<String>,
    /// What the session of a role is called in CloudTrail.
    pub session_name: String,
}

/// A token of an OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebIdentity {
    /// The token.
    pub token: Secret,
    /// The environment variable it was found in.
    pub variable: String,
    /// The role it is traded for.
    pub role: String,
}
