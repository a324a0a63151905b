//! The fake itself: a test double that is wrong would make every other test lie.

use serde_json::{Value, json};

use crate::support::aws::{FakeAws, Script, changed, holds};

/// Catches a store whose mistakes the fake forgives.
#[test]
fn conditions_are_those_of_dynamodb() {
    let item = json!({"pk": "lock", "n": 7, "run": "a", "deep": {"rows": [1, {"x": "y"}]}, "nothing": null});
    let names = json!({"#run": "run"});
    let values = json!({":v": 7, ":a": "a"});
    for (condition, expected) in [
        ("attribute_exists(pk)", true),
        ("attribute_not_exists(v) OR v < :v", true),
        ("attribute_not_exists(n) OR n < :v", false),
        ("n <= :v AND #run = :a", true),
        ("NOT #run = :a", false),
        ("#run <> :a OR (n = :v AND absent = :v)", false),
        ("absent <> :a", true),
        ("absent < :v", false),
        ("n < :a", false),
        ("n BETWEEN :v AND :v", true),
        ("#run IN (:v, :a)", true),
        ("begins_with(#run, :a)", true),
        ("size(#run) < :v", true),
        ("deep.rows[1].x <> :a", true),
        ("attribute_not_exists(deep.rows[2])", true),
        ("attribute_exists(nothing)", true),
    ] {
        let used = |all: &Value| -> Value {
            let all = all.as_object().unwrap().iter();
            let used: serde_json::Map<_, _> = all
                .filter(|(word, _)| condition.contains(*word))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            if used.is_empty() { Value::Null } else { used.into() }
        };
        assert_eq!(
            holds(condition, &used(&names), &used(&values), &item),
            Ok(expected),
            "{condition}"
        );
    }
}

/// Catches an expression that only the real service refuses.
#[test]
fn expressions_that_are_wrong_are_refused() {
    let item = json!({"pk": "lock"});
    for (condition, names, values, why) in [
        ("", Value::Null, Value::Null, "empty"),
        ("status = :a", Value::Null, json!({":a": 1}), "reserved"),
        ("#a = :a", Value::Null, json!({":a": 1}), "not defined"),
        ("a = :a", Value::Null, Value::Null, "not defined"),
        ("a = :a", json!({"#b": "b"}), json!({":a": 1}), "unused"),
        ("a = :a", Value::Null, json!({":a": 1, ":b": 1}), "unused"),
        ("a == :a", Value::Null, json!({":a": 1}), "Syntax error"),
        ("a = :a)", Value::Null, json!({":a": 1}), "Syntax error"),
        ("attribute_exists(a", Value::Null, Value::Null, "Syntax error"),
    ] {
        let error = holds(condition, &names, &values, &item).unwrap_err();
        assert!(error.contains(why), "{condition}: {error}");
    }
}

#[test]
fn changes_are_those_of_dynamodb() {
    let item = json!({"pk": "k", "sk": "s", "n": 1, "m": {"a": 1}});
    let change = |text: &str, values: Value| changed(text, &Value::Null, &values, &item);
    assert_eq!(
        change(
            "SET n = n + :one, w = if_not_exists(w, :one), m.b = :one REMOVE m.a",
            json!({":one": 1})
        )
        .unwrap(),
        json!({"pk": "k", "sk": "s", "n": 2, "w": 1, "m": {"b": 1}})
    );
    assert_eq!(
        change("SET n = if_not_exists(n, :x)", json!({":x": 9})).unwrap()["n"],
        1
    );
    for (text, why) in [
        ("SET n = :x, n = :x", "overlap"),
        ("SET pk = :x", "key"),
        ("SET n = absent + :x", "does not exist"),
        ("SET n = :x SET m = :x", "once"),
        ("SET absent.deep = :x", "document path"),
    ] {
        let error = change(text, json!({":x": 1})).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

/// Catches a fake whose time does not pass, or passes by itself.
#[test]
fn a_task_goes_a_step_further_each_time_and_no_other_way() {
    let aws = FakeAws::start();
    aws.task_definition(&json!({"family": "f", "containerDefinitions": [{"name": "c", "image": "i@sha256:0"}]}));
    let script = Script::succeeds(&[]).missing(1);
    aws.foreign_task(
        &json!({"cluster": "x", "taskDefinition": "f:1", "startedBy": "somebody"}),
        script,
    );
    let mut seen = Vec::new();
    for _ in 0..7 {
        let task = aws.tasks().pop().unwrap();
        assert_eq!(task, aws.tasks()[0], "nothing passes by itself");
        seen.push(task["lastStatus"].as_str().unwrap().to_owned());
        aws.pass_time();
    }
    assert_eq!(
        seen,
        [
            "PROVISIONING",
            "PROVISIONING",
            "PROVISIONING",
            "PENDING",
            "RUNNING",
            "DEPROVISIONING",
            "STOPPED"
        ]
    );
    let task = aws.tasks().pop().unwrap();
    assert_eq!(task["containers"][0]["exitCode"], 0);
    assert_eq!(task["containers"][0]["imageDigest"], "sha256:0");
    let ran = task["executionStoppedAt"].as_f64().unwrap() - task["startedAt"].as_f64().unwrap();
    assert!((1.9..60.0).contains(&ran), "{ran}");
    let event = aws.event(0);
    assert_eq!(event["detail"]["lastStatus"], "STOPPED");
    assert!(event["detail"]["stoppedAt"].as_str().unwrap().ends_with('Z'), "{event}");
    assert!(event["detail"].get("tags").is_none(), "events tell no tags");
}
