//! From the wish to have a task to one task: capacity, conflicts, lost answers, and a service that is slow to know.

use serde_json::json;

use crate::support::aws::{EcsScene, Script, TABLE, failure};
use crate::support::registry::{Action, Fault};

const NO_CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";
const RUN_TASK: &str = "ecs:RunTask";

fn tokens(scene: &EcsScene) -> Vec<String> {
    let calls = scene.aws.calls_of(RUN_TASK).into_iter();
    calls
        .map(|call| call.input["clientToken"].as_str().unwrap().to_owned())
        .collect()
}

/// Catches more questions before the task than it takes: two lists, the definition, the registration.
#[test]
fn four_calls_to_ecs_before_the_task() {
    let scene = EcsScene::new();
    scene.run(&[]).succeeded();
    let mut calls = scene.aws.calls_before_run_task();
    calls.sort();
    assert_eq!(
        calls,
        [
            "ecs:DescribeTaskDefinition",
            "ecs:ListTasks",
            "ecs:ListTasks",
            "ecs:RegisterTaskDefinition"
        ]
    );
    assert_eq!(
        scene.aws.count("ecs:DescribeTaskDefinition"),
        1,
        "{}",
        scene.aws.recorded()
    );
}

/// Catches a lock that is taken after the task was started, or let go before its end is kept.
#[test]
fn the_lock_encloses_the_task() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::begins().runs(&[]).holds().exits(0).stops());
    let running = scene.start(&[]);
    scene.wait_until("the task runs", |aws| {
        aws.tasks().first().is_some_and(|task| task["lastStatus"] == "RUNNING")
    });
    scene.wait_until("the lock names the task", |_| {
        scene.lock().is_some_and(|lock| !lock["task_arn"].is_null())
    });
    let lock = scene.lock().unwrap();
    assert_eq!(lock["task_arn"], scene.aws.tasks()[0]["taskArn"]);
    assert_eq!(lock["run_id"], "run-1");
    assert_eq!(scene.records()[0]["status"], "running");
    scene.aws.proceed();
    running.wait().succeeded();
    scene.assert_recorded("succeeded");
    let order: Vec<_> = scene.aws.calls().into_iter().map(|call| call.operation).collect();
    let first = |name: &str| order.iter().position(|other| other == name).unwrap();
    let last = |name: &str| order.iter().rposition(|other| other == name).unwrap();
    assert!(first("dynamodb:PutItem") < first(RUN_TASK), "{order:#?}");
    assert!(
        first("ecs:RegisterTaskDefinition") > first("dynamodb:PutItem"),
        "nothing is made for nothing: {order:#?}"
    );
    assert!(last("dynamodb:UpdateItem") < last("dynamodb:DeleteItem"), "{order:#?}");
}

/// Catches capacity that is not asked for again, with the same token, or without a look at what runs.
#[test]
fn capacity_is_asked_for_again() {
    for reason in [NO_CAPACITY, "RESOURCE:MEMORY", "RESOURCE:ENI"] {
        let scene = EcsScene::new();
        scene.aws.refuse_task(reason);
        scene.aws.refuse_task(reason);
        let json = scene.run(&["--format", "json"]).succeeded().json();
        assert_eq!(json["attempt"], 3, "{reason}");
        let tokens = tokens(&scene);
        assert_eq!(tokens.len(), 3, "{}", scene.aws.recorded());
        assert!(
            tokens[0] != tokens[1] && tokens[1] != tokens[2],
            "a token answers what it answered: {tokens:?}"
        );
        let order: Vec<_> = scene.aws.calls().into_iter().map(|call| call.operation).collect();
        let between: Vec<_> = order.split(|name| name == RUN_TASK).collect();
        for part in &between[1..3] {
            assert!(part.contains(&"ecs:ListTasks".to_owned()), "{order:#?}");
        }
        assert_eq!(
            scene.aws.count("ecs:RegisterTaskDefinition"),
            1,
            "one revision for all attempts"
        );
        scene.assert_recorded("succeeded");
    }
}

