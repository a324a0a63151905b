//! What is told of a run on ECS.

use std::time::Duration;

use serde_json::{Map, Value, json};
use shipway::execute::{Followed, View};

use super::one_line;

/// The name and version of the JSON form.
const SCHEMA: &str = "shipway.run/v1";

/// The object of the JSON form.
pub(crate) fn view_json(view: &View) -> Value {
    let times = &view.times;
    let between = |from: Option<f64>, to: Option<f64>| match (from, to) {
        (Some(from), Some(to)) if to >= from => json!(((to - from) * 1000.0).round() / 1000.0),
        _ => Value::Null,
    };
    let mut object = Map::from_iter([
        ("schema".to_owned(), json!(SCHEMA)),
        ("runId".to_owned(), json!(view.run_id)),
        ("attempt".to_owned(), json!(view.attempt)),
        ("reused".to_owned(), json!(view.reused)),
        ("status".to_owned(), json!(view.status)),
        ("exitCode".to_owned(), json!(view.exit_code)),
        ("image".to_owned(), json!(view.image)),
        ("digestVerified".to_owned(), json!(view.digest_verified)),
        (
            "container".to_owned(),
            match &view.container {
                Some(name) => json!({ "name": name }),
                None => Value::Null,
            },
        ),
        (
            "task".to_owned(),
            json!({
                "arn": view.task_arn,
                "definition": view.task_definition,
                "cluster": view.cluster,
                "lastStatus": view.last_status,
                "stopCode": view.stop_code,
                "stoppedReason": view.stopped_reason,
            }),
        ),
        (
            "timings".to_owned(),
            json!({
                "queueSeconds": between(times.created_at, times.pull_started_at),
                "pullSeconds": between(times.pull_started_at, times.pull_stopped_at),
                "prepareSeconds": between(times.pull_stopped_at, times.started_at),
                "runSeconds": between(times.started_at, times.stopped_at),
            }),
        ),
        (
            "logs".to_owned(),
            json!({
                "group": view.logs.group,
                "stream": view.logs.stream,
                "region": view.logs.region,
                "complete": view.logs.complete,
            }),
        ),
    ]);
    if let Some(report) = &view.report {
        object.insert("migrations".to_owned(), super::migrations_json(report));
    }
    if let Some(failure) = &view.failure {
        object.insert("error".to_owned(), json!(failure.to_string()));
        object.insert("hints".to_owned(), json!(failure.hints));
    }
    Value::Object(object)
}

/// The object of the JSON form, of a run that was seen through.
pub(crate) fn followed_json(followed: &Followed) -> Value {
    let mut object = view_json(&followed.view);
    object["timings"]["totalSeconds"] = json!(seconds(followed.total));
    object["logs"]["lines"] = json!(followed.lines);
    object["logs"]["tail"] = json!(followed.tail);
    object
}

/// To the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A run for people.
pub(crate) fn view_lines(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("{name:<12}{}", one_line(&value)));
        }
    };
    add("run", view.run_id.as_ref().map(ToString::to_string));
    let status = match (&view.last_status, view.status) {
        (Some(last), shipway::execute::Status::Running) => format!("running ({last})"),
        (_, status) => status.as_str().to_owned(),
    };
    add("status", Some(status));
    add("exit status", view.exit_code.map(|code| code.to_string()));
    add("attempt", (view.attempt > 1).then(|| view.attempt.to_string()));
    add("image", view.image.clone());
    add("task", view.task_arn.clone());
    add("definition", view.task_definition.clone());
    let ended = match (view.times.started_at, view.times.stopped_at) {
        (Some(from), Some(to)) if to >= from => Some(format!("{:.1} s", to - from)),
        _ => None,
    };
    add("ran for", ended);
    add(
        "log",
        view.logs
            .stream
            .clone()
            .map(|stream| format!("{} {stream}", view.logs.group.as_deref().unwrap_or_default())),
    );
    if let Some(report) = &view.report {
        for line in shipway::execute::report::summary::summary(report) {
            add("migrations", Some(line));
        }
    }
    lines
}
