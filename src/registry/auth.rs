//! Logging in to one registry: which way it wants, and the tokens it gave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::challenge::Challenge;
use super::endpoint::is_loopback;
use super::token::{Token, TokenRequest};
use crate::content::{Cache, ContentError, Kind};
use crate::credentials::Credentials;

/// Finds the credentials for a registry; asked at most twice in a run, the second time after the first were refused.
pub type Login = Arc<dyn Fn() -> BoxFuture<'static, Result<Credentials, ContentError>> + Send + Sync>;

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

/// What a request goes out with.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// The `Authorization` header, if any.
    pub header: Option<HeaderValue>,
    /// Held by the first request to a host nothing is known of, so that others wait for what it learns.
    _probe: Option<Arc<OwnedMutexGuard<()>>>,
}

/// The login at one registry, shared by everything that talks to it.
pub(super) struct Authenticator {
    host: String,
    is_private: bool,
    login: Login,
    cache: Cache,
    scheme: Mutex<Option<Scheme>>,
    credentials: AsyncMutex<Option<Credentials>>,
    tokens: AsyncMutex<HashMap<Scope, Token>>,
    probing: Arc<AsyncMutex<()>>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Prepares to log in to `host`. `is_private`: whether a password may go there unasked; `is_itself`: whether it is
    /// reached at its own address.
    #[must_use]
    pub(super) fn new(host: &str, is_private: bool, is_itself: bool, login: Login, cache: Cache) -> Self {
        let known = KNOWN_BEARER.iter().find(|(name, _, _)| is_itself && *name == host);
        let scheme = match known {
            Some((_, realm, service)) => Some(Scheme::Bearer {
                realm: (*realm).to_owned(),
                service: (*service).to_owned(),
            }),
            None => cache.scheme(host),
        };
        Self {
            host: host.to_owned(),
            is_private,
            login,
            cache,
            scheme: Mutex::new(scheme),
            credentials: AsyncMutex::new(None),
            tokens: AsyncMutex::default(),
            probing: Arc::default(),
        }
    }

    /// The credentials, found on first use.
    ///
    /// # Errors
    /// When a place that should hold credentials cannot be read.
    pub(super) async fn credentials(&self) -> Result<Credentials, ContentError> {
        let mut credentials = self.credentials.lock().await;
        match &*credentials {
            Some(known) => Ok(known.clone()),
            None => {
                let found = (self.login)().await?;
                Ok(credentials.insert(found).clone())
            }
        }
    }

    /// What the next request for `scope` goes out with.
    ///
    /// # Errors
    /// When credentials cannot be read, or the token server refuses.
    pub(super) async fn pass(&self, scope: &Scope, fetch: &dyn FetchToken) -> Result<Pass, ContentError> {
        let credentials = self.credentials().await?;
        if let Credentials::RegistryToken { token } = &credentials
            && self.is_private
        {
            return Ok(Pass::with(Some(sensitive(&format!("Bearer {}", token.expose()))?)));
        }
        match (self.known_scheme(), &credentials) {
            (Some(Scheme::Bearer { realm, service }), _) => {
                let header = self.bearer(scope, realm, service, &credentials, fetch).await?;
                Ok(Pass::with(Some(header)))
            }
            (Some(Scheme::Basic) | None, Credentials::Basic { username, password }) if self.is_private => {
                Ok(Pass::with(Some(basic(username, password.expose())?)))
            }
            (Some(_), _) => Ok(Pass::with(None)),
            (None, _) => {
                let guard = Arc::clone(&self.probing).lock_owned().await;
                if self.known_scheme().is_some() {
                    drop(guard);
                    return Box::pin(self.pass(scope, fetch)).await;
                }
                Ok(Pass {
                    header: None,
                    _probe: Some(Arc::new(guard)),
                })
            }
        }
    }

    /// What must not be shown of a login, in the forms a server could repeat it.
    pub(super) async fn secrets(&self, pass: &Pass) -> Vec<String> {
        let header = pass.header.as_ref().and_then(|header| header.to_str().ok());
        let mut secrets: Vec<String> = header
            .and_then(|text| text.split_once(' '))
            .map(|(_, token)| token.to_owned())
            .into_iter()
            .collect();
        if let Some(Credentials::Basic { password, .. }) = &*self.credentials.lock().await {
            secrets.push(password.expose().to_owned());
        }
        secrets
    }

    /// Notes that a request without a login was answered.
    pub(super) fn welcomed(&self, pass: &Pass) {
        if pass.header.is_none() && self.known_scheme().is_none() {
            self.learn(Scheme::Open);
        }
    }

