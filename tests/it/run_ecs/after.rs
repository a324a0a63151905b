//! After a failure: looking into it, and repairing what may be repaired.

use serde_json::{Value, json};

use crate::support::aws::{EcsScene, Script};

const FAILED: &str = include_str!("../../../src/execute/report/fixtures/ask-failed.out");
const MISMATCH: &str = include_str!("../../../src/execute/report/fixtures/ask-mismatch.out");

fn commands(scene: &EcsScene) -> Vec<Value> {
    let calls = scene.aws.calls_of("ecs:RunTask").into_iter();
    calls
        .map(|call| call.input["overrides"]["containerOverrides"][0]["command"].clone())
        .collect()
}

fn failing(more: Vec<Script>) -> EcsScene {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::fails(1, &["ERROR: Migration failed"]));
    for script in more {
        scene.aws.next_task(script);
    }
    scene
}

fn said(text: &str, code: i64) -> Script {
    let lines: Vec<&str> = text.lines().collect();
    Script::fails(code, &lines)
}

/// Catches a diagnosis that is not run, takes the lock, is recorded as a run, or changes what came of the run.
#[test]
fn a_failure_is_looked_into() {
    for command in ["info", "validate"] {
        let scene = failing(vec![Script::succeeds(&["| Versioned | 3 | add note | Failed |"])]);
        let outcome = scene.run(&["--diagnose", command, "--format", "json"]).exited(5);
        let json = outcome.json();
        assert_eq!(json["status"], "failed");
        assert_eq!(json["diagnosis"]["command"], command);
        assert_eq!(
            json["diagnosis"]["lines"],
            json!(["| Versioned | 3 | add note | Failed |"])
        );
        assert!(outcome.stderr.contains("add note"), "{outcome:#?}");
        assert!(
            !outcome.stderr.contains("--diagnose"),
            "advised what was done: {outcome:#?}"
        );
        assert_eq!(commands(&scene), [Value::Null, json!([command])]);
        scene.assert_recorded("failed");
        let image = |index: usize| scene.aws.tasks()[index]["containers"][0]["image"].clone();
        assert_eq!(image(0), image(1), "the same image says it");
    }
}

/// Catches a diagnosis or a repair that sees nothing because nobody wanted to read what the run itself writes.
#[test]
fn a_failure_is_looked_into_without_its_log() {
    let scene = failing(vec![
        Script::succeeds(&["| Versioned | 3 | add note | Failed |"]),
        said(FAILED, 1),
        Script::succeeds(&["Repair of failed migration"]),
        Script::succeeds(&["applied"]),
    ]);
    let outcome = scene.run(&[
        "--logs",
        "none",
        "--diagnose",
        "info",
        "--repair",
        "failed-only",
        "--format",
        "json",
    ]);
    let outcome = outcome.succeeded();
    let json = outcome.json();
    assert_eq!(
        json["diagnosis"]["lines"],
        json!(["| Versioned | 3 | add note | Failed |"])
    );
    assert_eq!(json["repair"]["repaired"], true, "{json:#}");
    assert!(!outcome.text().contains("applied\n"), "nobody wanted it: {outcome:#?}");
}

/// Catches a repair that is refused because a value that is masked is part of what Flyway says.
#[test]
fn what_is_masked_is_understood_all_the_same() {
    let scene = failing(vec![
        said(FAILED, 1),
        Script::succeeds(&["Repair of failed migration"]),
        Script::succeeds(&["applied"]),
    ]);
    let outcome = scene.run(&[
        "--env",
        "FLYWAY_OUT_OF_ORDER=false",
        "--repair",
        "failed-only",
        "--format",
        "json",
    ]);
    assert_eq!(outcome.succeeded().json()["repair"]["repaired"], true);
}

/// Catches what ran after a repair that nobody compares with what was asked for.
#[test]
fn what_runs_after_a_repair_is_compared_too() {
    let other = json!(format!("sha256:{}", "6".repeat(64)));
    let scene = failing(vec![
        said(FAILED, 1),
        Script::succeeds(&["Repair of failed migration"]),
        Script::succeeds(&["applied"]).pulls(&other),
    ])
    .with_registry();
    let outcome = scene.run(&["--repair", "failed-only", "--format", "json"]).exited(5);
    assert_eq!(outcome.json()["status"], "digest_mismatch", "{outcome:#?}");
}

