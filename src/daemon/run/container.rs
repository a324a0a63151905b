//! Making a container and starting it.

use std::collections::HashMap;
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::errors::Error as ClientError;
use bollard::models::{ContainerCreateBody, HostConfig, Mount as DockerMount, MountType};
use bollard::query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder};
use futures_util::Stream;

use super::tidy::Made;
use super::{Halt, LABEL, Mount, Run, failure};
use crate::content::Kind;
use crate::execute::{Failure, Status, Variables};

/// What a container writes, as it comes.
pub(super) type LogStream = Pin<Box<dyn Stream<Item = Result<LogOutput, ClientError>> + Send>>;

impl Run<'_> {
    /// Makes the container of the image; nothing runs yet.
    pub(super) async fn create(
        &self,
        made: &mut Made,
        network: Option<String>,
        variables: &Variables,
    ) -> Result<(), Halt> {
        let request = self.request;
        let memory = request.memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let body = ContainerCreateBody {
            image: Some(request.image.clone()),
            env: Some(pairs(variables)),
            cmd: Some(request.arguments.clone()).filter(|words| !words.is_empty()),
            entrypoint: request.entrypoint.clone(),
            user: request.user.clone(),
            working_dir: request.workdir.clone(),
            host_config: Some(HostConfig {
                network_mode: network,
                memory,
                // Else the daemon adds as much swap again.
                memory_swap: memory,
                mounts: Some(request.mounts.iter().map(Mount::for_docker).collect()),
                ..HostConfig::default()
            }),
            ..self.attached()
        };
        self.create_container(made, &self.name, body)
            .await
            .map_err(|halt| match halt {
                Halt::Failed(status, failure) => {
                    Halt::Failed(status, with_name(failure, &format!("cannot start {}", request.image)))
                }
                Halt::Stopped => Halt::Stopped,
            })
    }

    /// What every container of ours has: a label, its output, and no terminal.
    pub(super) fn attached(&self) -> ContainerCreateBody {
        ContainerCreateBody {
            labels: Some(HashMap::from([(LABEL.to_owned(), self.name.clone())])),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            ..ContainerCreateBody::default()
        }
    }

    /// Makes a container. The request is not given up in the middle: what it made would be left behind.
    pub(super) async fn create_container(
        &self,
        made: &mut Made,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<(), Halt> {
        made.containers.push(name.to_owned());
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let created = self.daemon.docker().create_container(Some(options), body).await;
        match created {
            Ok(_) => Ok(()),
            Err(error) => Err(self.daemon.failure("cannot make its container", error).into()),
        }
    }

    /// Connects to the container's output.
    pub(super) async fn attach(&self) -> Result<LogStream, Halt> {
        let options = AttachContainerOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let attached = self.daemon.docker().attach_container(&self.name, Some(options)).await;
        match attached {
            Ok(attached) => Ok(attached.output),
            Err(error) => Err(self.daemon.failure("cannot read the container's output", error).into()),
        }
    }

    /// Starts the image's program.
    pub(super) async fn start(&self) -> Result<(), Halt> {
        let image = &self.request.image;
        let Err(error) = self.daemon.docker().start_container(&self.name, None).await else {
            return Ok(());
        };
        let error = self.daemon.failure(format!("cannot start {image}"), error);
        if error.kind() != Kind::Temporary {
            return Err(Halt::from(error));
        }
        // The daemon may have started it and not been able to say so.
        match self.daemon.docker().inspect_container(&self.name, None).await {
            Ok(container) => {
                let started = container.state.and_then(|state| state.started_at);
                match started.as_deref() {
                    // What Docker and Podman say of a container that was never started.
                    None | Some("" | "0001-01-01T00:00:00Z") => Err(Halt::from(error)),
                    Some(_) => Ok(()),
                }
            }
            Err(_) => Err(Halt::Failed(Status::Unknown, self.lost(failure(&error).to_string()))),
        }
    }

    /// Nobody can tell what became of the container.
    pub(super) fn lost(&self, why: String) -> Failure {
        let name = &self.name;
        Failure::new(format!(
            "it is not known how {} ended: the daemon was lost while the container {name} ran",
            self.request.image
        ))
        .because(why)
        .hint(format!(
            "see what became of it: docker inspect {name}, docker logs {name}"
        ))
        .hint(format!("then remove it: docker rm --volumes {name}"))
    }
}

/// A failure with a wider phrase before it.
pub(super) fn with_name(failure: Failure, message: &str) -> Failure {
    let cause = match failure.cause {
        Some(cause) => format!("{}: {cause}", failure.message),
        None => failure.message,
    };
    Failure {
        message: message.to_owned(),
        cause: Some(cause),
        hints: failure.hints,
    }
}

/// Variables as the daemon wants them.
fn pairs(variables: &Variables) -> Vec<String> {
    let all = variables.iter();
    all.map(|(name, value)| format!("{name}={}", value.expose())).collect()
}

impl Mount {
    fn for_docker(&self) -> DockerMount {
        let kind = match self.is_bind() {
            true => MountType::BIND,
            false => MountType::VOLUME,
        };
        DockerMount {
            source: Some(self.source.clone()),
            target: Some(self.target.clone()),
            typ: Some(kind),
            read_only: Some(self.is_read_only),
            ..DockerMount::default()
        }
    }
}
