//! How a task ends, and what becomes of it: the exit status, the JSON, the record and the lock.

use serde_json::{Value, json};

use crate::support::aws::{EcsScene, Script};
use crate::support::outcome::Outcome;

/// The JSON of a run that ended so.
fn ended(script: Script, exit: i32, status: &str) -> (EcsScene, Outcome, Value) {
    let scene = EcsScene::new();
    scene.aws.next_task(script);
    let outcome = scene.run(&["--format", "json"]).exited(exit);
    let json = outcome.json();
    assert_eq!(json["schema"], "shipway.run/v1");
    assert_eq!(json["status"], status, "{json:#}");
    assert_eq!(json["runId"], "run-1");
    assert_eq!(json["attempt"], 1);
    scene.assert_recorded(status);
    (scene, outcome, json)
}

fn killed(stop_code: &str, code: i64) -> Script {
    Script::begins()
        .runs(&["Migrating schema"])
        .exits(code)
        .with("stopCode", stop_code)
        .with("stoppedReason", "it went away")
        .stops()
}

/// Catches a success that is not told, recorded or paid for once.
#[test]
fn success_is_proved() {
    let (scene, outcome, json) = ended(Script::succeeds(&["one", "two"]), 0, "succeeded");
    assert_eq!(json["exitCode"], 0);
    assert_eq!(json["image"], scene.image.as_str());
    assert_eq!(json["digestVerified"], true);
    assert_eq!(json["task"]["stopCode"], "EssentialContainerExited");
    assert_eq!(json["logs"]["tail"], json!(["one", "two"]));
    assert_eq!(json["logs"]["complete"], true);
    assert_eq!(json.get("error"), None);
    assert!(json["timings"]["runSeconds"].as_f64().unwrap() >= 1.9, "{json:#}");
    assert!(
        outcome.stderr.contains("one\n"),
        "with JSON on standard output, lines go to standard error: {}",
        outcome.stderr
    );
    let record = scene.assert_recorded("succeeded");
    for (name, value) in [
        ("run_id", json!("run-1")),
        ("attempt", json!(1)),
        ("exit_code", json!(0)),
        ("image", json!(scene.image)),
        ("task_arn", json["task"]["arn"].clone()),
        ("task_definition", json!("flyway:2")),
        ("environment", json!("migrations")),
    ] {
        assert_eq!(record[name], value, "{name}: {record:#}");
    }
    assert!(
        record["ended_at"].as_i64().unwrap() > record["started_at"].as_i64().unwrap(),
        "{record:#}"
    );
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    assert_eq!(scene.aws.count("ecs:StopTask"), 0);
}

/// Catches each row of the table that is taken for another one.
#[test]
fn each_other_end_is_its_own() {
    let oom = Script::fails(137, &[]);
    for (name, script, exit, status, words) in [
        (
            "failed",
            Script::fails(1, &["ERROR: Migration failed"]),
            5,
            "failed",
            "exited with 1",
        ),
        (
            "out of memory",
            Script::begins()
                .runs(&[])
                .exits(137)
                .container("reason", "OutOfMemoryError: Container killed due to memory usage")
                .stops(),
            5,
            "out_of_memory",
            "OutOfMemoryError",
        ),
        ("killed by somebody else", oom, 5, "failed", "exited with 137"),
        (
            "spot",
            killed("SpotInterruption", 143),
            5,
            "infrastructure",
            "SpotInterruption",
        ),
        (
            "host",
            killed("TerminationNotice", 137),
            5,
            "infrastructure",
            "TerminationNotice",
        ),
        (
            "health",
            killed("InfrastructureHealth", 0),
            5,
            "infrastructure",
            "InfrastructureHealth",
        ),
        ("stopped", killed("UserInitiated", 143), 5, "stopped", "143"),
        (
            "stopped, and ended well",
            killed("UserInitiated", 0),
            5,
            "stopped",
            "stopped",
        ),
        (
            "service",
            killed("ServiceSchedulerInitiated", 0),
            7,
            "unknown",
            "ServiceSchedulerInitiated",
        ),
        (
            "a code that is new",
            killed("SomethingNew", 0),
            7,
            "unknown",
            "SomethingNew",
        ),
    ] {
        let (_, outcome, json) = ended(script, exit, status);
        assert!(json["error"].as_str().unwrap().contains(words), "{name}: {json:#}");
        assert!(!json["hints"].as_array().unwrap().is_empty(), "{name}: {json:#}");
        assert!(outcome.stderr.contains("hint: "), "{name}: {outcome:#?}");
    }
}

