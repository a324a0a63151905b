//! One run at a time.

use serde_json::{Value, json};

use crate::support::aws::{CLUSTER, EcsScene, FAMILY, Script, TABLE, failure};

fn held() -> Script {
    Script::begins().runs(&["working"]).holds().exits(0).stops()
}

fn lock_item(more: &Value) -> Value {
    let now = jiff::Timestamp::now().as_second();
    let mut item = json!({
        "pk": format!("lock#{FAMILY}#{CLUSTER}"), "sk": "lock", "run_id": "other", "attempt": 1, "taken_at": now - 10,
        "claimed_until": now + 110, "requested_by": "gitlab:group/project#9",
    });
    for (name, value) in more.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

/// Catches two migrations at once, a busy run that is told as a failure, and one that starts something.
#[test]
fn another_run_is_refused() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let first = scene.start(&[]);
    scene.wait_until("the lock names the task", |_| {
        scene.lock().is_some_and(|lock| !lock["task_arn"].is_null())
    });
    let outcome = scene.run(&["--run-id", "run-2", "--format", "json"]).exited(4);
    let json = outcome.json();
    assert_eq!(json["status"], "busy");
    let error = json["error"].as_str().unwrap();
    assert!(error.contains("run-1"), "{json:#}");
    assert!(
        error.contains(scene.aws.tasks()[0]["taskArn"].as_str().unwrap()),
        "{json:#}"
    );
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    assert_eq!(
        scene.aws.count("ecs:RegisterTaskDefinition"),
        1,
        "nothing is registered for a run that is refused"
    );
    assert_eq!(scene.lock().unwrap()["run_id"], "run-1", "it is still the first one's");
    scene.aws.proceed();
    first.wait().succeeded();
    scene.run(&["--run-id", "run-2"]).succeeded();
    assert_eq!(scene.lock(), None);
}

/// Catches a wait that does not end when the other run does, or does not begin.
#[test]
fn another_run_is_waited_for() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let first = scene.start(&[]);
    scene.wait_until("the lock names the task", |_| {
        scene.lock().is_some_and(|lock| !lock["task_arn"].is_null())
    });
    let second = scene.start(&["--run-id", "run-2", "--wait-for-lock", "60s"]);
    let asked = scene.aws.count("dynamodb:PutItem");
    scene.wait_until("the second asks again", |aws| aws.count("dynamodb:PutItem") > asked + 3);
    assert_eq!(scene.aws.count("ecs:RunTask"), 1);
    scene.aws.proceed();
    first.wait().succeeded();
    second.wait().succeeded().says(&["run-1"]);
    assert_eq!(scene.aws.tasks().len(), 2);
    assert_eq!(scene.lock(), None);
}

/// Catches a lock whose task has stopped, and that nobody lets go.
#[test]
fn a_lock_of_a_task_that_has_stopped_is_taken_over_and_its_end_is_kept() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.run(&["--detach"]).succeeded();
    for _ in 0..10 {
        scene.aws.pass_time();
    }
    assert!(scene.lock().is_some());
    scene.run(&["--run-id", "run-2"]).succeeded();
    assert_eq!(scene.lock(), None);
    let ends: Vec<_> = scene
        .records()
        .iter()
        .map(|record| (record["run_id"].clone(), record["status"].clone()))
        .collect();
    assert!(ends.contains(&(json!("run-1"), json!("failed"))), "{ends:?}");
    assert!(ends.contains(&(json!("run-2"), json!("succeeded"))), "{ends:?}");
}

/// Catches a lock that is taken over because it is old, although its task runs.
#[test]
fn a_lock_of_a_task_that_runs_is_never_taken_over() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    scene.run(&["--detach"]).succeeded();
    scene.aws.pass_time();
    let mut lock = scene.lock().unwrap();
    lock["taken_at"] = json!(1_000_000_000);
    lock["claimed_until"] = json!(1_000_000_100);
    scene.aws.put_item(TABLE, &lock);
    scene.run(&["--run-id", "run-2"]).exited(4);
    assert_eq!(scene.lock().unwrap()["run_id"], "run-1");
    assert_eq!(scene.aws.tasks().len(), 1);
}

/// Catches a holder that has no task yet and is robbed, or one that is gone and is waited for, for ever.
#[test]
fn a_holder_without_a_task_is_believed_for_a_while() {
    let scene = EcsScene::new();
    scene.aws.put_item(TABLE, &lock_item(&json!({})));
    scene.run(&[]).exited(4).says(&["other"]);
    assert_eq!(scene.aws.count("ecs:RunTask"), 0);
    let past = jiff::Timestamp::now().as_second() - 5;
    scene.aws.put_item(TABLE, &lock_item(&json!({"claimed_until": past})));
    scene.run(&[]).succeeded();
    assert_eq!(scene.lock(), None);
}

