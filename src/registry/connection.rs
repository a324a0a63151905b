//! Connections: clients with the right authorities, and what is the same place as what.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Client, Response, Url};

use super::endpoint::{Endpoint, RegistrySettings, is_loopback};
use super::error::is_certificate;
use crate::content::{ContentError, Kind};

/// How long connecting may take; a closed port that swallows packets would otherwise cost minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
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

pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme() && same_host(one, other)
}

pub(super) fn same_host(one: &Url, other: &Url) -> bool {
    one.host_str() == other.host_str() && one.port_or_known_default() == other.port_or_known_default()
}

/// A client for the hosts a registry sends to: the same authorities are trusted, the client certificate is not shown.
pub(super) fn elsewhere(endpoint: &Endpoint, trust: &Trust) -> reqwest::Result<Client> {
    let mut builder = trust.given_to(basis());
    if endpoint.base.host_str().is_some_and(is_loopback) {
        // What a registry on this machine sends to is on this machine as well.
        builder = builder.no_proxy();
    }
    builder.build()
}

/// Whether a host answers over TLS, with whatever certificate. Asked where plain HTTP was allowed: what can be private
/// stays so.
pub async fn speaks_tls(host: &str, settings: &RegistrySettings) -> bool {
    let settings = RegistrySettings {
        plain_http: Some(false),
        ..settings.clone()
    };
    let Ok(endpoint) = Endpoint::of(host, &settings) else {
        return true;
    };
    let client = Trust::of(host, &settings).and_then(|trust| client(host, &endpoint, &settings, &trust));
    let Ok(client) = client else { return true };
    match client.get(endpoint.url("")).timeout(CONNECT_TIMEOUT).send().await {
        Ok(_) => true,
        Err(error) => is_certificate(&error),
    }
}

fn basis() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
}

/// Whose certificates are believed, besides those of the system's authorities.
#[derive(Debug)]
pub(super) struct Trust {
    authorities: Vec<reqwest::Certificate>,
    /// Whether everybody's are.
    is_blind: bool,
}

impl Trust {
    /// What the settings of a host say.
    pub(super) fn of(host: &str, settings: &RegistrySettings) -> Result<Self, ContentError> {
        let mut authorities = Vec::new();
        if let Some(ca) = &settings.ca {
            authorities = reqwest::Certificate::from_pem_bundle(ca).unwrap_or_default();
            if authorities.is_empty() {
                return Err(ContentError::new(
                    Kind::Usage,
                    format!("the certificate file for {host} holds no certificate"),
                )
                .hint("it must be a PEM file: -----BEGIN CERTIFICATE-----"));
            }
        }
        Ok(Self {
            authorities,
            is_blind: settings.is_unverified,
        })
    }

    fn given_to(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder
            .tls_certs_merge(self.authorities.clone())
            .tls_danger_accept_invalid_certs(self.is_blind)
    }
}

pub(super) fn client(
    host: &str,
    endpoint: &Endpoint,
    settings: &RegistrySettings,
    trust: &Trust,
) -> Result<Client, ContentError> {
    let wrong = |what: &str, error: reqwest::Error| {
        ContentError::new(Kind::Usage, format!("the {what} for {host} cannot be used")).because(error.without_url())
    };
    let mut builder = basis();
    if endpoint.base.scheme() == "http" {
        // Loading the system's authorities takes longer than a whole request.
        builder = builder.tls_certs_only(std::iter::empty());
    } else {
        builder = trust.given_to(builder);
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
