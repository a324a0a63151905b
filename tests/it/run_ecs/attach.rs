//! The same name is the same run: clients that are killed, jobs that are run again.

use serde_json::json;

use crate::support::aws::{EcsScene, Script};
use crate::support::outcome::Running;

fn held() -> Script {
    Script::begins()
        .runs(&["first line"])
        .holds()
        .then(&["last line"])
        .exits(0)
        .stops()
}

fn is_running(scene: &EcsScene) {
    scene.wait_until("the task runs", |aws| {
        aws.tasks().first().is_some_and(|task| task["lastStatus"] == "RUNNING")
    });
}

/// Catches a second task after a client that was killed, lines that are lost, and another result.
#[test]
fn a_killed_client_attaches_again() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let first = scene.start(&[]);
    is_running(&scene);
    scene.wait_until("it is recorded", |_| !scene.records().is_empty());
    first.signal("KILL");
    assert_eq!(first.wait().status, None);
    let second = scene.start(&["--format", "json"]);
    scene.wait_until("it is looked at again", |aws| aws.count("ecs:ListTasks") >= 4);
    scene.aws.proceed();
    let outcome = second.wait().succeeded();
    let json = outcome.json();
    assert_eq!(json["reused"], true);
    assert_eq!(json["attempt"], 1);
    assert_eq!(
        json["logs"]["tail"],
        json!(["first line", "last line"]),
        "from the first line on"
    );
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    assert_eq!(scene.aws.count("ecs:RegisterTaskDefinition"), 1);
    scene.assert_recorded("succeeded");
}

/// Catches a client that is killed between any two calls, and leaves what no other can clear up.
#[test]
fn a_client_killed_anywhere_is_made_up_for() {
    use crate::support::registry::{Action, Fault};
    for (operation, after) in [
        ("dynamodb:PutItem", 0),
        ("ecs:RegisterTaskDefinition", 0),
        ("ecs:RunTask", 0),
        ("dynamodb:UpdateItem", 0),
        ("dynamodb:PutItem", 1),
        ("dynamodb:UpdateItem", 1),
        ("ecs:DescribeTasks", 0),
        ("dynamodb:UpdateItem", 2),
        ("dynamodb:DeleteItem", 0),
    ] {
        // Before it is done, and after: the client waits for the answer as long as it lives.
        for action in [Action::Stall, Action::StallAfter(0)] {
            let scene = EcsScene::new();
            let fault = scene
                .aws
                .fault(Fault::on_operation(operation).after(after).with(action));
            let first = scene.start(&[]);
            scene.wait_until(operation, |_| fault.struck());
            scene.wait_until("it is done", |aws| aws.calls_of(operation).len() > after);
            first.signal("KILL");
            first.wait();
            let outcome = scene.run(&["--format", "json"]).succeeded();
            assert_eq!(scene.aws.tasks().len(), 1, "{operation} {after}: {outcome:#?}");
            scene.assert_recorded("succeeded");
        }
    }
}

/// Catches a success that is run twice.
#[test]
fn a_success_is_not_run_again() {
    let scene = EcsScene::new();
    let first = scene.run(&["--format", "json"]).succeeded().json();
    let outcome = scene.run(&["--format", "json"]).succeeded();
    let second = outcome.json();
    assert_eq!(second["reused"], true);
    assert_eq!(second["status"], "succeeded");
    assert_eq!(second["task"]["arn"], first["task"]["arn"]);
    assert!(outcome.stderr.contains("--rerun"), "{outcome:#?}");
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    // ECS forgets within an hour or so; the table does not.
    scene.aws.forget_tasks();
    let third = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(third["reused"], true);
    assert_eq!(scene.aws.count("ecs:RunTask"), 1, "{}", scene.aws.recorded());
    scene.assert_recorded("succeeded");
}

