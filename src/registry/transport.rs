//! Requests to one registry: connections, retries, redirects, login and time-outs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, Url};

use super::auth::{Authenticator, FetchToken, Login, Pass, Scope, basic};
use super::endpoint::{Endpoint, RegistrySettings, is_loopback};
use super::error::Failure;
use super::token::{Granted, TokenRequest};
use crate::content::{Cache, ContentError, Kind};
use crate::credentials::Credentials;
use crate::progress::{Event, Progress};

/// How long connecting may take; a closed port that swallows packets would otherwise cost minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait between two tries, and the most a registry's own `Retry-After` is followed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// No try starts later than this after the first.
const DEADLINE: Duration = Duration::from_secs(300);
/// Tries at a host that never answered: a wrong name or port should be told soon.
const TRIES_UNREACHABLE: u32 = 3;
/// Times a refused login is renewed for one piece of work: a token that has just run out, and the way of logging in
/// that had to be learnt first.
const MOST_LOGINS: u32 = 3;
/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 5;
/// Largest answer of a token server; tokens with many scopes have some kilobytes.
const TOKEN_LIMIT: usize = 1024 * 1024;

/// When and how often a failed request is made again, and when it counts as failed.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the second try; doubles from there.
    pub first_wait: Duration,
    /// A request during which neither side moved a byte for this long has failed.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retries: 6,
            first_wait: Duration::from_millis(500),
            stall: Duration::from_secs(60),
        }
    }
}

/// A request whose body, if any, is small enough to be sent again.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: Url,
    /// Headers besides the login's.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body.
    pub body: Option<Bytes>,
    /// What it needs to be allowed to do.
    pub scope: Scope,
}

/// Makes requests to one registry.
#[derive(Debug)]
pub(super) struct Transport {
    host: String,
    endpoint: Endpoint,
    client: Client,
    elsewhere: OnceLock<Client>,
    ca: Vec<reqwest::Certificate>,
    authenticator: Authenticator,
    patience: Patience,
    progress: Arc<dyn Progress>,
    answered: AtomicBool,
}

