//! Connections: clients with the right authorities, and what is the same place as what.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Client, Response, Url};

use super::endpoint::{Endpoint, RegistrySettings, is_loopback};
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
pub(super) fn elsewhere(endpoint: &Endpoint, ca: &[reqwest::Certificate]) -> reqwest::Result<Client> {
    let mut builder = basis().tls_certs_merge(ca.to_vec());
    if endpoint.base.host_str().is_some_and(is_loopback) {
        // What a registry on this machine sends to is on this machine as well.
        builder = builder.no_proxy();
    }
    builder.build()
}

fn basis() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
}

pub(super) fn authorities(host: &str, settings: &RegistrySettings) -> Result<Vec<reqwest::Certificate>, ContentError> {
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

pub(super) fn client(
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
