//! The failures of the client for the daemon's API, told apart.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error as ClientError;

use super::DaemonError;

/// What failed, and with whom.
pub(crate) struct Failing<'a> {
    /// A phrase such as `cannot load the image`.
    pub(crate) what: &'a str,
    /// The daemon's address.
    pub(crate) place: &'a str,
}

impl Failing<'_> {
    /// Tells the failures of the client apart.
    pub(crate) fn because(&self, error: ClientError) -> DaemonError {
        let (what, place) = (self.what.to_owned(), self.place.to_owned());
        match error {
            ClientError::SocketNotFoundError(_) => DaemonError::Gone { place },
            ClientError::DockerResponseServerError { status_code, message } => DaemonError::Refused {
                what,
                status: Some(status_code),
                message: said(&message),
            },
            ClientError::DockerStreamError { error } => DaemonError::Refused {
                what,
                status: None,
                message: said(&error),
            },
            ClientError::RequestTimeoutError => DaemonError::Silent { what, place },
            ClientError::CertPathError { .. }
            | ClientError::CertMultipleKeys { .. }
            | ClientError::CertParseError { .. }
            | ClientError::NoNativeCertsError { .. }
            | ClientError::LoadNativeCertsErrors { .. } => DaemonError::Tls {
                place,
                source: error.into(),
            },
            ClientError::HyperLegacyError { err } => of_connection(what, place, err.is_connect(), err.into()),
            ClientError::HyperResponseError { err } => of_connection(what, place, false, err.into()),
            ClientError::IOError { err } => of_connection(what, place, false, err.into()),
            _ => DaemonError::Answer {
                what,
                place,
                source: error.into(),
            },
        }
    }
}

/// Where a connection failed. `is_new` when it was never there.
fn of_connection(what: String, place: String, is_new: bool, error: Box<dyn StdError + Send + Sync>) -> DaemonError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    while let Some(known) = cause {
        if let Some(io) = known.downcast_ref::<io::Error>() {
            if io.kind() == io::ErrorKind::PermissionDenied && is_new {
                let source = io::Error::new(io.kind(), io.to_string());
                return DaemonError::Denied { place, source };
            }
            if io.kind() == io::ErrorKind::NotFound && is_new {
                return DaemonError::Gone { place };
            }
        }
        if let Some(words) = tls_words(known) {
            return DaemonError::Tls {
                place,
                source: words.into(),
            };
        }
        cause = known.source();
    }
    match is_new {
        true => DaemonError::Unreachable {
            place,
            source: deepest(error.as_ref()).into(),
        },
        false => DaemonError::Broken {
            what,
            place,
            source: deepest(error.as_ref()).into(),
        },
    }
}

/// What TLS says, behind however many errors of reading and writing.
fn tls_words(error: &(dyn StdError + 'static)) -> Option<String> {
    if error.is::<rustls::Error>() {
        return Some(error.to_string());
    }
    // What such an error wraps is not its source.
    tls_words(error.downcast_ref::<io::Error>()?.get_ref()?)
}

/// The words of the last cause: those before it name layers of the client.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// A daemon's message on one line, without what ends it.
fn said(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.is_empty() {
        true => "nothing".to_owned(),
        false => lines.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_nobody_trusts_is_not_a_daemon_that_is_down() {
        let tls = rustls::Error::General("no trust".to_owned());
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        let error = of_connection(String::new(), "there".to_owned(), true, wrapped.into());
        assert!(matches!(error, DaemonError::Tls { .. }), "{error:?}");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = of_connection(String::new(), "there".to_owned(), true, refused.into());
        assert!(matches!(error, DaemonError::Unreachable { .. }), "{error:?}");
    }
}
