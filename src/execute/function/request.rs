//! What a caller tells the function.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::{Look, Order, Past};
use crate::content::{ContentError, Kind, Result};

/// Lines of a log that are told where nobody says how many.
const USUAL_LINES: u32 = 500;
/// Runs that are told of where nobody says how many.
const USUAL_RUNS: u32 = 20;
/// Most lines of a log that can be asked for at once (GetLogEvents, limit).
const MOST_LINES: u32 = 10_000;
/// Why a run is stopped, where nobody says.
const USUAL_REASON: &str = "stopped through the function";
/// What is said of an action that there is not; a function of another version may have fewer.
pub(crate) const NO_ACTION: &str = "there is no action";
/// How far a key may be from a known one to be taken for a slip.
const NEAR: f64 = 0.8;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    /// A run is to be started; with lines of its log, where they are waited for.
    Start(Box<Order>, u32),
    /// How a run is.
    Look(Look),
    /// A run is to end, for a reason.
    Stop(Look, String),
    /// What became of earlier runs.
    History(Past),
    /// Whether a run could be started; nothing is.
    Check(Box<Order>),
}

impl Call {
    /// Its name in events.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::Start(..) => "start",
            Self::Look(_) => "status",
            Self::Stop(..) => "stop",
            Self::History(_) => "history",
            Self::Check(_) => "check",
        }
    }
}

/// What a caller tells the function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// What is wanted.
    pub(crate) call: Call,
    /// For how long the end of the run may be waited for.
    pub(crate) wait_seconds: u64,
    /// Whether what is no success is to be an error of the function; as the function's settings say where it is not told.
    pub(crate) strict: Option<bool>,
}

/// Keys besides those of orders, looks and histories.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Rest {
    action: Option<String>,
    wait_seconds: Option<u64>,
    strict: Option<bool>,
    reason: Option<String>,
    limit: Option<u32>,
}

impl Request {
    /// A call that is answered as soon as it can be, by a caller that reads the answer.
    pub(crate) fn of(call: Call) -> Self {
        Self {
            call,
            wait_seconds: 0,
            strict: Some(false),
        }
    }

    /// Reads an event: nothing at all starts a run, as the article's function did.
    ///
    /// # Errors
    /// When a key or a value makes no sense.
    pub(crate) fn read(event: &Value) -> Result<Self> {
        let given = match event {
            Value::Null => Map::new(),
            // What is null is not said.
            Value::Object(given) => given.iter().filter(|(_, value)| !value.is_null()).map(copied).collect(),
            _ => return Err(wrong("the event is no object")),
        };
        known_keys(&given)?;
        let rest: Rest = read(&given)?;
        let lines = |usual: u32| rest.limit.unwrap_or(usual).min(MOST_LINES);
        let wait_seconds = rest.wait_seconds.unwrap_or_default();
        let look = || -> Result<Look> {
            let look: Look = read(&given)?;
            if look.run_id.is_none() && look.task_arn.is_none() {
                return Err(wrong("the event names no run").hint("say which one: \"run_id\", or \"task_arn\""));
            }
            Ok(look)
        };
        let call = match rest.action.as_deref().unwrap_or("start") {
            "start" => {
                let usual = if wait_seconds == 0 { 0 } else { USUAL_LINES };
                Call::Start(Box::new(read(&given)?), lines(usual))
            }
            "status" | "logs" => Call::Look(Look {
                limit: lines(USUAL_LINES),
                ..look()?
            }),
            "stop" => Call::Stop(
                Look { limit: 0, ..look()? },
                rest.reason.unwrap_or_else(|| USUAL_REASON.to_owned()),
            ),
            "history" => Call::History(Past {
                limit: rest.limit.unwrap_or(USUAL_RUNS),
                ..read(&given)?
            }),
            "check" => Call::Check(Box::new(read(&given)?)),
            other => {
                return Err(wrong(format!("{NO_ACTION} {other:?}"))
                    .hint("there are: start, status, logs, stop, history, check"));
            }
        };
        Ok(Self {
            call,
            wait_seconds,
            strict: rest.strict,
        })
    }

    /// Writes the event.
    pub(crate) fn write(&self) -> Value {
        let mut event = json!({"action": self.call.action()});
        let told = match &self.call {
            Call::Start(order, limit) => (json!(order), json!({"limit": limit})),
            Call::Look(look) => (json!(look), Value::Null),
            Call::Stop(look, reason) => (json!(look), json!({"reason": reason})),
            Call::History(past) => (json!(past), Value::Null),
            Call::Check(order) => (json!(order), Value::Null),
        };
        let more = json!({"wait_seconds": self.wait_seconds, "strict": self.strict});
        for part in [told.0, told.1, more] {
            let (Value::Object(part), Value::Object(event)) = (part, &mut event) else {
                continue;
            };
            event.extend(part.into_iter().filter(|(_, value)| !value.is_null()));
        }
        event
    }
}