impl Transport {
    /// Prepares connections to `host`.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the settings make no sense.
    pub(super) fn new(
        host: &str,
        settings: &RegistrySettings,
        login: Login,
        cache: Cache,
        patience: Patience,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, ContentError> {
        let endpoint = Endpoint::of(host, settings)?;
        let ca = authorities(host, settings)?;
        let client = client(host, &endpoint, settings, &ca)?;
        // Who gives an address of his own means another server than the one that is known.
        let is_itself = settings.endpoint.is_none() && endpoint.base.scheme() == "https";
        Ok(Self {
            authenticator: Authenticator::new(host, endpoint.is_private(), is_itself, login, cache),
            host: host.to_owned(),
            endpoint,
            client,
            elsewhere: OnceLock::new(),
            ca,
            patience,
            progress,
            answered: AtomicBool::new(false),
        })
    }

    /// The registry's name.
    #[must_use]
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The registry's address.
    #[must_use]
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Makes a request, again where that makes sense, and returns the first answer that is a success or that
    /// `accepts` says yes to.
    ///
    /// # Errors
    /// The last failure.
    pub(super) async fn send(&self, request: &Request, accepts: fn(u16) -> bool) -> Result<Response, Failure> {
        let mut retry = Retry::new();
        loop {
            match self.once(request, accepts).await {
                Ok(response) => return Ok(response),
                Err(failure) => {
                    let what = format!("{} {}", request.method, request.url.path());
                    retry.wait(self, &what, failure).await?;
                }
            }
        }
    }

    /// Makes a request with a body that cannot be made again, once.
    ///
    /// # Errors
    /// When it failed or was refused; a failed login is taken note of, so that the next try goes better.
    pub(super) async fn stream(
        &self,
        request: &Request,
        body: reqwest::Body,
        activity: &Activity,
    ) -> Result<Response, Failure> {
        let pass = self.pass(&request.scope).await?;
        let builder = self.builder(request, &request.url, Some(&pass)).body(body);
        let response = tokio::select! {
            result = builder.send() => result.map_err(|error| Failure::of_transport(&self.host, error))?,
            () = activity.stalled(self.patience.stall) => return Err(self.stalled()),
        };
        self.answered.store(true, Ordering::Relaxed);
        if response.status() == reqwest::StatusCode::UNAUTHORIZED {
            return Err(self.unauthorized(response, &pass, &request.scope).await);
        }
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.refusal(response, &pass).await)
        }
    }

    /// Limits the wait for the next piece of an answer's body.
    ///
    /// # Errors
    /// When the connection breaks or nothing comes.
    pub(super) async fn piece(&self, response: &mut Response) -> Result<Option<Bytes>, Failure> {
        match tokio::time::timeout(self.patience.stall, response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(Failure::of_transport(&self.host, error)),
            Err(_) => Err(self.stalled()),
        }
    }

    fn stalled(&self) -> Failure {
        let seconds = self.patience.stall.as_secs_f64();
        Failure::temporary(ContentError::new(
            Kind::Temporary,
            format!("{} moved no byte for {seconds} seconds", self.host),
        ))
    }

    async fn pass(&self, scope: &Scope) -> Result<Pass, Failure> {
        self.authenticator.pass(scope, self).await.map_err(|error| {
            // The token server's own retries are over by now.
            Failure::lasting(error)
        })
    }

    /// One try, along redirects.
    async fn once(&self, request: &Request, accepts: fn(u16) -> bool) -> Result<Response, Failure> {
        let pass = self.pass(&request.scope).await?;
        let response = self.follow(request, &pass).await?;
        let status = response.status();
        if status == reqwest::StatusCode::UNAUTHORIZED {
            return Err(self.unauthorized(response, &pass, &request.scope).await);
        }
        self.authenticator.welcomed(&pass);
        if status.is_success() || accepts(status.as_u16()) {
            return Ok(response);
        }
        Err(self.refusal(response, &pass).await)
    }

    /// Reads a refusal. What it repeats of the login is not shown.
    async fn refusal(&self, response: Response, pass: &Pass) -> Failure {
        Failure::of_response(&self.host, response, &self.authenticator.secrets(pass).await).await
    }

    /// What a 401 means.
    async fn unauthorized(&self, response: Response, pass: &Pass, scope: &Scope) -> Failure {
        let header: Vec<String> = response
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect();
        let failure = self.refusal(response, pass).await;
        match self.authenticator.challenged(&header.join(", "), pass, scope).await {
            Ok(()) => Failure {
                is_login_renewed: true,
                ..failure
            },
            Err(error) => Failure {
                status: failure.status,
                ..Failure::lasting(error)
            },
        }
    }

    async fn follow(&self, request: &Request, pass: &Pass) -> Result<Response, Failure> {
        let mut url = request.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let at_home = same_origin(&url, &self.endpoint.base);
            let mut builder = self.builder(request, &url, at_home.then_some(pass));
            if let Some(body) = &request.body {
                builder = builder.body(body.clone());
            }
            let sent = tokio::time::timeout(self.patience.stall, builder.send()).await;
            let host = if at_home {
                self.host.as_str()
            } else {
                url.host_str().unwrap_or_default()
            };
            let response = match sent {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(Failure::of_transport(host, error)),
                Err(_) => return Err(self.stalled()),
            };
            self.answered.store(true, Ordering::Relaxed);
            let is_read = matches!(request.method, Method::GET | Method::HEAD);
            if !(is_read && matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)) {
                return Ok(response);
            }
            url = location(&response, &url).ok_or_else(|| {
                Failure::lasting(ContentError::new(
                    Kind::Other,
                    format!("{host} redirects without saying where to"),
                ))
            })?;
        }
        Err(Failure::lasting(ContentError::new(
            Kind::Other,
            format!("{} redirects more than {MOST_REDIRECTS} times", self.host),
        )))
    }

    /// The login goes to the registry itself and nowhere else: a redirect to a storage service must not see it.
    fn builder(&self, request: &Request, url: &Url, pass: Option<&Pass>) -> reqwest::RequestBuilder {
        let client = if pass.is_some() { &self.client } else { self.elsewhere() };
        let mut builder = client.request(request.method.clone(), url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(header) = pass.and_then(|pass| pass.header.as_ref())
            && same_origin(url, &self.endpoint.base)
        {
            builder = builder.header(AUTHORIZATION, header);
        }
        builder
    }

    /// For the hosts a registry sends to: the same authorities are trusted, the client certificate is not shown.
    fn elsewhere(&self) -> &Client {
        self.elsewhere.get_or_init(|| {
            let mut builder = basis().tls_certs_merge(self.ca.clone());
            if self.endpoint.base.host_str().is_some_and(is_loopback) {
                // What a registry on this machine sends to is on this machine as well.
                builder = builder.no_proxy();
            }
            builder.build().unwrap_or_else(|_| self.client.clone())
        })
    }

    async fn token(&self, request: &TokenRequest) -> Result<Granted, ContentError> {
        let what = || format!("cannot get a token for {} from {}", self.host, request.realm);
        let url = Url::parse(&request.realm).map_err(|error| ContentError::new(Kind::Other, what()).because(error))?;
        let mut retry = Retry::new();
        loop {
            match self.token_once(request, url.clone()).await {
                Ok(granted) => return Ok(granted),
                Err(failure) => {
                    if let Err(failure) = retry.wait(self, "the request for a token", failure).await {
                        return Err(failure.error.within(what()));
                    }
                }
            }
        }
    }

    async fn token_once(&self, request: &TokenRequest, mut url: Url) -> Result<Granted, Failure> {
        let client = if same_host(&url, &self.endpoint.base) {
            &self.client
        } else {
            self.elsewhere()
        };
        let builder = if let Credentials::IdentityToken { token } = &request.credentials {
            let mut form = Url::parse("form:").unwrap_or_else(|_| url.clone());
            form.query_pairs_mut()
                .append_pair("grant_type", "refresh_token")
                .append_pair("service", &request.service)
                .append_pair("client_id", "shipway")
                .append_pair("scope", &request.scopes.join(" "))
                .append_pair("refresh_token", token.expose());
            client
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.query().unwrap_or_default().to_owned())
        } else {
            {
                let mut query = url.query_pairs_mut();
                if !request.service.is_empty() {
                    query.append_pair("service", &request.service);
                }
                for scope in &request.scopes {
                    query.append_pair("scope", scope);
                }
            }
            match &request.credentials {
                Credentials::Basic { username, password } => client.get(url).header(
                    AUTHORIZATION,
                    basic(username, password.expose()).map_err(Failure::lasting)?,
                ),
                _ => client.get(url),
            }
        };
        let sent = tokio::time::timeout(self.patience.stall, builder.send()).await;
        let mut response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(Failure::of_transport("the token server", error)),
            Err(_) => return Err(self.stalled()),
        };
        if !response.status().is_success() {
            let secrets = match &request.credentials {
                Credentials::Basic { password, .. } => vec![password.expose().to_owned()],
                Credentials::IdentityToken { token } => vec![token.expose().to_owned()],
                _ => Vec::new(),
            };
            let mut failure = Failure::of_response("the token server", response, &secrets).await;
            if failure
                .status
                .is_some_and(|status| matches!(status.as_u16(), 400 | 401 | 403))
            {
                failure.error = ContentError::new(Kind::Denied, failure.error.to_string()).hint(format!(
                    "check the credentials for {0}: `docker login {0}`, or --username USER --password-stdin",
                    self.host
                ));
            }
            return Err(failure);
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece(&mut response).await? {
            body.extend_from_slice(&piece);
            if body.len() > TOKEN_LIMIT {
                break;
            }
        }
        Granted::parse(&body).ok_or_else(|| {
            Failure::lasting(ContentError::new(
                Kind::Other,
                "the token server's answer holds no token",
            ))
        })
    }
}

