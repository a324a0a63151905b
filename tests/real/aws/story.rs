//! What a page tells, from its first block to its last, in one project: its files are written as they come, its commands are run
//! where it says, and accounts and registries stand behind the names it uses.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use super::account::{Account, DEVELOPMENT, PRODUCTION, STAGING, moto, with_aws, with_keys};
use super::api::ask_in;
use super::gateway::Gateway;
use super::portal::{Portal, sessions};
use super::push::token_of_gitlab;
use crate::page::{Page, root};
use crate::parts::{Registry, output, program, setting};

/// Who runs the commands of a block: the second word after the fence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody with keys in the environment; this is meant where nothing is said.
    Anybody,
    /// A job of GitLab, with its variables and a token.
    Job,
    /// A container of ECS that has a role.
    Runner,
}

impl Who {
    /// Reads the words after a fence.
    pub(crate) fn of(words: &str) -> Self {
        match words.split_whitespace().nth(1) {
            None => Self::Anybody,
            Some("job") => Self::Job,
            Some("runner") => Self::Runner,
            Some(other) => panic!("{other} is nobody: job, runner"),
        }
    }
}

/// The sample project, and the world around it.
pub(crate) struct Story {
    folder: TempDir,
    gateways: Vec<Gateway>,
    portal: Portal,
    /// Variables of jobs, as the page's pipeline sets them.
    variables: Vec<(String, String)>,
}

impl Story {
    /// A fresh copy of the project, and empty registries behind all names of the page.
    pub(crate) fn of(page: &Page) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // The emulator's state outlives a story; another test may be at work in its own region.
        let own = format!("pages/{:08x}/", fastrand::u32(..));
        let gateways = hosts(&page.text)
            .into_iter()
            .map(|(account, region)| {
                forget_repositories(account, &region);
                Gateway::in_region(account, &region, &own)
            })
            .collect();
        let story = Self {
            folder,
            gateways,
            portal: Portal::start(),
            variables: Vec::new(),
        };
        for name in ["bin", "cache", "docker", "home", "project", "tmp"] {
            fs::create_dir(story.path(name)).expect("a folder can be made");
        }
        let copy = |name: &str| {
            output(
                Command::new("cp")
                    .arg("-r")
                    .arg(root().join(name))
                    .arg(story.path("project")),
            )
        };
        copy("db-migrations");
        copy("shipway.toml");
        std::os::unix::fs::symlink(program(), story.path("bin/shipway")).expect("a link can be made");
        std::os::unix::fs::symlink(setting("SHIPWAY_TEST_AWS_COMMAND"), story.path("bin/aws"))
            .expect("a link can be made");
        let base = format!("{}/flyway/flyway:13.12.0", Registry::plain().address);
        Registry::plain().copy_in(&crate::parts::base_layout(), &base);
        story.commit();
        story
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that the page shows; `~` is the home.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = match name.strip_prefix("~/") {
            Some(in_home) => self.path("home").join(in_home),
            None => self.path("project").join(name),
        };
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
        self.commit();
    }

    /// Takes note of the variables that a pipeline sets.
    pub(crate) fn set_variables(&mut self, pipeline: &str) {
        for line in pipeline.lines() {
            if let Some((name, value)) = line.trim().split_once(": ")
                && name.len() > 1
                && name
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            {
                self.variables
                    .push((name.to_owned(), value.trim_matches('"').to_owned()));
            }
        }
    }

    /// Does what somebody does in a browser.
    pub(crate) fn log_in_by_sso(&self) {
        let home = self.path("home");
        let config = fs::read_to_string(home.join(".aws/config")).expect("the page shows ~/.aws/config first");
        for session in sessions(&config) {
            Portal::log_in(&home, &session);
        }
    }

    /// Runs a line as a shell does.
    pub(crate) fn run(&self, who: Who, line: &str) -> Output {
        let mut endpoints: Vec<String> = self.gateways.iter().map(Gateway::endpoint).collect();
        endpoints.push(format!("docker.io=http://{}", Registry::plain().address));
        let mut shell = Command::new("sh");
        shell
            .args(["-c", line])
            .current_dir(self.path("project"))
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("HOME", self.path("home"))
            .env("DOCKER_CONFIG", self.path("docker"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("TMPDIR", self.path("tmp"))
            .env("SHIPWAY_REGISTRY_ENDPOINT", endpoints.join(","));
        with_aws(&mut shell, &moto());
        self.portal.lead_to_sso(&mut shell);
        match who {
            Who::Anybody => {
                with_keys(&mut shell, &moto());
            }
            Who::Job => {
                shell
                    .env("CI", "true")
                    .env("CI_PROJECT_ID", "42")
                    .env("CI_PIPELINE_ID", "4711")
                    .env("CI_COMMIT_SHORT_SHA", "0123abcd")
                    .env("CI_COMMIT_TAG", "v1.4.0")
                    .env("SHIPWAY_ID_TOKEN", token_of_gitlab())
                    .envs(self.variables.iter().map(|(name, value)| (name, value)))
                    .envs(self.report());
            }
            Who::Runner => self.portal.pretend_container(&mut shell),
        }
        shell.output().expect("there is a shell")
    }

    /// What an earlier job left in its dotenv report.
    fn report(&self) -> Vec<(String, String)> {
        let report = fs::read_to_string(self.path("project/shipway.env")).unwrap_or_default();
        let lines = report.lines().filter_map(|line| line.split_once('='));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Commits all there is, with dates and names that do not change.
    fn commit(&self) {
        let folder = self.path("project");
        let git = |arguments: &[&str]| commit_git(&folder, arguments);
        if !folder.join(".git").exists() {
            git(&["init", "--quiet"]);
        }
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--allow-empty", "-m", "a commit"]);
    }
}

fn commit_git(folder: &Path, arguments: &[&str]) {
    output(
        Command::new("git")
            .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .env("GIT_AUTHOR_DATE", "2026-03-04T05:06:07Z")
            .env("GIT_COMMITTER_DATE", "2026-03-04T05:06:07Z"),
    );
}

/// The registries of Amazon that a text names.
fn hosts(text: &str) -> BTreeSet<(Account, String)> {
    let mut found = BTreeSet::new();
    for (at, mark) in text.match_indices(".dkr.ecr.") {
        let id = &text[at.saturating_sub(12)..at];
        let region = text[at + mark.len()..].split('.').next().unwrap_or_default();
        let account = [DEVELOPMENT, STAGING, PRODUCTION]
            .into_iter()
            .find(|account| account.id == id);
        let account =
            account.unwrap_or_else(|| panic!("{id}: the accounts of examples are in tests/real/aws/account.rs"));
        found.insert((account, region.to_owned()));
    }
    found
}

/// Empties an account at moto.
fn forget_repositories(account: Account, region: &str) {
    assert_ne!(region, super::account::REGION, "other tests are at work there");
    let found = ask_in(region, &moto(), account.id, "DescribeRepositories", &json!({})).expect("moto answers");
    for repository in found["repositories"].as_array().expect("there is a list") {
        let question = json!({ "repositoryName": repository["repositoryName"], "force": true });
        ask_in(region, &moto(), account.id, "DeleteRepository", &question).expect("moto deletes it");
    }
}
