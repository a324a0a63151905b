//! What can go wrong with a daemon.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use crate::content::{ContentError, Kind};

/// A failure with the daemon.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Nothing listens where daemons listen.
    #[error("there is no Docker daemon: no socket at {}", list(looked))]
    NoSocket {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// The socket that was named is not there.
    #[error("there is no Docker daemon at {place}: no such socket")]
    Gone {
        /// Its address.
        place: String,
    },
    /// What names the daemon makes no sense.
    #[error("{origin}: {text:?} is no address of a Docker daemon: {why}")]
    Address {
        /// Where it stands.
        origin: String,
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A kind of address that cannot be reached from here.
    #[error("{origin}: {text} is out of reach: {scheme}:// is not supported")]
    Scheme {
        /// Where it stands.
        origin: String,
        /// The text.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// An address behind TLS, and nothing to trust it by.
    #[error("{origin}: {text} is behind TLS, and no certificates are named")]
    NoCertificates {
        /// Where it stands.
        origin: String,
        /// The text.
        text: String,
    },
    /// There is no such context.
    #[error("{origin}: there is no context {name:?}: no {}", file.display())]
    NoContext {
        /// Its name.
        name: String,
        /// Who named it.
        origin: String,
        /// Where it would be.
        file: PathBuf,
    },
    /// A context without an address.
    #[error("context {name:?} names no Docker daemon: {}", file.display())]
    NoEndpoint {
        /// Its name.
        name: String,
        /// Where it is kept.
        file: PathBuf,
    },
    /// A context that trusts anybody.
    #[error("context {name:?} does not verify the daemon's certificate, and shipway always does")]
    Unverified {
        /// Its name.
        name: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of Docker's makes no sense.
    #[error("cannot read {}", file.display())]
    Malformed {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A text is no version of the API.
    #[error("DOCKER_API_VERSION: {text:?} is no version of the API")]
    ApiVersion {
        /// The text.
        text: String,
    },
    /// No version of the API is known to both sides.
    #[error(
        "cannot speak with the daemon at {place}: version {asked} of its API is wanted, it knows {oldest} to {newest}"
    )]
    Apart {
        /// Its address.
        place: String,
        /// The version that would be spoken.
        asked: String,
        /// The oldest both could speak.
        oldest: String,
        /// The newest it knows.
        newest: String,
    },
    /// Something else listens there.
    #[error("what listens at {place} is no Docker daemon: {why}")]
    NoDaemon {
        /// Its address.
        place: String,
        /// How that was told.
        why: String,
    },
    /// The socket may not be used.
    #[error("the daemon at {place} may not be used")]
    Denied {
        /// Its address.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Nobody answers.
    #[error("the daemon at {place} cannot be reached")]
    Unreachable {
        /// Its address.
        place: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The two sides do not trust each other.
    #[error("no trusted connection to the daemon at {place}")]
    Tls {
        /// Its address.
        place: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The daemon refuses, in its own words.
    #[error("{what}: the daemon says: {message}")]
    Refused {
        /// What could not be done.
        what: String,
        /// The status of its answer; none where it failed after it began to answer.
        status: Option<u16>,
        /// Its words.
        message: String,
    },
    /// The connection broke in the middle.
    #[error("{what}: the connection to {place} broke")]
    Broken {
        /// What could not be done.
        what: String,
        /// Its address.
        place: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The daemon did not begin to answer.
    #[error("{what}: the daemon at {place} does not answer")]
    Silent {
        /// What could not be done.
        what: String,
        /// Its address.
        place: String,
    },
    /// The answer makes no sense.
    #[error("{what}: the answer of {place} makes no sense")]
    Answer {
        /// What could not be done.
        what: String,
        /// Its address.
        place: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// It is not in the daemon's store.
    #[error("there is no image {name} in {place}")]
    NoImage {
        /// Its name.
        name: String,
        /// The daemon.
        place: String,
    },
    /// What it was given could not be read, or what it gave could not be written.
    #[error(transparent)]
    Content(#[from] ContentError),
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

impl DaemonError {
    /// What kind of failure it is, in the words content has for it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoSocket { .. }
            | Self::Gone { .. }
            | Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::Silent { .. } => Kind::Temporary,
            Self::Address { .. }
            | Self::Scheme { .. }
            | Self::NoCertificates { .. }
            | Self::NoContext { .. }
            | Self::NoEndpoint { .. }
            | Self::Unverified { .. }
            | Self::Read { .. }
            | Self::Malformed { .. }
            | Self::ApiVersion { .. } => Kind::Usage,
            Self::Denied { .. } | Self::Tls { .. } => Kind::Denied,
            Self::Refused { status: Some(503), .. } => Kind::Temporary,
            Self::NoImage { .. } | Self::Refused { status: Some(404), .. } => Kind::NotFound,
            Self::Apart { .. } | Self::NoDaemon { .. } | Self::Refused { .. } | Self::Answer { .. } => Kind::Other,
            Self::Content(error) => error.kind(),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NoSocket { .. } => {
                "start Docker or Podman, or say where it listens: DOCKER_HOST=unix:///path/to/docker.sock, or DOCKER_CONTEXT"
            }
            Self::Gone { .. } => {
                "start it, or correct DOCKER_HOST (docker context ls shows what Docker itself would use)"
            }
            Self::Address { .. } => "such as unix:///var/run/docker.sock or tcp://docker:2376",
            Self::Scheme { scheme, .. } => match scheme.as_str() {
                "ssh" => {
                    "forward its socket, ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock USER@HOST, and set DOCKER_HOST=unix:///tmp/docker.sock"
                }
                "npipe" => {
                    "run shipway inside WSL, where Docker Desktop has a socket, or use the daemon's tcp:// address"
                }
                _ => "use the daemon's unix:// or tcp:// address",
            },
            Self::NoCertificates { .. } => "set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
            Self::NoContext { .. } => "docker context ls lists the contexts; DOCKER_HOST is stronger than any",
            Self::NoEndpoint { .. } => {
                "choose another context with DOCKER_CONTEXT, or name the daemon with DOCKER_HOST"
            }
            Self::Unverified { .. } => {
                "put the daemon's authority into the context: docker context update NAME --docker host=…,ca=ca.pem,cert=cert.pem,key=key.pem"
            }
            Self::Denied { .. } => {
                "be a member of the socket's group (sudo usermod -aG docker USER, then log in again), use sudo, or a daemon without root: Docker rootless, Podman"
            }
            Self::Apart { .. } => "leave DOCKER_API_VERSION unset; daemons older than Docker 18.09 are not supported",
            Self::NoDaemon { .. } => "correct DOCKER_HOST, or the context",
            Self::Tls { .. } => {
                "DOCKER_CERT_PATH names the folder with ca.pem, cert.pem and key.pem; a daemon without TLS needs DOCKER_CERT_PATH and DOCKER_TLS_VERIFY unset"
            }
            Self::Unreachable { .. } => "is it running? DOCKER_HOST and the current context say where it is looked for",
            Self::NoImage { .. } => "docker images lists what is there; docker pull gets what a registry has",
            Self::Content(error) => return error.hints().to_vec(),
            Self::Refused { message, .. } => return of_message(message),
            Self::Read { .. }
            | Self::Malformed { .. }
            | Self::ApiVersion { .. }
            | Self::Broken { .. }
            | Self::Silent { .. }
            | Self::Answer { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl From<DaemonError> for ContentError {
    fn from(error: DaemonError) -> Self {
        if let DaemonError::Content(error) = error {
            return error;
        }
        let mut content = Self::new(error.kind(), error.to_string());
        for hint in error.hints() {
            content = content.hint(hint);
        }
        // The phrase is said already; what is behind it is not.
        match cause_of(error) {
            Some(cause) => content.because(cause),
            None => content,
        }
    }
}

fn cause_of(error: DaemonError) -> Option<Box<dyn StdError + Send + Sync>> {
    match error {
        DaemonError::Unreachable { source, .. }
        | DaemonError::Tls { source, .. }
        | DaemonError::Broken { source, .. }
        | DaemonError::Answer { source, .. } => Some(source),
        DaemonError::Denied { source, .. } | DaemonError::Read { source, .. } => Some(source.into()),
        DaemonError::Malformed { source, .. } => Some(source.into()),
        _ => None,
    }
}

/// What helps against what daemons say most often.
fn of_message(message: &str) -> Vec<String> {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let hint = if says(&["no space left on device"]) {
        "the daemon's disk is full: docker system df shows by what, docker system prune makes room"
    } else if says(&["no active session", "session required", "could not find session"]) {
        "secrets and SSH agents of a build need the client that has them: docker build, then shipway push docker-daemon:NAME"
    } else if says(&[
        "pull access denied",
        "authorization failed",
        "unauthorized",
        "no basic auth credentials",
    ]) {
        "the daemon does not have your login here: docker pull the image first"
    } else {
        return Vec::new();
    };
    vec![hint.to_owned()]
}
