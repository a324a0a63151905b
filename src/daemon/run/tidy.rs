//! Removing what was made.

use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::query_parameters::RemoveContainerOptionsBuilder;

use super::Run;
use crate::progress::Event;

/// How often a removal is tried. A daemon that is busy with the container says so, and is done a moment later.
const TRIES: u32 = 5;

/// How long it waits between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest one try may take: killing a program and removing gigabytes of a database.
const LIMIT: Duration = Duration::from_secs(60);

/// What was made for a run, or was about to be.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Containers, by name.
    pub(super) containers: Vec<String>,
    /// Networks, by name.
    pub(super) networks: Vec<String>,
}

impl Made {
    /// The names of everything.
    pub(super) fn names(self) -> Vec<String> {
        self.containers.into_iter().chain(self.networks).collect()
    }
}

impl Run<'_> {
    /// Removes it all, with the containers' anonymous volumes; returns the names of what could not be removed.
    pub(super) async fn tidy(&self, made: Made) -> Vec<String> {
        let mut left = Vec::new();
        // The last one first: it may depend on those before it.
        for name in made.containers.into_iter().rev() {
            if let Err(why) = self.remove(|| self.remove_container(&name)).await {
                let text =
                    format!("the container {name} could not be removed ({why}): docker rm --force --volumes {name}");
                self.watch.progress.on(&Event::Notice(&text));
                left.push(name);
            }
        }
        for name in made.networks {
            if let Err(why) = self.remove(|| self.remove_network(&name)).await {
                let text = format!("the network {name} could not be removed ({why}): docker network rm {name}");
                self.watch.progress.on(&Event::Notice(&text));
                left.push(name);
            }
        }
        left
    }

    async fn remove_container(&self, name: &str) -> Result<(), ClientError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        self.daemon.patient().remove_container(name, Some(options)).await
    }

    async fn remove_network(&self, name: &str) -> Result<(), ClientError> {
        self.daemon.patient().remove_network(name).await
    }

    /// Tries until it is gone.
    async fn remove<W: Future<Output = Result<(), ClientError>>>(&self, once: impl Fn() -> W) -> Result<(), String> {
        let mut why = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            match tokio::time::timeout(LIMIT, once()).await {
                Ok(Ok(())) => return Ok(()),
                // It never was, or somebody else was faster.
                Ok(Err(ClientError::DockerResponseServerError { status_code: 404, .. })) => return Ok(()),
                Ok(Err(error)) => why = self.daemon.failure("cannot remove it", error).to_string(),
                Err(_) => why = "the daemon does not answer".to_owned(),
            }
        }
        Err(why)
    }
}
