//! What a run through the function needs.

use super::*;
use crate::support::aws::Said;

fn examine(scene: &EcsScene) -> Outcome {
    examined(scene, scene.command("doctor", &[]))
}

/// Catches a caller that needs other rights than to call the function.
#[test]
fn a_function_that_answers_is_well() {
    let scene = EcsScene::via_function();
    scene.aws.allow(&QUESTIONS);
    let outcome = examine(&scene);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["function:", FUNCTION]);
    for name in ["cluster:", "task definition:", "network:", "log:", "table:"] {
        assert_marked(&outcome, "ok", &[name]);
    }
    assert_eq!(scene.aws.count("lambda:InvokeFunction"), 1);
}

/// Catches a function that is there and could not run anything.
#[test]
fn what_the_function_lacks_is_told() {
    let scene = EcsScene::via_function_with(&[("ENV_CLUSTER", "")]);
    assert_fails(&examine(&scene), &["function:", "ENV_CLUSTER"]);
    for right in ["ecs:ListTasks", "logs:GetLogEvents", "dynamodb:GetItem"] {
        let scene = EcsScene::via_function();
        scene.aws.allow(&QUESTIONS);
        scene.aws.deny(right);
        assert_fails(&examine(&scene), &[right, "shipway-runner"]);
    }
    // It runs without a table all the same.
    let scene = EcsScene::via_function_with(&[("SHIPWAY_TABLE", "")]);
    scene.aws.allow(&QUESTIONS);
    let outcome = examine(&scene);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "warn", &["table:", "SHIPWAY_TABLE"]);
}

/// Catches a function of an earlier version told as broken, although runs go through it.
#[test]
fn a_function_that_cannot_look_tells_of_its_last_run() {
    let unknown = Said::Failed(
        "InvalidRequest",
        "there is no action \"check\"\nhint: there are: start, history",
    );
    let records = json!({"shipway": {"schema": "shipway.lambda/v1", "ok": true, "records": [{"run_id": "gl-7-123"}]}});
    let scene = EcsScene::via_script(&[unknown.clone(), Said::Returned(records)]);
    let outcome = examine(&scene);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["table:", "gl-7-123"]);
    let lacks = Said::Failed("AccessDenied", "cannot read the table\nhint: allow dynamodb:Query");
    let scene = EcsScene::via_script(&[unknown, lacks]);
    assert_fails(
        &examine(&scene),
        &["function:", "cannot read the table", "allow dynamodb:Query"],
    );
}

/// Catches an answer of something else taken for ours, and an error without a way out.
#[test]
fn what_is_no_function_of_ours_is_told() {
    let article =
        json!({"tasks": [{"taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/migrations/0a"}], "failures": []});
    for (said, words) in [
        (
            Said::Returned(json!({"statusCode": 200})),
            ["is not one of shipway", "docs/lambda.md"],
        ),
        (Said::Returned(Value::Null), ["is not one of shipway", "docs/lambda.md"]),
        (Said::Returned(article), ["it started", "docs/lambda.md"]),
        (
            Said::Failed("Runtime.ExitError", "exited"),
            ["Runtime.ExitError", "bootstrap"],
        ),
        (
            Said::Failed("Sandbox.Timedout", "Task timed out after 3.00 seconds"),
            ["timed out", "60 seconds"],
        ),
        (
            Said::Failed("AccessDenied", "cannot read the table\nhint: allow dynamodb:Query"),
            ["cannot read the table", "allow dynamodb:Query"],
        ),
    ] {
        let scene = EcsScene::via_script(&[said]);
        assert_fails(&examine(&scene), &["function:", words[0], words[1]]);
    }
}

/// Catches a function that is not there, or not ours to call.
#[test]
fn the_way_to_the_function_is_looked_at() {
    let scene = EcsScene::via_script(&[]);
    let outcome = examined(&scene, scene.project.run(&["doctor", "--via-lambda", "other"]));
    assert_fails(
        &outcome,
        &["function:", "none of that name in eu-west-1", "--via-lambda"],
    );
    scene.aws.deny("lambda:InvokeFunction");
    assert_fails(&examine(&scene), &["function:", "lambda:InvokeFunction", "user/ci"]);
    // The function decides that itself.
    scene
        .command("doctor", &NETWORK)
        .exited(2)
        .says(&["--subnet", "--cluster"]);
}
