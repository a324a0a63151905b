//! Through the function: the same promises, kept by two processes of ours that share nothing but what AWS keeps.

use serde_json::{Value, json};

use crate::support::aws::{ACCOUNT, CLUSTER, EcsScene, FAMILY, FUNCTION, Said, Script, definition, failure};
use crate::support::registry::{Action, Fault};

fn held() -> Script {
    Script::begins()
        .runs(&["first"])
        .holds()
        .then(&["last"])
        .exits(0)
        .stops()
}

/// What the function answers, around what a test is about.
fn answered(ours: &Value) -> Said {
    let mut all = json!({"schema": "shipway.lambda/v1", "ok": true, "run_id": "run-1", "attempt": 1});
    for (name, value) in ours.as_object().unwrap() {
        all[name] = value.clone();
    }
    Said::Returned(json!({"tasks": [], "failures": [], "shipway": all}))
}

/// Catches a caller that needs other rights than to call the function, or sees another end than the one there was.
#[test]
fn each_end_is_told_through_the_function() {
    let oom = Script::begins()
        .runs(&["a"])
        .exits(137)
        .container("reason", "OutOfMemoryError: killed")
        .stops();
    for (script, exit, status) in [
        (Script::succeeds(&["one", "two"]), 0, "succeeded"),
        (Script::fails(1, &["ERROR: no"]), 5, "failed"),
        (oom, 5, "out_of_memory"),
        (
            Script::fails_to_start("CannotPullContainerError: not found"),
            6,
            "start_failed",
        ),
        (
            Script::begins()
                .runs(&[])
                .exits(0)
                .with("stopCode", "SpotInterruption")
                .stops(),
            5,
            "infrastructure",
        ),
        (
            Script::begins()
                .runs(&[])
                .exits(0)
                .container("exitCode", Value::Null)
                .stops(),
            6,
            "start_failed",
        ),
        (Script::succeeds(&["late"]).missing(2), 0, "succeeded"),
    ] {
        let scene = EcsScene::via_function();
        scene.aws.next_task(script);
        let outcome = scene.run(&["--format", "json"]).exited(exit);
        let json = outcome.json();
        assert_eq!(json["status"], status, "{json:#}");
        assert_eq!(json["image"], scene.image);
        scene.assert_recorded(status);
        let callers: Vec<_> = scene
            .aws
            .calls()
            .into_iter()
            .filter(|call| call.caller.ends_with("user/ci"))
            .collect();
        assert!(
            callers.iter().all(|call| call.operation == "lambda:InvokeFunction"),
            "{callers:#?}"
        );
        assert!(
            !scene.function_log().contains("canary") && !outcome.text().contains("canary"),
            "{}",
            scene.function_log()
        );
    }
}

