//! The caller against a service that answers what a test says.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::super::RunId;
use super::*;

/// An answer: status, headers, body; none for a connection that is closed without one.
type Said = Option<(u16, &'static str, Value)>;

/// Answers calls with what is said, one after the other, the last one again and again; keeps the events.
async fn service(said: Vec<Said>) -> (Function, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let services = Services::here(&format!("http://{}", listener.local_addr().unwrap()));
    let events = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&events);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let index = kept.lock().unwrap().len().min(said.len() - 1);
            exchange(stream, &said[index], &kept).await;
        }
    });
    (Function::new(&services, "MyLambdaToTriggerFlyway"), events)
}

/// One request, one answer.
async fn exchange(mut stream: TcpStream, said: &Said, events: &Mutex<Vec<Value>>) {
    let mut text = Vec::new();
    let body = loop {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "the request is whole");
        let read = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = read.split_once("\r\n\r\n") else {
            continue;
        };
        assert!(
            head.starts_with("POST /2015-03-31/functions/MyLambdaToTriggerFlyway/invocations "),
            "{head}"
        );
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if Some(body.len()) == length {
            assert!(
                head.to_lowercase().contains("x-amz-invocation-type: requestresponse"),
                "{head}"
            );
            break body.to_owned();
        }
    };
    events.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    let Some((status, headers, answer)) = said else { return };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        answer.len()
    );
    stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
}

const ERROR: &str = "x-amz-function-error: Unhandled\r\n";

fn good(answer: Value) -> Said {
    Some((200, "", answer))
}

fn error(error_type: &str, message: &str) -> Said {
    Some((200, ERROR, json!({"errorType": error_type, "errorMessage": message})))
}

fn order() -> Order {
    Order {
        run_id: Some(RunId::of("gl-1")),
        ..Order::default()
    }
}

fn text(error: &ContentError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {} / {}", cause.unwrap_or_default(), error.hints().join(" / "))
}

#[tokio::test]
async fn each_call_is_an_event_and_its_answer_is_read() {
    let view = json!({"tasks": [{"taskArn": "arn:t"}], "failures": [], "shipway": {
        "schema": "shipway.lambda/v1", "ok": true, "run_id": "gl-1", "attempt": 2, "status": "running", "future": 1}});
    let records = json!({"shipway": {"schema": "shipway.lambda/v1", "ok": true, "records": [{"family": "flyway"}]}});
    let (function, events) = service(vec![good(view.clone()), good(view.clone()), good(view), good(records)]).await;
    let look = Look {
        run_id: Some(RunId::of("gl-1")),
        limit: 10,
        ..Look::default()
    };
    let started = function.start(&order()).await.unwrap();
    assert_eq!((started.attempt, started.status), (2, Status::Running));
    assert_eq!(started.answered.tasks, [json!({"taskArn": "arn:t"})]);
    function.look(&look).await.unwrap();
    function.stop(&look, "enough").await.unwrap();
    assert_eq!(function.history(&Past::default()).await.unwrap()[0].family, "flyway");
    let events = events.lock().unwrap();
    let actions: Vec<&str> = events.iter().filter_map(|event| event["action"].as_str()).collect();
    assert_eq!(actions, ["start", "status", "stop", "history"]);
    assert!(events.iter().all(|event| event["strict"] == json!(false)), "{events:?}");
    assert_eq!(
        (&events[1]["limit"], &events[2]["reason"]),
        (&json!(10), &json!("enough"))
    );
}

#[tokio::test]
async fn how_a_run_is_may_come_as_an_error_of_the_function() {
    for (error_type, status) in [("Busy", Status::Busy), ("CapacityUnavailable", Status::NoCapacity)] {
        let (function, _) = service(vec![error(error_type, "gl-0 is running\nhint: wait")]).await;
        let view = function.start(&order()).await.unwrap();
        assert_eq!(view.status, status);
        let failure = view.failure.unwrap();
        assert_eq!((failure.message.as_str(), failure.hints.len()), ("gl-0 is running", 1));
    }
}