/// Catches a rerun that is refused, or is the first attempt once more.
#[test]
fn a_rerun_is_another_attempt() {
    let scene = EcsScene::new();
    scene.run(&[]).succeeded();
    let json = scene.run(&["--rerun", "--format", "json"]).succeeded().json();
    assert_eq!(json["attempt"], 2);
    assert_eq!(json["reused"], false);
    assert_eq!(scene.aws.tasks().len(), 2);
    let records = scene.records();
    assert_eq!(records.len(), 2, "{records:#?}");
    assert_eq!(scene.lock(), None);
}

/// Catches a failure that is reported again instead of tried again, or tried with the token of the first attempt.
#[test]
fn a_failure_is_tried_again() {
    for is_forgotten in [false, true] {
        let scene = EcsScene::new();
        scene.aws.next_task(Script::fails(1, &["no"]));
        scene.run(&[]).exited(5);
        if is_forgotten {
            scene.aws.forget_tasks();
        }
        let json = scene.run(&["--format", "json"]).succeeded().json();
        assert_eq!(json["attempt"], 2, "{is_forgotten}");
        assert_eq!(scene.aws.count("ecs:RunTask"), 2);
        assert_eq!(
            scene.aws.count("ecs:RegisterTaskDefinition"),
            1,
            "it is that image already"
        );
        let mut ends: Vec<_> = scene.records().iter().map(|record| record["status"].clone()).collect();
        ends.sort_by_key(ToString::to_string);
        assert_eq!(ends, ["failed", "succeeded"]);
        assert_eq!(scene.lock(), None);
    }
}

/// Catches an end that nobody has seen and that the next start does not keep.
#[test]
fn an_end_nobody_saw_is_kept_by_the_next_start() {
    for (code, is_again) in [(0, false), (1, true)] {
        let scene = EcsScene::new();
        scene
            .aws
            .next_task(Script::begins().runs(&["line"]).exits(code).stops());
        scene.run(&["--detach"]).succeeded();
        assert!(scene.lock().is_some());
        for _ in 0..10 {
            scene.aws.pass_time();
        }
        scene.run(&[]).succeeded();
        assert_eq!(scene.aws.tasks().len(), 1 + usize::from(is_again));
        assert_eq!(scene.lock(), None, "{code}");
        let statuses: Vec<_> = scene.records().iter().map(|record| record["status"].clone()).collect();
        assert!(!statuses.contains(&json!("running")), "{statuses:?}");
    }
}

/// Catches `--detach` that waits, or tells nothing to find the run by.
#[test]
fn who_detaches_finds_the_run_again() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let outcome = scene
        .run(&["--detach", "--format", "json", "--dotenv", "run.env"])
        .succeeded();
    let json = outcome.json();
    assert_eq!(json["status"], "running");
    assert!(outcome.stderr.contains("shipway status run-1"), "{outcome:#?}");
    let dotenv = std::fs::read_to_string(scene.project.folder().join("run.env")).unwrap();
    assert!(dotenv.contains("SHIPWAY_RUN_ID=run-1\n"), "{dotenv}");
    assert!(dotenv.contains("SHIPWAY_RUN_STATUS=running\n"), "{dotenv}");
    assert_eq!(scene.records()[0]["status"], "running");
    scene.aws.proceed();
    scene.run(&[]).succeeded().shows(&["last line"]);
    scene.assert_recorded("succeeded");
}

/// Catches two clients of one run that start two tasks, or quarrel about its end.
#[test]
fn two_clients_of_one_run_see_the_same() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let clients: Vec<Running> = (0..3).map(|_| scene.start(&["--format", "json"])).collect();
    is_running(&scene);
    scene.wait_until("all look at it", |aws| aws.count("ecs:DescribeTasks") > 20);
    scene.aws.proceed();
    for client in clients {
        assert_eq!(client.wait().succeeded().json()["status"], "succeeded");
    }
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.assert_recorded("succeeded");
}

/// Catches lists that are read to their first page only.
#[test]
fn a_run_is_found_on_any_page() {
    let scene = EcsScene::new();
    scene.aws.page_of_tasks(1);
    for code in [1, 2, 3] {
        scene.aws.next_task(Script::fails(code, &[]));
        scene.run(&[]).exited(5);
    }
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["attempt"], 4);
}
