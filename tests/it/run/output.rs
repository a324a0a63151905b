//! What the program writes, and what is made of it.

use std::time::Duration;

use super::{IMAGE, json, project, run, start};
use crate::support::docker::FakeDocker;

/// Catches streams that are mixed, and bytes that are lost or changed.
#[test]
fn output_goes_where_the_program_wrote_it() {
    let docker = || {
        FakeDocker::with_images(&[IMAGE])
            .writes(1, b"one\n")
            .writes(2, b"two\r\n")
            .writes(1, b"no end")
    };
    let text = run(&docker(), &["--quiet"]).succeeded();
    assert_eq!((text.stdout.as_str(), text.stderr.as_str()), ("one\nno end", "two\r\n"));
    let as_json = run(&docker(), &["--quiet", "--format", "json"]).succeeded();
    assert_eq!(as_json.stderr, "one\ntwo\r\nno end\n");
    assert_eq!(json(&as_json)["status"], "succeeded");
}

/// Catches a command that ends when the container has, and not when the engine has handed on its last words.
#[test]
fn the_last_lines_are_waited_for() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .exits(1)
        .writes(1, b"first\n")
        .writes_after(Duration::from_millis(1500), 1, b"last\n");
    assert_eq!(run(&docker, &[]).exited(5).stdout, "first\nlast\n");
}

/// Catches output that is lost, or shown twice, when the connection to it breaks.
#[test]
fn output_goes_on_after_a_broken_connection() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .lives()
        .cuts_output_after(2)
        .writes(1, b"one\n")
        .writes(2, b"error\n")
        .writes(1, b"two\n")
        .writes(1, b"three\n");
    let running = start(&docker, &["--quiet"]);
    docker.until_asked("/logs");
    docker.end_all(0);
    let outcome = running.wait().succeeded();
    assert_eq!(outcome.stdout, "one\ntwo\nthree\n");
    assert_eq!(outcome.stderr, "error\n");
}

/// What Flyway wrote when a script of it failed.
const FLYWAY_OUTPUT: &[u8] = include_bytes!("../../../src/execute/report/fixtures/flyway-mariadb-broken.out");
const FLYWAY_ERROR: &[u8] = include_bytes!("../../../src/execute/report/fixtures/flyway-mariadb-broken.err");

/// Catches a failure whose script and line one has to look for in the log.
#[test]
fn a_failed_migration_is_named() {
    let docker = || {
        FakeDocker::with_images(&[IMAGE])
            .exits(1)
            .writes(1, FLYWAY_OUTPUT)
            .writes(2, FLYWAY_ERROR)
    };
    let text = run(&docker(), &[]).exited(5);
    assert_eq!(text.stdout.as_bytes(), FLYWAY_OUTPUT);
    let (_, told) = text
        .stderr
        .split_once("exit status 1\n")
        .expect("it is told how it ended");
    insta::assert_snapshot!(told, @"
    flyway applied 1 migration, 1.2 → 1.9
      1.9 fill
    error: orders:1 ran and failed: it exited with 1
      caused by: failed in V2__broken.sql line 5 (SQLSTATE 42S02, error 1146): Table 't_text.nothere' doesn't exist
    ");
    let quiet = run(&docker(), &["--quiet", "--format", "json"]).exited(5);
    let json = json(&quiet);
    insta::assert_snapshot!(json["migrations"], @r#"{"tool":"flyway","toolVersion":"12.4.0","initial":"1.2","target":"1.9","executed":[{"version":"1.9","description":"fill"}],"warnings":[],"error":{"message":"Table 't_text.nothere' doesn't exist","script":"/flyway/sql/V2__broken.sql","line":5,"sqlState":"42S02","errorCode":"1146"}}"#);
    let error = json["error"].as_str().unwrap();
    assert!(error.contains("V2__broken.sql line 5"), "{error}");
    assert!(!quiet.stderr.contains("flyway applied"), "{quiet:#?}");
}

/// Catches an end that is told while what the program wrote last still waits to be shown.
#[test]
fn the_end_is_told_after_the_last_line() {
    let mut docker = FakeDocker::with_images(&[IMAGE]).exits(1);
    for _ in 0..60 {
        docker = docker.writes(2, b"at work\n");
    }
    let outcome = run(&docker, &[]).exited(5);
    let (before, after) = outcome.stderr.split_once("finished after").expect("it is told");
    assert_eq!(before.matches("at work").count(), 60, "{outcome:#?}");
    assert!(after.contains("exit status 1"), "{outcome:#?}");
}

/// Catches a program that is no migration tool and is told as one, and a success that is not one.
#[test]
fn only_what_a_migration_tool_says_is_told() {
    let docker = FakeDocker::with_images(&[IMAGE]).writes(1, b"Migrating everything\nERROR: no\n");
    let outcome = run(&docker, &["--format", "json"]).succeeded();
    assert_eq!(json(&outcome).get("migrations"), None);

    let invalid = include_bytes!("../../../src/execute/report/fixtures/flyway-json-validate.out");
    let docker = FakeDocker::with_images(&[IMAGE]).writes(1, invalid);
    let outcome = run(&docker, &[]).succeeded();
    let note = "note: flyway says that it failed (VALIDATE_ERROR): Detected failed migration to version 2 (broken).";
    assert!(outcome.stderr.contains(note), "{outcome:#?}");
}

/// Catches a reader that has enough and takes the migration with it.
#[test]
fn a_closed_pipe_does_not_end_the_run() {
    let mut docker = FakeDocker::with_images(&[IMAGE]);
    for _ in 0..200 {
        docker = docker.writes(1, &[b'x'; 4096]);
    }
    let project = project(&docker);
    let program = env!("CARGO_BIN_EXE_shipway");
    let line = format!("{program} run --docker {IMAGE} --quiet --env A=1; echo $? >&3");
    let mut shell = project.command(&[]);
    let environment: Vec<_> = shell
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
        .collect();
    shell = std::process::Command::new("bash");
    shell
        .args(["-c", &format!("exec 3>status; ({line}) | head -c 1 >/dev/null")])
        .current_dir(project.folder())
        .env_clear();
    for (name, value) in environment {
        shell.env(name, value.unwrap_or_default());
    }
    assert!(shell.status().unwrap().success());
    let status = std::fs::read_to_string(project.folder().join("status")).unwrap();
    assert_eq!(status.trim(), "0");
    docker.assert_nothing_is_left();
}