#[tokio::test]
async fn errors_of_the_function_keep_their_kind() {
    let cases = [
        ("AccessDenied", "no right\nhint: allow it", Kind::Denied, "allow it"),
        ("InvalidRequest", "no such image", Kind::Usage, "no such image"),
        ("Refused", "clean is not allowed", Kind::Refused, "clean is not allowed"),
        ("Unavailable", "throttled", Kind::Temporary, "throttled"),
        (
            "Sandbox.Timedout",
            "Task timed out after 3.00 seconds",
            Kind::Temporary,
            "Timeout of 60",
        ),
        (
            "",
            "2026 abc Task timed out after 3.00 seconds",
            Kind::Temporary,
            "Timeout of 60",
        ),
        ("Runtime.ExitError", "exit status 2", Kind::Other, "ci/lambda.sh"),
        (
            "TypeError",
            "Cannot read properties of undefined",
            Kind::Other,
            "docs/lambda.md",
        ),
    ];
    for (error_type, message, kind, words) in cases {
        let (function, events) = service(vec![error(error_type, message)]).await;
        let refused = function.start(&order()).await.expect_err(error_type);
        assert_eq!(refused.kind(), kind, "{error_type}");
        assert!(text(&refused).contains(words), "{}", text(&refused));
        assert_eq!(
            events.lock().unwrap().len(),
            1,
            "an error of the function is its answer"
        );
    }
}

#[tokio::test]
async fn a_function_that_is_none_of_ours_is_told() {
    let (function, _) = service(vec![good(json!({"tasks": [{"taskArn": "arn:t"}], "failures": []}))]).await;
    let refused = function.start(&order()).await.expect_err("the article's");
    assert!(
        text(&refused).contains("it started arn:t, and nobody waits"),
        "{}",
        text(&refused)
    );
    let (function, _) = service(vec![good(json!("hello"))]).await;
    let refused = function.history(&Past::default()).await.expect_err("something else");
    assert!(
        text(&refused).contains("has to be shipway itself"),
        "{}",
        text(&refused)
    );
}

#[tokio::test]
async fn what_lambda_refuses_is_told_and_what_may_pass_is_tried_again() {
    let no = |status: u16, kind: &'static str| Some((status, kind, json!({"Message": "it says no"})));
    let missing = "x-amzn-errortype: ResourceNotFoundException\r\n";
    let denied = "x-amzn-errortype: AccessDeniedException\r\n";
    let throttled = "x-amzn-errortype: TooManyRequestsException\r\n";
    let pending = "x-amzn-errortype: ResourceConflictException\r\n";
    for (said, kind, words, tries) in [
        (no(404, missing), Kind::NotFound, "eu-west-3", 1),
        (no(403, denied), Kind::Denied, "lambda:InvokeFunction", 1),
        (no(429, throttled), Kind::Temporary, "it says no", 3),
        (no(409, pending), Kind::Temporary, "cannot call", 1),
        (None, Kind::Temporary, "network", 3),
    ] {
        let (function, events) = service(vec![said]).await;
        let refused = function.start(&order()).await.expect_err(words);
        assert_eq!(refused.kind(), kind, "{}", text(&refused));
        assert!(text(&refused).contains(words), "{}", text(&refused));
        assert_eq!(events.lock().unwrap().len(), tries, "{words}");
    }
}

#[tokio::test]
async fn a_call_without_an_answer_is_not_made_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let services = Services::here(&format!("http://{}", listener.local_addr().unwrap()));
    let calls = Arc::<Mutex<Vec<TcpStream>>>::default();
    let kept = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            kept.lock().unwrap().push(stream);
        }
    });
    let mut function = Function::new(&services, "slow");
    let soon = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(200))
        .build();
    let config = function.client.config().to_builder().timeout_config(soon);
    function.client = Client::from_conf(config.build());
    let refused = function.start(&order()).await.expect_err("there is no answer");
    assert_eq!(refused.kind(), Kind::Temporary, "{}", text(&refused));
    assert_eq!(calls.lock().unwrap().len(), 1);
}
