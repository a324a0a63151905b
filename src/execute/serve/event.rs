//! What arrives: a caller's event, or one of EventBridge.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::function::Request;
use crate::content::{ContentError, Kind, Result};

/// What the parser says of a text of which there is nothing.
const NOTHING: &str = "line 1 column 0";

/// An event as it came; that it is no JSON is for us to tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Received(std::result::Result<Value, String>);

impl<'de> Deserialize<'de> for Received {
    fn deserialize<D: Deserializer<'de>>(source: D) -> std::result::Result<Self, D::Error> {
        Ok(Self(Value::deserialize(source).map_err(|error| error.to_string())))
    }
}

/// What an event is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// Somebody wants something.
    Call(Box<Request>),
    /// A task has stopped: what ECS says of it.
    Stopped(Value),
    /// A task changes, and has not stopped.
    Other,
}

impl Received {
    #[cfg(test)]
    pub(super) fn of(event: Value) -> Self {
        Self(Ok(event))
    }

    /// Finds out what it is.
    ///
    /// # Errors
    /// When it is nothing that is known here.
    pub(super) fn read(self) -> Result<Event> {
        let event = match self.0 {
            Ok(event) => event,
            // A call without a payload.
            Err(error) if error.contains(NOTHING) => Value::Null,
            Err(error) => return Err(ContentError::new(Kind::Usage, "the event is no JSON").because(error)),
        };
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let Some(detail_type) = text("detail-type") else {
            return Ok(Event::Call(Box::new(Request::read(&event)?)));
        };
        if (text("source"), detail_type) != (Some("aws.ecs"), "ECS Task State Change") {
            return Err(
                ContentError::new(Kind::Usage, format!("nothing is known here of events {detail_type:?}"))
                    .hint("a rule that is to start a run gives its target a constant input: {\"action\": \"start\"}"),
            );
        }
        let detail = event.get("detail").cloned().unwrap_or_default();
        Ok(match detail.get("lastStatus").and_then(Value::as_str) {
            Some("STOPPED") => Event::Stopped(detail),
            _ => Event::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::function::Call;
    use super::*;

    fn read(text: &str) -> Result<Event> {
        serde_json::from_str::<Received>(text).expect("it never fails").read()
    }

    #[test]
    fn an_event_is_known_by_its_shape() {
        // serde_json::from_str looks for more behind what was read; the runtime does not.
        let nothing = Received::deserialize(&mut serde_json::Deserializer::from_slice(b"")).expect("it never fails");
        for empty in [Ok(nothing), Ok(Received::of(json!(null))), serde_json::from_str("{}")] {
            let event: serde_json::Result<Received> = empty;
            let event = event.expect("it never fails").read().expect("it starts a run");
            let Event::Call(request) = event else {
                panic!("{event:?}")
            };
            assert_eq!(request.call, Call::Start(Box::default(), 0));
        }
        let task = |status: &str| {
            json!({"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": {"lastStatus": status}})
                .to_string()
        };
        assert_eq!(
            read(&task("STOPPED")).expect("an event"),
            Event::Stopped(json!({"lastStatus": "STOPPED"}))
        );
        assert_eq!(read(&task("RUNNING")).expect("an event"), Event::Other);
    }

    #[test]
    fn what_is_not_understood_starts_nothing() {
        for text in [
            r#"{"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}"#,
            r#"{"source": "aws.ec2", "detail-type": "ECS Task State Change", "detail": {"lastStatus": "STOPPED"}}"#,
            r#"{"Records": []}"#,
            r#"{"action": "start""#,
            "[1, 2",
        ] {
            let mut source = serde_json::Deserializer::from_str(text);
            let error = Received::deserialize(&mut source)
                .expect("it never fails")
                .read()
                .expect_err(text);
            assert_eq!(error.kind(), Kind::Usage, "{text}");
        }
    }
}
