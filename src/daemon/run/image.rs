//! Having the image, or getting it.

use bollard::auth::DockerCredentials;
use bollard::errors::Error as ClientError;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt as _;
use std::time::Instant;

use super::{Halt, Pull, Run, failure};
use crate::credentials::Credentials;
use crate::daemon::DaemonError;
use crate::execute::Failure;
use crate::oci::{Reference, Tag};

/// The name Docker Hub's registry has in credentials.
const HUB: &str = "https://index.docker.io/v1/";

/// The image of a container.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The digest of its config.
    pub(super) id: Option<String>,
    /// What a registry calls it.
    pub(super) digest: Option<String>,
}

impl Run<'_> {
    /// Makes sure that the daemon has the images, before anything is started.
    pub(super) async fn have_images(&self) -> Result<(), Halt> {
        self.have_image(&self.request.image).await?;
        let Some(database) = &self.request.database else {
            return Ok(());
        };
        self.have_image(&database.image).await.map_err(|halt| match halt {
            Halt::Failed(status, failure) => Halt::Failed(
                status,
                failure.hint(format!(
                    "another image of the database: --database-image, or {} = \"…\" in [run.databases] of shipway.toml",
                    database.engine.name()
                )),
            ),
            Halt::Stopped => Halt::Stopped,
        })
    }

    async fn have_image(&self, image: &str) -> Result<(), Halt> {
        if self.request.pull != Pull::Always {
            match self.daemon.docker().inspect_image(image).await {
                Ok(_) => return Ok(()),
                Err(ClientError::DockerResponseServerError { status_code: 404, .. }) => {}
                Err(error) => return Err(self.daemon.failure(format!("cannot look up {image}"), error).into()),
            }
            if self.request.pull == Pull::Never {
                let error = self.no_image(image);
                return Err(Halt::not_started(
                    failure(&error).hint("let the daemon get it: --pull missing"),
                ));
            }
        }
        match image.parse::<Reference>() {
            Ok(reference) => self.pull(image, &reference).await,
            Err(error) => {
                let failure = failure(&self.no_image(image)).because(error.to_string());
                Err(Halt::not_started(failure))
            }
        }
    }

    fn no_image(&self, image: &str) -> DaemonError {
        DaemonError::NoImage {
            name: image.to_owned(),
            place: self.daemon.place(),
        }
    }

    /// Has the daemon pull an image, with the login we have for its registry.
    async fn pull(&self, image: &str, reference: &Reference) -> Result<(), Halt> {
        let begun = Instant::now();
        self.step(&format!("pulling {image}"));
        let login = (self.watch.login)(reference.repository.clone());
        let credentials = login.await.map_err(|error| Halt::not_started(failure(&error)))?;
        let host = reference.repository.registry();
        let name = reference.repository.to_string();
        // Without a tag the daemon would pull all there are.
        let options = match &reference.digest {
            Some(digest) => CreateImageOptionsBuilder::new()
                .from_image(&name)
                .tag(&digest.to_string()),
            None => {
                let tag = reference.tag.clone().unwrap_or_else(Tag::latest);
                CreateImageOptionsBuilder::new().from_image(&name).tag(tag.as_str())
            }
        };
        let docker = self.daemon.patient();
        let pulled = docker.create_image(Some(options.build()), None, for_docker(&credentials, host));
        if let Err(error) = pulled.try_for_each(|_| async { Ok(()) }).await {
            let error = self.daemon.failure(format!("cannot pull {image}"), error);
            return Err(Halt::not_started(with_way_out(&error, host, &credentials)));
        }
        self.step(&format!("pulled {image} in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(())
    }

    /// The image the container was made of: names may have moved since, this is what runs.
    pub(super) async fn image_of_container(&self) -> Found {
        let docker = self.daemon.docker();
        let Ok(container) = docker.inspect_container(&self.name, None).await else {
            return Found::default();
        };
        let digests = match &container.image {
            Some(id) => docker.inspect_image(id).await.ok().and_then(|image| image.repo_digests),
            None => None,
        };
        Found {
            digest: self.own_digest(digests.unwrap_or_default()),
            id: container.image,
        }
    }

    /// The digest in the repository the image was named in, else in any.
    fn own_digest(&self, digests: Vec<String>) -> Option<String> {
        let repository = |text: &str| text.parse::<Reference>().ok().map(|reference| reference.repository);
        let named = repository(&self.request.image);
        let own = digests.iter().find(|digest| repository(digest) == named).cloned();
        own.or_else(|| digests.into_iter().next())
    }
}

/// Says what to do where the daemon's words let it be known.
fn with_way_out(error: &DaemonError, host: &str, credentials: &Credentials) -> Failure {
    let text = error.to_string().to_lowercase();
    let is_denied = ["denied", "unauthorized", "no basic auth", "authentication required"]
        .iter()
        .any(|word| text.contains(word));
    let failure = failure(error);
    match (is_denied, credentials) {
        (true, Credentials::Anonymous) => failure.hint(format!("log in: docker login {host}")),
        (true, _) => failure.hint(format!(
            "log in again, or as somebody who may pull: docker login {host}"
        )),
        (false, _) => failure,
    }
}

/// The login in the daemon's words.
fn for_docker(credentials: &Credentials, host: &str) -> Option<DockerCredentials> {
    let server = match host {
        "docker.io" => HUB,
        _ => host,
    };
    let empty = DockerCredentials {
        serveraddress: Some(server.to_owned()),
        ..DockerCredentials::default()
    };
    match credentials {
        Credentials::Anonymous => None,
        Credentials::Basic { username, password } => Some(DockerCredentials {
            username: Some(username.clone()),
            password: Some(password.expose().to_owned()),
            ..empty
        }),
        Credentials::IdentityToken { token } => Some(DockerCredentials {
            identitytoken: Some(token.expose().to_owned()),
            ..empty
        }),
        Credentials::RegistryToken { token } => Some(DockerCredentials {
            registrytoken: Some(token.expose().to_owned()),
            ..empty
        }),
    }
}
