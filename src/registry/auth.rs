//! Logging in to one registry: which way it wants, and the tokens it gave.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::assistance::{Login, without_other};
use super::challenge::Challenge;
use super::endpoint::{Endpoint, is_loopback};
use super::error::login_command;
use super::scheme::{Scheme, Scope, known_bearer};
use super::token::{Token, TokenRequest};
use crate::content::{Cache, ContentError, Kind};
use crate::credentials::Credentials;
use crate::ecr::EcrHost;

mod kept;

use kept::KeptLogin;

/// What a request goes out with.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// The `Authorization` header, if any.
    pub header: Option<HeaderValue>,
    /// Who it says we are.
    credentials: Credentials,
    /// Held by the first request to a host nothing is known of, so that others wait for what it learns.
    _probe: Option<Arc<OwnedMutexGuard<()>>>,
}

/// The login at one registry, shared by everything that talks to it.
pub(super) struct Authenticator {
    host: String,
    /// Address the scheme is remembered by: another server behind the same name is another one.
    address: String,
    is_private: bool,
    login: KeptLogin,
    cache: Cache,
    scheme: Mutex<Option<Scheme>>,
    /// Whether the scheme is what an earlier run found, so that it may be out of date.
    is_remembered: AtomicBool,
    is_unanswered: AtomicBool,
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
    /// Prepares to log in to `host` at `endpoint`; `is_itself`: whether that is its own address.
    #[must_use]
    pub(super) fn new(host: &str, endpoint: &Endpoint, is_itself: bool, login: Login, cache: Cache) -> Self {
        let address = endpoint.base.to_string();
        let known = known_bearer(host).filter(|_| is_itself);
        let remembered = || cache.scheme(&address);
        let is_known = known.is_some();
        let scheme = known.or_else(remembered);
        let is_remembered = !is_known && scheme.is_some();
        Self {
            host: host.to_owned(),
            address,
            is_private: endpoint.is_private(),
            login: KeptLogin::new(login),
            cache,
            scheme: Mutex::new(scheme),
            is_remembered: AtomicBool::new(is_remembered),
            is_unanswered: AtomicBool::new(false),
            tokens: AsyncMutex::default(),
            probing: Arc::default(),
        }
    }

    /// What the next request for `scope` goes out with.
    ///
    /// # Errors
    /// When credentials cannot be read, or the token server refuses.
    pub(super) async fn pass(&self, scope: &Scope, fetch: &dyn FetchToken) -> Result<Pass, ContentError> {
        let credentials = self.login.credentials().await?;
        if let Credentials::RegistryToken { token } = &credentials
            && self.is_private
        {
            let header = sensitive(&format!("Bearer {}", token.expose()))?;
            return Ok(Pass::with(Some(header), credentials));
        }
        match (self.known_scheme(), &credentials) {
            (Some(Scheme::Bearer { realm, service }), _) => {
                let result = self.bearer(scope, &realm, service.clone(), &credentials, fetch).await;
                if result.is_err() && self.is_remembered.swap(false, Ordering::Relaxed) {
                    // The token server of an earlier run may be gone: the registry is asked anew.
                    *self.scheme.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                let still = self.known_scheme() == Some(Scheme::Bearer { realm, service });
                match result {
                    Err(_) if !still => Box::pin(self.pass(scope, fetch)).await,
                    Err(error) if error.kind() == Kind::Denied => match self.login.replace(&credentials).await {
                        Ok(true) => Box::pin(self.pass(scope, fetch)).await,
                        Ok(false) => Err(error),
                        Err(cause) => Err(without_other(error, &cause)),
                    },
                    result => Ok(Pass::with(Some(result?), credentials)),
                }
            }
            (_, Credentials::Basic { username, password }) if self.is_private => {
                let header = basic(username, password.expose())?;
                Ok(Pass::with(Some(header), credentials))
            }
            (Some(_), _) => Ok(Pass::with(None, credentials)),
            (None, _) if self.is_unanswered.load(Ordering::Relaxed) => Ok(Pass::with(None, credentials)),
            (None, _) => {
                let guard = Arc::clone(&self.probing).lock_owned().await;
                if self.known_scheme().is_some() || self.is_unanswered.load(Ordering::Relaxed) {
                    drop(guard);
                    return Box::pin(self.pass(scope, fetch)).await;
                }
                Ok(Pass {
                    header: None,
                    credentials,
                    _probe: Some(Arc::new(guard)),
                })
            }
        }
    }

    /// What must not be shown of a login, in the forms a server could repeat it.
    pub(super) fn secrets(pass: &Pass) -> Vec<String> {
        let header = pass.header.as_ref().and_then(|header| header.to_str().ok());
        let mut secrets: Vec<String> = header
            .and_then(|text| text.split_once(' '))
            .map(|(_, token)| token.to_owned())
            .into_iter()
            .collect();
        secrets.extend(secrets_of(&pass.credentials));
        secrets
    }

    /// Notes that no answer came: those who wait for one may as well try themselves.
    pub(super) fn went_unanswered(&self) {
        self.is_unanswered.store(true, Ordering::Relaxed);
    }

    /// Looks for another login than the one that was refused, once; tells whether there is one.
    ///
    /// # Errors
    /// When it cannot be told; everybody who was refused is told the same.
    pub(super) async fn renew(&self, pass: &Pass) -> Result<bool, Arc<ContentError>> {
        if pass.is_token() {
            // Who is behind a token was checked by the server that gave it.
            return Ok(false);
        }
        self.login.replace(&pass.credentials).await
    }

    /// Notes that a request without a login was answered.
    pub(super) fn welcomed(&self, pass: &Pass) {
        let mut scheme = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        if pass.header.is_none() && scheme.is_none() {
            // Not kept for other runs: what is open today may only be so for what was asked.
            *scheme = Some(Scheme::Open);
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
            if pass.is_token() && challenge.parameter("error") == Some("insufficient_scope") {
                return Err(self.refused("the login is known there, and may not do this"));
            }
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
        // Amazon ECR may refuse in plain text and without a challenge.
        let is_ecr = || challenges.is_empty() && EcrHost::parse(&self.host).is_some();
        if !challenges.iter().any(|challenge| challenge.scheme == "basic") && !is_ecr() {
            return Err(self.refused("the registry offers no way to log in that is known here"));
        }
        self.learn(Scheme::Basic);
        let credentials = self.login.credentials().await?;
        let why = match &credentials {
            Credentials::Basic { .. } if !self.is_private => {
                return Err(self
                    .refused("a password is not sent over plain HTTP to another machine")
                    .hint("use TLS, or a registry that asks for a token over TLS"));
            }
            Credentials::Basic { username, password } => {
                if pass.header.as_ref() != Some(&basic(username, password.expose())?) {
                    return Ok(());
                }
                "user name or password is wrong, or has expired"
            }
            _ => "it wants a user name and a password, and no credentials were found for it",
        };
        match self.renew(pass).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.refused(why)),
            Err(cause) => {
                let refusal = ContentError::new(Kind::Denied, why).hint(self.way_in());
                Err(without_other(refusal, &cause).within(format!("{} refuses the login", self.host)))
            }
        }
    }

