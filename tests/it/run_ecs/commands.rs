//! `status`, `logs`, `stop` and `history`.

use serde_json::json;

use crate::support::aws::{EcsScene, Script, TABLE, definition};

fn held() -> Script {
    Script::begins()
        .runs(&["first", "second"])
        .holds()
        .then(&["third"])
        .exits(0)
        .stops()
}

/// A run that goes on, and nobody watches.
fn detached(script: Script) -> EcsScene {
    let scene = EcsScene::new();
    scene.aws.next_task(script);
    scene.run(&["--detach"]).succeeded();
    for _ in 0..4 {
        scene.aws.pass_time();
    }
    scene.aws.forget_calls();
    scene
}

/// Catches a status that starts something, or that does not keep an end it sees first.
#[test]
fn a_status_tells_and_keeps() {
    let scene = detached(held());
    let json = scene
        .command("status", &["run-1", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["status"], "running");
    assert_eq!(json["task"]["lastStatus"], "RUNNING");
    assert!(scene.lock().is_some());
    scene.aws.proceed();
    for _ in 0..8 {
        scene.aws.pass_time();
    }
    let outcome = scene.command("status", &["run-1"]).succeeded();
    assert!(outcome.stdout.contains("succeeded"), "{outcome:#?}");
    scene.assert_recorded("succeeded");
    assert_eq!(scene.aws.count("ecs:RunTask"), 0);
}

/// Catches a status whose exit status is not the run's.
#[test]
fn a_status_ends_as_the_run_did() {
    let scene = detached(Script::fails(3, &["no"]));
    for _ in 0..6 {
        scene.aws.pass_time();
    }
    for _ in 0..2 {
        let json = scene.command("status", &["run-1", "--format", "json"]).exited(5).json();
        assert_eq!(json["status"], "failed");
        assert_eq!(json["exitCode"], 3);
    }
    // After ECS has forgotten it, the table knows.
    scene.aws.forget_tasks();
    let json = scene.command("status", &["run-1", "--format", "json"]).exited(5).json();
    assert_eq!(json["status"], "failed");
    assert_eq!(json["exitCode"], 3);
    scene.command("status", &["nobody"]).failed().says(&["nobody"]).hints();
    scene.command("status", &["a/b"]).exited(2);
}

/// Catches a run that is "running" for ever, and one whose end is made up.
#[test]
fn a_run_that_ecs_has_forgotten_is_not_running_for_ever() {
    let scene = detached(held());
    scene.aws.forget_tasks();
    // ECS may not know yet what it has just made.
    let json = scene
        .command("status", &["run-1", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["status"], "running");
    let mut record = scene.records().remove(0);
    let begun = record["started_at"].as_i64().expect("it began");
    record["started_at"] = json!(begun - 2 * 3_600_000);
    scene.aws.put_item(TABLE, &record);
    let outcome = scene.command("status", &["run-1", "--format", "json"]);
    let outcome = outcome.exited(7).says(&["forgotten", "hint: look at the database"]);
    assert_eq!(outcome.json()["status"], "unknown");
    scene.assert_recorded("unknown");
    assert_eq!(scene.lock(), None, "nobody waits for it any more");
}

/// Catches lines that are lost or repeated.
#[test]
fn a_log_is_shown() {
    let scene = detached(held());
    let outcome = scene.command("logs", &["run-1"]).succeeded();
    assert_eq!(outcome.stdout, "first\nsecond\n");
    let follow = scene.arguments("logs", &["run-1", "--follow"]);
    let running = crate::support::outcome::Running::start(&mut scene.project.command(&follow), "");
    scene.wait_until("it is shown", |_| running.has_printed("second"));
    scene.aws.proceed();
    for _ in 0..6 {
        scene.aws.pass_time();
    }
    assert_eq!(running.wait().succeeded().stdout, "first\nsecond\nthird\n");
    scene.assert_recorded("succeeded");
    let json = scene.command("logs", &["run-1", "--format", "json"]).succeeded();
    let lines: Vec<serde_json::Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["first", "second", "third"]);
}

/// Catches a log that is lost with the task: CloudWatch keeps it for as long as it is told to, ECS the task for an hour.
#[test]
fn a_log_outlives_its_task() {
    for scene in [EcsScene::new(), EcsScene::via_function()] {
        let lines: Vec<String> = (0..1500).map(|number| format!("line {number:05}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        scene.aws.next_task(Script::fails(1, &lines));
        scene.run(&[]).exited(5);
        scene.aws.forget_tasks();
        let shown = scene.command("logs", &["run-1"]).succeeded().stdout;
        assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
        let shown = scene.command("logs", &["run-1", "--follow"]).succeeded().stdout;
        assert_eq!(shown.lines().count(), 1500, "it has ended");
        scene.command("stop", &["run-1"]).succeeded().says(&["over already"]);
        assert_eq!(scene.aws.count("ecs:StopTask"), 0);
    }
}

/// Catches a log that cannot be read told as one in which nothing is.
#[test]
fn a_log_that_may_not_be_read_is_an_error() {
    let scene = detached(held());
    scene.aws.deny("logs:GetLogEvents");
    let outcome = scene.command("logs", &["run-1"]).exited(1);
    let outcome = outcome.says(&["log", "logs:GetLogEvents"]);
    assert!(!outcome.stderr.contains("nothing so far"), "{outcome:#?}");
    let mut elsewhere = definition();
    elsewhere["containerDefinitions"][0]["logConfiguration"]["logDriver"] = "splunk".into();
    let scene = EcsScene::new();
    scene.aws.task_definition(&elsewhere);
    scene.run(&[]).succeeded();
    let outcome = scene.command("logs", &["run-1"]).succeeded();
    outcome.says(&["names no log group"]);
}

/// Catches a stop that is not asked for, or of a task that has ended.
#[test]
fn a_run_is_stopped() {
    let scene = detached(held());
    scene
        .command("stop", &["run-1", "--reason", "enough of it"])
        .succeeded()
        .says(&["shipway status run-1"]);
    let stops = scene.aws.calls_of("ecs:StopTask");
    assert!(stops[0].input["reason"].as_str().unwrap().contains("enough of it"));
    for _ in 0..6 {
        scene.aws.pass_time();
    }
    let json = scene.command("status", &["run-1", "--format", "json"]).exited(5).json();
    assert_eq!(json["status"], "stopped");
    scene.assert_recorded("stopped");
    scene.command("stop", &["run-1"]).succeeded().says(&["over"]);
    assert_eq!(scene.aws.count("ecs:StopTask"), 1);
    scene.command("stop", &["nobody"]).failed().says(&["nobody"]);
}

/// Catches a history that is incomplete, unordered, or wrong about how long runs took.
#[test]
fn runs_are_told_of() {
    let scene = EcsScene::new();
    scene.aws.page_of_items(2);
    scene.command("history", &[]).succeeded().says(&["no run"]);
    for (name, code) in [("run-1", 0), ("run-2", 1), ("run-3", 0), ("run-4", 137), ("run-5", 0)] {
        scene.aws.next_task(Script::fails(code, &["line"]));
        scene.run(&["--run-id", name]);
    }
    let json = scene.command("history", &["--format", "json"]).succeeded().json();
    let runs = json["runs"].as_array().unwrap();
    let names: Vec<_> = runs.iter().map(|run| run["runId"].as_str().unwrap()).collect();
    assert_eq!(names, ["run-5", "run-4", "run-3", "run-2", "run-1"], "{json:#}");
    let statuses: Vec<_> = runs.iter().map(|run| run["status"].clone()).collect();
    assert_eq!(
        statuses,
        [
            json!("succeeded"),
            json!("failed"),
            json!("succeeded"),
            json!("failed"),
            json!("succeeded")
        ]
    );
    let json = scene
        .command("history", &["--limit", "3", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["runs"].as_array().unwrap().len(), 3);
    let json = scene
        .command("history", &["run-2", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["runs"][0]["runId"], "run-2");
    let text = scene.command("history", &[]).succeeded().stdout;
    for word in ["run-1", "run-5", "failed", "succeeded"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let without = ["history", "--cluster", "migrations", "--family", "flyway"];
    scene.project.run(&without).exited(2).says(&["--lock"]).hints();
}

/// Catches commands about runs that do not say where runs are.
#[test]
fn where_runs_are_must_be_said() {
    let scene = EcsScene::new();
    for command in ["status", "logs", "stop"] {
        scene
            .project
            .run(&[command, "run-1"])
            .exited(2)
            .says(&["--cluster", "--via-lambda"])
            .hints();
    }
    scene.project.run(&["history"]).exited(2).says(&["--cluster"]);
    scene.aws.assert_silent();
}
