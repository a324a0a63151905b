//! Where the real parts are, as `ci/real.sh` tells, and how programs are run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A registry that runs, with what is needed to speak to it.
pub(crate) struct Registry {
    /// Host and port.
    pub(crate) address: String,
    /// Absent for plain HTTP without a password.
    pub(crate) access: Option<Access>,
}

/// What a registry with TLS and a password asks for.
pub(crate) struct Access {
    /// A folder that holds the authority's certificate and nothing else.
    pub(crate) certificates: PathBuf,
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Registry {
    pub(crate) fn plain() -> Self {
        Self {
            address: setting("SHIPWAY_TEST_REGISTRY"),
            access: None,
        }
    }

    pub(crate) fn with_tls_and_password() -> Self {
        let access = Access {
            certificates: setting("SHIPWAY_TEST_TLS_CERTIFICATES").into(),
            username: setting("SHIPWAY_TEST_TLS_USERNAME"),
            password: setting("SHIPWAY_TEST_TLS_PASSWORD"),
        };
        Self {
            address: setting("SHIPWAY_TEST_TLS_REGISTRY"),
            access: Some(access),
        }
    }

    /// The base image that stands in for Flyway's.
    pub(crate) fn base(&self) -> String {
        format!("{}/flyway/flyway:13", self.address)
    }

    /// Copies an image out of the registry with skopeo; `to` is a transport and a place, such as `oci:folder:tag`.
    pub(crate) fn copy_out(&self, image: &str, to: &str) {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--quiet"]);
        self.add_skopeo_options(&mut skopeo, "src-");
        output(skopeo.arg(format!("docker://{image}")).arg(to));
    }

    /// Copies an image into the registry with skopeo.
    pub(crate) fn copy_in(&self, from: &str, image: &str) {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--quiet"]);
        self.add_skopeo_options(&mut skopeo, "dest-");
        output(skopeo.arg(from).arg(format!("docker://{image}")));
    }

    /// The digest that a reader finds under a name.
    pub(crate) fn digest_of(&self, image: &str) -> String {
        let mut skopeo = Command::new("skopeo");
        skopeo.arg("inspect");
        self.add_skopeo_options(&mut skopeo, "");
        let found: serde_json::Value =
            serde_json::from_str(&output(skopeo.arg(format!("docker://{image}")))).expect("skopeo inspect prints JSON");
        found["Digest"].as_str().expect("an image has a digest").to_owned()
    }

    fn add_skopeo_options(&self, skopeo: &mut Command, side: &str) {
        match &self.access {
            None => skopeo.arg(format!("--{side}tls-verify=false")),
            Some(access) => skopeo
                .arg(format!("--{side}cert-dir={}", access.certificates.display()))
                .arg(format!("--{side}creds={}:{}", access.username, access.password)),
        };
    }
}

/// The base image as an OCI layout, in the form of a reference.
pub(crate) fn base_layout() -> String {
    format!("oci:{}:13", setting("SHIPWAY_TEST_BASE"))
}

/// The Docker client, on the engine of the tests.
pub(crate) fn docker(configuration: &Path) -> Command {
    let mut docker = Command::new("docker");
    docker
        .env("DOCKER_CONFIG", configuration)
        .arg("--host")
        .arg(setting("SHIPWAY_TEST_DOCKER"));
    docker
}

/// Runs a program to its end and returns what it printed; fails the test, with its words, if it fails.
pub(crate) fn output(command: &mut Command) -> String {
    String::from_utf8(output_bytes(command)).expect("the program prints UTF-8")
}

/// As [`output`], for programs that print no text.
pub(crate) fn output_bytes(command: &mut Command) -> Vec<u8> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot start: {error}"));
    assert!(
        done.status.success(),
        "{command:?} ended with {}:\n{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    done.stdout
}

/// A variable of the environment that must be there.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests learn here, and nowhere else, where the parts are"
)]
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run ci/test.sh, or ci/real.sh cargo test --test real -- --include-ignored")
    })
}

/// Whether every case is put to every builder, as a nightly run does.
#[expect(clippy::disallowed_methods, reason = "as above")]
pub(crate) fn asks_all() -> bool {
    std::env::var_os("SHIPWAY_TEST_ALL_BUILDERS").is_some()
}

/// The program under test: the one that is released, where `ci/test.sh` names it.
#[expect(clippy::disallowed_methods, reason = "as above")]
pub(crate) fn program() -> std::path::PathBuf {
    let named = std::env::var_os("SHIPWAY_TEST_PROGRAM");
    named.map_or_else(|| env!("CARGO_BIN_EXE_shipway").into(), Into::into)
}