    /// Takes a 401. `Ok(())` means that the same request is worth one more try.
    ///
    /// # Errors
    /// When there is nothing to try: no credentials, or the ones there are were refused.
    pub(super) async fn challenged(&self, header: &str, pass: &Pass, scope: &Scope) -> Result<(), ContentError> {
        let challenges = Challenge::parse_all(header);
        let bearer = challenges
            .iter()
            .find(|challenge| challenge.scheme == "bearer")
            .and_then(|challenge| Some((challenge.parameter("realm")?, challenge)));
        if let Some((realm, challenge)) = bearer {
            self.check_realm(realm)?;
            self.learn(Scheme::Bearer {
                realm: realm.to_owned(),
                service: challenge.parameter("service").unwrap_or_default().to_owned(),
            });
            let mut tokens = self.tokens.lock().await;
            if tokens
                .get(scope)
                .is_some_and(|token| token.is_behind(pass.header.as_ref()))
            {
                tokens.remove(scope);
            }
            return Ok(());
        }
        if !challenges.iter().any(|challenge| challenge.scheme == "basic") {
            return Err(self.refused("the registry offers no way to log in that is known here"));
        }
        self.learn(Scheme::Basic);
        let credentials = self.credentials().await?;
        match credentials {
            Credentials::Basic { username, password } => {
                let header = basic(&username, password.expose())?;
                if !self.is_private {
                    return Err(self
                        .refused("a password is not sent over plain HTTP to another machine")
                        .hint("use TLS, or a registry that asks for a token over TLS"));
                }
                if pass.header.as_ref() != Some(&header) {
                    return Ok(());
                }
                Err(self.refused("user name or password is wrong, or has expired"))
            }
            _ => Err(self.refused("it wants a user name and a password, and no credentials were found for it")),
        }
    }

    fn refused(&self, why: &str) -> ContentError {
        ContentError::new(Kind::Denied, format!("{} refuses the login", self.host))
            .because(why.to_owned())
            .hint(format!(
                "log in with `docker login {0}`, or pass --username USER --password-stdin",
                self.host
            ))
    }

    fn known_scheme(&self) -> Option<Scheme> {
        self.scheme.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, scheme: Scheme) {
        let mut known = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref() != Some(&scheme) {
            self.cache.keep_scheme(&self.host, &scheme);
            *known = Some(scheme);
        }
    }

    /// A token server gets the password, so it must be as private as the registry itself.
    fn check_realm(&self, realm: &str) -> Result<(), ContentError> {
        let url = reqwest::Url::parse(realm).map_err(|error| {
            self.refused("the address of its token server makes no sense")
                .because(error)
        })?;
        let is_private = url.scheme() == "https" || url.host_str().is_some_and(is_loopback);
        if is_private || !self.is_private {
            return Ok(());
        }
        Err(self.refused("its token server is reached over plain HTTP, which would show the password"))
    }

    async fn bearer(
        &self,
        scope: &Scope,
        realm: String,
        service: String,
        credentials: &Credentials,
        fetch: &dyn FetchToken,
    ) -> Result<HeaderValue, ContentError> {
        self.check_realm(&realm)?;
        // Held over the request, so that everybody who needs the same token waits for the one on its way.
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(scope)
            && token.is_fresh()
        {
            return Ok(token.header.clone());
        }
        let realm_is_private = realm.starts_with("https:") || self.is_private;
        let request = TokenRequest {
            realm,
            service,
            scopes: scope.texts().map(str::to_owned).collect(),
            credentials: if realm_is_private {
                credentials.clone()
            } else {
                Credentials::Anonymous
            },
        };
        let answer = fetch.fetch_token(&request).await?;
        let token = Token {
            header: sensitive(&format!("Bearer {}", answer.token.expose()))?,
            expires: Instant::now() + answer.lifetime.saturating_sub(EXPIRY_MARGIN.min(answer.lifetime / 4)),
        };
        let header = token.header.clone();
        tokens.insert(scope.clone(), token);
        Ok(header)
    }
}

/// A token is renewed this long before it expires: the request it goes with takes time to arrive.
const EXPIRY_MARGIN: Duration = Duration::from_secs(10);

/// Asks a token server. The transport does it, which owns the connections.
pub(super) trait FetchToken: Sync {
    /// Makes the request.
    fn fetch_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<super::token::Granted, ContentError>>;
}

impl Pass {
    fn with(header: Option<HeaderValue>) -> Self {
        Self { header, _probe: None }
    }
}

/// The value of a Basic `Authorization` header.
///
/// # Errors
/// Never: base64 is a valid header.
pub(super) fn basic(username: &str, password: &str) -> Result<HeaderValue, ContentError> {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    sensitive(&format!("Basic {text}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, ContentError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        ContentError::new(Kind::Denied, "the token cannot be sent").because("it holds characters a header cannot")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
