//! What the function answers.

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::super::{Answered, Finding, Health, Record, Status, View, given};

/// What the part of an answer is called that is ours.
const OURS: &str = "shipway";
/// What that part says it is.
const SCHEMA: &str = "shipway.lambda/v1";
/// When to ask again about a task that does not run yet.
const POLL_BEFORE_RUNNING_MILLISECONDS: u64 = 2000;
/// When to ask again about a task that runs.
const POLL_MILLISECONDS: u64 = 5000;
/// Longest answer, in bytes. A function may answer with 6 MB (Lambda quotas, synchronous payload).
const MOST_BYTES: usize = 5_500_000;
/// The shortest a line of the log is cut to, so that an answer fits.
const SHORTEST_LINE: usize = 64;

/// Why an answer is none of a function of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOurs {
    /// It is the article's, and has started something.
    #[error("it answered like the function of the article: {0}")]
    Article(String),
    /// It is of another version.
    #[error("its answer is {0:?}, and this is {SCHEMA:?}")]
    Other(String),
    /// It is anything else.
    #[error("its answer has no \"shipway\" in it")]
    Foreign,
    /// It looks like ours, and is not.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
}

/// The answer that tells how a run is.
pub(crate) fn of_view(view: &View) -> Value {
    let mut answer = write(view);
    let mut longest = view.logs.events.iter().map(|event| event.message.len()).max();
    // Control characters take six times their place: what ECS gave in one piece may be too long here.
    while let Some(length) = longest.filter(|length| *length > SHORTEST_LINE && is_too_long(&answer)) {
        let length = (length / 2).max(SHORTEST_LINE);
        longest = Some(length);
        let mut shorter = view.clone();
        for event in &mut shorter.logs.events {
            cut(&mut event.message, length);
        }
        answer = write(&shorter);
    }
    answer
}

fn write(view: &View) -> Value {
    let mut ours = json!({"schema": SCHEMA, "ok": is_good(view)});
    if let (Value::Object(ours), Value::Object(told)) = (&mut ours, json!(view)) {
        ours.extend(told);
        ours.insert("poll_after_ms".to_owned(), json!(poll_after(view)));
    }
    let tasks: Vec<Value> = view.answered.tasks.iter().cloned().map(given::without_values).collect();
    json!({"tasks": tasks, "failures": view.answered.failures, OURS: ours})
}

/// Whether a view is what its reader hopes for: it goes well, or went well.
pub(crate) fn is_good(view: &View) -> bool {
    matches!(view.status, Status::Running | Status::Succeeded) && view.answered.failures.is_empty()
}

/// The answer that tells of earlier runs, as many as fit into it.
pub(crate) fn of_records(records: &[Record]) -> Value {
    let mut records = records;
    loop {
        let answer = json!({OURS: {"schema": SCHEMA, "ok": true, "records": records}});
        if records.len() < 2 || !is_too_long(&answer) {
            return answer;
        }
        // The newest stay.
        records = &records[..records.len() / 2];
    }
}

/// The answer that tells whether a run could be started.
pub(crate) fn of_findings(findings: &[Finding]) -> Value {
    let is_good = !findings.iter().any(|finding| finding.health == Health::Failed);
    json!({OURS: {"schema": SCHEMA, "ok": is_good, "findings": findings}})
}

/// The answer to an event of EventBridge, which nobody reads but who looks for what went wrong.
pub(crate) fn of_conclusion(view: Option<&View>) -> Value {
    let mut answer = view.map_or_else(|| json!({OURS: {"schema": SCHEMA}}), write);
    answer[OURS]["ok"] = json!(true);
    answer[OURS]["concluded"] = json!(view.is_some());
    answer
}

/// When to ask again; nothing where no more is to come.
fn poll_after(view: &View) -> Option<u64> {
    if view.done || view.status == Status::Busy || view.status == Status::NoCapacity {
        return None;
    }
    let has_more = !view.logs.events.is_empty() && !view.logs.is_at_end;
    Some(match view.last_status.as_deref() {
        _ if has_more => 0,
        Some("RUNNING") => POLL_MILLISECONDS,
        _ => POLL_BEFORE_RUNNING_MILLISECONDS,
    })
}

