//! The sample project's pipeline. That its second stage runs the image, and what becomes of that, is in `article`.

use std::fs;
use std::process::Command;

use crate::parts::{Registry, base_layout, setting};
use crate::pipeline::{BUILD, Clone, EXECUTE, source};
use crate::traffic::Traffic;
use crate::view::View;

/// The file with the two stages.
const STAGES: &str = "db-migrations/gitlab-ci.yml";

/// A clone that pushes to a repository of the plain registry, a test's own; with the small base that stands in for Flyway's.
fn clone_for(repository: &str) -> Clone {
    let clone = Clone::new().set("AWS_REPOS_FLYWAY", name_of(repository));
    let dockerfile = clone.read("db-migrations/Dockerfile");
    let base = dockerfile.lines().find_map(|line| line.strip_prefix("FROM "));
    let base = base.expect("it has a base").trim();
    let registry = Registry::plain();
    registry.copy_in(&base_layout(), &format!("{}/{base}", registry.address));
    clone
}

fn name_of(repository: &str) -> String {
    format!("{}/{repository}", Registry::plain().address)
}

fn digest_of(repository: &str) -> String {
    Registry::plain().digest_of(&format!("{}:latest", name_of(repository)))
}

/// Catches a job that does not work, an image without the scripts or on another base, and a second stage that runs something though
/// nobody said where.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and skopeo: ci/test.sh"]
fn the_scripts_of_a_commit_are_built_and_pushed() {
    let repository = "gitlab/orders";
    let clone = clone_for(repository);
    let run = clone.run(STAGES);
    run.assert_passed(&[BUILD]);
    let [build] = &run.calls[..] else {
        panic!("{:?}", run.calls)
    };
    assert!(build.starts_with("build --context "), "{build}");
    assert_eq!(
        clone.read("shipway.env").lines().next(),
        Some(&*format!(
            "SHIPWAY_IMAGE={}@{}",
            name_of(repository),
            digest_of(repository)
        )),
    );

    let copied = clone.path("copied");
    let latest = format!("{}:latest", name_of(repository));
    Registry::plain().copy_out(&latest, &format!("oci:{}:1", copied.display()));
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
#[ignore = "needs gitlab-ci-local, docker-registry and skopeo: ci/test.sh"]
fn a_second_pipeline_of_the_commit_writes_nothing() {
    let repository = "gitlab/again";
    let clone = clone_for(repository);
    clone.run(STAGES).assert_passed(&[BUILD]);
    let first = digest_of(repository);
    let traffic = Traffic::from_now_on();
    clone.run(STAGES).assert_passed(&[BUILD]);
    let writes = traffic.writes_to(repository);
    assert!(writes.is_empty(), "{writes:?}");
    assert_eq!(digest_of(repository), first);
    assert!(!traffic.of(repository).is_empty(), "the log tells nothing");
}

/// Catches a job that is green although nothing was built.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and skopeo: ci/test.sh"]
fn a_build_that_fails_is_red_and_runs_nothing() {
    let repository = "gitlab/broken";
    let clone = clone_for(repository).set("SHIPWAY_LAMBDA", "migrations");
    clone.change("db-migrations/Dockerfile", |text| {
        text + "\nCOPY db-migrations/absent /flyway/sql\n"
    });
    clone.commit("broken");
    let traffic = Traffic::from_now_on();
    let run = clone.run(STAGES);
    assert_ne!(run.status, Some(0), "{}", run.log);
    assert!(run.says("FAIL", BUILD), "{}", run.log);
    assert!(run.log.contains("absent"), "the reason is not told:\n{}", run.log);
    assert!(
        !run.calls.iter().any(|call| call.starts_with("run ")),
        "{:?}",
        run.calls
    );
    let writes = traffic.writes_to(repository);
    assert!(writes.is_empty(), "{writes:?}");
}

/// Catches a pipeline that deploys without being told where, or on every commit, or not when the scripts have changed.
#[test]
#[ignore = "needs gitlab-ci-local, docker-registry and skopeo: ci/test.sh"]
fn only_changes_of_the_migrations_are_shipped_and_only_where_told() {
    let ships = |jobs: &[String]| [BUILD, EXECUTE].map(|job| jobs.iter().any(|name| name == job));
    let script = "db-migrations/scripts/V1__create_customers.sql";
    let repository = "registry.example.com/orders";
    let told = || Clone::new().set("AWS_REPOS_FLYWAY", repository);
    let clone = told().set("SHIPWAY_LAMBDA", "migrations");
    for file in [script, "db-migrations/Dockerfile", "db-migrations/flyway.toml"] {
        let jobs = clone.jobs_after_change_of(file);
        assert_eq!(ships(&jobs), [true, true], "{file}: {jobs:?}");
    }
    let jobs = clone.jobs_after_change_of("shipway.toml");
    assert_eq!(ships(&jobs), [false, false], "{jobs:?}");
    let jobs = told().jobs_after_change_of(script);
    assert_eq!(ships(&jobs), [true, false], "{jobs:?}");
    // What this project's own pipeline does on a push.
    for own in [Clone::new(), Clone::new().set("SHIPWAY_LAMBDA", "migrations")] {
        let jobs = own.jobs_after_change_of(script);
        assert_eq!(jobs, ["lint", "test", "bench"]);
    }
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