/// Catches lines lost or repeated on their way through the function.
#[test]
fn lines_come_through_the_function() {
    let lines: Vec<String> = (0..1500).map(|number| format!("line {number:05}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let scene = EcsScene::via_function();
    scene.aws.empty_pages(2);
    scene.aws.next_task(
        Script::begins()
            .runs(&lines[..1100])
            .then(&lines[1100..])
            .exits(0)
            .stops(),
    );
    let outcome = scene.run(&[]).succeeded();
    let shown: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(shown, lines);
}

/// Catches a state machine that is another one behind the function.
#[test]
fn starts_are_the_same_through_the_function() {
    let scene = EcsScene::via_function();
    scene.aws.refuse_task("RESOURCE:MEMORY");
    assert_eq!(scene.run(&["--format", "json"]).succeeded().json()["attempt"], 2);

    let scene = EcsScene::via_function();
    scene.aws.next_task(held());
    let first = scene.start(&[]);
    scene.wait_until("it runs", |_| {
        scene.lock().is_some_and(|lock| !lock["task_arn"].is_null())
    });
    scene.run(&["--run-id", "run-2"]).exited(4).says(&["run-1"]);
    first.signal("KILL");
    first.wait();
    scene.aws.proceed();
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["reused"], true);
    assert_eq!(json["logs"]["tail"], json!(["first", "last"]));
    assert_eq!(scene.aws.tasks().len(), 1);
    assert_eq!(scene.run(&["--format", "json"]).succeeded().json()["reused"], true);
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.assert_recorded("succeeded");
}

/// Catches commands that go another way than the run.
#[test]
fn commands_go_through_the_function() {
    let scene = EcsScene::via_function();
    scene.aws.next_task(held());
    scene.run(&["--detach"]).succeeded();
    for _ in 0..4 {
        scene.aws.pass_time();
    }
    assert_eq!(
        scene
            .command("status", &["run-1", "--format", "json"])
            .succeeded()
            .json()["status"],
        "running"
    );
    assert_eq!(scene.command("logs", &["run-1"]).succeeded().stdout, "first\n");
    scene.command("stop", &["run-1"]).succeeded();
    for _ in 0..8 {
        scene.aws.pass_time();
    }
    assert_eq!(
        scene.command("status", &["run-1", "--format", "json"]).exited(5).json()["status"],
        "stopped"
    );
    let json = scene.command("history", &["--format", "json"]).succeeded().json();
    assert_eq!(json["runs"][0]["status"], "stopped", "{json:#}");
    scene.command("status", &["nobody"]).failed().says(&["nobody"]);
}

/// Catches a function that starts what its owner did not allow.
#[test]
fn what_is_not_allowed_is_refused() {
    let scene = EcsScene::via_function();
    scene.run(&["--", "clean"]).exited(4).says(&["clean"]);
    let other = scene.image.replace("/orders@", "/evil@");
    let arguments = scene.arguments("run", &["--run-id", "run-1", "--image", &other]);
    scene.project.run(&arguments).exited(4).says(&["evil"]);
    assert_eq!(scene.aws.tasks().len(), 0);
    assert_eq!(scene.lock(), None);
}

/// Catches an error of the function that is told as a failed migration, or an AWS right that is missing there told as the caller's.
#[test]
fn errors_of_the_function_are_told() {
    let scene = EcsScene::via_function();
    scene.aws.deny("ecs:RunTask");
    scene.run(&[]).exited(1).says(&["ecs:RunTask", "shipway-runner"]);
    let scene = EcsScene::via_function();
    scene
        .aws
        .fault(failure("ecs:ListTasks", 400, "ThrottlingException", "Rate exceeded").always());
    scene.run(&["--retry", "0"]).exited(8);
    assert_eq!(scene.aws.tasks().len(), 0);
    for (kind, message, exit, words) in [
        ("CapacityUnavailable", "RESOURCE:CPU", 8, "RESOURCE:CPU"),
        ("Busy", "run other is in progress", 4, "other"),
        ("AccessDenied", "no right", 1, "no right"),
        (
            "Runtime.ExitError",
            "RequestId: 1 Error: Runtime exited with error: exit status 1",
            1,
            "exit status 1",
        ),
        ("TypeError", "cannot read properties of undefined", 1, "docs/lambda.md"),
    ] {
        let scene = EcsScene::via_script(&[Said::Failed(kind, message)]);
        scene.run(&["--start-timeout", "1s"]).exited(exit).says(&[words]);
    }
}

/// Catches a function that is not there, may not be called, or is the article's own.
#[test]
fn another_function_is_named() {
    let scene = EcsScene::via_script(&[Said::Returned(json!({"tasks": [{"taskArn": "arn:t"}], "failures": []}))]);
    scene.run(&[]).failed().says(&["article", "arn:t"]);
    let scene = EcsScene::via_script(&[Said::Returned(Value::Null)]);
    let arguments = [
        "run",
        "--via-lambda",
        "nowhere",
        "--image",
        &scene.image,
        "--run-id",
        "run-1",
    ];
    scene.project.run(&arguments).failed().says(&["nowhere", "eu-west-1"]);
    scene.aws.deny("lambda:InvokeFunction");
    scene.run(&[]).exited(1).says(&["lambda:InvokeFunction", "user/ci"]);
    let arguments = ["--subnet", "subnet-0a"];
    scene.run(&arguments).exited(2).says(&["--subnet"]);
    let scene = EcsScene::via_script(&[Said::Returned(Value::Null)]);
    let key = scene.aws.session(ACCOUNT, "ci", "job");
    scene.aws.allow_only(&key, &["lambda:InvokeFunction"]);
    scene.aws.expire(&key);
    let scene = scene.with_keys(&key);
    scene.run(&[]).exited(1).says(&["expired"]);
}

/// Catches a call that is made again although the function may still be at it (aws/aws-cli#2657), and an outage taken for the end.
#[test]
fn an_outage_of_the_function_is_lived_through() {
    let scene = EcsScene::via_function();
    scene
        .aws
        .next_task(Script::begins().runs(&["one"]).idles(4).exits(0).stops());
    let invoke = "lambda:InvokeFunction";
    scene.aws.fault(
        failure(invoke, 429, "TooManyRequestsException", "Rate Exceeded.")
            .after(2)
            .times(3),
    );
    scene
        .aws
        .fault(failure(invoke, 500, "ServiceException", "internal").after(6).times(2));
    scene.run(&[]).succeeded();
    // An answer that gets lost starts no second task: the name is the same.
    let scene = EcsScene::via_function();
    scene.aws.fault(Fault::on_operation(invoke).with(Action::CutAfter(0)));
    scene.run(&[]).succeeded();
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.assert_recorded("succeeded");
}

/// Catches a status that is new to an old client taken for a success.
#[test]
fn an_answer_of_another_version_is_no_success() {
    let scene = EcsScene::via_script(&[answered(
        &json!({"schema": "shipway.lambda/v9", "status": "succeeded", "done": true}),
    )]);
    scene.run(&[]).failed().says(&["v9"]);
    let scene = EcsScene::via_script(&[answered(&json!({"status": "splendid", "done": true}))]);
    assert_ne!(scene.run(&[]).status, Some(0));
    let scene = EcsScene::via_script(&[answered(&json!({"done": true}))]);
    scene.run(&[]).exited(7);
}

/// Catches callers who see, stop or have kept what else runs in the cluster: they may call the function, and nothing else.
#[test]
fn other_tasks_are_none_of_the_callers_business() {
    let scene = EcsScene::via_function();
    let mut web = definition();
    web["family"] = json!("web");
    scene.aws.task_definition(&web);
    let input = json!({"cluster": CLUSTER, "taskDefinition": "web:1", "startedBy": "ecs-svc/1"});
    let arn = scene.aws.foreign_task(&input, held());
    for action in ["status", "logs", "stop"] {
        let refusal = scene.event(&json!({"action": action, "task_arn": arn})).unwrap_err();
        assert_eq!(refusal["errorType"], "Refused", "{refusal:#}");
        assert!(
            refusal["errorMessage"].as_str().unwrap().contains("no migration"),
            "{refusal:#}"
        );
    }
    assert_eq!(scene.aws.count("ecs:StopTask"), 0);
    assert_eq!(scene.aws.count("logs:GetLogEvents"), 0);
    assert_eq!(scene.records(), Vec::<Value>::new());
    // What the article's function, or somebody at the console, started is one.
    let input = json!({"cluster": CLUSTER, "taskDefinition": "flyway:1", "startedBy": "console"});
    let arn = scene.aws.foreign_task(&input, held());
    scene.event(&json!({"action": "stop", "task_arn": arn})).unwrap();
    assert_eq!(scene.aws.count("ecs:StopTask"), 1);
}

/// Starts a run through the function and lets it end without anybody who watches.
fn ended(script: Script) -> EcsScene {
    let scene = EcsScene::via_function();
    scene.aws.next_task(script);
    scene.run(&["--detach"]).succeeded();
    for _ in 0..10 {
        scene.aws.pass_time();
    }
    scene
}

/// Catches an end that nobody watched and that is not kept, told twice, or whose lock stays.
#[test]
fn an_event_keeps_the_end_once() {
    let scene = ended(Script::fails(1, &["working", "ERROR: Script V3__x.sql failed"]));
    assert!(scene.lock().is_some());
    let event = scene.aws.event(0);
    for _ in 0..3 {
        scene.event(&event).unwrap();
    }
    let record = scene.assert_recorded("failed");
    assert_eq!(record["run_id"], "run-1");
    assert_eq!(record["image"], scene.image);
    let mails = scene.aws.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let mail = &mails[0];
    assert!(mail.topic.ends_with(":migrations-alerts"));
    assert!(
        mail.subject.contains(FUNCTION) && mail.subject.contains("failed"),
        "{mail:#?}"
    );
    for words in [
        "ERROR: Script V3__x.sql failed",
        "run-1",
        "What to do next",
        "https://",
        &scene.image,
    ] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    let log = scene.function_log();
    let metrics: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["_aws"].is_object())
        .collect();
    assert_eq!(metrics.len(), 1, "{log}");
    assert_eq!(metrics[0]["MigrationFailed"], 1);
    assert_eq!(metrics[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Shipway");
    // Whoever asks later sees the same.
    assert_eq!(
        scene.command("status", &["run-1", "--format", "json"]).exited(5).json()["status"],
        "failed"
    );
}

/// Catches an end that is told twice, and kept twice, because the event of an earlier attempt came when a later one had begun.
#[test]
fn a_late_event_of_an_earlier_attempt_changes_nothing() {
    let scene = EcsScene::via_function();
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.run(&[]).exited(5);
    let event = scene.aws.event(0);
    scene.event(&event).unwrap();
    scene.aws.next_task(held());
    scene.run(&["--detach"]).succeeded();
    let records = scene.records();
    for _ in 0..2 {
        scene.event(&event).unwrap();
    }
    assert_eq!(scene.records(), records);
    assert_eq!(scene.aws.mails().len(), 1);
    assert_eq!(scene.lock().unwrap()["attempt"], 2);
}

/// Catches an event that cannot be concluded since only who started the run knew which container is meant.
#[test]
fn the_container_of_a_run_is_known_to_the_event() {
    let scene = EcsScene::via_function();
    let mut with_sidecar = definition();
    let sidecar = json!({"name": "sidecar", "image": "busybox", "essential": true});
    with_sidecar["containerDefinitions"]
        .as_array_mut()
        .unwrap()
        .insert(0, sidecar);
    scene.aws.task_definition(&with_sidecar);
    scene.aws.next_task(Script::fails(3, &["no"]).watching("flyway"));
    scene.run(&["--container", "flyway", "--detach"]).succeeded();
    for _ in 0..10 {
        scene.aws.pass_time();
    }
    scene.event(&scene.aws.event(0)).unwrap();
    assert_eq!(scene.assert_recorded("failed")["exit_code"], 3);
    assert_eq!(scene.lock(), None);
    let json = scene.command("status", &["run-1", "--format", "json"]).exited(5).json();
    assert_eq!(json["exitCode"], 3, "nobody says which container: {json:#}");
}

/// Catches a mail about a success, a metric that is missing then, and a second mail where the client saw the end first.
#[test]
fn a_success_is_measured_and_not_mailed() {
    let scene = ended(Script::succeeds(&["well"]));
    scene.event(&scene.aws.event(0)).unwrap();
    scene.assert_recorded("succeeded");
    assert_eq!(scene.aws.mails().len(), 0);
    assert!(
        scene.function_log().contains("\"MigrationFailed\":0"),
        "{}",
        scene.function_log()
    );
}

/// Catches a failure of which nobody gets a mail because the client saw it before the event came, and kept it.
#[test]
fn a_failure_that_the_client_saw_first_is_mailed_all_the_same() {
    let scene = EcsScene::via_function();
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.run(&[]).exited(5);
    scene.event(&scene.aws.event(0)).unwrap();
    scene.event(&scene.aws.event(0)).unwrap();
    assert_eq!(scene.aws.mails().len(), 1);
    assert!(
        scene.function_log().contains("\"MigrationFailed\":1"),
        "{}",
        scene.function_log()
    );
    scene.assert_recorded("failed");
}

/// Catches an event that is taken for the first attempt's: events tell no tags.
#[test]
fn an_event_belongs_to_its_attempt() {
    let scene = EcsScene::via_function();
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.run(&[]).exited(5);
    scene.aws.next_task(Script::fails(2, &["again"]));
    scene.run(&["--detach"]).succeeded();
    for _ in 0..10 {
        scene.aws.pass_time();
    }
    scene.event(&scene.aws.event(1)).unwrap();
    assert_eq!(scene.lock(), None, "{}", scene.aws.recorded());
    let mut ends: Vec<_> = scene
        .records()
        .iter()
        .map(|record| {
            (
                record["attempt"].clone(),
                record["status"].clone(),
                record["exit_code"].clone(),
            )
        })
        .collect();
    ends.sort_by_key(|end| end.0.as_i64());
    assert_eq!(
        ends,
        [
            (json!(1), json!("failed"), json!(1)),
            (json!(2), json!("failed"), json!(2))
        ]
    );
}

/// Catches tasks of others that are taken for ours, and those of the article's function that are not.
#[test]
fn events_of_others_are_left_alone() {
    let scene = EcsScene::via_function();
    let input = json!({"cluster": "migrations", "taskDefinition": "flyway:1"});
    scene
        .aws
        .foreign_task(&input, Script::fails(1, &["of the old function"]));
    for _ in 0..3 {
        scene.aws.pass_time();
    }
    scene.event(&scene.aws.event(0)).unwrap();
    assert_eq!(scene.records(), Vec::<Value>::new(), "it has not stopped");
    for _ in 0..6 {
        scene.aws.pass_time();
    }
    let mut event = scene.aws.event(0);
    event["detail"]["group"] = "service:web".into();
    scene.event(&event).unwrap();
    assert_eq!(scene.records(), Vec::<Value>::new(), "a service");
    scene.event(&scene.aws.event(0)).unwrap();
    assert_eq!(scene.assert_recorded("failed")["family"], FAMILY);
    assert_eq!(scene.aws.mails().len(), 1);
}

/// Catches an event of the article's caller that starts nothing, or answers in another shape.
#[test]
fn an_empty_event_starts_the_newest_revision() {
    let scene = EcsScene::via_function();
    let answer = scene.event(&json!({})).unwrap();
    assert_eq!(answer["tasks"][0]["lastStatus"], "PROVISIONING", "{answer:#}");
    assert_eq!(answer["failures"], json!([]));
    let asked = &scene.aws.calls_of("ecs:RunTask")[0].input;
    let network = &asked["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], json!(["subnet-0a", "subnet-0b"]));
    assert_eq!(network["securityGroups"], json!(["sg-01"]));
    assert_eq!(scene.aws.count("ecs:RegisterTaskDefinition"), 0);
    let busy = scene.event(&json!({"run_id": "other"})).unwrap();
    assert_eq!(busy["shipway"]["status"], "busy", "{busy:#}");
    assert_eq!(busy["shipway"]["ok"], false);
}

/// Catches a failure that a plain caller takes for a success because the call itself went well.
#[test]
fn a_strict_function_fails_where_the_run_does() {
    let scene = EcsScene::via_function_with(&[("SHIPWAY_STRICT", "1")]);
    scene.aws.next_task(Script::fails(1, &["no"]));
    scene.event(&json!({"run_id": "run-1"})).unwrap();
    for _ in 0..10 {
        scene.aws.pass_time();
    }
    let error = scene
        .event(&json!({"action": "status", "run_id": "run-1"}))
        .unwrap_err();
    assert_eq!(error["errorType"], "MigrationFailed", "{error:#}");
    // Our own client reads the answer, strict or not.
    assert_eq!(
        scene.command("status", &["run-1", "--format", "json"]).exited(5).json()["status"],
        "failed"
    );
}
