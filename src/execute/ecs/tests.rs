//! The calls against a service on the loopback that keeps what reaches it, byte by byte.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The secret of the identity of tests.
const SECRET: &str = "secret";

/// A request as it came.
struct Request {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn operation(&self) -> &str {
        self.headers["x-amz-target"].rsplit('.').next().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Signs it once more, as AWS does (Signature Version 4): what was signed must be what came.
    fn assert_is_signed(&self) {
        let authorization = &self.headers["authorization"];
        let part = |name: &str| {
            let (_, rest) = authorization.split_once(&format!("{name}=")).unwrap();
            rest.split(',').next().unwrap().to_owned()
        };
        let credential = part("Credential");
        let (_, scope) = credential.split_once('/').unwrap();
        let names = part("SignedHeaders");
        let headers: String = names
            .split(';')
            .map(|name| format!("{name}:{}\n", self.headers[name]))
            .collect();
        let canonical = format!("POST\n/\n\n{headers}\n{names}\n{}", hex(&Sha256::digest(&self.body)));
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.headers["x-amz-date"],
            hex(&Sha256::digest(canonical))
        );
        let first = format!("AWS4{SECRET}").into_bytes();
        let key = scope.split('/').fold(first, |key, part| hmac(&key, part.as_bytes()));
        assert_eq!(
            part("Signature"),
            hex(&hmac(&key, text.as_bytes())),
            "{}",
            self.operation()
        );
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC with SHA-256 (RFC 2104), for keys no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> {
        (0..64)
            .map(|index| key.get(index).copied().unwrap_or_default() ^ pad)
            .collect()
    };
    let inner = Sha256::digest([&padded(0x36), text].concat());
    Sha256::digest([&padded(0x5c), &inner[..]].concat()).to_vec()
}

/// Answers one call after the other with these; keeps the requests.
async fn service(answers: Vec<(u16, Value)>) -> (Ecs, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::<Mutex<Vec<Request>>>::default();
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        for (status, answer) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read(&mut stream).await;
            kept.lock().unwrap().push(request);
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                answer.len()
            );
            stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
        }
    });
    let services = Services::here(&address);
    (Ecs::new(&services), requests)
}

/// Reads as much of a body as its length says, as a server does.
async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let end = loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request is whole");
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let headers: BTreeMap<String, String> = head
        .lines()
        .skip(1)
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let lengths = head
        .lines()
        .filter(|line| line.to_lowercase().starts_with("content-length:"))
        .count();
    assert_eq!(lengths, 1, "{head}");
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0, "the body is whole");
    }
    assert_eq!(body.len(), length, "more than its length says");
    Request { headers, body }
}

fn told(kind: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": kind, "message": message}))
}

/// A body with fields no SDK knows, and one whose characters take more bytes than one.
fn definition() -> Value {
    json!({
        "family": "flyway", "fieldOfNextYear": {"kept": [1, null, 2.5]},
        "containerDefinitions": [{"name": "flyway", "image": "a.b/c@sha256:1", "alsoNew": true, "command": ["grün"]}],
    })
}

#[tokio::test]
async fn what_no_sdk_knows_leaves_signed_and_comes_back_at_every_try() {
    let answer = json!({"taskDefinition": {"revision": 8, "fieldOfTheYearAfter": {"a": [1]}}});
    let (ecs, requests) = service(vec![(503, json!({"__type": "ServerException"})), (200, answer.clone())]).await;
    let registered = ecs.register(&definition()).await.unwrap();
    assert_eq!(registered, answer["taskDefinition"]);
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 2, "it was tried again");
    for request in requests.iter() {
        assert_eq!(request.operation(), "RegisterTaskDefinition");
        assert_eq!(String::from_utf8_lossy(&request.body), definition().to_string());
        request.assert_is_signed();
    }
}

