//! The same name is the same run: clients that are killed, jobs that are run again.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::aws::{CLUSTER, EcsScene, FAMILY, Script, TABLE, definition, failure};
use crate::support::outcome::{Outcome, Running};
use crate::support::registry::{Action, Fault};

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
        aws.tasks().last().is_some_and(|task| task["lastStatus"] == "RUNNING")
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

/// Catches `--detach` that gives up at once where others are to wait: for another run to end, and for capacity.
#[test]
fn who_detaches_waits_for_the_start() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    scene.run(&["--detach", "--run-id", "run-0"]).succeeded();
    scene.run(&["--detach"]).exited(4).says(&["run-0"]);
    let waiting = scene.start(&["--detach", "--wait-for-lock", "60s", "--format", "json"]);
    scene.wait_until("it waits", |_| waiting.has_printed("waiting: "));
    scene.aws.refuse_task("RESOURCE:CPU");
    scene.aws.proceed();
    let json = waiting.wait().succeeded().json();
    assert_eq!(json["status"], "running", "{json:#}");
    assert_eq!(json["attempt"], 2, "the first one found no capacity: {json:#}");
    assert_eq!(scene.aws.tasks().len(), 2);
    let scene = EcsScene::new();
    for _ in 0..500 {
        scene.aws.refuse_task("RESOURCE:CPU");
    }
    scene.run(&["--detach", "--start-timeout", "1s"]).exited(8);
    assert!(scene.aws.count("ecs:RunTask") > 1, "{}", scene.aws.recorded());
}

/// Catches a success told for another database, since the name was said and the variables are others.
#[test]
fn a_name_stands_for_its_variables() {
    let scene = EcsScene::new();
    let [one, other] = ["db1", "db2"].map(|host| format!("FLYWAY_URL=jdbc:mysql://{host}/a?password=s3cr3t-canary"));
    scene.run(&["--env", &one]).succeeded();
    scene.run(&["--env", &one]).succeeded().says(&["succeeded before"]);
    let refused = |scene: &EcsScene| {
        for more in [&["--env", other.as_str()][..], &[]] {
            let outcome = scene.run(more).exited(4).says(&["variables", "--run-id"]);
            assert!(!outcome.text().contains("canary"), "{outcome:#?}");
        }
    };
    refused(&scene);
    scene.aws.forget_tasks();
    refused(&scene);
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    scene.run(&["--env", &one]).succeeded().says(&["succeeded before"]);
}

/// Catches commands that look at the attempt the table knows, while a later one runs whose client was killed before it kept that.
#[test]
fn the_newest_attempt_is_the_run() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.run(&[]).exited(5);
    scene.aws.next_task(held());
    // The end of the first attempt is seen once more, and the lock is kept; then it is to name the task.
    let stall = Fault::on_operation("dynamodb:UpdateItem").with(Action::StallAfter(0));
    scene.aws.fault(stall.after(2));
    let killed = scene.start(&[]);
    scene.wait_until("it is started", |aws| aws.tasks().len() == 2);
    killed.signal("KILL");
    killed.wait();
    let json = scene
        .command("status", &["run-1", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&json["attempt"], &json["status"]),
        (&json!(2), &json!("running")),
        "{json:#}"
    );
    scene.command("stop", &["run-1"]).succeeded();
    assert_eq!(scene.aws.count("ecs:StopTask"), 1);
}

/// Catches a task that is told as never started, or that nobody follows, because the table failed once it ran.
#[test]
fn a_table_that_fails_does_not_hide_the_task() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let fault = failure(
        "dynamodb:UpdateItem",
        400,
        "ProvisionedThroughputExceededException",
        "no",
    )
    .times(2);
    // The first one is that the lock is still held.
    scene.aws.fault(fault.after(1));
    let running = scene.start(&["--retry", "0", "--format", "json"]);
    is_running(&scene);
    scene.aws.proceed();
    assert_eq!(running.wait().succeeded().json()["status"], "succeeded");
    scene.assert_recorded("succeeded");
    assert_eq!(scene.lock(), None);
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

/// `run` of this image under the name `run-1`, in this cluster, family and otherwise as said.
fn run_of(scene: &EcsScene, cluster: &str, family: &str, image: &str, more: &[&str]) -> Outcome {
    let place = [
        "run",
        "--cluster",
        cluster,
        "--family",
        family,
        "--lock",
        TABLE,
        "--poll",
        "0.02",
    ];
    let network = [
        "--subnet",
        "subnet-0a",
        "--security-group",
        "sg-01",
        "--run-id",
        "run-1",
    ];
    let rest = ["--format", "json", "--image", image];
    scene.project.run(&[&place[..], &network, &rest, more].concat())
}