fn is_too_long(answer: &Value) -> bool {
    answer.to_string().len() > MOST_BYTES
}

fn cut(text: &mut String, length: usize) {
    if text.len() > length {
        let end = (0..=length).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
}

/// Reads an answer that tells how a run is.
pub(crate) fn read_view(answer: &Value) -> Result<View, NotOurs> {
    let ours = ours(answer)?;
    let mut view = View::deserialize(ours).map_err(|error| NotOurs::Unreadable(error.to_string()))?;
    let list = |key: &str| answer.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    view.answered = Answered {
        tasks: list("tasks"),
        failures: list("failures"),
    };
    Ok(view)
}

/// Reads an answer that tells of earlier runs.
pub(crate) fn read_records(answer: &Value) -> Result<Vec<Record>, NotOurs> {
    let records = ours(answer)?
        .get("records")
        .ok_or_else(|| NotOurs::Unreadable("there are no records".to_owned()))?;
    Vec::deserialize(records).map_err(|error| NotOurs::Unreadable(error.to_string()))
}

/// Reads an answer that tells whether a run could be started.
pub(crate) fn read_findings(answer: &Value) -> Result<Vec<Finding>, NotOurs> {
    let findings = ours(answer)?
        .get("findings")
        .ok_or_else(|| NotOurs::Unreadable("there are no findings".to_owned()))?;
    Vec::deserialize(findings).map_err(|error| NotOurs::Unreadable(error.to_string()))
}

/// The part of an answer that is ours.
fn ours(answer: &Value) -> Result<&Value, NotOurs> {
    let Some(ours) = answer.get(OURS) else {
        return Err(match (answer.get("tasks"), answer.get("failures")) {
            (Some(Value::Array(tasks)), Some(Value::Array(failures))) => article(tasks, failures),
            _ => NotOurs::Foreign,
        });
    };
    match ours.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => Ok(ours),
        other => Err(NotOurs::Other(other.unwrap_or_default().to_owned())),
    }
}

