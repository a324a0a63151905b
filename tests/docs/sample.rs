//! The sample project in a folder of its own, with registries behind the names the documentation uses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::it::support::base::{Base, Bundle};
use crate::it::support::git::commit_all;
use crate::it::support::project::TestProject;
use crate::it::support::registry::{Authentication, FakeRegistry, Options, PASSWORD, USER};
use crate::page::{read, root};

/// The registry of the examples.
const REGISTRY: &str = "registry.example.com";

/// The project, and the registry that plays all registries.
pub(crate) struct Sample {
    project: TestProject,
    /// Plays Docker Hub, as its mirror, and the registry of the examples, as its endpoint.
    registry: FakeRegistry,
}

impl Sample {
    /// A fresh copy, in a git repository.
    pub(crate) fn new() -> Self {
        let registry = FakeRegistry::start(Options {
            authentication: Authentication::Basic,
            redirects: true,
            ..Options::open()
        });
        let base = || Base::flyway().without_triggers();
        let bases = [base(), base().platform("linux/arm64")];
        registry.seed("flyway/flyway", "13.12.0", &Bundle::index(&bases));
        let binary = env!("CARGO_BIN_EXE_shipway");
        let host = registry.host();
        let auth = base64(&format!("{USER}:{PASSWORD}"));
        let project = TestProject::empty()
            .program("shipway", &format!("exec '{binary}' \"$@\""))
            .program("aws", &format!("echo {PASSWORD}"))
            .docker_config(&format!(
                r#"{{"auths": {{"{host}": {{"auth": "{auth}"}}, "{REGISTRY}": {{"auth": "{auth}"}}}}}}"#
            ));
        let settings = format!(
            "\n[registry.\"{REGISTRY}\"]\nendpoint = \"http://{host}\"\n\n[registry.\"docker.io\"]\nmirrors = [\"{host}\"]\n"
        );
        project.write("shipway.toml", read("shipway.toml") + &settings);
        copy(&root().join("db-migrations"), &project.folder().join("db-migrations"));
        commit_all(project.folder());
        Self { project, registry }
    }

    /// Writes a file into the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.project.write(name, text);
    }

    /// Runs a line as a shell does.
    pub(crate) fn run(&self, line: &str) -> Output {
        let path = format!("{}/bin:/usr/local/bin:/usr/bin:/bin", self.project.root().display());
        Command::new("sh")
            .args(["-c", line])
            .current_dir(self.project.folder())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.project.home())
            .env("XDG_CACHE_HOME", self.project.cache())
            .env("TMPDIR", self.project.root().join("tmp"))
            .env("REGISTRY_USER", USER)
            .env("REGISTRY_PASSWORD", PASSWORD)
            .env("CI_REGISTRY_USER", USER)
            .env("CI_REGISTRY_PASSWORD", PASSWORD)
            .env("CI_REGISTRY_IMAGE", format!("{REGISTRY}/shop/orders"))
            .env("CI_COMMIT_SHORT_SHA", "0123abcd")
            .env("CI_PROJECT_DIR", self.project.folder())
            .output()
            .unwrap()
    }

    /// Fails the test if a request was against the rules.
    pub(crate) fn assert_strict(&self) {
        self.registry.assert_strict();
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