    fn refused(&self, why: &str) -> ContentError {
        ContentError::new(Kind::Denied, format!("{} refuses the login", self.host))
            .because(why.to_owned())
            .hint(self.way_in())
    }

    fn way_in(&self) -> String {
        format!(
            "log in with `{}`, or pass --username USER --password-stdin; -v tells which login was found",
            login_command(&self.host)
        )
    }

    fn known_scheme(&self) -> Option<Scheme> {
        self.scheme.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, scheme: Scheme) {
        let mut known = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref() != Some(&scheme) {
            self.cache.keep_scheme(&self.address, &scheme);
            self.is_remembered.store(false, Ordering::Relaxed);
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
        realm: &str,
        service: String,
        credentials: &Credentials,
        fetch: &dyn FetchToken,
    ) -> Result<HeaderValue, ContentError> {
        self.check_realm(realm)?;
        // Held over the request, so that everybody who needs the same token waits for the one on its way.
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(scope)
            && token.is_fresh()
        {
            return Ok(token.header.clone());
        }
        let realm_is_private = realm.starts_with("https:") || self.is_private;
        let request = TokenRequest {
            realm: realm.to_owned(),
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
    fn is_token(&self) -> bool {
        self.header
            .as_ref()
            .is_some_and(|header| header.as_bytes().starts_with(b"Bearer "))
    }

    fn with(header: Option<HeaderValue>, credentials: Credentials) -> Self {
        Self {
            header,
            credentials,
            _probe: None,
        }
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

/// What must not be shown of credentials, in the forms a server could repeat them.
pub(super) fn secrets_of(credentials: &Credentials) -> Vec<String> {
    let (secret, encoded) = match credentials {
        Credentials::Basic { username, password } => {
            let header = basic(username, password.expose()).ok();
            let text = header.as_ref().and_then(|header| header.to_str().ok());
            let encoded = text.and_then(|text| text.strip_prefix("Basic ")).map(str::to_owned);
            (password.expose(), encoded)
        }
        Credentials::IdentityToken { token } | Credentials::RegistryToken { token } => {
            (token.expose(), form_encoded(token.expose()))
        }
        Credentials::Anonymous => return Vec::new(),
    };
    // The longest first: it may hold the other.
    encoded.into_iter().chain([secret.to_owned()]).collect()
}

/// A value as it stands in the body of a form.
fn form_encoded(value: &str) -> Option<String> {
    let mut form = reqwest::Url::parse("form:").ok()?;
    form.query_pairs_mut().append_pair("", value);
    form.query()?.strip_prefix('=').map(str::to_owned)
}

fn sensitive(text: &str) -> Result<HeaderValue, ContentError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        ContentError::new(Kind::Denied, "the token cannot be sent").because("it holds characters a header cannot")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
