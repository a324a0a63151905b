//! Asking a token server over the registry's own connections.

use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::header::AUTHORIZATION;

use super::auth::{FetchToken, basic, secrets_of};
use super::connection::same_host;
use super::error::{Asked, Failure};
use super::retry::Retry;
use super::token::{Granted, TokenRequest};
use super::transport::Transport;
use crate::content::{ContentError, Kind};
use crate::credentials::Credentials;

/// Largest answer of a token server; tokens with many scopes have some kilobytes.
const TOKEN_LIMIT: usize = 1024 * 1024;

impl Transport {
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
            Err(_) => return Err(self.stalled("the token server")),
        };
        if !response.status().is_success() {
            let secrets = secrets_of(&request.credentials);
            let mut failure = Failure::of_response(&Asked::of("the token server"), response, &secrets).await;
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
