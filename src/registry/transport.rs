//! Requests to one registry: connections, retries, redirects, login and time-outs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, StatusCode, Url};

use super::assistance::{Assistance, Identity, without_other};
use super::auth::{Authenticator, Pass};
use super::connection::{Trust, client, elsewhere, location, same_origin};
use super::endpoint::{Endpoint, RegistrySettings};
use super::error::{Asked, Failure, Purpose, way_elsewhere};
use super::pace::{Pace, Turn};
use super::retry::{Activity, Patience, Retry};
use super::scheme::Scope;
use crate::content::{Cache, ContentError, Kind};
use crate::ecr::{Access, EcrHost};
use crate::progress::Progress;

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 5;
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

impl Request {
    fn purpose(&self) -> Purpose {
        if self.method == Method::PUT && self.url.path().rsplit('/').nth(1) == Some("manifests") {
            Purpose::PutManifest
        } else if self.scope.is_to_write() {
            Purpose::Write
        } else {
            Purpose::Read
        }
    }
}

/// Makes requests to one registry.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) host: String,
    pub(super) endpoint: Endpoint,
    pub(super) client: Client,
    elsewhere: OnceLock<Client>,
    trust: Trust,
    authenticator: Authenticator,
    pub(super) patience: Patience,
    pub(super) progress: Arc<dyn Progress>,
    pub(super) answered: AtomicBool,
    /// What the host is at Amazon ECR.
    ecr: Option<EcrHost>,
    pace: Pace,
    identity: Identity,
}

