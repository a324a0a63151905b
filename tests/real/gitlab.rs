//! The sample project's two stages, run as GitLab runs them: by gitlab-ci-local, in the shell of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::parts::{Registry, base_layout, output, program, setting};
use crate::traffic::Traffic;
use crate::view::View;

const BUILD: &str = "build-docker-image";
const EXECUTE: &str = "execute-migrations";

/// A clone of the sample project, of a GitLab that does not exist.
struct Clone {
    folder: TempDir,
    registry: Registry,
    /// The repository without its host, a test's own.
    repository: &'static str,
}

impl Clone {
    fn new(repository: &'static str) -> Self {
        let clone = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            registry: Registry::plain(),
            repository,
        };
        for name in [".gitignore", ".gitlab-ci.yml", "shipway.toml", "db-migrations"] {
            output(Command::new("cp").arg("-R").arg(source(name)).arg(clone.project()));
        }
        clone.change("shipway.toml", |text| {
            let address = &clone.registry.address;
            format!("{text}\n[registry.\"docker.io\"]\nmirrors = [\"{address}\"]\n")
        });
        let dockerfile = clone.read("db-migrations/Dockerfile");
        let base = dockerfile.lines().find_map(|line| line.strip_prefix("FROM "));
        let base = base.expect("it has a base").trim();
        clone
            .registry
            .copy_in(&base_layout(), &format!("{}/{base}", clone.registry.address));

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

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
        path
    }

    fn project(&self) -> PathBuf {
        let project = self.path("orders");
        fs::create_dir_all(&project).expect("a folder can be made");
        project
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.project().join(name)).expect("a file of the project can be read")
    }

    fn change(&self, name: &str, change: impl FnOnce(String) -> String) {
        fs::write(self.project().join(name), change(self.read(name))).expect("a file can be written");
    }

    fn git(&self, words: &str) {
        let mut git = Command::new("git");
        output(git.args(words.split(' ')).current_dir(self.project()));
    }

    fn commit(&self, message: &str) {
        self.git("add .");
        self.git(&format!("commit --quiet --message={message}"));
    }

    /// The name that the pipeline's variable gives the repository.
    fn name(&self) -> String {
        format!("{}/{}", self.registry.address, self.repository)
    }

    fn digest(&self) -> String {
        self.registry.digest_of(&format!("{}:latest", self.name()))
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
            .env("DOCKER_HOST", setting("SHIPWAY_TEST_DOCKER"))
            .env("FLYWAY_URL", "jdbc:postgresql://db.example.com/orders")
            .env("FLYWAY_USER", "orders")
            .env("FLYWAY_PASSWORD", "test only")
            .current_dir(self.project());
        gitlab
    }

    /// Runs the two stages. What has changed since the last commit on the default branch is not for gitlab-ci-local to know.
    fn run(&self) -> Run {
        let mut gitlab = self.gitlab();
        gitlab.args(["--file", "db-migrations/gitlab-ci.yml", "--force-shell-executor"]);
        gitlab.args(["--evaluate-rule-changes=false", "--variable"]);
        gitlab.arg(format!("AWS_REPOS_FLYWAY={}", self.name()));
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
    fn jobs_after_change_of(&self, file: &str, repository: &str) -> Vec<String> {
        self.change(file, |text| text + "\n");
        let mut gitlab = self.gitlab();
        gitlab.args(["--list-csv", "--variable", &format!("AWS_REPOS_FLYWAY={repository}")]);
        let listed = output(&mut gitlab);
        self.git("checkout --quiet .");
        let names = listed.lines().skip(1).filter_map(|line| line.split(';').next());
        names.map(ToOwned::to_owned).collect()
    }
}

/// What became of a pipeline.
struct Run {
    log: String,
    status: Option<i32>,
    /// With what each job has called shipway.
    calls: Vec<String>,
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

    fn assert_passed(&self) {
        assert_eq!(self.status, Some(0), "{}", self.log);
        assert!(self.says("PASS", BUILD) && self.says("PASS", EXECUTE), "{}", self.log);
    }