/// Catches a lock without a task although there is one: its owner was killed right after it had started it.
#[test]
fn a_task_the_lock_does_not_name_is_looked_for() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    scene.run(&["--detach"]).succeeded();
    scene.aws.pass_time();
    let past = jiff::Timestamp::now().as_second() - 500;
    scene
        .aws
        .put_item(TABLE, &lock_item(&json!({"run_id": "run-1", "claimed_until": past})));
    scene.run(&["--run-id", "run-2"]).exited(4).says(&["run-1"]);
    assert_eq!(scene.aws.tasks().len(), 1);
}

/// Catches two runs that start at the same moment and both get the lock.
#[test]
fn one_of_many_at_once_is_started() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let names = ["run-a", "run-b", "run-c", "run-d"];
    let clients: Vec<_> = names.iter().map(|name| scene.start(&["--run-id", name])).collect();
    // Three are refused, and end.
    scene.wait_until("one runs", |aws| {
        aws.tasks().first().is_some_and(|task| task["lastStatus"] == "RUNNING")
    });
    scene.wait_until("all have asked", |aws| {
        let puts = aws.calls_of("dynamodb:PutItem");
        names
            .iter()
            .all(|name| puts.iter().any(|call| call.input.to_string().contains(name)))
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    scene.aws.proceed();
    let mut ends: Vec<_> = clients.into_iter().map(|client| client.wait().status).collect();
    ends.sort();
    assert_eq!(ends, [Some(0), Some(4), Some(4), Some(4)]);
    assert_eq!(scene.aws.tasks().len(), 1);
    assert_eq!(scene.lock(), None);
}

/// Catches a task that is asked for although the lock is somebody else's by now: what came before took too long.
#[test]
fn who_lost_the_lock_starts_nothing() {
    let scene = EcsScene::new();
    let fault = failure("ecs:RegisterTaskDefinition", 500, "ServerException", "internal").times(2);
    scene.aws.fault(fault);
    let slow = scene.start(&["--retry-delay", "1", "--format", "json"]);
    scene.wait_until("it registers", |aws| aws.count("ecs:RegisterTaskDefinition") > 0);
    assert_eq!(scene.lock().unwrap()["run_id"], "run-1");
    scene.aws.put_item(TABLE, &lock_item(&json!({})));
    let outcome = slow.wait().exited(4);
    assert_eq!(outcome.json()["status"], "busy", "{outcome:#?}");
    assert!(outcome.stderr.contains("other"), "{outcome:#?}");
    assert_eq!(scene.aws.count("ecs:RunTask"), 0);
    assert_eq!(scene.lock().unwrap()["run_id"], "other", "it stays theirs");
}

/// Catches an unlock of a lock that is somebody else's by now.
#[test]
fn a_lock_of_another_is_not_let_go() {
    let scene = EcsScene::new();
    scene.aws.next_task(held());
    let first = scene.start(&[]);
    scene.wait_until("the lock names the task", |_| {
        scene.lock().is_some_and(|lock| !lock["task_arn"].is_null())
    });
    scene.aws.put_item(TABLE, &lock_item(&json!({})));
    scene.aws.proceed();
    first.wait().succeeded();
    assert_eq!(scene.lock().unwrap()["run_id"], "other");
}

/// Catches a run without a table that does not look around, or writes somewhere.
#[test]
fn without_a_table_tasks_of_the_family_are_looked_at() {
    let scene = EcsScene::new();
    let without = |name: &str, more: &[&str]| {
        let mut all = vec![
            "run",
            "--cluster",
            CLUSTER,
            "--family",
            FAMILY,
            "--poll",
            "0.02",
            "--subnet",
            "subnet-0a",
            "--image",
            &scene.image,
            "--run-id",
            name,
        ];
        all.extend(more);
        scene.project.run(&all)
    };
    without("run-1", &[]).succeeded();
    let input = json!({"cluster": CLUSTER, "taskDefinition": "flyway:1", "startedBy": "console"});
    let arn = scene.aws.foreign_task(&input, held());
    scene.aws.pass_time();
    without("run-2", &[]).exited(4).says(&[&arn, "--lock"]);
    without("run-2", &["--lock", "none"]).succeeded();
    assert_eq!(scene.aws.items(TABLE), Vec::<Value>::new());
    let dynamo = scene
        .aws
        .calls()
        .into_iter()
        .filter(|call| call.operation.starts_with("dynamodb:"));
    assert_eq!(dynamo.count(), 0);
}

/// Catches a table of somebody else's that is written to, and one that is not there told as something else.
#[test]
fn a_wrong_table_is_named() {
    let scene = EcsScene::new();
    scene.aws.put_item(
        TABLE,
        &json!({"pk": format!("lock#{FAMILY}#{CLUSTER}"), "sk": "lock", "what": "else"}),
    );
    scene.run(&[]).failed().says(&["not written by shipway"]);
    let scene = EcsScene::new();
    let outcome = scene.project.run(&[
        "run",
        "--cluster",
        CLUSTER,
        "--lock",
        "nowhere",
        "--subnet",
        "subnet-0a",
        "--image",
        &scene.image,
        "--run-id",
        "run-1",
    ]);
    outcome.failed().says(&["nowhere", "hint: "]);
    assert_eq!(scene.aws.count("ecs:RunTask"), 0);
}