/// Catches a database that is never migrated, since another one was in a run of the same name: a pipeline has one name for all its jobs.
#[test]
fn a_name_is_known_in_its_cluster_and_family_only() {
    let scene = EcsScene::new();
    scene.aws.cluster("production");
    let mut tenant = definition();
    tenant["family"] = "tenant".into();
    scene.aws.task_definition(&tenant);
    for (cluster, family) in [(CLUSTER, FAMILY), ("production", FAMILY), (CLUSTER, "tenant")] {
        let before = scene.aws.count("ecs:RunTask");
        let json = run_of(&scene, cluster, family, &scene.image, &[]).succeeded().json();
        assert_eq!(
            (&json["reused"], &json["attempt"]),
            (&json!(false), &json!(1)),
            "{cluster} {family}"
        );
        assert_eq!(scene.aws.count("ecs:RunTask"), before + 1, "{cluster} {family}");
        let json = run_of(&scene, cluster, family, &scene.image, &[]).succeeded().json();
        assert_eq!(json["reused"], true, "{cluster} {family}");
    }
    let tokens: BTreeSet<String> = scene
        .aws
        .calls_of("ecs:RunTask")
        .iter()
        .map(|call| call.input["clientToken"].to_string())
        .collect();
    assert_eq!(tokens.len(), 3, "ECS has one task for one token");
    // ECS forgets; the table tells the three apart.
    scene.aws.forget_tasks();
    for (cluster, family) in [(CLUSTER, FAMILY), ("production", FAMILY), (CLUSTER, "tenant")] {
        let place = [
            "status",
            "run-1",
            "--cluster",
            cluster,
            "--family",
            family,
            "--lock",
            TABLE,
            "--format",
            "json",
        ];
        let json = scene.project.run(&place).succeeded().json();
        assert!(
            json["task"]["definition"].as_str().unwrap().starts_with(family),
            "{json:#}"
        );
        let json = run_of(&scene, cluster, family, &scene.image, &[]).succeeded().json();
        assert_eq!(json["reused"], true, "{cluster} {family}");
    }
    assert_eq!(scene.aws.count("ecs:RunTask"), 3);
    // Where the family is not said, the name is enough.
    let place = [
        "status",
        "run-1",
        "--cluster",
        "production",
        "--family",
        "unknown",
        "--lock",
        TABLE,
    ];
    scene.project.run(&place).succeeded();
}

/// Catches a green job whose image has never run: the success of another image, or of another command, under the same name.
#[test]
fn a_success_of_something_else_is_not_ours() {
    let scene = EcsScene::new();
    let other = scene.image.replace(&"5".repeat(64), &"6".repeat(64));
    assert_ne!(other, scene.image);
    scene.run(&[]).succeeded();
    for is_forgotten in [false, true] {
        if is_forgotten {
            scene.aws.forget_tasks();
        }
        let outcome = run_of(&scene, CLUSTER, FAMILY, &other, &[]).exited(4);
        outcome.says(&["run-1", "another image", &scene.digest, "hint: "]);
        let outcome = run_of(&scene, CLUSTER, FAMILY, &scene.image, &["--", "info"]).exited(4);
        outcome.says(&["run-1", "another command", "info", "hint: "]);
    }
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    assert_eq!(scene.lock(), None);
    // Whoever asks for one more attempt says what it is of.
    scene.run(&["--rerun", "--", "info"]).succeeded();

    let scene = EcsScene::new();
    scene.aws.next_task(held());
    scene.run(&["--detach"]).succeeded();
    run_of(&scene, CLUSTER, FAMILY, &other, &[])
        .exited(4)
        .says(&["another image"]);
    run_of(&scene, CLUSTER, FAMILY, &other, &["--rerun"])
        .exited(4)
        .says(&["another image"]);
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
}

/// Catches a failed run that can never be mended under its name.
#[test]
fn a_failure_may_be_tried_again_with_another_image() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.run(&[]).exited(5);
    let other = scene.image.replace(&"5".repeat(64), &"6".repeat(64));
    let json = run_of(&scene, CLUSTER, FAMILY, &other, &[]).succeeded().json();
    assert_eq!((&json["attempt"], &json["image"]), (&json!(2), &json!(other)));
}
