//! Which events reach whom.

use serde_json::{Value, json};

use super::stack::Stack;

/// An event of ECS about a task of the stack.
fn event(stack: &Stack, change: impl FnOnce(&mut Value)) -> Value {
    let mut detail = json!({
        "clusterArn": Stack::arn("ecs", &format!("cluster/{}", stack.name)), "group": format!("family:{}-flyway", stack.name),
        "taskArn": Stack::arn("ecs", &format!("task/{}/0a", stack.name)), "lastStatus": "STOPPED", "desiredStatus": "STOPPED",
        "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "flyway", "lastStatus": "STOPPED", "exitCode": 0}],
    });
    change(&mut detail);
    json!({
        "version": "0", "id": "3317b2af", "detail-type": "ECS Task State Change", "source": "aws.ecs", "account": super::stack::ACCOUNT,
        "time": "2026-11-23T09:00:00Z", "region": crate::aws::account::REGION, "resources": [], "detail": detail,
    })
}

/// Catches a failure that nobody is told of, a success that wakes people up, and what belongs to others.
#[test]
#[ignore = "needs ministack and the command line of AWS: ci/test.sh"]
fn each_rule_takes_what_it_is_for() {
    let stack = Stack::deploy("template-rules", &[]);
    let pattern = |rule: &str| {
        let told = stack.aws(&["events", "describe-rule", "--name", &format!("{}-{rule}", stack.name)]);
        told["EventPattern"].as_str().expect("a text").to_owned()
    };
    let (stopped, failed) = (pattern("stopped"), pattern("failed"));
    let exits = |code: i64| move |detail: &mut Value| detail["containers"][0]["exitCode"] = json!(code);
    let never_started = |detail: &mut Value| {
        detail["stopCode"] = json!("TaskFailedToStart");
        detail["containers"] = json!([{"name": "flyway", "lastStatus": "STOPPED"}]);
    };
    let by_somebody = |detail: &mut Value| {
        detail["stopCode"] = json!("UserInitiated");
        detail["containers"][0]["exitCode"] = json!(143);
    };
    let without_a_status =
        |detail: &mut Value| detail["containers"] = json!([{"name": "flyway", "lastStatus": "STOPPED"}]);
    let of_spot = |detail: &mut Value| detail["stopCode"] = json!("SpotInterruption");
    let runs = |detail: &mut Value| {
        detail["lastStatus"] = json!("RUNNING");
        detail.as_object_mut().expect("an object").remove("stopCode");
    };
    let elsewhere = |detail: &mut Value| {
        detail["clusterArn"] = json!(Stack::arn("ecs", "cluster/other"));
        detail["containers"][0]["exitCode"] = json!(1);
    };
    let of_a_service = |detail: &mut Value| {
        detail["group"] = json!("service:web");
        detail["containers"][0]["exitCode"] = json!(1);
    };
    for (what, event, is_kept, is_mailed) in [
        ("success", event(&stack, exits(0)), true, false),
        ("failure", event(&stack, exits(1)), true, true),
        ("killed", event(&stack, exits(137)), true, true),
        ("never started", event(&stack, never_started), true, true),
        ("stopped by somebody", event(&stack, by_somebody), true, true),
        ("no exit status", event(&stack, without_a_status), true, true),
        ("taken by spot", event(&stack, of_spot), true, true),
        ("running", event(&stack, runs), false, false),
        ("another cluster", event(&stack, elsewhere), false, false),
        ("a service", event(&stack, of_a_service), false, false),
    ] {
        for (rule, pattern, expected) in [("stopped", &stopped, is_kept), ("failed", &failed, is_mailed)] {
            let question = json!({ "EventPattern": pattern, "Event": event.to_string() });
            let told = stack.ask("events", "AWSEvents.TestEventPattern", &question);
            assert_eq!(told["Result"], expected, "{what}, rule {rule}");
        }
    }
}
