//! `TestProject`: a folder of migrations with a home of its own, and the command run in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use super::outcome::{Outcome, Running};
use super::registry::{FakeRegistry, PASSWORD, USER};

/// The folder of scripts in a project.
const SCRIPTS: &str = "db";

/// A project in a temporary folder, run with a clean environment.
pub(crate) struct TestProject {
    root: TempDir,
    environment: Vec<(String, String)>,
    project_file: bool,
    wrapper: Vec<String>,
    folder: PathBuf,
}

impl TestProject {
    /// A project without scripts.
    pub(crate) fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let root_path = root.path().canonicalize().unwrap();
        for folder in ["project/db", "home", "cache", "tmp", "bin"] {
            fs::create_dir_all(root_path.join(folder)).unwrap();
        }
        Self {
            folder: root_path.join("project"),
            root,
            environment: Vec::new(),
            project_file: false,
            wrapper: Vec::new(),
        }
    }

    /// A project with two small scripts.
    pub(crate) fn new() -> Self {
        Self::empty()
            .script("V1__create_orders.sql", "CREATE TABLE orders (id INT PRIMARY KEY);\n")
            .script("V2__add_total.sql", "ALTER TABLE orders ADD total INT;\n")
    }

    /// With a script in the folder of scripts.
    pub(crate) fn script(self, name: &str, text: &str) -> Self {
        self.file(&format!("{SCRIPTS}/{name}"), text)
    }

    /// With a file at a path relative to the project.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(path, text);
        self
    }

    /// With this `shipway.toml`; the command is then run without `--scripts`.
    pub(crate) fn project_file(mut self, text: &str) -> Self {
        self.write("shipway.toml", text);
        self.project_file = true;
        self
    }

    /// With credentials for a registry in Docker's config.
    pub(crate) fn logged_in(self, registry: &FakeRegistry) -> Self {
        self.logged_in_at(&registry.host())
    }

    /// With credentials for a host in Docker's config.
    pub(crate) fn logged_in_at(self, host: &str) -> Self {
        let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let mut auths = serde_json::Map::new();
        auths.insert(host.to_owned(), json!({"auth": auth}));
        self.docker_config(&json!({"auths": auths}).to_string())
    }

    /// With this Docker config in the home.
    pub(crate) fn docker_config(self, text: &str) -> Self {
        let folder = self.home().join(".docker");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.json"), text).unwrap();
        self
    }

    /// With a program on the PATH, a shell script.
    pub(crate) fn program(self, name: &str, script: &str) -> Self {
        let file = self.path("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// With a variable in the environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Run by another program, whose arguments the command's path and arguments follow.
    pub(crate) fn wrapped(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Run so that file permissions hold even for root, as which tests run in containers.
    pub(crate) fn without_privileges(self) -> Self {
        if fs::metadata(self.root.path()).unwrap().uid() != 0 {
            return self;
        }
        self.wrapped(&["setpriv", "--bounding-set=-dac_override,-dac_read_search"])
    }

    /// Writes a file at a path relative to the project.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The project's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder above the project, home, cache and temporary folders.
    pub(crate) fn root(&self) -> &Path {
        self.folder.parent().unwrap()
    }

    /// The user's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Where the command caches.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// What the command left in the folder for temporary files.
    pub(crate) fn temporary_files(&self) -> Vec<String> {
        files_below(&self.path("tmp"))
    }

    /// All files of the project, relative to it.
    pub(crate) fn files(&self) -> Vec<String> {
        files_below(&self.folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The command with a clean environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_shipway").to_owned();
        let words: Vec<_> = self.wrapper.iter().cloned().chain([binary]).collect();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["--retry-delay", "0.01"])
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("HOME", self.home())
            .env("XDG_CACHE_HOME", self.cache())
            .env("TMPDIR", self.path("tmp"))
            // No test asks the machine it runs on for an AWS identity, unless it is about that.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the command with arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "")
    }

    /// Runs the command with arguments in another folder.
    pub(crate) fn run_in(&self, folder: &Path, arguments: &[&str]) -> Outcome {
        Running::start(self.command(arguments).current_dir(folder), "").wait()
    }

    /// Runs the command with arguments and standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        Running::start(&mut self.command(arguments), input).wait()
    }

    /// Runs `build`, on the project's scripts unless a project file says where they are.
    pub(crate) fn build(&self, arguments: &[&str]) -> Outcome {
        self.run(&self.build_arguments(arguments))
    }

    /// Starts `build` and does not wait.
    pub(crate) fn start_build(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(&self.build_arguments(arguments)), "")
    }

    /// Builds on `base` and pushes as `target`.
    pub(crate) fn push(&self, base: &str, target: &str) -> Outcome {
        self.build(&["--base", base, "-t", target, "--push"])
    }

    fn build_arguments<'a>(&self, arguments: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["build"];
        if !self.project_file {
            all.extend(["--scripts", SCRIPTS]);
        }
        all.extend(arguments);
        all
    }
}

/// The files below a folder, relative to it, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current).into_iter().flatten() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}