    /// Whether a job has this verdict.
    fn says(&self, verdict: &str, job: &str) -> bool {
        let words = |line: &str| {
            line.split_whitespace()
                .take(2)
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        self.log.lines().any(|line| words(line) == [verdict, job])
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Catches a job that does not work, an image without the scripts or on another base, and a second job that runs something else
/// than the first has pushed.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and a Docker engine: ci/test.sh"]
fn the_scripts_of_a_commit_are_built_pushed_and_run() {
    let clone = Clone::new("gitlab/orders");
    let run = clone.run();
    run.assert_passed();

    let digest = clone.digest();
    let [build, execute] = &run.calls[..] else {
        panic!("{:?}", run.calls)
    };
    assert!(build.starts_with("build --context "), "{build}");
    let pinned = format!("run --docker {}@{digest} ", clone.name());
    assert!(execute.starts_with(&pinned), "{execute} instead of {pinned}");
    // The base's program has run, in the second job, and has found the script.
    for line in ["arguments: migrate", "=== /flyway/sql/V1__create_customers.sql"] {
        let line = format!("{EXECUTE} > {line}");
        assert!(run.log.contains(&line), "no {line} in:\n{}", run.log);
    }

    let copied = clone.path("copied");
    let latest = format!("{}:latest", clone.name());
    clone.registry.copy_out(&latest, &format!("oci:{}:1", copied.display()));
    let view = View::of_layout(&copied);
    let expect = |path: &str, file: &str| {
        let expected = format!("0644 0:0 {}", clone.read(file));
        assert_eq!(view.files.get(path), Some(&expected), "{path}");
    };
    expect("flyway/conf/flyway.toml", "db-migrations/flyway.toml");
    let scripts = fs::read_dir(clone.project().join("db-migrations/scripts")).expect("a folder can be listed");
    for script in scripts {
        let name = script.expect("an entry has a name").file_name();
        let name = name.to_str().expect("in UTF-8");
        expect(&format!("flyway/sql/{name}"), &format!("db-migrations/scripts/{name}"));
    }
    assert_eq!(
        view.run["arguments"],
        serde_json::json!(["flyway", "migrate"]),
        "{}",
        view.run
    );
    assert!(
        view.files.contains_key("flyway/drivers"),
        "the base's folders are not there: {:?}",
        view.files
    );
}

/// Catches an image that differs from one pipeline of a commit to the next, and tags that are written again.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and a Docker engine: ci/test.sh"]
fn a_second_pipeline_of_the_commit_writes_nothing() {
    let clone = Clone::new("gitlab/again");
    clone.run().assert_passed();
    let first = clone.digest();
    let traffic = Traffic::from_now_on();
    clone.run().assert_passed();
    let writes = traffic.writes_to(clone.repository);
    assert!(writes.is_empty(), "{writes:?}");
    assert_eq!(clone.digest(), first);
    assert!(!traffic.of(clone.repository).is_empty(), "the log tells nothing");
}

/// Catches a job that is green although nothing was built.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and a Docker engine: ci/test.sh"]
fn a_build_that_fails_is_red_and_runs_nothing() {
    let clone = Clone::new("gitlab/broken");
    clone.change("db-migrations/Dockerfile", |text| {
        text + "\nCOPY db-migrations/absent /flyway/sql\n"
    });
    clone.commit("broken");
    let traffic = Traffic::from_now_on();
    let run = clone.run();
    assert_ne!(run.status, Some(0), "{}", run.log);
    assert!(run.says("FAIL", BUILD), "{}", run.log);
    assert!(run.log.contains("absent"), "the reason is not told:\n{}", run.log);
    assert!(
        !run.calls.iter().any(|call| call.starts_with("run ")),
        "{:?}",
        run.calls
    );
    let writes = traffic.writes_to(clone.repository);
    assert!(writes.is_empty(), "{writes:?}");
}

/// Catches a migration whose failure is lost on the way.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and a Docker engine: ci/test.sh"]
fn a_migration_that_fails_is_red() {
    let clone = Clone::new("gitlab/failing");
    clone.change("db-migrations/Dockerfile", |text| {
        text + "\nENTRYPOINT [\"/bin/busybox\", \"false\"]\n"
    });
    clone.commit("failing");
    let run = clone.run();
    assert_ne!(run.status, Some(0), "{}", run.log);
    assert!(run.says("PASS", BUILD) && run.says("FAIL", EXECUTE), "{}", run.log);
}

/// Catches a pipeline that deploys without being told where, or on every commit, or not when the scripts have changed.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and a Docker engine: ci/test.sh"]
fn only_changes_of_the_migrations_are_shipped_and_only_where_told() {
    let clone = Clone::new("gitlab/listed");
    let ships = |jobs: &[String]| [BUILD, EXECUTE].map(|job| jobs.iter().any(|name| name == job));
    for file in [
        "db-migrations/scripts/V1__create_customers.sql",
        "db-migrations/Dockerfile",
        "db-migrations/flyway.toml",
    ] {
        let jobs = clone.jobs_after_change_of(file, "registry.example.com/orders");
        assert_eq!(ships(&jobs), [true, true], "{file}: {jobs:?}");
    }
    let jobs = clone.jobs_after_change_of("shipway.toml", "registry.example.com/orders");
    assert_eq!(ships(&jobs), [false, false], "{jobs:?}");
    // What this project's own pipeline does on a push.
    let jobs = clone.jobs_after_change_of("db-migrations/scripts/V1__create_customers.sql", "");
    assert_eq!(jobs, ["lint", "test", "bench"]);
}

/// Catches a keyword that GitLab does not know: it would refuse the whole pipeline, and say so only when pushed.
#[test]
#[ignore = "needs check-jsonschema: ci/test.sh"]
fn the_pipelines_are_what_gitlab_understands() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let misspelt = folder.path().join("misspelt.yml");
    let sample = source("db-migrations/gitlab-ci.yml");
    let text = fs::read_to_string(&sample).expect("the sample's pipeline can be read");
    fs::write(&misspelt, text.replace("resource_group:", "resource_groop:")).expect("a file can be written");
    // A component is a pipeline once its inputs are filled in.
    let component = folder.path().join("component.yml");
    fs::write(&component, filled_in("templates/shipway.yml")).expect("a file can be written");
    for (file, is_fine) in [
        (source(".gitlab-ci.yml"), true),
        (sample, true),
        (component, true),
        (misspelt, false),
    ] {
        let mut check = Command::new("check-jsonschema");
        check
            .env(
                "PATH",
                format!("{}:{}", setting("SHIPWAY_TEST_GITLAB_PATH"), setting("PATH")),
            )
            .args(["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"])
            .arg(&file);
        let done = check.output().expect("check-jsonschema starts");
        assert_eq!(
            done.status.success(),
            is_fine,
            "{}: {}",
            file.display(),
            String::from_utf8_lossy(&done.stdout)
        );
    }
}

/// The jobs of a component, each input in the place of its own name.
fn filled_in(component: &str) -> String {
    let text = fs::read_to_string(source(component)).expect("the component can be read");
    let (declared, jobs) = text.split_once("\n---\n").expect("inputs come first");
    let mut jobs = jobs.replace("changes: $[[ inputs.changes ]]", "changes: [scripts]");
    for line in declared.lines() {
        let Some(name) = line.trim().strip_suffix(':').filter(|_| line.starts_with("    ")) else {
            continue;
        };
        let stage = name.strip_suffix("-stage").map_or(name, |_| "test");
        jobs = jobs.replace(&format!("$[[ inputs.{name} ]]"), stage);
    }
    assert!(!jobs.contains("$[["), "an input is used and not declared:\n{jobs}");
    jobs
}

/// Catches a job that runs a script which is not there.
#[test]
fn the_scripts_of_the_pipeline_are_there() {
    let text = fs::read_to_string(source(".gitlab-ci.yml")).expect("the pipeline can be read");
    let scripts: Vec<&str> = text
        .split("bash ")
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    assert!(scripts.len() > 4, "{scripts:?}");
    for script in scripts {
        assert!(source(script).is_file(), "{script}");
    }
}
