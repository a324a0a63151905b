//! Who may do what at the fake registry: Basic as Amazon ECR asks for it, and Bearer tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::query::Query;
use super::routes::Reply;

/// The user every protected fake registry knows.
pub(crate) const USER: &str = "AWS";
/// That user's password: a word that must appear in no output, image or cache file.
pub(crate) const PASSWORD: &str = "canary-pa55word-not-to-be-seen";
/// A password that was good once, as Amazon ECR's are for twelve hours.
pub(crate) const EXPIRED_PASSWORD: &str = "canary-expired-not-to-be-seen";
/// An identity token that the token endpoint takes instead of a password.
pub(crate) const IDENTITY_TOKEN: &str = "canary-identity-token-not-to-be-seen";

/// How the fake registry asks who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// It does not ask.
    Anonymous,
    /// `Authorization: Basic` with every request.
    Basic,
    /// Tokens from an endpoint of its own.
    Bearer {
        /// Whether one without credentials gets a token to pull with.
        anonymous_pull: bool,
        /// A token is good for so many requests.
        uses: usize,
    },
}

/// Tokens given out, and the password that is good.
#[derive(Default)]
pub(crate) struct Tokens {
    granted: BTreeMap<String, Token>,
    /// Instead of [`PASSWORD`].
    password: Option<String>,
    /// Passwords that were good once.
    expired: Vec<String>,
}

struct Token {
    scopes: Vec<(String, String)>,
    uses_left: usize,
}

/// What a request needs: a repository and `pull` or `push`.
pub(crate) struct Need<'a> {
    /// The repository.
    pub(crate) repository: &'a str,
    /// `pull` or `push`.
    pub(crate) action: &'a str,
}

/// The value of `Authorization` for the known user.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl Tokens {
    /// Admits the request, or gives the answer that refuses it.
    pub(crate) fn admit(
        &mut self,
        authentication: Authentication,
        base_url: &str,
        need: &Need<'_>,
        authorization: Option<&str>,
    ) -> Result<(), Reply> {
        match authentication {
            Authentication::Anonymous => Ok(()),
            Authentication::Basic => {
                if authorization == Some(&basic(USER, self.password())) {
                    return Ok(());
                }
                let is_expired = |password: &String| authorization == Some(&basic(USER, password));
                if self.expired.iter().any(is_expired) {
                    let message = "Your authorization token has expired. Reauthenticate and try again.";
                    return Err(Reply::error(403, "DENIED", message));
                }
                // Amazon ECR answers in plain text here, not in JSON.
                if authorization == Some(&basic(USER, EXPIRED_PASSWORD)) {
                    let text =
                        "Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.";
                    return Err(Reply::text(403, text));
                }
                let challenge = format!("Basic realm=\"{base_url}/\",service=\"ecr.amazonaws.com\"");
                Err(Reply::text(401, "Not Authorized\n").header("www-authenticate", &challenge))
            }
            Authentication::Bearer { .. } => {
                let scope = match need.action {
                    "push" => format!("repository:{}:pull,push", need.repository),
                    _ => format!("repository:{}:pull", need.repository),
                };
                let mut challenge =
                    format!("Bearer realm=\"{base_url}/token\",service=\"fake.registry\",scope=\"{scope}\"");
                let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
                if let Some(token) = token {
                    match self.granted.get_mut(token) {
                        Some(token) if token.uses_left == 0 => {
                            challenge.push_str(",error=\"invalid_token\"");
                        }
                        Some(token) if token.covers(need) => {
                            token.uses_left -= 1;
                            return Ok(());
                        }
                        Some(_) => challenge.push_str(",error=\"insufficient_scope\""),
                        None => challenge.push_str(",error=\"invalid_token\""),
                    }
                }
                Err(Reply::error(401, "UNAUTHORIZED", "authentication required").header("www-authenticate", &challenge))
            }
        }
    }

    /// Answers the token endpoint: GET with Basic or nothing, POST with an identity token.
    pub(crate) fn grant(
        &mut self,
        authentication: Authentication,
        method: &str,
        query: &Query,
        form: &Query,
        authorization: Option<&str>,
    ) -> Reply {
        let Authentication::Bearer { anonymous_pull, uses } = authentication else {
            return Reply::error(404, "NOT_FOUND", "there is no token endpoint");
        };
        let (asked, known) = match method {
            "GET" => match authorization {
                None if anonymous_pull => (query, false),
                Some(value) if value == basic(USER, self.password()) => (query, true),
                _ => return Reply::error(401, "UNAUTHORIZED", "incorrect username or password"),
            },
            "POST" => {
                if form.get("grant_type") != Some("refresh_token") || form.get("refresh_token") != Some(IDENTITY_TOKEN)
                {
                    return Reply::error(401, "UNAUTHORIZED", "unknown identity token");
                }
                (form, true)
            }
            _ => return Reply::error(405, "UNSUPPORTED", "the token endpoint takes GET and POST"),
        };
        let mut scopes = Vec::new();
        for scope in asked.all("scope").flat_map(|scopes| scopes.split(' ')) {
            let Some((name, actions)) = scope.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':')) else {
                continue;
            };
            for action in actions.split(',') {
                if known || action == "pull" {
                    scopes.push((name.to_owned(), action.to_owned()));
                }
            }
        }
        let token = format!("canary-token-{}-not-to-be-seen", self.granted.len() + 1);
        let body = serde_json::json!({
            "token": token, "access_token": token, "expires_in": 300, "issued_at": "2026-11-01T00:00:00Z",
        });
        let uses_left = uses;
        self.granted.insert(token, Token { scopes, uses_left });
        Reply::json(200, &body)
    }

    fn password(&self) -> &str {
        self.password.as_deref().unwrap_or(PASSWORD)
    }

    /// From now on `password` alone is good; the ones before it have expired.
    #[cfg(feature = "aws")]
    pub(crate) fn accept(&mut self, password: &str) {
        let before = self.password.replace(password.to_owned());
        self.expired.push(before.unwrap_or_else(|| PASSWORD.to_owned()));
    }

    /// How many tokens were given out.
    pub(crate) fn count(&self) -> usize {
        self.granted.len()
    }
}

impl Token {
    fn covers(&self, need: &Need<'_>) -> bool {
        self.scopes
            .iter()
            .any(|(name, action)| name == need.repository && action == need.action)
    }
}