impl Transport {
    /// Prepares connections to `host`.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the settings make no sense.
    pub(super) fn new(
        host: &str,
        settings: &RegistrySettings,
        assistance: &Assistance,
        cache: Cache,
        patience: Patience,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, ContentError> {
        let endpoint = Endpoint::of(host, settings)?;
        let trust = Trust::of(host, settings)?;
        let client = client(host, &endpoint, settings, &trust)?;
        // Who gives an address of his own means another server than the one that is known.
        let ecr = EcrHost::parse(host);
        let is_itself = settings.endpoint.is_none() && endpoint.base.scheme() == "https";
        Ok(Self {
            authenticator: Authenticator::new(host, &endpoint, is_itself, Arc::clone(&assistance.login), cache),
            host: host.to_owned(),
            endpoint,
            client,
            elsewhere: OnceLock::new(),
            trust,
            patience,
            progress,
            answered: AtomicBool::new(false),
            pace: ecr.as_ref().map_or_else(Pace::default, |_| Pace::of_ecr()),
            ecr,
            identity: Identity::new(assistance.caller.clone()),
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

    /// What the registry is at Amazon ECR, if it is there.
    #[must_use]
    pub(super) fn ecr(&self) -> Option<&EcrHost> {
        self.ecr.as_ref()
    }

    /// What a request is to Amazon ECR.
    #[must_use]
    pub(super) fn access(&self, request: &Request) -> Option<(&EcrHost, Access)> {
        let ecr = self.ecr.as_ref()?;
        let prefix = self.endpoint.base.path().trim_end_matches('/');
        let path = request.url.path().strip_prefix(prefix)?;
        let mut query = request.url.query_pairs();
        let from = query.find(|(name, _)| name == "from").map(|(_, value)| value);
        Some((ecr, Access::of(request.method.as_str(), path, from.as_deref())?))
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
        let _turn = self.turn(request).await;
        let pass = self.pass(&request.scope).await?;
        let at_home = same_origin(&request.url, &self.endpoint.base);
        let builder = self.builder(request, &request.url, at_home.then_some(&pass)).body(body);
        let response = tokio::select! {
            result = builder.send() => result.map_err(|error| self.broken(request, &request.url, error))?,
            () = activity.stalled(self.patience.stall) => return Err(self.silent(request, &request.url)),
        };
        self.answered.store(true, Ordering::Relaxed);
        if at_home && response.status() == StatusCode::UNAUTHORIZED {
            return Err(self.unauthorized(request, response, &pass).await);
        }
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.refusal(request, response, &pass, at_home).await)
        }
    }

    /// Limits the wait for the next piece of an answer's body.
    ///
    /// # Errors
    /// When the connection breaks or nothing comes.
    pub(super) async fn piece(&self, response: &mut Response) -> Result<Option<Bytes>, Failure> {
        match tokio::time::timeout(self.patience.stall, response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(Failure::of_transport(&self.name_of(response.url()), error)),
            Err(_) => Err(self.stalled(&self.name_of(response.url()))),
        }
    }

    /// The name of whoever answers at an address.
    fn name_of(&self, url: &Url) -> String {
        if same_origin(url, &self.endpoint.base) {
            return self.host.clone();
        }
        let host = url.host_str().unwrap_or_default();
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// A connection that could not be made or broke.
    fn broken(&self, request: &Request, url: &Url, error: reqwest::Error) -> Failure {
        self.with_way(request, url, Failure::of_transport(&self.name_of(url), error))
    }

    /// A host that stays silent.
    fn silent(&self, request: &Request, url: &Url) -> Failure {
        self.with_way(request, url, self.stalled(&self.name_of(url)))
    }

    /// A failure with what is to be known of the host, where it is not the registry's own.
    fn with_way(&self, request: &Request, url: &Url, mut failure: Failure) -> Failure {
        if !same_origin(url, &self.endpoint.base) {
            let hint = way_elsewhere(&self.host, &self.name_of(url), request.purpose());
            failure.error = failure.error.hint(hint);
        }
        failure
    }

    /// A host that moved no byte for too long.
    pub(super) fn stalled(&self, host: &str) -> Failure {
        let seconds = self.patience.stall.as_secs_f64();
        Failure::temporary(ContentError::new(
            Kind::Temporary,
            format!("{host} moved no byte for {seconds} seconds"),
        ))
    }

    async fn pass(&self, scope: &Scope) -> Result<Pass, Failure> {
        self.authenticator.pass(scope, self).await.map_err(|error| {
            // The token server's own retries are over by now.
            Failure::lasting(error)
        })
    }

    /// Waits until a request may be made.
    async fn turn(&self, request: &Request) -> Option<Turn> {
        let (_, access) = self.access(request)?;
        Some(self.pace.turn(access.operation).await)
    }

    /// One try, along redirects.
    async fn once(&self, request: &Request, accepts: fn(u16) -> bool) -> Result<Response, Failure> {
        let _turn = self.turn(request).await;
        let pass = self.pass(&request.scope).await?;
        let (response, at_home) = self.follow(request, &pass).await.inspect_err(|failure| {
            if failure.is_temporary {
                self.authenticator.went_unanswered();
            }
        })?;
        let status = response.status();
        // Only the registry itself may say how to log in to it: whoever it redirects to would name a token server of
        // its own, and be given the password.
        if at_home && status == StatusCode::UNAUTHORIZED {
            return Err(self.unauthorized(request, response, &pass).await);
        }
        if at_home && status.is_success() {
            self.authenticator.welcomed(&pass);
        }
        if status.is_success() || accepts(status.as_u16()) {
            return Ok(response);
        }
        Err(self.refusal(request, response, &pass, at_home).await)
    }

    /// Reads a refusal; `at_home`: by the registry itself. What it repeats of the login is not shown.
    async fn refusal(&self, request: &Request, response: Response, pass: &Pass, at_home: bool) -> Failure {
        let host = self.name_of(response.url());
        let asked = Asked {
            host: &host,
            purpose: request.purpose(),
            sent_by: (!at_home).then_some(self.host.as_str()),
            ecr: self.access(request).filter(|_| at_home),
        };
        let mut failure = Failure::of_response(&asked, response, &Authenticator::secrets(pass)).await;
        if failure.is_expired_login() {
            match self.authenticator.renew(pass).await {
                Ok(renewed) => failure.is_login_renewed = renewed,
                Err(cause) => failure.error = without_other(failure.error, &cause),
            }
        } else if failure.status == Some(StatusCode::FORBIDDEN)
            && asked.ecr.is_some()
            && let Some(name) = self.identity.name().await
        {
            failure.error = failure.error.hint(format!("the right is missing for {name}"));
        }
        failure
    }

    /// What a 401 means.
    async fn unauthorized(&self, request: &Request, response: Response, pass: &Pass) -> Failure {
        let header: Vec<String> = response
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect();
        let failure = self.refusal(request, response, pass, true).await;
        match self
            .authenticator
            .challenged(&header.join(", "), pass, &request.scope)
            .await
        {
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

    /// Makes a request and follows redirects; tells whether the answer is the registry's own.
    async fn follow(&self, request: &Request, pass: &Pass) -> Result<(Response, bool), Failure> {
        let mut url = request.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let at_home = same_origin(&url, &self.endpoint.base);
            let mut builder = self.builder(request, &url, at_home.then_some(pass));
            if let Some(body) = &request.body {
                builder = builder.body(body.clone());
            }
            let sent = tokio::time::timeout(self.patience.stall, builder.send()).await;
            let response = match sent {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(self.broken(request, &url, error)),
                Err(_) => return Err(self.silent(request, &url)),
            };
            self.answered.store(true, Ordering::Relaxed);
            let is_read = matches!(request.method, Method::GET | Method::HEAD);
            if !(is_read && matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)) {
                return Ok((response, at_home));
            }
            url = location(&response, &url).ok_or_else(|| {
                Failure::lasting(ContentError::new(
                    Kind::Other,
                    format!("{} redirects without saying where to", self.name_of(&url)),
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

    /// For the hosts a registry sends to.
    pub(super) fn elsewhere(&self) -> &Client {
        self.elsewhere
            .get_or_init(|| elsewhere(&self.endpoint, &self.trust).unwrap_or_else(|_| self.client.clone()))
    }
}
