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
        // What we send may fail on our side; that is not the daemon's doing.
        if let Some(io) = known.downcast_ref::<io::Error>() {
            if io.kind() == io::ErrorKind::PermissionDenied && is_new {
                let source = io::Error::new(io.kind(), io.to_string());
                return DaemonError::Denied { place, source };
            }
            if io.kind() == io::ErrorKind::NotFound && is_new {
                return DaemonError::Gone { place };
            }
            if let Some(inner) = io.get_ref()
                && is_tls(inner)
            {
                return DaemonError::Tls {
                    place,
                    source: inner.to_string().into(),
                };
            }
        }
        if is_tls(known) {
            return DaemonError::Tls {
                place,
                source: known.to_string().into(),
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

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>()
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
