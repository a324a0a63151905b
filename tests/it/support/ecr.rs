//! A registry of Amazon ECR under its own name, which an endpoint leads to the fake registry.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use shipway::content::{Blob, Cache, ContentError, Origin, Source};
use shipway::credentials::{Credentials, Secret};
use shipway::oci::{Descriptor, Repository};
use shipway::progress::{Event, Progress};
use shipway::registry::{
    Assistance, FoundLogin, Patience, Registry, RegistrySettings, RepositorySource, RepositoryTarget,
};

use super::base::Base;
use super::outcome::Outcome;
use super::project::TestProject;
use super::registry::{FakeRegistry, Options, PASSWORD, USER};
use super::scene::BASE_LAYERS;

/// The registry's name.
pub(crate) const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
/// What the ARN of a repository there begins with.
pub(crate) const ARN: &str = "arn:aws:ecr:eu-west-1:123456789012:repository";

/// A registry called [`HOST`], and a project logged in to it.
pub(crate) struct EcrScene {
    /// Holds the base as `runner:13` and the empty repository `orders`.
    pub(crate) registry: FakeRegistry,
    /// Two scripts, logged in.
    pub(crate) project: TestProject,
}

impl EcrScene {
    /// A scene as Amazon ECR is.
    pub(crate) fn new() -> Self {
        Self::of(Options::ecr())
    }

    /// A scene with a registry of these options.
    pub(crate) fn of(options: Options) -> Self {
        let registry = FakeRegistry::start(options);
        registry.seed("runner", "13", &Base::flyway_of(BASE_LAYERS).index());
        registry.create("orders");
        Self {
            registry,
            project: project().logged_in_at(HOST),
        }
    }

    /// Builds on `runner:13` and pushes to names such as `orders:v1`.
    pub(crate) fn push(&self, names: &[&str], more: &[&str]) -> Outcome {
        self.push_on("runner:13", names, more)
    }

    /// Builds on a base of the registry and pushes to names in it.
    pub(crate) fn push_on(&self, base: &str, names: &[&str], more: &[&str]) -> Outcome {
        let endpoint = format!("{HOST}=http://{}", self.registry.host());
        let base = format!("{HOST}/{base}");
        let mut arguments = vec!["--registry-endpoint", &endpoint, "--base", &base, "--push"];
        let names: Vec<String> = names.iter().map(|name| format!("{HOST}/{name}")).collect();
        for name in &names {
            arguments.extend(["-t", name.as_str()]);
        }
        arguments.extend(more);
        self.project.build(&arguments)
    }
}

/// A project on a machine without an AWS identity, and without asking a cloud whether it is one of its own.
pub(crate) fn project() -> TestProject {
    TestProject::new().environment("AWS_EC2_METADATA_DISABLED", "true")
}

/// Takes down what is told to the user.
#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<String>>);

impl Progress for Notebook {
    fn on(&self, event: &Event<'_>) {
        if let Event::Notice(text) = event {
            self.0.lock().unwrap().push((*text).to_owned());
        }
    }
}

/// The library's client of a registry called [`HOST`].
pub(crate) struct Client {
    registry: Arc<Registry>,
    notebook: Arc<Notebook>,
}

impl Client {
    /// A client of `fake` that is helped by `assistance`.
    pub(crate) fn of(fake: &FakeRegistry, assistance: Assistance) -> Self {
        let settings = RegistrySettings {
            endpoint: Some(format!("http://{}", fake.host())),
            ..RegistrySettings::default()
        };
        let patience = Patience {
            first_wait: std::time::Duration::from_millis(10),
            ..Patience::default()
        };
        let notebook = Arc::new(Notebook::default());
        let progress = Arc::clone(&notebook) as Arc<dyn Progress>;
        let registry = Registry::new(HOST, &settings, assistance, Cache::none(), patience, progress);
        Self {
            registry: registry.unwrap(),
            notebook,
        }
    }

    /// A repository to write to.
    pub(crate) fn target(&self, path: &str) -> RepositoryTarget {
        RepositoryTarget::new(Arc::clone(&self.registry), repository(path))
    }

    /// A repository to read from.
    pub(crate) fn source(&self, path: &str) -> RepositorySource {
        RepositorySource::new(Arc::clone(&self.registry), repository(path))
    }

    /// A blob that could be taken over from another repository.
    pub(crate) fn blob_in(&self, path: &str, digest: &str, size: u64) -> Blob {
        let source = self.source(path);
        let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
        Blob {
            descriptor: Descriptor::new(media_type, digest.parse().unwrap(), size),
            origin: Origin::Source(Arc::new(source) as Arc<dyn Source>),
        }
    }

    /// What the user was told.
    pub(crate) fn notices(&self) -> Vec<String> {
        self.notebook.0.lock().unwrap().clone()
    }
}

fn repository(path: &str) -> Repository {
    format!("{HOST}/{path}").parse().unwrap()
}

/// A blob of the test's own.
pub(crate) fn blob(text: &'static str) -> Blob {
    Blob::bytes("application/octet-stream", Bytes::from_static(text.as_bytes()))
}

/// The login every fake registry knows.
pub(crate) fn credentials() -> Credentials {
    password(PASSWORD)
}

/// A login with a password.
pub(crate) fn password(text: &str) -> Credentials {
    Credentials::Basic {
        username: USER.to_owned(),
        password: Secret::new(text.to_owned()),
    }
}

/// Assistance whose login is what `answer` says.
pub(crate) fn login(answer: impl Fn(bool) -> Result<FoundLogin, ContentError> + Send + Sync + 'static) -> Assistance {
    Assistance::new(Arc::new(move |again| ready(answer(again))))
}

/// Something known at once.
pub(crate) fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(std::future::ready(value))
}

/// An error with all its causes, and its hints.
pub(crate) fn words(error: &ContentError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(current) = cause {
        text.push_str(&format!("\n{current}"));
        cause = current.source();
    }
    for hint in error.hints() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}
