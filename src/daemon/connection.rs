//! Finding the daemon as the Docker command finds it, and where that command does not look.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::host::{Host, TlsFiles};
use super::{DaemonError, context, sockets};

/// What the environment says of the daemon. An empty value counts as not said.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// Whether `DOCKER_TLS_VERIFY` is set.
    pub verifies_tls: bool,
    /// `DOCKER_CERT_PATH`.
    pub certificates: Option<PathBuf>,
    /// `DOCKER_API_VERSION`.
    pub api_version: Option<String>,
    /// `DOCKER_CONFIG`, or the folder `.docker` at home.
    pub config_folder: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_folder: Option<PathBuf>,
    /// `COLIMA_HOME`.
    pub colima_folder: Option<PathBuf>,
    /// How long a daemon that does not answer is waited for.
    pub timeout: Option<Duration>,
}

/// A daemon's address, and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Where it listens.
    pub host: Host,
    /// The version of its API that is asked for; the newest both know where none is.
    pub api_version: Option<String>,
    /// How long it is waited for.
    pub timeout: Duration,
}

/// How long a daemon is waited for, where nothing else is said. It is on this machine, as a rule.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Connection {
    /// Finds the daemon: at the host that is named, else the context's, else at the first socket there is. Blocks.
    ///
    /// # Errors
    /// When what is named cannot be used, or there is no socket.
    pub fn find(around: &Surroundings) -> Result<Self, DaemonError> {
        Self::find_with(around, sockets::is_socket)
    }

    fn find_with(around: &Surroundings, is_socket: impl Fn(&Path) -> bool) -> Result<Self, DaemonError> {
        let host = match named(around)? {
            Some(host) => host,
            None => {
                let looked = sockets::candidates(around);
                let first = looked.iter().find(|path| is_socket(path));
                match first {
                    Some(path) => Host::Unix(path.clone()),
                    None => return Err(DaemonError::NoSocket { looked }),
                }
            }
        };
        Ok(Self {
            host,
            api_version: around.api_version.clone(),
            timeout: around.timeout.unwrap_or(TIMEOUT),
        })
    }
}

fn named(around: &Surroundings) -> Result<Option<Host>, DaemonError> {
    if let Some(text) = &around.host {
        return Host::parse(text, "DOCKER_HOST", tls_files(around)).map(Some);
    }
    let Some(folder) = &around.config_folder else {
        return Ok(None);
    };
    match &around.context {
        Some(name) => context::host(name, "DOCKER_CONTEXT", folder),
        None => match context::current(folder)? {
            Some(name) => context::host(&name, "currentContext of config.json", folder),
            None => Ok(None),
        },
    }
}

/// The certificates for `DOCKER_HOST`, which is behind TLS as soon as one of the two variables says so.
fn tls_files(around: &Surroundings) -> Option<TlsFiles> {
    let folder = match (&around.certificates, around.verifies_tls) {
        (Some(folder), _) => Some(folder),
        (None, true) => around.config_folder.as_ref(),
        (None, false) => None,
    };
    folder.map(|folder| TlsFiles::of_folder(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Surroundings {
        Surroundings {
            home: Some("/home/me".into()),
            runtime_folder: Some("/run/user/7".into()),
            ..Surroundings::default()
        }
    }

    #[test]
    fn the_host_wins_over_everything() {
        let around = Surroundings {
            host: Some("tcp://docker:2376".to_owned()),
            context: Some("gone".to_owned()),
            config_folder: Some("/nowhere".into()),
            verifies_tls: true,
            ..around()
        };
        let found = Connection::find_with(&around, |_| true).expect("host");
        let files = TlsFiles::of_folder(Path::new("/nowhere"));
        assert_eq!(found.host, Host::Tls("docker:2376".to_owned(), files));
    }

    #[test]
    fn the_first_socket_that_exists_is_taken() {
        let at = |exists: &[&str]| {
            let found = Connection::find_with(&around(), |path| exists.iter().any(|known| path == Path::new(known)));
            found.map(|connection| connection.host.to_string())
        };
        let all = [
            "/var/run/docker.sock",
            "/home/me/.docker/run/docker.sock",
            "/home/me/.docker/desktop/docker.sock",
            "/run/user/7/docker.sock",
            "/run/user/7/podman/podman.sock",
            "/run/podman/podman.sock",
            "/home/me/.colima/default/docker.sock",
            "/home/me/.colima/docker.sock",
            "/home/me/.rd/docker.sock",
        ];
        for (index, path) in all.iter().enumerate() {
            assert_eq!(at(&all[index..]).expect("a socket"), format!("unix://{path}"));
        }
        let Err(DaemonError::NoSocket { looked }) = at(&[]) else {
            panic!("a socket from nowhere");
        };
        let looked: Vec<_> = looked.iter().map(|path| path.to_str().expect("a path")).collect();
        assert_eq!(looked, all);
    }

    #[test]
    fn colima_may_live_elsewhere() {
        let around = Surroundings {
            colima_folder: Some("/c".into()),
            ..around()
        };
        let found = Connection::find_with(&around, |path| path == Path::new("/c/default/docker.sock"));
        assert_eq!(found.expect("colima").host, Host::Unix("/c/default/docker.sock".into()));
    }
}
