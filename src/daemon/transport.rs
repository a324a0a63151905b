//! Opening a connection, and naming the API's version in every request.

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};

use super::failing::Failing;
use super::host::{Host, TlsFiles};
use super::{Connection, DaemonError};

/// Opens a connection. Nothing is sent yet. Blocks while it reads certificates.
///
/// # Errors
/// When there is no such socket, or a certificate cannot be read.
pub(super) fn open(connection: &Connection) -> Result<Docker, DaemonError> {
    let seconds = connection.timeout.as_secs().max(1);
    let opened = match &connection.host {
        #[cfg(unix)]
        Host::Unix(path) => Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION),
        #[cfg(not(unix))]
        Host::Unix(_) => {
            return Err(DaemonError::NoSocket { looked: Vec::new() });
        }
        Host::Tcp(address) => Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION),
        Host::Tls(address, files) => {
            check(files)?;
            // Two of the libraries below can each bring their own cryptography; this names the one the rest uses. There
            // may be one already, which is as good.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let TlsFiles {
                authority,
                certificate,
                key,
            } = files;
            Docker::connect_with_ssl(address, key, certificate, authority, seconds, API_DEFAULT_VERSION)
        }
    };
    let place = connection.host.to_string();
    opened.map_err(|error| {
        Failing {
            what: "cannot connect",
            place: &place,
        }
        .because(error)
    })
}

/// Reads the files once, since a certificate that is missing would otherwise not be shown, without a word.
fn check(files: &TlsFiles) -> Result<(), DaemonError> {
    for file in [&files.authority, &files.certificate, &files.key] {
        std::fs::File::open(file).map_err(|source| DaemonError::Read {
            file: file.clone(),
            source,
        })?;
    }
    Ok(())
}

/// The client names no version by itself, and gets the daemon's newest then.
pub(super) trait AtVersion {
    /// The same client, each request of which names this version.
    fn at_version(self, version: &str) -> Self;
}

impl AtVersion for Docker {
    fn at_version(self, version: &str) -> Self {
        let prefix = format!("/v{version}");
        self.with_request_modifier(move |request| url_safe(prefixed(request, &prefix)))
    }
}

/// A request with another path. One whose path cannot be changed stays as it is.
fn prefixed(mut request: BollardRequest, prefix: &str) -> BollardRequest {
    let uri = request.uri();
    let (scheme, authority) = (uri.scheme_str(), uri.authority());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if let (Some(scheme), Some(authority)) = (scheme, authority)
        && let Ok(changed) = format!("{scheme}://{authority}{prefix}{path}").parse()
    {
        *request.uri_mut() = changed;
    }
    request
}

/// Logins in the alphabet the daemon reads them in. The client uses the other one, and the daemon takes what it cannot read
/// for nobody's login, without a word.
fn url_safe(mut request: BollardRequest) -> BollardRequest {
    for name in ["X-Registry-Auth", "X-Registry-Config"] {
        if let Some(value) = request.headers_mut().get_mut(name)
            && let Ok(text) = value.to_str()
            && let Ok(changed) = text.replace('+', "-").replace('/', "_").parse()
        {
            *value = changed;
        }
    }
    request
}