/// Catches a diagnosis of a success, or of what never ran.
#[test]
fn nothing_is_looked_into_where_there_is_nothing() {
    for (script, exit) in [
        (Script::default(), 0),
        (Script::fails_to_start("CannotPullContainerError: no"), 6),
    ] {
        let scene = EcsScene::new();
        scene.aws.next_task(script);
        scene
            .run(&["--diagnose", "info", "--repair", "failed-only"])
            .exited(exit);
        assert_eq!(scene.aws.tasks().len(), 1);
    }
    let scene = failing(vec![]);
    scene.run(&[]).exited(5);
    assert_eq!(scene.aws.tasks().len(), 1, "nothing unless it is asked for");
}

/// Catches a diagnosis that fails and takes the place of the failure.
#[test]
fn a_diagnosis_that_fails_changes_nothing() {
    for script in [
        Script::fails(1, &["no"]),
        Script::fails_to_start("ResourceInitializationError: no"),
    ] {
        let scene = failing(vec![script]);
        let json = scene.run(&["--diagnose", "info", "--format", "json"]).exited(5).json();
        assert_eq!(json["status"], "failed");
        scene.assert_recorded("failed");
    }
}

/// Catches a repair that is not asked about first, is not a run of its own, or after which nothing is migrated.
#[test]
fn one_failed_row_is_repaired() {
    let scene = failing(vec![
        said(FAILED, 1),
        Script::succeeds(&["Repair of failed migration"]),
        Script::succeeds(&["applied"]),
    ]);
    let outcome = scene.run(&["--repair", "failed-only", "--format", "json"]).succeeded();
    let json = outcome.json();
    assert_eq!(json["status"], "succeeded", "{json:#}");
    assert_eq!(json["repair"]["repaired"], true, "{json:#}");
    assert_eq!(json["attempt"], 2);
    let commands = commands(&scene);
    assert_eq!(commands.len(), 4, "{commands:?}");
    assert!(
        commands[1].to_string().contains("info") && commands[1].to_string().contains("-outputType=json"),
        "{commands:?}"
    );
    assert_eq!(commands[2], json!(["repair"]));
    assert_eq!(commands[3], Value::Null);
    let mut ends: Vec<_> = scene
        .records()
        .iter()
        .map(|record| record["status"].as_str().unwrap().to_owned())
        .collect();
    ends.sort();
    assert_eq!(ends, ["failed", "succeeded", "succeeded"], "the repair is kept too");
    assert_eq!(scene.lock(), None);
}

/// Catches a repair of what it would mark as deleted, or realign: everything but one failed row.
#[test]
fn nothing_else_is_repaired() {
    for (name, answer) in [
        ("a mismatch", said(MISMATCH, 1)),
        ("no answer", Script::succeeds(&["nothing to see"])),
        ("half an answer", said(&FAILED[..FAILED.len() / 2], 1)),
        (
            "it did not start",
            Script::fails_to_start("CannotPullContainerError: no"),
        ),
    ] {
        let scene = failing(vec![answer]);
        let json = scene
            .run(&["--repair", "failed-only", "--format", "json"])
            .exited(5)
            .json();
        assert_eq!(json["status"], "failed", "{name}");
        assert_eq!(json["repair"]["repaired"], false, "{name}: {json:#}");
        assert!(!json["repair"]["reason"].as_str().unwrap().is_empty(), "{name}");
        assert_eq!(scene.aws.tasks().len(), 2, "{name}: {:?}", commands(&scene));
        scene.assert_recorded("failed");
    }
}

/// Catches a repair that fails and is followed by a migration.
#[test]
fn a_repair_that_fails_ends_it() {
    let scene = failing(vec![said(FAILED, 1), Script::fails(1, &["no"])]);
    let json = scene
        .run(&["--repair", "failed-only", "--format", "json"])
        .exited(5)
        .json();
    assert_eq!(json["repair"]["repaired"], false, "{json:#}");
    assert_eq!(scene.aws.tasks().len(), 3);
    assert_eq!(scene.lock(), None);
}
