//! Where a daemon listens.

use std::fmt;
use std::path::{Path, PathBuf};

use super::DaemonError;

/// The address of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A socket on this machine.
    Unix(PathBuf),
    /// A host and a port, without encryption.
    Tcp(String),
    /// A host and a port behind TLS.
    Tls(String, TlsFiles),
}

/// The files TLS with a daemon needs, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signed the daemon's certificate.
    pub authority: PathBuf,
    /// The certificate we show.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// The files of a folder, as Docker names them.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Self {
        Self {
            authority: folder.join("ca.pem"),
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }
}

/// Port of a daemon without TLS, where none is named.
const PORT: u16 = 2375;
/// Port of a daemon with TLS, where none is named.
const TLS_PORT: u16 = 2376;

impl Host {
    /// Reads an address as `DOCKER_HOST` holds it; `origin` says where it stands. With `tls`, what is not a socket is
    /// behind TLS.
    ///
    /// # Errors
    /// When it is no address, or one of a kind that cannot be reached from here.
    pub fn parse(text: &str, origin: &str, tls: Option<TlsFiles>) -> Result<Self, DaemonError> {
        let malformed = |why: &'static str| DaemonError::Address {
            origin: origin.to_owned(),
            text: text.to_owned(),
            why,
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(malformed("it has no scheme"));
        };
        let port = if tls.is_some() || scheme == "https" {
            TLS_PORT
        } else {
            PORT
        };
        match (scheme, tls) {
            ("unix", _) if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            ("unix", _) => Err(malformed("its path is not absolute")),
            ("tcp" | "http" | "https", tls) => {
                let rest = rest.trim_end_matches('/');
                if rest.is_empty() || rest.contains(['/', '?', '#', '@', ' ']) {
                    return Err(malformed("HOST:PORT is missing, or more than that is there"));
                }
                let address = with_port(rest, port).ok_or_else(|| malformed("its port is no number"))?;
                match tls {
                    Some(files) => Ok(Self::Tls(address, files)),
                    None if scheme == "https" => Err(DaemonError::NoCertificates {
                        origin: origin.to_owned(),
                        text: text.to_owned(),
                    }),
                    None => Ok(Self::Tcp(address)),
                }
            }
            ("ssh" | "npipe" | "fd", _) => Err(DaemonError::Scheme {
                origin: origin.to_owned(),
                text: text.to_owned(),
                scheme: scheme.to_owned(),
            }),
            _ => Err(malformed("its scheme is none that Docker has")),
        }
    }
}

/// `HOST:PORT`, where the port may have been left out. An IPv6 address stands in brackets.
fn with_port(text: &str, port: u16) -> Option<String> {
    let after_address = text.rfind(']').map_or(text, |end| &text[end + 1..]);
    match after_address.rsplit_once(':') {
        Some((_, given)) => given.parse::<u16>().ok().map(|_| text.to_owned()),
        None => Some(format!("{text}:{port}")),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) | Self::Tls(address, _) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Host, DaemonError> {
        Host::parse(text, "DOCKER_HOST", None)
    }

    #[test]
    fn reads_what_docker_takes() {
        assert_eq!(parse("unix:///a/b.sock").expect("unix"), Host::Unix("/a/b.sock".into()));
        for (text, address) in [
            ("tcp://127.0.0.1:1234", "127.0.0.1:1234"),
            ("tcp://docker", "docker:2375"),
            ("tcp://docker:99/", "docker:99"),
            ("http://docker:99", "docker:99"),
            ("tcp://[::1]", "[::1]:2375"),
            ("tcp://[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(parse(text).expect(text), Host::Tcp(address.to_owned()));
        }
        let files = TlsFiles::of_folder(Path::new("/certs"));
        let host = Host::parse("tcp://docker", "DOCKER_HOST", Some(files.clone())).expect("TLS");
        assert_eq!(host, Host::Tls("docker:2376".to_owned(), files.clone()));
        let host = Host::parse("unix:///s", "DOCKER_HOST", Some(files)).expect("a socket needs no TLS");
        assert_eq!(host, Host::Unix("/s".into()));
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
        for text in [
            "",
            "docker",
            "unix://a",
            "tcp://",
            "tcp://a:b",
            "tcp://a/b",
            "tcp://u@a",
            "ftp://a",
            "tcp://a b",
        ] {
            let error = parse(text).expect_err(text);
            assert!(matches!(error, DaemonError::Address { .. }), "{text}: {error}");
        }
        for text in ["ssh://me@there", "npipe:////./pipe/docker_engine"] {
            let error = parse(text).expect_err(text);
            assert!(matches!(error, DaemonError::Scheme { .. }), "{text}: {error}");
            assert!(!error.hints().is_empty());
        }
        assert!(matches!(parse("https://a"), Err(DaemonError::NoCertificates { .. })));
    }
}