/// What the article's function has done.
fn article(tasks: &[Value], failures: &[Value]) -> NotOurs {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    NotOurs::Article(match (tasks.first(), failures.first()) {
        (Some(task), _) => format!("it started {}, and nobody waits for its end", text(task, "taskArn")),
        (None, Some(failure)) => format!("nothing was started ({})", text(failure, "reason")),
        (None, None) => "nothing was started".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::{LogEvent, Logs, RunId};
    use super::*;

    fn running() -> View {
        View {
            run_id: Some(RunId::of("a")),
            attempt: 1,
            status: Status::Running,
            last_status: Some("PENDING".to_owned()),
            answered: Answered {
                tasks: vec![json!({"taskArn": "arn:t", "futureField": 1})],
                failures: Vec::new(),
            },
            ..View::default()
        }
    }

    #[test]
    fn an_answer_is_the_articles_and_more() {
        let answer = of_view(&running());
        assert_eq!(answer["tasks"], json!([{"taskArn": "arn:t", "futureField": 1}]));
        assert_eq!(answer["failures"], json!([]));
        let ours = &answer["shipway"];
        assert_eq!(ours["schema"], "shipway.lambda/v1");
        assert_eq!((&ours["ok"], &ours["status"]), (&json!(true), &json!("running")));
        assert_eq!(
            (&ours["poll_after_ms"], &ours["exit_code"]),
            (&json!(2000), &Value::Null)
        );
        assert_eq!(read_view(&answer), Ok(running()));
    }

    #[test]
    fn only_what_goes_well_is_ok() {
        for (status, is_ok, polls) in [
            (Status::Running, true, true),
            (Status::Succeeded, true, false),
            (Status::Failed, false, false),
            (Status::Unknown, false, false),
            (Status::Busy, false, false),
            (Status::NoCapacity, false, false),
        ] {
            let done = status != Status::Running;
            let answer = of_view(&View {
                status,
                done,
                ..running()
            });
            assert_eq!(answer["shipway"]["ok"], json!(is_ok), "{status:?}");
            assert_eq!(answer["shipway"]["poll_after_ms"].is_null(), !polls, "{status:?}");
        }
        let mut refused = running();
        refused.answered.failures.push(json!({"reason": "RESOURCE:MEMORY"}));
        assert_eq!(
            of_view(&refused)["shipway"]["ok"],
            json!(false),
            "the original answered success"
        );
    }

    #[test]
    fn more_of_the_log_is_asked_for_at_once() {
        let mut view = running();
        view.logs.events.push(LogEvent::default());
        assert_eq!(of_view(&view)["shipway"]["poll_after_ms"], json!(0));
        view.logs.is_at_end = true;
        view.last_status = Some("RUNNING".to_owned());
        assert_eq!(of_view(&view)["shipway"]["poll_after_ms"], json!(5000));
    }

    #[test]
    fn values_of_variables_are_not_repeated() {
        let mut view = running();
        view.answered.tasks = vec![json!({"overrides": {"containerOverrides": [
            {"name": "flyway", "environment": [{"name": "FLYWAY_PASSWORD", "value": "canary"}], "command": ["migrate"]}
        ]}})];
        let text = of_view(&view).to_string();
        assert!(!text.contains("canary") && text.contains("FLYWAY_PASSWORD"), "{text}");
    }

    #[test]
    fn an_answer_fits_whatever_the_log_holds() {
        let event = |message: String| LogEvent { time: 1, message };
        let mut view = running();
        view.logs = Logs {
            events: vec![event("\u{1}".repeat(1_000_000)), event("last line".to_owned())],
            ..Logs::default()
        };
        let answer = of_view(&view);
        assert!(answer.to_string().len() <= MOST_BYTES);
        let events = answer["shipway"]["logs"]["events"].as_array().expect("events");
        assert_eq!((events.len(), &events[1]["m"]), (2, &json!("last line")));
        assert!(events[0]["m"].as_str().is_some_and(|text| text.ends_with('…')));
    }

    #[test]
    fn an_answer_of_something_else_is_told_from_ours() {
        let article = json!({"tasks": [{"taskArn": "arn:t"}], "failures": []});
        let told = read_view(&article).expect_err("it is the article's").to_string();
        assert!(told.contains("it started arn:t, and nobody waits"), "{told}");
        let refused = json!({"tasks": [], "failures": [{"arn": "a", "reason": "RESOURCE:CPU"}]});
        let told = read_view(&refused).expect_err("it is the article's").to_string();
        assert!(told.contains("nothing was started (RESOURCE:CPU)"), "{told}");
        for foreign in [json!(null), json!("ok"), json!({"statusCode": 200, "body": "{}"})] {
            assert_eq!(read_view(&foreign), Err(NotOurs::Foreign), "{foreign}");
        }
        let newer = json!({"shipway": {"schema": "shipway.lambda/v2"}});
        assert_eq!(
            read_records(&newer),
            Err(NotOurs::Other("shipway.lambda/v2".to_owned()))
        );
        let broken = json!({"shipway": {"schema": SCHEMA, "attempt": "one"}});
        assert!(matches!(read_view(&broken), Err(NotOurs::Unreadable(_))));
    }

    #[test]
    fn records_travel_whole() {
        let record = Record {
            run_id: Some(RunId::of("a")),
            status: Status::Failed,
            started_at: 5,
            ..Record::default()
        };
        assert_eq!(
            read_records(&of_records(std::slice::from_ref(&record))),
            Ok(vec![record])
        );
    }

    #[test]
    fn findings_travel_whole() {
        let well = Finding::new("log", Health::Ok, "it can be read");
        let bad = Finding::new("table", Health::Failed, "it is not there").hint("make one");
        let answer = of_findings(std::slice::from_ref(&well));
        assert_eq!(answer[OURS]["ok"], true);
        assert_eq!(read_findings(&answer), Ok(vec![well.clone()]));
        let answer = of_findings(&[well.clone(), bad.clone()]);
        assert_eq!(answer[OURS]["ok"], false);
        assert_eq!(read_findings(&answer), Ok(vec![well, bad]));
        assert!(matches!(read_findings(&of_records(&[])), Err(NotOurs::Unreadable(_))));
    }
}