impl FetchToken for Transport {
    fn fetch_token<'a>(&'a self, request: &'a TokenRequest) -> BoxFuture<'a, Result<Granted, ContentError>> {
        Box::pin(self.token(request))
    }
}

/// Counts the tries of one piece of work.
#[derive(Debug)]
pub(super) struct Retry {
    tries: u32,
    logins: u32,
    started: Instant,
}

impl Retry {
    /// Starts counting.
    pub(super) fn new() -> Self {
        Self {
            tries: 0,
            logins: 0,
            started: Instant::now(),
        }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// The failure itself when there is to be no next try.
    pub(super) async fn wait(&mut self, transport: &Transport, what: &str, failure: Failure) -> Result<(), Failure> {
        self.decide(transport, what, failure).await.map_err(|failure| Failure {
            // Whoever called for this work must not start counting anew.
            is_temporary: false,
            ..failure
        })
    }

    async fn decide(&mut self, transport: &Transport, what: &str, failure: Failure) -> Result<(), Failure> {
        if failure.is_login_renewed && self.logins < MOST_LOGINS {
            self.logins += 1;
            return Ok(());
        }
        if !failure.is_temporary {
            return Err(failure);
        }
        let patience = &transport.patience;
        let never_answered = failure.is_unreachable && !transport.answered.load(Ordering::Relaxed);
        let most = if never_answered {
            patience.retries.min(TRIES_UNREACHABLE - 1)
        } else {
            patience.retries
        };
        if self.tries >= most {
            return Err(failure);
        }
        let backoff = patience
            .first_wait
            .saturating_mul(1 << self.tries.min(16))
            .min(LONGEST_WAIT)
            .mul_f64(0.5 + fastrand::f64() / 2.0);
        let wait = match failure.retry_after {
            Some(asked) if asked > LONGEST_WAIT => return Err(failure),
            Some(asked) => asked.max(backoff),
            None => backoff,
        };
        if self.started.elapsed() + wait > DEADLINE {
            return Err(failure);
        }
        self.tries += 1;
        let cause = failure.error.to_string();
        transport.progress.on(&Event::Retry {
            what,
            cause: &cause,
            wait,
        });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Whether a try has failed before.
    #[must_use]
    pub(super) fn has_failed(&self) -> bool {
        self.tries > 0
    }
}

/// When a byte last moved, told by whoever moves them.
#[derive(Debug, Default)]
pub(super) struct Activity(AtomicU64);

impl Activity {
    /// Notes that something moved.
    pub(super) fn moved(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    async fn stalled(&self, limit: Duration) {
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(limit).await;
            let now = self.0.load(Ordering::Relaxed);
            if now == last {
                return;
            }
            last = now;
        }
    }
}

/// Where an answer sends its reader.
pub(super) fn location(response: &Response, base: &Url) -> Option<Url> {
    let text = response.headers().get(LOCATION)?.to_str().ok()?;
    let mut url = base.join(text).ok()?;
    // A registry behind a proxy that ends TLS often calls itself http.
    if base.scheme() == "https" && url.scheme() == "http" && url.host_str() == base.host_str() {
        let _ = url.set_scheme("https");
        if url.port() == Some(80) {
            let _ = url.set_port(None);
        }
    }
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme() && same_host(one, other)
}

fn same_host(one: &Url, other: &Url) -> bool {
    one.host_str() == other.host_str() && one.port_or_known_default() == other.port_or_known_default()
}

fn basis() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
}

fn authorities(host: &str, settings: &RegistrySettings) -> Result<Vec<reqwest::Certificate>, ContentError> {
    let Some(ca) = &settings.ca else { return Ok(Vec::new()) };
    let certificates = reqwest::Certificate::from_pem_bundle(ca).unwrap_or_default();
    if certificates.is_empty() {
        return Err(ContentError::new(
            Kind::Usage,
            format!("the certificate file for {host} holds no certificate"),
        )
        .hint("it must be a PEM file: -----BEGIN CERTIFICATE-----"));
    }
    Ok(certificates)
}

fn client(
    host: &str,
    endpoint: &Endpoint,
    settings: &RegistrySettings,
    ca: &[reqwest::Certificate],
) -> Result<Client, ContentError> {
    let wrong = |what: &str, error: reqwest::Error| {
        ContentError::new(Kind::Usage, format!("the {what} for {host} cannot be used")).because(error.without_url())
    };
    let mut builder = basis();
    if endpoint.base.scheme() == "http" {
        // Loading the system's authorities takes longer than a whole request.
        builder = builder.tls_certs_only(std::iter::empty());
    } else {
        builder = builder.tls_certs_merge(ca.to_vec());
    }
    if let Some(identity) = &settings.client_identity {
        let identity = reqwest::Identity::from_pem(identity).map_err(|error| wrong("client certificate", error))?;
        builder = builder.identity(identity);
    }
    if endpoint.base.host_str().is_some_and(is_loopback) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| wrong("connection settings", error))
}