/// Catches an exit status that is not there taken for 0 (ecspresso#534, digdag#1724, Airflow#53083).
#[test]
fn no_exit_status_is_no_success() {
    for (name, script) in [
        (
            "null",
            Script::begins()
                .runs(&[])
                .exits(0)
                .container("exitCode", Value::Null)
                .stops(),
        ),
        (
            "null, and no reason for anything",
            Script::begins()
                .runs(&[])
                .exits(0)
                .container("exitCode", Value::Null)
                .with("stopCode", Value::Null)
                .with("stoppedReason", Value::Null)
                .stops(),
        ),
    ] {
        let (_, _, json) = ended(script, 6, "start_failed");
        assert_eq!(json["exitCode"], Value::Null, "{name}");
    }
    // An exit status without a stop code, at the end of all.
    let script = Script::begins()
        .runs(&[])
        .exits(0)
        .with("stopCode", Value::Null)
        .stops();
    ended(script, 7, "unknown");
}

/// Catches a container's reason lost behind "Essential container in task exited" (mapbox/ecs-watchbot#108), and an error without a way out.
#[test]
fn a_task_that_does_not_start_says_why() {
    for (reason, words) in [
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref: not found",
            "AmazonECSTaskExecutionRolePolicy",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
            "secretsmanager:GetSecretValue",
        ),
        (
            "CannotStartContainerError: exec /flyway: no such file or directory",
            "runtimePlatform",
        ),
        ("CannotCreateVolumeError: it is not there", "volume"),
        (
            "ContainerRuntimeTimeoutError: Could not transition to started; timed out after waiting 3m0s",
            "may be run again",
        ),
    ] {
        let script = Script::fails_to_start("Task failed to start").container("reason", reason);
        let (_, outcome, json) = ended(script, 6, "start_failed");
        let error = json["error"].as_str().unwrap();
        assert!(error.contains(reason), "{json:#}");
        assert!(
            error.find(reason) < error.find("Task failed to start"),
            "the container's reason first: {error}"
        );
        assert!(json["hints"].to_string().contains(words), "{json:#}");
        assert!(outcome.stderr.contains(words), "{outcome:#?}");
        let (_, _, json) = ended(Script::fails_to_start(reason), 6, "start_failed");
        assert!(json["error"].as_str().unwrap().contains(reason), "{json:#}");
    }
    let script = Script::fails_to_start("stopped").with("stopCode", "UserInitiated");
    let (_, _, json) = ended(script, 6, "start_failed");
    assert!(json["error"].as_str().unwrap().contains("UserInitiated"), "{json:#}");
}

/// Catches the end of another container taken for that of the migration (geekcell#33, ecspresso#105).
#[test]
fn the_container_that_is_watched_counts() {
    let sidecar = |essential: bool| {
        let mut sidecar = crate::support::aws::container("proxy");
        sidecar["essential"] = essential.into();
        sidecar
    };
    let scene_with = |sidecar: Value| {
        let scene = EcsScene::new();
        let mut definition = crate::support::aws::definition();
        definition["containerDefinitions"]
            .as_array_mut()
            .unwrap()
            .insert(0, sidecar);
        scene.aws.task_definition(&definition);
        scene
    };
    let scene = scene_with(sidecar(false));
    scene
        .aws
        .next_task(Script::succeeds(&["from flyway"]).watching("flyway"));
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["container"]["name"], "flyway");
    assert_eq!(
        json["logs"]["tail"],
        json!(["from flyway"]),
        "the other container ended with 137"
    );

    let scene = scene_with(sidecar(true));
    scene
        .run(&[])
        .exited(2)
        .says(&["proxy", "flyway", "--container"])
        .hints();
    assert_eq!(scene.aws.count("ecs:RunTask"), 0);
    assert_eq!(scene.aws.count("ecs:RegisterTaskDefinition"), 0);
    assert_eq!(scene.lock(), None);
    scene.aws.next_task(Script::fails(3, &[]).watching("flyway"));
    let json = scene
        .run(&["--container", "flyway", "--format", "json"])
        .exited(5)
        .json();
    assert_eq!(json["exitCode"], 3);
}

/// Catches a verdict that waits until the network is taken down, or comes before the stop code.
#[test]
fn the_verdict_comes_as_soon_as_it_can() {
    // STOPPED never comes: it would hang.
    let script = Script::begins().runs(&["well"]).exits(0).idles(50);
    let (scene, _, json) = ended(script, 0, "succeeded");
    assert_eq!(json["task"]["lastStatus"], "DEPROVISIONING");
    assert!(scene.aws.count("ecs:DescribeTasks") < 40, "{}", scene.aws.recorded());
    // The exit status is there before anybody knows why it ended.
    let script = Script::begins()
        .runs(&[])
        .at("DEACTIVATING")
        .container("exitCode", 0)
        .container("lastStatus", "STOPPED")
        .exits(0)
        .with("stopCode", "SpotInterruption")
        .stops();
    ended(script, 5, "infrastructure");
}

