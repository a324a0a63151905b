//! A project with migrations in a temporary folder, and `shipway` run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use tempfile::TempDir;

use crate::parts::{Registry, output, program, setting};

/// Scripts as a developer leaves them: nested, not all in ASCII, one executable, with modes that no image should carry.
const SCRIPTS: [(&str, u32, &str); 4] = [
    (
        "V1__create_customers.sql",
        0o600,
        "CREATE TABLE customers (id INTEGER NOT NULL);\n",
    ),
    (
        "V2__create orders.sql",
        0o666,
        "CREATE TABLE orders (id INTEGER NOT NULL);\n",
    ),
    (
        "berichte/R__überblick.sql",
        0o664,
        "CREATE OR REPLACE VIEW overview AS SELECT id FROM orders;\n",
    ),
    ("afterMigrate.sh", 0o700, "#!/bin/sh\necho migrated\n"),
];

const CONFIGURATION: &str = "[flyway]\nvalidateMigrationNaming = true\n";

pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// A project with a few small scripts.
    pub(crate) fn new() -> Self {
        let project = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        };
        for (name, mode, text) in SCRIPTS {
            let path = project.path("scripts").join(name);
            fs::create_dir_all(path.parent().expect("a script lies in a folder")).expect("a folder can be made");
            fs::write(&path, text).expect("a script can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode can be set");
        }
        fs::write(project.path("flyway.toml"), CONFIGURATION).expect("a configuration can be written");
        fs::create_dir(project.path("docker")).expect("a folder can be made");
        project
    }

    /// What an image of this project on the base of the tests holds under `/flyway`, in the words of a view.
    pub(crate) fn expected_files() -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> = ["", "/conf", "/drivers", "/jars", "/sql", "/sql/berichte"]
            .map(|folder| (format!("flyway{folder}"), "0755 0:0 folder".to_owned()))
            .into();
        files.insert("flyway/conf/flyway.toml".into(), format!("0644 0:0 {CONFIGURATION}"));
        for (name, mode, text) in SCRIPTS {
            let mode = if mode & 0o111 == 0 { "0644" } else { "0755" };
            files.insert(format!("flyway/sql/{name}"), format!("{mode} 0:0 {text}"));
        }
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where this project's Docker configuration lies.
    pub(crate) fn docker_configuration(&self) -> PathBuf {
        self.path("docker")
    }

    /// Writes the password of a registry where `docker login` would.
    pub(crate) fn log_in(&self, registry: &Registry) {
        let access = registry.access.as_ref().expect("the registry asks for a password");
        let credentials = BASE64.encode(format!("{}:{}", access.username, access.password));
        let mut auths = serde_json::Map::new();
        auths.insert(registry.address.clone(), json!({ "auth": credentials }));
        fs::write(self.path("docker/config.json"), json!({ "auths": auths }).to_string())
            .expect("a configuration can be written");
    }

    /// `shipway`, in the folder of the project and with nothing of this machine's settings.
    pub(crate) fn shipway(&self) -> Command {
        self.isolate(Command::new(program()))
    }

    /// Takes this machine's settings from a command that runs `shipway`.
    pub(crate) fn isolate(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .env("PATH", setting("PATH"))
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("DOCKER_CONFIG", self.docker_configuration())
            .current_dir(self.folder.path());
        command
    }

    /// `shipway build` of the scripts and the configuration.
    pub(crate) fn build(&self, base: &str) -> Command {
        let mut build = self.shipway();
        build.args([
            "build",
            "--scripts",
            "scripts",
            "--config",
            "flyway.toml",
            "--base",
            base,
        ]);
        build
    }

    /// Builds on a base and pushes; returns `repository@digest`.
    pub(crate) fn push(&self, registry: &Registry, base: &str, name: &str) -> String {
        let mut build = self.build(base);
        build.args(["--push", "-t", &format!("{}/{name}", registry.address)]);
        if let Some(access) = &registry.access {
            let certificate = access.certificates.join("ca.crt");
            build
                .arg("--registry-certificate")
                .arg(format!("{}={}", registry.address, certificate.display()));
        }
        output(&mut build).trim_end().to_owned()
    }
}

/// Writes a script of about `size_bytes`. Its values look random, so that it stays large when packed.
pub(crate) fn write_large_script(path: &Path, size_bytes: u64) {
    let mut file = BufWriter::new(fs::File::create(path).expect("a script can be written"));
    let mut random = fastrand::Rng::with_seed(7);
    let mut written = 0;
    while written < size_bytes {
        let line = format!(
            "INSERT INTO readings VALUES ('{:032x}{:032x}');\n",
            random.u128(..),
            random.u128(..)
        );
        file.write_all(line.as_bytes()).expect("a script can be written");
        written += line.len() as u64;
    }
    file.flush().expect("a script can be written");
}