/// Catches quotas told as mistakes of the user's.
#[test]
fn quotas_are_waited_for() {
    for message in [
        "You've reached the limit on the number of vCPUs you can run concurrently",
        "You've reached the limit on the number of tasks that can be in the PROVISIONING state",
    ] {
        let scene = EcsScene::new();
        scene.aws.fault(failure(RUN_TASK, 400, "ClientException", message));
        let json = scene.run(&["--format", "json"]).succeeded().json();
        assert_eq!(json["attempt"], 2, "{message}");
    }
}

/// Catches a lack that lasts told as a failure of the migration, or a lock that stays.
#[test]
fn capacity_that_does_not_come_is_temporary() {
    let scene = EcsScene::new();
    for _ in 0..200 {
        scene.aws.refuse_task(NO_CAPACITY);
    }
    let outcome = scene.run(&["--format", "json", "--start-timeout", "1s"]).exited(8);
    let json = outcome.json();
    assert_eq!(json["status"], "no_capacity", "{json:#}");
    assert!(json["error"].as_str().unwrap().contains(NO_CAPACITY), "{json:#}");
    assert_eq!(scene.lock(), None);
    assert!(
        scene.records().iter().all(|record| record["status"] != "running"),
        "{:#?}",
        scene.records()
    );
}

/// Catches a failure that is taken for a proof that nothing runs: several tasks at once (apache/airflow#16150).
#[test]
fn a_failure_does_not_prove_that_nothing_started() {
    let scene = EcsScene::new();
    scene.aws.hide_task(NO_CAPACITY);
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["attempt"], 1);
    assert_eq!(scene.aws.tasks().len(), 1);
    assert_eq!(scene.aws.count(RUN_TASK), 1);
    scene.assert_recorded("succeeded");
}

/// Catches a refusal for good that is tried again, or its reason lost.
#[test]
fn other_failures_are_told() {
    for reason in [
        "PlatformTaskDefinitionIncompatibilityException",
        "Blocked: your account is currently blocked",
        "AGENT-UNHEARD-OF",
    ] {
        let scene = EcsScene::new();
        scene.aws.refuse_task(reason);
        let json = scene.run(&["--format", "json"]).exited(6).json();
        assert_eq!(json["status"], "start_failed");
        assert!(json["error"].as_str().unwrap().contains(reason), "{json:#}");
        assert_eq!(scene.aws.count(RUN_TASK), 1);
        assert_eq!(scene.lock(), None, "{reason}");
    }
    for (code, message) in [
        ("InvalidParameterException", "The subnet ID 'subnet-0a' does not exist"),
        (
            "PlatformUnknownException",
            "The specified platform version does not exist.",
        ),
    ] {
        let scene = EcsScene::new();
        scene.aws.fault(failure(RUN_TASK, 400, code, message).always());
        let outcome = scene.run(&[]).failed().says(&[message]);
        assert!(![Some(5), Some(7), Some(8)].contains(&outcome.status), "{outcome:#?}");
        assert_eq!(scene.aws.count(RUN_TASK), 1);
        assert_eq!(scene.lock(), None, "{code}");
    }
    let scene = EcsScene::new();
    let arguments = [
        "run",
        "--cluster",
        "nowhere",
        "--lock",
        TABLE,
        "--subnet",
        "subnet-0a",
        "--image",
        &scene.image,
    ];
    scene
        .project
        .run(&arguments)
        .failed()
        .says(&["nowhere", "cluster", "hint: "]);
    assert_eq!(scene.lock(), None);
}

/// Catches what passes told as what does not.
#[test]
fn throttling_is_waited_for_everywhere() {
    for operation in [
        "ecs:DescribeTaskDefinition",
        "ecs:RegisterTaskDefinition",
        RUN_TASK,
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "logs:GetLogEvents",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
    ] {
        let code = match operation.starts_with("dynamodb") {
            true => "ProvisionedThroughputExceededException",
            false => "ThrottlingException",
        };
        let scene = EcsScene::new();
        let fault = scene.aws.fault(failure(operation, 400, code, "Rate exceeded").times(2));
        scene.run(&[]).succeeded();
        assert!(fault.struck(), "{operation}");
        assert_eq!(scene.aws.tasks().len(), 1, "{operation}");
        scene.assert_recorded("succeeded");
    }
}

