//! `shipway lambda`: the real program, under the name Lambda starts it by, behind a Runtime API in this process.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::function::{RunningFunction, ScriptedServices};
use crate::support::project::TestProject;

/// Most memory the function may hold, in kilobytes. A build for tests is many times as large, and what of it is mapped counts too; `tests/real`
/// holds the released program to the promise.
const LIMIT_KILOBYTES: u64 = 64 * 1024;
/// What no log may say.
const CANARY: &str = "canary-5e1f";

const ARN: &str = "arn:aws:ecs:eu-west-3:123456789012:task/migrations/0123456789abcdef0123456789abcdef";
const REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/orders";

fn digest(digit: &str) -> String {
    format!("{REPOSITORY}@sha256:{}", digit.repeat(64))
}

fn definition() -> Value {
    json!({"taskDefinition": {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-3:123456789012:task-definition/flyway:42", "family": "flyway", "revision": 42, "status": "ACTIVE",
        "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{"name": "flyway", "image": digest("0"), "essential": true, "command": ["migrate"], "logConfiguration": {
            "logDriver": "awslogs", "options": {"awslogs-group": "/shipway/migrations", "awslogs-region": "eu-west-3", "awslogs-stream-prefix": "flyway"}}}],
    }, "tags": []})
}

fn task(last_status: &str) -> Value {
    json!({
        "taskArn": ARN, "clusterArn": "arn:aws:ecs:eu-west-3:123456789012:cluster/migrations", "group": "family:flyway",
        "taskDefinitionArn": "arn:aws:ecs:eu-west-3:123456789012:task-definition/flyway:42", "lastStatus": last_status, "desiredStatus": "RUNNING",
        "version": 1, "createdAt": 1_795_333_500.5, "futureField": "kept",
        "containers": [{"name": "flyway", "image": digest("0"), "lastStatus": last_status}],
    })
}

/// The event of EventBridge about the task's end.
fn stopped(exit_code: Option<i64>) -> Value {
    let mut detail = task("STOPPED");
    detail["version"] = json!(7);
    detail["startedAt"] = json!("2026-11-22T07:05:31.25Z");
    detail["executionStoppedAt"] = json!("2026-11-22T07:05:34.25Z");
    detail["stoppedAt"] = json!("2026-11-22T07:05:50Z");
    match exit_code {
        Some(code) => {
            detail["containers"][0]["exitCode"] = json!(code);
            detail["stopCode"] = json!("EssentialContainerExited");
            detail["stoppedReason"] = json!("Essential container in task exited");
        }
        None => {
            detail["stopCode"] = json!("TaskFailedToStart");
            detail["stoppedReason"] = json!("CannotPullContainerError: pull image manifest has been retried 1 time(s)");
        }
    }
    json!({"version": "0", "id": "1", "source": "aws.ecs", "detail-type": "ECS Task State Change", "region": "eu-west-3", "detail": detail})
}

fn services() -> ScriptedServices {
    ScriptedServices::start(&[
        ("ListTasks", json!({"taskArns": []})),
        ("DescribeTaskDefinition", definition()),
        ("RunTask", json!({"tasks": [task("PROVISIONING")], "failures": []})),
        ("DescribeTasks", json!({"tasks": [task("RUNNING")], "failures": []})),
        (
            "GetLogEvents",
            json!({"events": [{"timestamp": 1, "message": "ERROR: Migration failed", "ingestionTime": 1}],
                "nextForwardToken": "f/1", "nextBackwardToken": "b/1"}),
        ),
        ("Publish", json!({})),
    ])
}