/// Catches a run that says the right image ran because the right one was asked for.
#[test]
fn what_was_pulled_is_compared() {
    let other = format!("sha256:{}", "6".repeat(64));
    let scene = EcsScene::new().with_registry();
    scene.aws.next_task(Script::succeeds(&[]).pulls(&json!(other)));
    let json = scene.run(&["--format", "json"]).exited(5).json();
    assert_eq!(json["status"], "digest_mismatch", "{json:#}");
    assert_eq!(json["digestVerified"], false);
    assert!(json["error"].as_str().unwrap().contains(&other), "{json:#}");
    assert_eq!(scene.lock(), None);
    // Of an image for several platforms, the one for the task's own.
    let scene = EcsScene::new().with_registry();
    let child = scene.child();
    scene.aws.next_task(Script::succeeds(&[]).pulls(&json!(child)));
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["digestVerified"], true, "{json:#}");
    // A place that says nothing of it is no mismatch.
    let scene = EcsScene::new();
    scene.aws.next_task(Script::succeeds(&[]).pulls(&Value::Null));
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["digestVerified"], Value::Null);
}

/// Catches migrations that are not read from the log, as text and as JSON spread over events.
#[test]
fn the_log_of_flyway_is_understood() {
    let json_lines: Vec<String> = serde_json::to_string_pretty(&json!({
        "initialSchemaVersion": "1", "targetSchemaVersion": "3", "schemaName": "orders", "migrations": [
            {"category": "Versioned", "version": "2", "description": "add total", "type": "SQL",
             "filepath": "/flyway/sql/V2__add_total.sql", "executionTime": 12},
            {"category": "Versioned", "version": "3", "description": "add note", "type": "SQL",
             "filepath": "/flyway/sql/V3__add_note.sql", "executionTime": 7}],
        "migrationsExecuted": 2, "success": true, "flywayVersion": "10.0.0", "database": "orders", "warnings": [],
        "databaseType": "MySQL", "operation": "migrate",
    }))
    .unwrap()
    .lines()
    .map(str::to_owned)
    .collect();
    let lines: Vec<&str> = json_lines.iter().map(String::as_str).collect();
    let (scene, outcome, json) = ended(Script::succeeds(&lines), 0, "succeeded");
    let migrations = &json["migrations"];
    assert_eq!(migrations["initial"], "1", "{json:#}");
    assert_eq!(migrations["target"], "3");
    assert_eq!(migrations["executed"].as_array().unwrap().len(), 2);
    assert!(outcome.stderr.contains("2 migrations"), "{outcome:#?}");
    assert_eq!(scene.assert_recorded("succeeded")["report"]["target"], "3");

    let text = [
        "Flyway Community Edition 10.0.0 by Redgate",
        "Database: jdbc:mysql://db/orders (MySQL 8.4)",
        "Current version of schema `orders`: 2",
        "Migrating schema `orders` to version \"3 - add note\"",
        "ERROR: Migration of schema `orders` to version \"3 - add note\" failed! Please restore backups and roll back database and code!",
        "ERROR: Script V3__add_note.sql failed",
        "------------------------------",
        "SQL State  : 42S22",
        "Error Code : 1054",
        "Message    : Unknown column 'nothing' in 'field list'",
        "Location   : /flyway/sql/V3__add_note.sql (/flyway/sql/V3__add_note.sql)",
        "Line       : 12",
        "Statement  : UPDATE orders SET note = nothing",
    ];
    let (scene, outcome, json) = ended(Script::fails(1, &text), 5, "failed");
    let error = &json["migrations"]["error"];
    assert_eq!(error["line"], 12, "{json:#}");
    assert!(
        error["script"].as_str().unwrap().contains("V3__add_note.sql"),
        "{json:#}"
    );
    assert!(error.to_string().contains("42S22"), "{json:#}");
    for words in ["V3__add_note.sql", "12", "42S22", "hint: --diagnose info"] {
        assert!(
            outcome
                .stderr
                .rsplit("UPDATE orders SET note = nothing")
                .next()
                .unwrap()
                .contains(words),
            "{outcome:#?}"
        );
    }
    assert_eq!(scene.assert_recorded("failed")["report"]["error"]["line"], 12);
}
