//! The local Docker daemon, or Podman's in its place.
//!
//! [`Connection::find`] looks for it where the Docker command does, and further; [`Daemon::connect`] agrees with it on a
//! version of its API. Nothing else names the client for that API.

mod body;
mod build;
mod connection;
mod context;
mod error;
mod export;
mod failing;
mod host;
mod load;
mod run;
mod sockets;
mod target;
mod transport;
mod version;

pub use build::BuildRequest;
pub use connection::{Connection, Surroundings};
pub use error::DaemonError;
pub use host::{Host, TlsFiles};
pub use load::StoredImage;
pub use run::{DatabaseRequest, LABEL, Mount, Pull, PullLogin, RunRequest, Watch};
pub use target::{DaemonTarget, Loaded};
pub use version::DaemonVersion;

use std::time::Duration;

use bollard::Docker;

use crate::oci::Platform;
use failing::Failing;
use transport::AtVersion as _;

/// A daemon that answered.
#[derive(Debug, Clone)]
pub struct Daemon {
    docker: Docker,
    place: String,
    version: DaemonVersion,
    timeout: Duration,
}

impl Daemon {
    /// Connects, and agrees on the version of the API: the one that is asked for, or else the newest both sides know.
    ///
    /// # Errors
    /// When it cannot be reached, may not be used, or is too old or too new.
    pub async fn connect(connection: &Connection) -> Result<Self, DaemonError> {
        let place = connection.host.to_string();
        let unversioned = transport::open(connection)?;
        let failing = Failing {
            what: "cannot ask for its version",
            place: &place,
        };
        let told = unversioned.version().await.map_err(|error| failing.because(error))?;
        let version = version::agreed(told, connection, &place)?;
        Ok(Self {
            docker: unversioned.at_version(&version.api_version),
            place,
            version,
            timeout: connection.timeout,
        })
    }

    /// What the daemon says of itself.
    #[must_use]
    pub fn version(&self) -> &DaemonVersion {
        &self.version
    }

    /// Where it is, for people: `Docker at unix:///var/run/docker.sock`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{} at {}", self.version.name, self.place)
    }

    /// The platform of the images it runs.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.version.platform
    }

    /// The client for its API, each request of which is given up when the daemon does not begin to answer for the time
    /// of the connection.
    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// The same for requests whose answer may begin after minutes: what they send and receive is watched otherwise.
    pub(crate) fn patient(&self) -> Docker {
        self.docker.clone().with_timeout(PATIENCE)
    }

    /// Puts a failure of the client into words. `what` is a phrase such as `cannot load the image`.
    pub(crate) fn failure(&self, what: impl Into<String>, error: bollard::errors::Error) -> DaemonError {
        let what = what.into();
        Failing {
            what: &what,
            place: &self.place,
        }
        .because(error)
    }
}

/// A day: the longest a daemon works before it begins to answer. Unpacking an image of many gigabytes takes minutes.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
