//! Rights that are missing and keys that are old: named, before anything is left behind.

use crate::support::aws::{ACCOUNT, EcsScene, Script};

const DEV: &str = "arn:aws:iam::123456789012:user/dev";

/// Catches a refusal that names neither the right nor who lacks it, leaves a lock, or is told as a failure of the migration.
#[test]
fn a_missing_right_is_named() {
    for right in [
        "ecs:DescribeTaskDefinition",
        "ecs:ListTasks",
        "ecs:RegisterTaskDefinition",
        "iam:PassRole",
        "ecs:TagResource",
        "ecs:RunTask",
        "dynamodb:PutItem",
        "dynamodb:GetItem",
    ] {
        let scene = EcsScene::new();
        scene.aws.deny(right);
        scene.run(&[]).exited(1).says(&[right, DEV]).hints();
        assert_eq!(scene.aws.tasks().len(), 0, "{right}");
        assert_eq!(scene.lock(), None, "{right}");
    }
}

/// Catches a task that is started, cannot be watched, and is told as failed.
#[test]
fn a_task_that_may_not_be_watched_is_unknown() {
    let scene = EcsScene::new();
    scene.aws.deny("ecs:DescribeTasks");
    let outcome = scene.run(&[]);
    assert_eq!(outcome.status, Some(7), "{outcome:#?}");
    outcome.says(&["ecs:DescribeTasks", "shipway status run-1"]);
    assert_eq!(scene.aws.tasks().len(), 1);
    assert!(scene.lock().is_some(), "it may run");
}

/// Catches a stop that is refused and told as done.
#[test]
fn a_task_that_may_not_be_stopped_is_told() {
    let scene = EcsScene::new();
    scene.aws.deny("ecs:StopTask");
    scene.aws.next_task(Script::begins().runs(&[]).holds());
    scene.run(&["--detach"]).succeeded();
    scene.command("stop", &["run-1"]).exited(1).says(&["ecs:StopTask"]);
}

/// Catches an old session told as anything else, before the start and in the middle of a run.
#[test]
fn expired_credentials_are_named() {
    let rights = [
        "ecs:DescribeTaskDefinition",
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "logs:GetLogEvents",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    ];
    let scene = EcsScene::new();
    let key = scene.aws.session(ACCOUNT, "ci", "job");
    scene.aws.allow_only(&key, &rights);
    scene.aws.expire(&key);
    let scene = scene.with_keys(&key);
    scene.run(&[]).exited(1).says(&["expired"]).hints();
    assert_eq!(scene.aws.tasks().len(), 0);

    let scene = EcsScene::new();
    let key = scene.aws.session(ACCOUNT, "ci", "job");
    scene.aws.allow_only(&key, &rights);
    let scene = scene.with_keys(&key);
    scene.aws.next_task(Script::begins().runs(&["on its way"]).holds());
    let running = scene.start(&[]);
    scene.wait_until("it runs", |aws| aws.count("logs:GetLogEvents") > 1);
    scene.aws.expire(&key);
    let outcome = running.wait();
    assert_eq!(outcome.status, Some(7), "{outcome:#?}");
    outcome.says(&["expired", "shipway status run-1"]);
    assert_eq!(scene.aws.count("ecs:StopTask"), 0);
}