/// Catches a service that is down for good told as anything but temporary, as long as nothing runs.
#[test]
fn a_service_that_is_down_before_the_start_is_temporary() {
    for operation in ["ecs:DescribeTaskDefinition", "ecs:ListTasks", "dynamodb:PutItem"] {
        let scene = EcsScene::new();
        scene
            .aws
            .fault(failure(operation, 500, "ServerException", "internal").always());
        scene.run(&["--retry", "1"]).exited(8);
        assert_eq!(scene.aws.count(RUN_TASK), 0, "{operation}");
    }
}

/// Catches a lock that is let go, and a second task, after an answer that says nothing: of a load balancer, or half of one.
#[test]
fn an_answer_that_says_nothing_is_no_refusal() {
    for fault in [
        Fault::on_operation(RUN_TASK)
            .respond(502, "", "<html>Bad Gateway</html>")
            .always(),
        failure(RUN_TASK, 500, "SomethingNew", "no").always(),
    ] {
        let scene = EcsScene::new();
        scene.aws.fault(fault);
        scene.run(&["--retry", "0"]).exited(8);
        assert!(scene.lock().is_some(), "whether something runs is not known");
        assert_eq!(scene.aws.count(RUN_TASK), 4, "{}", scene.aws.recorded());
    }
}

/// Catches a task that was started and forgotten because the answer got lost.
#[test]
fn a_lost_answer_is_no_second_task() {
    let scene = EcsScene::new();
    let fault = scene.aws.fault(Fault::on_operation(RUN_TASK).with(Action::CutAfter(0)));
    scene.run(&[]).succeeded();
    assert!(fault.struck());
    assert_eq!(scene.aws.tasks().len(), 1);
    let tokens = tokens(&scene);
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    scene.assert_recorded("succeeded");
    // Each other answer that may get lost.
    for operation in [
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "ecs:RegisterTaskDefinition",
    ] {
        let scene = EcsScene::new();
        scene
            .aws
            .fault(Fault::on_operation(operation).with(Action::CutAfter(0)));
        scene.run(&[]).succeeded();
        assert_eq!(scene.aws.tasks().len(), 1, "{operation}");
        scene.assert_recorded("succeeded");
    }
}

/// Catches a task that is there, under our own token, and not attached to: it was started with something else just before, and no list
/// has it yet.
#[test]
fn a_conflict_is_the_task_itself() {
    let scene = EcsScene::new();
    // Four lists: two of the first client, two of the second.
    scene.aws.next_task(Script::succeeds(&["of the first"]).unlisted(4));
    let stall = Fault::on_operation(RUN_TASK).with(Action::StallAfter(0));
    scene.aws.fault(stall);
    let first = scene.start(&["--cpu", "512"]);
    scene.wait_until("it is started", |aws| !aws.tasks().is_empty());
    first.signal("KILL");
    first.wait();
    let outcome = scene.run(&["--format", "json"]).succeeded();
    let json = outcome.json();
    assert_eq!(scene.aws.calls_of(RUN_TASK)[1].status, 400, "{}", scene.aws.recorded());
    assert_eq!(json["reused"], true, "{json:#}");
    assert_eq!(json["logs"]["tail"], json!(["of the first"]));
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.assert_recorded("succeeded");
}

/// Catches a task that ECS does not show yet taken for one that is gone.
#[test]
fn a_task_is_missing_at_first() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::succeeds(&["late but there"]).missing(3));
    scene.run(&[]).succeeded().shows(&["late but there"]);
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.assert_recorded("succeeded");
}

/// Catches a service that is out of reach for a while taken for the end of the run.
#[test]
fn an_outage_in_the_middle_is_lived_through() {
    let scene = EcsScene::new();
    scene
        .aws
        .next_task(Script::begins().runs(&["one"]).idles(3).exits(0).stops());
    let fault = failure("ecs:DescribeTasks", 503, "ServiceUnavailable", "try later")
        .after(3)
        .times(6);
    scene.aws.fault(fault);
    scene.run(&["--retry", "1"]).succeeded();
    scene.assert_recorded("succeeded");
}
