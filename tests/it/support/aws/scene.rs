//! The scene of tests about Amazon ECR: an account's registry with a base in it, AWS, and a project.

use super::super::base::Base;
use super::super::outcome::Outcome;
use super::super::project::TestProject;
use super::super::registry::{FakeRegistry, Options};
use super::{FakeAws, Key};

/// The account of the scene.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The region of the scene.
pub(crate) const REGION: &str = "eu-west-1";
/// The registry of the account in the region.
pub(crate) const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
/// The public gallery.
pub(crate) const PUBLIC_HOST: &str = "public.ecr.aws";
/// The layers of the scene's base.
pub(crate) const BASE_LAYERS: usize = 6;

/// A registry of Amazon ECR, AWS, and a project. Tokens are allowed, nothing else is; nobody has an identity.
pub(crate) struct EcrScene {
    /// The services.
    pub(crate) aws: FakeAws,
    /// The data plane: holds the base as `runner:13`, and the empty repository `orders`.
    pub(crate) registry: FakeRegistry,
    /// Two scripts.
    pub(crate) project: TestProject,
    /// The registry's host name.
    pub(crate) host: String,
    /// Addresses of hosts, as `--registry-endpoint` takes them.
    endpoints: Vec<String>,
}

impl EcrScene {
    /// A scene in which nobody is signed in.
    pub(crate) fn new() -> Self {
        Self::at(HOST, REGION, Options::ecr())
    }

    /// A scene in which the environment holds the keys of the user `dev`.
    pub(crate) fn signed_in() -> Self {
        Self::new().with_dev()
    }

    /// A scene at another host, or with a registry of other options.
    pub(crate) fn at(host: &str, region: &str, options: Options) -> Self {
        let aws = FakeAws::start();
        aws.allow(&["ecr:GetAuthorizationToken"]);
        let registry = FakeRegistry::start(options);
        registry.seed("runner", "13", &Base::flyway_of(BASE_LAYERS).index());
        registry.create("orders");
        aws.governs(&host[..ACCOUNT.len()], region, &registry);
        let project = TestProject::new().environment("AWS_ENDPOINT_URL", &aws.url());
        Self {
            endpoints: vec![format!("{host}=http://{}", registry.host())],
            host: host.to_owned(),
            aws,
            registry,
            project,
        }
    }

    /// With the keys of the user `dev` in the environment.
    pub(crate) fn with_dev(self) -> Self {
        let key = self.aws.user(ACCOUNT, "dev");
        self.with_keys(&key)
    }

    /// With keys in the environment.
    pub(crate) fn with_keys(self, key: &Key) -> Self {
        let token = key.session_token.clone();
        let scene = self
            .environment("AWS_ACCESS_KEY_ID", &key.access_key)
            .environment("AWS_SECRET_ACCESS_KEY", &key.secret_key);
        match token {
            Some(token) => scene.environment("AWS_SESSION_TOKEN", &token),
            None => scene,
        }
    }

    /// With a variable in the environment.
    pub(crate) fn environment(self, name: &str, value: &str) -> Self {
        self.set(|project| project.environment(name, value))
    }

    /// With a file below the home.
    pub(crate) fn home_file(self, path: &str, text: &str) -> Self {
        let file = self.project.home().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    /// With the project changed.
    pub(crate) fn set(mut self, change: impl FnOnce(TestProject) -> TestProject) -> Self {
        self.project = change(self.project);
        self
    }

    /// With another registry behind another host name.
    pub(crate) fn endpoint(mut self, host: &str, registry: &FakeRegistry) -> Self {
        self.endpoints.push(format!("{host}=http://{}", registry.host()));
        self
    }

    /// A reference at the scene's host: `HOST/name`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }

    /// Runs the command, with the registries where they are.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let mut all = arguments.to_vec();
        for endpoint in &self.endpoints {
            all.extend(["--registry-endpoint", endpoint]);
        }
        self.project.run(&all)
    }

    /// Builds on the base and pushes under tags of the repository `orders`, with more arguments.
    pub(crate) fn push_tags(&self, tags: &[&str], more: &[&str]) -> Outcome {
        let base = self.reference("runner:13");
        let targets: Vec<_> = tags
            .iter()
            .map(|tag| self.reference(&format!("orders:{tag}")))
            .collect();
        let mut arguments = vec!["build", "--push", "--base", &base];
        if !self.project.folder().join("shipway.toml").exists() {
            arguments.extend(["--scripts", "db"]);
        }
        for target in &targets {
            arguments.extend(["-t", target.as_str()]);
        }
        arguments.extend(more);
        self.run(&arguments)
    }

    /// Builds on the base and pushes as `orders:v1`, with more arguments.
    pub(crate) fn push(&self, more: &[&str]) -> Outcome {
        self.push_tags(&["v1"], more)
    }

    /// Adds a script, so that the next build is another image, and forgets the requests so far.
    pub(crate) fn next_release(&self) {
        let text = "ALTER TABLE orders ADD note VARCHAR(100);\n";
        self.project.write("db/V3__add_note.sql", text);
        self.registry.forget_requests();
        self.aws.forget_calls();
    }
}