#[tokio::test]
async fn a_task_is_asked_for_with_our_own_token_each_time() {
    let answer = json!({"tasks": [{"taskArn": "arn:1", "new": 1}], "failures": [{"reason": "RESOURCE:ENI", "new": 2}]});
    let (ecs, requests) = service(vec![(500, json!({"__type": "ServerException"})), (200, answer.clone())]).await;
    let input = json!({"cluster": "c", "taskDefinition": "flyway:8", "clientToken": "ours", "new": {"a": 1}});
    let Started::Answered(answered) = ecs.run_task(&input).await.unwrap() else {
        panic!("it was answered")
    };
    // Tasks and failures may come together.
    assert_eq!(json!(answered.tasks), answer["tasks"]);
    assert_eq!(json!(answered.failures), answer["failures"]);
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    for request in requests.iter() {
        assert_eq!(request.json(), input);
        request.assert_is_signed();
    }
}

#[tokio::test]
async fn why_a_task_was_not_started_is_told_apart() {
    let conflict = json!({"__type": "ConflictException", "message": "in use", "resourceIds": ["arn:1", "arn:2"]});
    let (ecs, _) = service(vec![
        (400, conflict),
        told("ClientException", "Capacity is unavailable at this time."),
        told(
            "ClientException",
            "The specified capacity provider 'FARGTE' was not found.",
        ),
        told(
            "AccessDeniedException",
            "User: x is not authorized to perform: iam:PassRole on resource: y",
        ),
        told("ClusterNotFoundException", "Cluster not found."),
    ])
    .await;
    let input = json!({"taskDefinition": "flyway:8"});
    let started = ecs.run_task(&input).await.unwrap();
    assert!(
        matches!(&started, Started::Conflict(arns) if arns == &["arn:1", "arn:2"]),
        "{started:?}"
    );
    let started = ecs.run_task(&input).await.unwrap();
    assert!(
        matches!(&started, Started::NoCapacity(why) if why.contains("unavailable")),
        "{started:?}"
    );
    for (word, hint) in [
        ("FARGTE", None),
        ("iam:PassRole", Some("iam:PassRole")),
        ("Cluster", Some("--cluster")),
    ] {
        let error = ecs.run_task(&input).await.unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains(word), "{text}");
        assert!(hint.is_none_or(|hint| text.contains(hint)), "{text}");
    }
}

#[tokio::test]
async fn tasks_that_are_missing_are_told_and_all_pages_are_read() {
    let missing = json!({"tasks": [], "failures": [{"arn": "arn:1", "reason": "MISSING"}]});
    let (ecs, requests) = service(vec![
        (200, missing.clone()),
        (200, json!({"taskArns": ["arn:1"], "nextToken": "more"})),
        (200, json!({"taskArns": [], "nextToken": "still"})),
        (200, json!({"taskArns": ["arn:2"]})),
    ])
    .await;
    assert_eq!(ecs.tasks("c", &[]).await.unwrap(), Answered::default());
    let answered = ecs.tasks("c", &["arn:1".to_owned()]).await.unwrap();
    assert_eq!(json!(answered.failures), missing["failures"]);
    let by = ListBy::StartedBy("shipway/r".to_owned());
    assert_eq!(ecs.list("c", &by, Desired::Stopped).await.unwrap(), ["arn:1", "arn:2"]);
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 4, "nothing is asked about no tasks");
    assert_eq!(requests[0].json()["include"], json!(["TAGS"]));
    for (request, token) in requests[1..].iter().zip([Value::Null, json!("more"), json!("still")]) {
        let asked = request.json();
        assert_eq!(
            (&asked["startedBy"], &asked["desiredStatus"]),
            (&json!("shipway/r"), &json!("STOPPED"))
        );
        assert_eq!(asked["nextToken"], token);
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let (ecs, _) = service(vec![
        told("ClientException", "Unable to describe task definition."),
        told("ClusterNotFoundException", "Cluster not found."),
        (200, json!({"clusters": [], "failures": [{"reason": "MISSING"}]})),
    ])
    .await;
    let error = ecs.definition("flyway").await.unwrap_err().to_string();
    assert!(error.contains("no task definition flyway in eu-west-3"), "{error}");
    let error = ecs.stop("c", "arn:1", "why").await.unwrap_err().to_string();
    assert!(error.contains("no cluster c in eu-west-3"), "{error}");
    assert_eq!(ecs.cluster("c").await.unwrap(), None);
}