fn copied((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

fn wrong(what: impl Into<String>) -> ContentError {
    ContentError::new(Kind::Usage, what)
}

/// Refuses keys that mean nothing: one that is misspelt would be a wish that is silently not met.
fn known_keys(given: &Map<String, Value>) -> Result<()> {
    let known = all_keys();
    let Some(key) = given.keys().find(|key| !known.contains(*key)) else {
        return Ok(());
    };
    let near = known
        .iter()
        .map(|known| (strsim::jaro_winkler(known, key), known))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let error = wrong(format!("the event's key {key:?} means nothing here"));
    Err(match near {
        Some((_, near)) => error.hint(format!("did you mean {near:?}?")),
        None => error.hint(format!("there are: {}", Vec::from_iter(known).join(", "))),
    })
}

fn all_keys() -> BTreeSet<String> {
    let parts = [
        json!(Order::default()),
        json!(Look::default()),
        json!(Past::default()),
        json!(Rest::default()),
    ];
    let objects = parts.into_iter().filter_map(|part| match part {
        Value::Object(part) => Some(part),
        _ => None,
    });
    objects.flat_map(|part| part.into_iter().map(|(key, _)| key)).collect()
}

/// Reads the keys a value has of its own. An error names the key, and never what was said: that may be a password.
fn read<T: DeserializeOwned>(given: &Map<String, Value>) -> Result<T> {
    let whole = serde_json::from_value(Value::Object(given.clone()));
    whole.map_err(|error: serde_json::Error| {
        let is_wrong = |(key, value): &(&String, &Value)| serde_json::from_value::<T>(json!({ *key: value })).is_err();
        let key = given.iter().find(is_wrong).map_or("?", |(key, _)| key);
        let text = error.to_string();
        match text.rsplit_once("expected ") {
            Some((_, expected)) => wrong(format!("the event's {key:?} is no {}", plain(expected))),
            None => wrong(format!("the event's {key:?} makes no sense")).because(text),
        }
    })
}

/// The name of a type, for people.
fn plain(expected: &str) -> &str {
    match expected {
        "a map" | "struct Git" => "object",
        "a sequence" => "list",
        "a string" => "text",
        "a boolean" => "true or false",
        "u32" | "u64" => "whole number",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::RunId;
    use super::*;

    fn refusal(event: Value) -> String {
        let error = Request::read(&event).expect_err("it makes no sense");
        assert_eq!(error.kind(), Kind::Usage, "{event}");
        format!("{error} / {}", error.hints().join(" / "))
    }

    #[test]
    fn an_event_that_says_nothing_starts_what_the_article_started() {
        for event in [
            json!(null),
            json!({}),
            json!({"action": "start", "image": null, "tags": null}),
        ] {
            let request = Request::read(&event).expect("it is an event");
            assert_eq!(request.call, Call::Start(Box::default(), 0), "{event}");
            assert_eq!((request.wait_seconds, request.strict), (0, None));
        }
    }

    #[test]
    fn the_event_of_the_documentation_is_read() {
        let event = json!({
            "action": "start", "run_id": "gl-1-2", "image": "r/o@sha256:00", "family": "flyway", "container": "flyway", "revision": null,
            "command": ["migrate"], "environment": {"K": "V"}, "wait_seconds": 30, "rerun": true, "requested_by": "gitlab:group/project#9001",
            "git": {"sha": "ab", "ref": "main"}, "logs_token": null, "limit": 100_000
        });
        let request = Request::read(&event).expect("it is an event");
        let Call::Start(order, lines) = request.call else {
            panic!("{:?}", request.call)
        };
        assert_eq!((lines, request.wait_seconds), (MOST_LINES, 30));
        assert_eq!(order.run_id, Some(RunId::of("gl-1-2")));
        assert_eq!(order.git.reference.as_deref(), Some("main"));
        assert_eq!((order.environment["K"].as_str(), order.rerun), ("V", true));
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let look = Look {
            run_id: Some(RunId::of("a")),
            logs_token: Some("f/1".to_owned()),
            limit: 7,
            ..Look::default()
        };
        let order = Order {
            run_id: Some(RunId::of("a")),
            attempt: Some(2),
            command: Some(vec!["info".to_owned()]),
            purpose: Some("diagnose".to_owned()),
            ..Order::default()
        };
        for call in [
            Call::Check(Box::new(order.clone())),
            Call::Start(Box::new(order), 0),
            Call::Look(look.clone()),
            Call::Stop(Look { limit: 0, ..look }, "enough".to_owned()),
            Call::History(Past {
                limit: 3,
                ..Past::default()
            }),
        ] {
            let request = Request::of(call);
            assert_eq!(Request::read(&request.write()).expect("it is an event"), request);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named_and_not_repeated() {
        let cases = [
            (json!([]), "is no object"),
            (json!("migrate"), "is no object"),
            (json!({"action": "clean"}), "no action \"clean\""),
            (json!({"comand": ["clean"]}), "did you mean \"command\"?"),
            (json!({"key1": "value1"}), "there are: action, "),
            (json!({"action": "status"}), "names no run"),
            (json!({"action": "stop"}), "\"run_id\""),
            (json!({"run_id": "a/b"}), "\"run_id\" makes no sense"),
            (
                json!({"environment": "PASSWORD=canary"}),
                "\"environment\" is no object",
            ),
            (json!({"environment": {"PASSWORD": 31}}), "\"environment\" is no text"),
            (json!({"command": "migrate canary"}), "\"command\" is no list"),
            (json!({"wait_seconds": -1}), "\"wait_seconds\" is no whole number"),
            (json!({"rerun": "canary"}), "\"rerun\" is no true or false"),
        ];
        for (event, words) in cases {
            let told = refusal(event);
            assert!(told.contains(words), "{told}");
            assert!(!told.contains("canary"), "{told}");
        }
    }
}
