//! How a run ends, and what is left of it.

use serde_json::Value;

use super::{IMAGE, json, run, start};
use crate::support::docker::{FakeDocker, Trouble};

/// Catches a verdict with another status than is documented.
#[test]
fn each_end_has_its_status() {
    for (docker, exit, status, code) in [
        (FakeDocker::with_images(&[IMAGE]), 0, "succeeded", 0),
        (FakeDocker::with_images(&[IMAGE]).exits(3), 5, "failed", 3),
        (FakeDocker::with_images(&[IMAGE]).exits(127), 5, "failed", 127),
        (
            FakeDocker::with_images(&[IMAGE]).out_of_memory(),
            5,
            "out_of_memory",
            137,
        ),
    ] {
        let outcome = run(&docker, &["--format", "json"]).exited(exit);
        let json = json(&outcome);
        assert_eq!(json["status"], status);
        assert_eq!(json["exitCode"], code);
        assert_eq!(json["schema"], "shipway.run/v1");
        assert!(json["digest"].as_str().unwrap().starts_with("orders@sha256:"), "{json}");
        assert!(json["container"]["name"].as_str().unwrap().starts_with("shipway-"));
        assert_eq!(json.get("error").is_some(), exit != 0);
        docker.assert_nothing_is_left();
    }
}

/// Catches a container that is left behind, or a wrong status, when the engine says no.
#[test]
fn what_never_started_is_told_apart() {
    for (at, status, exit) in [
        ("create", 400, 6),
        ("attach", 500, 6),
        ("start", 400, 6),
        ("start", 404, 6),
        ("create", 503, 8),
    ] {
        let docker = FakeDocker::with_images(&[IMAGE]).trouble(at, Trouble::Refuse(status, "no, since"));
        let outcome = run(&docker, &["--format", "json"]).exited(exit);
        assert!(outcome.stderr.contains("no, since"), "{at}: {outcome:#?}");
        assert_eq!(json(&outcome)["exitCode"], Value::Null, "{at}");
        docker.assert_nothing_is_left();
    }
}

/// Catches a run that is called a failure because of a connection, and one that is waited for without end.
#[test]
fn a_broken_connection_is_made_again() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .exits(4)
        .trouble("wait", Trouble::Cut)
        .trouble("wait", Trouble::Cut);
    let outcome = run(&docker, &["--format", "json"]).exited(5);
    assert_eq!(json(&outcome)["exitCode"], 4);
    assert_eq!(docker.requests("/wait").len(), 3);
    docker.assert_nothing_is_left();
}

/// Catches an end that is guessed.
#[test]
fn an_engine_that_is_lost_leaves_the_end_unknown() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .lives()
        .trouble("wait", Trouble::Vanish);
    let outcome = run(&docker, &["--format", "json"]).exited(7);
    let json = json(&outcome);
    let name = json["container"]["name"].as_str().unwrap();
    assert_eq!(json["status"], "unknown");
    assert_eq!(json["leftBehind"][0], name);
    assert!(outcome.stderr.contains(&format!("docker logs {name}")), "{outcome:#?}");
    // It may be at work on a database.
    assert_eq!(docker.containers(), [name]);
    assert!(docker.requests(name).is_empty(), "{:?}", docker.transcript());
}

/// Catches a start that was done and is called none, because its answer was lost.
#[test]
fn a_start_whose_answer_is_lost_is_looked_up() {
    let docker = FakeDocker::with_images(&[IMAGE]).trouble("start", Trouble::Cut);
    run(&docker, &[]).exited(8);
    docker.assert_nothing_is_left();

    let docker = FakeDocker::with_images(&[IMAGE])
        .exits(2)
        .writes(1, b"it ran\n")
        .trouble("start", Trouble::Mute);
    assert_eq!(run(&docker, &[]).exited(5).stdout, "it ran\n");
    docker.assert_nothing_is_left();
}

/// Catches a container that somebody else removed and that is waited for.
#[test]
fn a_container_that_is_gone_leaves_the_end_unknown() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .lives()
        .trouble("wait", Trouble::Refuse(404, "No such container"));
    let outcome = run(&docker, &[]).exited(7);
    assert!(outcome.stderr.contains("somebody else removed"), "{outcome:#?}");
}

/// Catches a removal that is given up at the first difficulty, and one whose failure nobody is told.
#[test]
fn a_removal_is_tried_again_and_its_failure_is_told() {
    let docker = FakeDocker::with_images(&[IMAGE]).trouble("delete", Trouble::Refuse(409, "in progress"));
    run(&docker, &[]).succeeded();
    docker.assert_nothing_is_left();

    let mut docker = FakeDocker::with_images(&[IMAGE]);
    for _ in 0..20 {
        docker = docker.trouble("delete", Trouble::Refuse(500, "device is busy"));
    }
    let outcome = run(&docker, &["--format", "json"]).succeeded();
    let name = docker.containers().remove(0);
    assert!(
        outcome.stderr.contains(&format!("docker rm --force --volumes {name}")),
        "{outcome:#?}"
    );
    assert_eq!(json(&outcome)["leftBehind"][0], name);
}

#[test]
fn ctrl_c_stops_and_removes() {
    for (signal, exit) in [("INT", 130), ("TERM", 143), ("HUP", 143)] {
        let docker = FakeDocker::with_images(&[IMAGE]).lives();
        let running = start(&docker, &["--stop-timeout", "7", "--format", "json"]);
        docker.until_asked("/wait");
        running.signal(signal);
        let outcome = running.wait().exited(exit);
        assert_eq!(json(&outcome)["status"], "interrupted");
        assert_eq!(json(&outcome)["exitCode"], 143);
        assert_eq!(docker.requests("/stop")[0].query["t"], "7");
        assert!(docker.requests("/kill").is_empty());
        docker.assert_nothing_is_left();
    }
}

/// Catches a second Ctrl-C that waits with the first.
#[test]
fn a_second_ctrl_c_kills() {
    let docker = FakeDocker::with_images(&[IMAGE]).ignores_stop();
    let running = start(&docker, &["--stop-timeout", "86400", "--format", "json"]);
    docker.until_asked("/wait");
    running.signal("INT");
    docker.until_asked("/stop");
    running.signal("INT");
    let outcome = running.wait().exited(130);
    assert_eq!(json(&outcome)["exitCode"], 137);
    docker.assert_nothing_is_left();
}

#[test]
fn ctrl_c_before_the_start_leaves_nothing() {
    let docker = FakeDocker::with_images(&[IMAGE, "db:1"]).answers("SELECT 1", 1, "not yet");
    let running = start(
        &docker,
        &["--database", "mysql", "--database-image", "db:1", "--format", "json"],
    );
    docker.until_asked("/exec");
    running.signal("INT");
    let outcome = running.wait().exited(130);
    assert_eq!(json(&outcome)["exitCode"], Value::Null);
    assert!(!outcome.stderr.contains("note:"), "{outcome:#?}");
    docker.assert_nothing_is_left();
}