fn function(services: &ScriptedServices, more: &[(&str, &str)]) -> RunningFunction {
    let mut variables = vec![
        ("ENV_CLUSTER", "migrations"),
        ("ENV_SUBNET", "subnet-1,subnet-2"),
        ("ENV_SECURITY_GROUP", "sg-1"),
        ("AWS_ENDPOINT_URL", services.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIAFUNCTION"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
        ("AWS_SESSION_TOKEN", CANARY),
        ("SHIPWAY_REPOSITORY", REPOSITORY),
    ];
    variables.extend(more);
    RunningFunction::start(&variables)
}

/// Catches a function that asks for more than the article's did, or answers less.
#[test]
fn an_event_that_says_nothing_starts_the_newest_revision_and_answers_as_ecs_did() {
    let services = services();
    let mut function = function(&services, &[]);
    for (index, event) in ["{}", "null", ""].iter().enumerate() {
        let answer = function.invoke_text(event, Duration::from_secs(300)).given();
        assert_eq!(answer["tasks"][0]["taskArn"], ARN, "{answer:#}");
        assert_eq!(answer["tasks"][0]["futureField"], "kept");
        assert_eq!(answer["failures"], json!([]));
        let ours = &answer["shipway"];
        assert_eq!(
            (&ours["schema"], &ours["ok"]),
            (&json!("shipway.lambda/v1"), &json!(true))
        );
        assert_eq!(
            (&ours["status"], &ours["task_definition"]),
            (&json!("running"), &json!("flyway:42"))
        );
        assert!(
            ours["run_id"]
                .as_str()
                .is_some_and(|id| id.starts_with("lambda-8476a536-")),
            "{ours}"
        );
        assert_eq!(services.calls("RunTask").len(), index + 1);
    }
    let asked: Value = serde_json::from_str(&services.calls("RunTask")[0]).unwrap();
    assert_eq!(
        (&asked["cluster"], &asked["launchType"]),
        (&json!("migrations"), &json!("FARGATE"))
    );
    let network = &asked["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(
        (&network["subnets"], &network["securityGroups"]),
        (&json!(["subnet-1", "subnet-2"]), &json!(["sg-1"]))
    );
    assert!(
        services.calls("RegisterTaskDefinition").is_empty(),
        "it has that image already"
    );
    assert!(
        asked["taskDefinition"]
            .as_str()
            .is_some_and(|name| name.ends_with("flyway:42")),
        "{asked}"
    );
    assert!(!function.log().contains(CANARY), "{}", function.log());
}

/// Catches a door that the allow-lists leave open, and secrets of an event in the log.
#[test]
fn what_is_not_allowed_or_not_understood_starts_nothing() {
    let services = services();
    let mut function = function(&services, &[]);
    for (event, error_type, words) in [
        (json!({"command": ["clean"]}), "Refused", "\"clean\" is not allowed"),
        (
            json!({"command": ["migrate", "-cleanOnValidationError=true"]}),
            "Refused",
            "-cleanOnValidationError",
        ),
        (json!({"image": "evil.example.com/x@sha256:00"}), "Refused", "digest"),
        (
            json!({"image": format!("evil.example.com/x@sha256:{}", "0".repeat(64))}),
            "Refused",
            "evil.example.com/x are not",
        ),
        (
            json!({"environment": {"PASSWORD": 1, "OTHER": CANARY}}),
            "InvalidRequest",
            "\"environment\"",
        ),
        (
            json!({"environment": CANARY}),
            "InvalidRequest",
            "\"environment\" is no object",
        ),
        (json!({"imgae": "x"}), "InvalidRequest", "did you mean \"image\"?"),
        (json!({"action": "delete"}), "InvalidRequest", "\"delete\""),
        (json!({"action": "status"}), "InvalidRequest", "run_id"),
        (
            json!({"detail-type": "Scheduled Event", "source": "aws.events"}),
            "InvalidRequest",
            "Scheduled Event",
        ),
    ] {
        let (kind, message) = function.invoke(&event).refused();
        assert_eq!(kind, error_type, "{event}: {message}");
        assert!(message.contains(words), "{event}: {message}");
    }
    let (kind, _) = function
        .invoke_text("{\"action\": ", Duration::from_secs(300))
        .refused();
    assert_eq!(kind, "InvalidRequest");
    assert!(services.calls("RunTask").is_empty());
    function.line_with("\"error_type\":\"Refused\"");
    assert!(!function.log().contains(CANARY), "{}", function.log());
}

/// Catches an answer that passes for success although ECS has placed nothing, which the article's function gave.
#[test]
fn a_task_that_found_no_place_is_not_ok() {
    let services = services();
    let full = json!({"tasks": [], "failures": [{"arn": "arn:x", "reason": "Capacity is unavailable at this time. Please try again later or in a different availability zone"}]});
    services.say("RunTask", full);
    let mut lenient = function(&services, &[]);
    let answer = lenient.invoke(&json!({"run_id": "gl-1"})).given();
    assert_eq!(
        (&answer["shipway"]["ok"], &answer["shipway"]["status"]),
        (&json!(false), &json!("no_capacity")),
        "{answer:#}"
    );
    assert!(
        answer["failures"][0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("Capacity")),
        "{answer:#}"
    );

    let mut strict = function(&services, &[("SHIPWAY_STRICT", "1")]);
    let (kind, _) = strict.invoke(&json!({"run_id": "gl-1"})).refused();
    assert_eq!(kind, "CapacityUnavailable");
}

/// Catches a failure nobody hears of.
#[test]
fn the_end_of_a_task_is_a_metric_and_its_failure_a_mail() {
    let services = services();
    let topic = "arn:aws:sns:eu-west-3:123456789012:migrations";
    let mut function = function(&services, &[("SHIPWAY_TOPIC_ARN", topic), ("SHIPWAY_NAME", "orders")]);
    let answer = function.invoke(&stopped(Some(0))).given();
    assert_eq!(answer["shipway"]["concluded"], json!(true), "{answer:#}");
    let line: Value = serde_json::from_str(&function.line_with("MigrationFailed")).unwrap();
    assert_eq!(
        (&line["Name"], &line["MigrationFailed"], &line["MigrationSeconds"]),
        (&json!("orders"), &json!(0), &json!(3.0))
    );
    assert!(services.calls("Publish").is_empty());

    for (event, words) in [
        (stopped(Some(1)), "exit+status+1"),
        (stopped(None), "CannotPullContainerError"),
    ] {
        let answer = function.invoke(&event).given();
        assert_eq!(answer["shipway"]["concluded"], json!(true), "{answer:#}");
        let mail = services.calls("Publish").pop().unwrap().replace("%20", "+");
        for words in [
            words,
            "orders",
            "migrations%2Ftasks%2F0123456789abcdef",
            "What+to+do+next",
        ] {
            assert!(mail.contains(words), "{words}: {mail}");
        }
    }
    assert!(
        services.calls("Publish")[0].contains("Migration%20failed"),
        "the last lines of the log"
    );

    let running = json!({"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": task("RUNNING")});
    assert_eq!(function.invoke(&running).given()["shipway"]["concluded"], json!(false));
    assert_eq!(services.calls("Publish").len(), 2);
}

/// Catches a caller who is told nothing but that the function broke.
#[test]
fn without_its_settings_the_function_says_what_is_missing() {
    let mut function = RunningFunction::start(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
    let (kind, message) = function.invoke(&json!({})).refused();
    assert_eq!(kind, "InvalidRequest");
    assert!(
        message.contains("ENV_CLUSTER is not set") && message.contains("hint: "),
        "{message}"
    );
}

/// Catches a panic where Lambda did not start the program.
#[test]
fn outside_of_lambda_it_says_what_it_is_for() {
    let outcome = TestProject::empty().run(&["lambda"]).exited(2);
    outcome.says(&["AWS_LAMBDA_RUNTIME_API", "--via-lambda"]);
}

/// Catches memory that grows with events, or that a function of the smallest size does not have.
#[test]
fn many_events_fit_into_the_smallest_function() {
    let services = services();
    let mut function = function(&services, &[]);
    for _ in 0..20 {
        function.invoke(&json!({})).given();
        function.invoke(&stopped(Some(1))).given();
    }
    let peak = function.peak_kilobytes();
    assert!(peak <= LIMIT_KILOBYTES, "{peak} kilobytes");
}

/// Catches a start that asks AWS for something, or that reads what it will hardly need: Lambda bills each start, and the caller waits.
#[test]
fn it_is_ready_before_anybody_was_asked() {
    let services = services();
    let function = function(&services, &[]);
    // A build for tests takes several times as long as the released program, which tests/real looks at.
    let milliseconds = function.start_up_milliseconds();
    assert!(milliseconds < 1000, "{milliseconds} ms of processor time");
    assert_eq!(services.operations(), Vec::<String>::new());
}
