//! Where a registry is reached, and over what.

use reqwest::Url;

use crate::content::{ContentError, Kind};
use crate::oci::reference::DOCKER_HUB;

/// How one registry is reached; all unset by default.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Plain HTTP (`true`) or TLS (`false`). Unset: TLS, except to this machine.
    pub plain_http: Option<bool>,
    /// Certificates, in PEM, of authorities trusted besides the system's.
    pub ca: Option<Vec<u8>>,
    /// Whether any certificate will do, whoever shows it. For tests: whoever is on the way can answer in the registry's
    /// place, and read the login.
    pub is_unverified: bool,
    /// Certificate and private key, in PEM, to show to the registry.
    pub client_identity: Option<Vec<u8>>,
    /// Hosts, each with an optional path prefix, asked before the registry itself when something is pulled.
    pub mirrors: Vec<String>,
    /// Another address for the same registry; the names of its images do not change.
    pub endpoint: Option<String>,
}

/// The base address of a registry's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Scheme, host and port, with a path only if the user gave one.
    pub base: Url,
}

impl Endpoint {
    /// The address of `registry`, the host part of an image name.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the settings hold an address that is none.
    pub(super) fn of(registry: &str, settings: &RegistrySettings) -> Result<Self, ContentError> {
        let text = match &settings.endpoint {
            Some(endpoint) => endpoint.clone(),
            None if registry == DOCKER_HUB => "https://registry-1.docker.io".to_owned(),
            None => {
                let asks_for_tls = settings.ca.is_some() || settings.client_identity.is_some();
                let plain = settings
                    .plain_http
                    .unwrap_or_else(|| is_loopback(registry) && !asks_for_tls);
                format!("{}://{registry}", if plain { "http" } else { "https" })
            }
        };
        let wrong = |cause: &str| {
            ContentError::new(Kind::Usage, format!("{text:?} is not the address of a registry"))
                .because(cause.to_owned())
                .hint(format!("an endpoint is written like https://{registry}"))
        };
        let base = Url::parse(&text).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("only http and https are known"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(ContentError::new(
                Kind::Usage,
                format!("the address of {registry} must not hold a user or password"),
            )
            .hint("give credentials with --username and --password-stdin"));
        }
        Ok(Self { base })
    }

    /// The address of `path` below `/v2/`.
    #[must_use]
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/v2/{path}"));
        url
    }

    /// Whether a password may go there unasked: over TLS, or within this machine.
    #[must_use]
    pub(super) fn is_private(&self) -> bool {
        self.base.scheme() == "https" || self.base.host_str().is_some_and(is_loopback)
    }
}

/// Whether a host, with or without port, is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(registry: &str, settings: &RegistrySettings) -> String {
        Endpoint::of(registry, settings).expect(registry).base.to_string()
    }

    #[test]
    fn plain_http_only_where_it_stays_on_the_machine_or_was_asked_for() {
        let none = RegistrySettings::default();
        assert_eq!(base("127.0.0.1:5000", &none), "http://127.0.0.1:5000/");
        assert_eq!(base("[::1]:5000", &none), "http://[::1]:5000/");
        assert_eq!(base("localhost", &none), "http://localhost/");
        assert_eq!(base("localhost.example.com", &none), "https://localhost.example.com/");
        assert_eq!(base("10.0.0.1:5000", &none), "https://10.0.0.1:5000/");
        let plain = RegistrySettings {
            plain_http: Some(true),
            ..RegistrySettings::default()
        };
        assert_eq!(base("a.b", &plain), "http://a.b/");
        let with_ca = RegistrySettings {
            ca: Some(Vec::new()),
            ..RegistrySettings::default()
        };
        assert_eq!(base("127.0.0.1:5000", &with_ca), "https://127.0.0.1:5000/");
    }

    #[test]
    fn an_endpoint_replaces_the_address_and_keeps_its_path() {
        let settings = RegistrySettings {
            endpoint: Some("http://127.0.0.1:9/proxy/".to_owned()),
            ..RegistrySettings::default()
        };
        let endpoint = Endpoint::of("a.b", &settings).expect("endpoint");
        assert_eq!(
            endpoint.url("c/manifests/d").as_str(),
            "http://127.0.0.1:9/proxy/v2/c/manifests/d"
        );
        assert_eq!(
            base(DOCKER_HUB, &RegistrySettings::default()),
            "https://registry-1.docker.io/"
        );
    }

    #[test]
    fn an_address_that_is_none_is_an_error() {
        for wrong in ["ftp://a", "a b", "https://user:secret@a"] {
            let settings = RegistrySettings {
                endpoint: Some(wrong.to_owned()),
                ..RegistrySettings::default()
            };
            let error = Endpoint::of("a.b", &settings).expect_err(wrong);
            assert_eq!(error.kind(), Kind::Usage);
            assert!(!error.to_string().contains("secret"));
        }
    }
}
