//! A clone of the sample project, and its pipeline run as GitLab runs it: by gitlab-ci-local, in the shell of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::parts::{Registry, output, program, setting};

pub(crate) const BUILD: &str = "build-docker-image";
pub(crate) const EXECUTE: &str = "execute-migrations";

/// A clone of the sample project, of a GitLab that does not exist.
pub(crate) struct Clone {
    folder: TempDir,
    /// The variables of the project's settings.
    settings: BTreeMap<String, String>,
    /// What a job finds in its environment besides.
    environment: BTreeMap<String, String>,
}

impl Clone {
    /// One whose bases come from the plain registry.
    pub(crate) fn new() -> Self {
        let clone = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            settings: BTreeMap::new(),
            environment: BTreeMap::new(),
        };
        for name in [
            ".gitignore",
            ".gitlab-ci.yml",
            "shipway.toml",
            "db-migrations",
            "templates",
        ] {
            output(Command::new("cp").arg("-R").arg(source(name)).arg(clone.project()));
        }
        clone.change("shipway.toml", |text| {
            let address = Registry::plain().address;
            format!("{text}\n[registry.\"docker.io\"]\nmirrors = [\"{address}\"]\n")
        });

        fs::create_dir_all(clone.path("bin")).expect("a folder can be made");
        // Tells what it was called with, since the log of a job shows variables by their names.
        let wrapper = format!(
            "#!/bin/sh\necho \"$*\" >>'{}'\nexec '{}' \"$@\"\n",
            clone.path("calls").display(),
            program().display()
        );
        let place = clone.path("bin/shipway");
        fs::write(&place, wrapper).expect("a file can be written");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("a mode can be set");
        clone.git("init --quiet --initial-branch=main .");
        clone.git("config user.name Ada");
        clone.git("config user.email ada@example.com");
        clone.git("remote add origin https://gitlab.example.com/shop/orders.git");
        clone.commit("first");
        clone.git("update-ref refs/remotes/origin/main HEAD");
        clone.git("symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main");
        clone
    }

    /// Sets a variable of the project's settings.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Puts variables into the environment of each job.
    #[cfg(feature = "aws")]
    pub(crate) fn with(mut self, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(environment);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
        path
    }

    pub(crate) fn project(&self) -> PathBuf {
        let project = self.path("orders");
        fs::create_dir_all(&project).expect("a folder can be made");
        project
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.project().join(name)).expect("a file of the project can be read")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.project().join(name), text).expect("a file can be written");
    }

    pub(crate) fn change(&self, name: &str, change: impl FnOnce(String) -> String) {
        self.write(name, &change(self.read(name)));
    }

    fn git(&self, words: &str) {
        let mut git = Command::new("git");
        output(git.args(words.split(' ')).current_dir(self.project()));
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git("add .");
        self.git(&format!("commit --quiet --message={message}"));
    }

    fn gitlab(&self) -> Command {
        let mut gitlab = Command::new("gitlab-ci-local");
        let path = format!(
            "{}:{}:{}",
            self.path("bin").display(),
            setting("SHIPWAY_TEST_GITLAB_PATH"),
            setting("PATH")
        );
        // The program is looked for on the path it is given.
        gitlab
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("DOCKER_CONFIG", self.path("docker"))
            .envs(&self.environment)
            .current_dir(self.project());
        for (name, value) in &self.settings {
            gitlab.args(["--variable", &format!("{name}={value}")]);
        }
        gitlab
    }

    /// Runs the jobs of a pipeline's file. What has changed since the last commit on the default branch is not for gitlab-ci-local to
    /// know.
    pub(crate) fn run(&self, file: &str) -> Run {
        let mut gitlab = self.gitlab();
        gitlab.args([
            "--file",
            file,
            "--force-shell-executor",
            "--evaluate-rule-changes=false",
        ]);
        // Jobs with an image are told the folder they would have in a container.
        gitlab.args(["--ignore-predefined-vars", "CI_PROJECT_DIR", "--variable"]);
        gitlab.arg(format!("CI_PROJECT_DIR={}", self.project().display()));
        let done = gitlab.output().expect("gitlab-ci-local starts");
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        fs::write(self.path("calls"), "").expect("a file can be written");
        Run {
            calls: calls.lines().map(ToOwned::to_owned).collect(),
            ..Run::of(&done)
        }
    }

    /// The jobs that a change of a file calls for.
    pub(crate) fn jobs_after_change_of(&self, file: &str) -> Vec<String> {
        self.change(file, |text| text + "\n");
        let listed = output(self.gitlab().arg("--list-csv"));
        self.git("checkout --quiet .");
        let names = listed.lines().skip(1).filter_map(|line| line.split(';').next());
        names.map(ToOwned::to_owned).collect()
    }
}

/// What became of a pipeline.
pub(crate) struct Run {
    pub(crate) log: String,
    pub(crate) status: Option<i32>,
    /// With what each job has called shipway.
    pub(crate) calls: Vec<String>,
}

impl Run {
    fn of(done: &Output) -> Self {
        let texts = [&done.stdout, &done.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        Self {
            log: texts.concat(),
            status: done.status.code(),
            calls: Vec::new(),
        }
    }

    /// Fails unless all went well, with exactly these jobs.
    pub(crate) fn assert_passed(&self, jobs: &[&str]) {
        assert_eq!(self.status, Some(0), "{}", self.log);
        for job in [BUILD, EXECUTE] {
            assert_eq!(self.says("PASS", job), jobs.contains(&job), "{job} in:\n{}", self.log);
        }
    }

    /// Whether a job has this verdict.
    pub(crate) fn says(&self, verdict: &str, job: &str) -> bool {
        let words = |line: &str| {
            line.split_whitespace()
                .take(2)
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        self.log.lines().any(|line| words(line) == [verdict, job])
    }
}

/// A file of this project.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
