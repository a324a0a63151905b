//! Who waits no longer: time-outs and interrupts.

use serde_json::json;

use crate::support::aws::{EcsScene, Script};

fn endless() -> Script {
    Script::begins().runs(&["working"]).holds().exits(0).stops()
}

fn is_running(scene: &EcsScene) {
    scene.wait_until("it is shown", |aws| aws.count("logs:GetLogEvents") > 0);
}

fn reason(scene: &EcsScene) -> String {
    let stops = scene.aws.calls_of("ecs:StopTask");
    assert_eq!(stops.len(), 1, "{}", scene.aws.recorded());
    stops[0].input["reason"].as_str().unwrap().to_owned()
}

/// Catches a migration that is killed in the middle because a job got impatient.
#[test]
fn a_timeout_leaves_the_task_alone() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless());
    let outcome = scene.run(&["--timeout", "500ms", "--format", "json"]).exited(7);
    let json = outcome.json();
    assert_eq!(json["status"], "timed_out");
    let text = outcome.stderr.clone();
    for words in [
        // As they can be given: with what says where the run is.
        "shipway status run-1 --cluster migrations --family flyway --lock",
        "shipway stop run-1 --cluster migrations --family flyway --lock",
        scene.aws.tasks()[0]["taskArn"].as_str().unwrap(),
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(scene.aws.count("ecs:StopTask"), 0);
    assert!(scene.lock().is_some(), "it still runs");
    assert_eq!(scene.records()[0]["status"], "running");
    scene.aws.proceed();
    scene.run(&[]).succeeded();
    scene.assert_recorded("succeeded");
}

/// Catches a task that is to be stopped and is not, or a stop that is told as the user's.
#[test]
fn a_timeout_stops_the_task_on_request() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless());
    let outcome = scene
        .run(&["--timeout", "500ms", "--on-timeout", "stop", "--format", "json"])
        .exited(5);
    let json = outcome.json();
    assert_eq!(json["status"], "stopped", "{json:#}");
    assert_eq!(json["exitCode"], 143);
    assert!(json["error"].as_str().unwrap().contains("0.5 s"), "{json:#}");
    assert!(reason(&scene).contains("0.5"), "{}", reason(&scene));
    scene.assert_recorded("stopped");
}

/// Catches a success that came in the last moment told as a stop.
#[test]
fn a_task_that_ends_well_while_it_is_stopped_is_a_success() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless().stopped_with(0));
    let json = scene
        .run(&["--timeout", "500ms", "--on-timeout", "stop", "--format", "json"])
        .exited(5)
        .json();
    // UserInitiated: nobody knows whether it had done all.
    assert_eq!(json["status"], "stopped", "{json:#}");
}

/// Catches a task that pulls for ever and is left behind: nothing ran, so it is always stopped.
#[test]
fn a_task_that_does_not_start_in_time_is_stopped() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::begins().holds());
    let outcome = scene.run(&["--start-timeout", "500ms", "--format", "json"]).exited(6);
    let json = outcome.json();
    assert_eq!(json["status"], "start_failed", "{json:#}");
    assert!(json["error"].as_str().unwrap().contains("0.5 s"), "{json:#}");
    assert!(reason(&scene).contains("0.5"));
    scene.assert_recorded("start_failed");
}

/// Catches an interrupted job that stops the migration, tells nothing, or tells success.
#[test]
fn termination_detaches() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless());
    let running = scene.start(&["--format", "json", "--receipt", "receipt.json", "--dotenv", "run.env"]);
    is_running(&scene);
    running.signal("TERM");
    let outcome = running.wait().exited(143);
    let json = outcome.json();
    assert_eq!(json["status"], "interrupted");
    assert!(outcome.stderr.contains("shipway status run-1"), "{outcome:#?}");
    assert_eq!(scene.aws.count("ecs:StopTask"), 0);
    let receipt = std::fs::read_to_string(scene.project.folder().join("receipt.json")).unwrap();
    assert!(receipt.contains("interrupted"), "{receipt}");
    scene.aws.proceed();
    scene.run(&[]).succeeded();
    scene.assert_recorded("succeeded");
}

/// Catches a second Ctrl-C that does not stop the task.
#[test]
fn who_interrupts_twice_stops_the_task() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless());
    let running = scene.start(&["--format", "json"]);
    is_running(&scene);
    running.signal("INT");
    let looks = scene.aws.count("ecs:DescribeTasks");
    scene.wait_until("it goes on looking", |aws| aws.count("ecs:DescribeTasks") > looks + 1);
    running.signal("INT");
    let outcome = running.wait().exited(130);
    assert_eq!(outcome.json()["status"], "interrupted", "{outcome:#?}");
    assert!(reason(&scene).contains("cancelled"));
    assert_eq!(scene.aws.tasks()[0]["desiredStatus"], "STOPPED");
}

/// Catches `--on-interrupt stop` that does not wait for the end, or keeps nothing.
#[test]
fn an_interrupt_stops_the_task_on_request() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless());
    let running = scene.start(&["--on-interrupt", "stop", "--format", "json"]);
    is_running(&scene);
    running.signal("TERM");
    let outcome = running.wait().exited(143);
    let json = outcome.json();
    assert_eq!(json["status"], "interrupted");
    assert_eq!(json["exitCode"], 143);
    assert!(reason(&scene).contains("cancelled"));
    scene.assert_recorded("stopped");
}

/// Catches an interrupt before the start that starts it all the same, or leaves a lock.
#[test]
fn an_interrupt_before_the_start_starts_nothing() {
    let scene = EcsScene::new();
    for _ in 0..500 {
        scene.aws.refuse_task("RESOURCE:CPU");
    }
    let running = scene.start(&["--format", "json"]);
    scene.wait_until("it waits for capacity", |aws| aws.count("ecs:RunTask") > 1);
    running.signal("TERM");
    let json = running.wait().exited(143).json();
    assert_eq!(json["status"], "interrupted");
    assert_eq!(scene.aws.tasks(), Vec::<serde_json::Value>::new());
    assert_eq!(scene.lock(), None);
}

/// Catches a stop by somebody else told as ours, or as a failure of the migration.
#[test]
fn a_stop_by_somebody_else_is_told() {
    let scene = EcsScene::new();
    scene.aws.next_task(endless());
    let running = scene.start(&["--format", "json"]);
    is_running(&scene);
    scene.aws.stop_task(0, "stopped at the console by dev");
    let json = running.wait().exited(5).json();
    assert_eq!(json["status"], "stopped");
    assert!(
        json["error"]
            .as_str()
            .unwrap()
            .contains("stopped at the console by dev"),
        "{json:#}"
    );
    assert_eq!(json["task"]["stopCode"], json!("UserInitiated"));
    scene.assert_recorded("stopped");
}
