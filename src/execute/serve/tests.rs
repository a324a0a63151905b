//! The function with runs that do as a test says.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::json;

use super::super::{Failure, Health, LogEvent, Past};
use super::*;

/// The id Lambda gives to the events here.
const INVOCATION: &str = "8476a536-e9f4";

/// Runs as a test wants them; what is asked is written down.
#[derive(Default)]
struct Scripted {
    starts: Script<View>,
    looks: Script<View>,
    ends: Script<Option<(View, Record)>>,
    orders: Mutex<Vec<Order>>,
    looked: Mutex<Vec<Look>>,
}

/// Answers, one after the other.
type Script<T> = Mutex<VecDeque<Result<T>>>;

fn next<T>(script: &Script<T>) -> Result<T> {
    script.lock().unwrap().pop_front().expect("the script goes on")
}

#[async_trait]
impl Runs for Arc<Scripted> {
    async fn start(&self, order: &Order) -> Result<View> {
        self.orders.lock().unwrap().push(order.clone());
        next(&self.starts)
    }

    async fn look(&self, look: &Look) -> Result<View> {
        self.looked.lock().unwrap().push(look.clone());
        next(&self.looks)
    }

    async fn stop(&self, look: &Look, reason: &str) -> Result<View> {
        let mut view = self.look(look).await?;
        view.stopped_reason = Some(reason.to_owned());
        Ok(view)
    }

    async fn history(&self, past: &Past) -> Result<Vec<Record>> {
        let family = past.family.clone().unwrap_or_default();
        Ok(vec![Record {
            family,
            ..Record::default()
        }])
    }
}

#[async_trait]
impl Concludes for Arc<Scripted> {
    async fn conclude(&self, _: &Value, _: Option<&str>, teller: &str) -> Result<Option<(View, Record)>> {
        assert_eq!(teller, INVOCATION, "Lambda hands an event over again under the same id");
        next(&self.ends)
    }

    async fn examine(&self, order: &Order) -> Vec<Finding> {
        let container = order.container.clone().unwrap_or_default();
        vec![Finding::new("container", Health::Ok, container)]
    }
}

/// The function, its runs, and the lines it wrote.
struct Scene {
    runs: Arc<Scripted>,
    lines: Arc<Mutex<Vec<String>>>,
    service: std::result::Result<Service, Refusal>,
}

const NOW: i64 = 1_795_333_531_000;

impl Scene {
    fn new(is_strict: bool) -> Self {
        let runs = Arc::<Scripted>::default();
        let service = Service {
            runs: Box::new(Arc::clone(&runs)),
            services: Services::here("http://127.0.0.1:9"),
            rules: Rules::new(Vec::new(), None),
            mailer: None,
            name: "migrations".to_owned(),
            container: Some("flyway".to_owned()),
            is_strict,
        };
        Self {
            runs,
            lines: Arc::default(),
            service: Ok(service),
        }
    }

    fn starting(self, view: View) -> Self {
        self.runs.starts.lock().unwrap().push_back(Ok(view));
        self
    }

    fn looking(self, views: impl IntoIterator<Item = Result<View>>) -> Self {
        self.runs.looks.lock().unwrap().extend(views);
        self
    }

    /// What is answered to an event that has five minutes.
    async fn answer(&self, event: Value) -> std::result::Result<Value, Diagnostic> {
        self.answer_within(event, 300).await
    }

    async fn answer_within(&self, event: Value, seconds: i64) -> std::result::Result<Value, Diagnostic> {
        let lines = Arc::clone(&self.lines);
        let surroundings = Surroundings {
            now_milliseconds: Arc::new(|| NOW),
            line: Arc::new(move |line| lines.lock().unwrap().push(line.to_owned())),
        };
        let invocation = Invocation {
            id: INVOCATION.to_owned(),
            deadline_milliseconds: NOW + seconds * 1000,
        };
        answered(&self.service, &surroundings, Received::of(event), &invocation).await
    }

    fn lines(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn view(status: Status, lines: &[&str]) -> View {
    let mut view = View {
        run_id: Some(RunId::of("gl-1")),
        attempt: 1,
        status,
        done: status != Status::Running,
        task_arn: Some("arn:t".to_owned()),
        last_status: Some("RUNNING".to_owned()),
        ..View::default()
    };
    view.logs.is_at_end = true;
    view.logs.next_token = lines.last().map(|line| format!("after {line}"));
    let event = |line: &&str| LogEvent {
        time: 1,
        message: (*line).to_owned(),
    };
    view.logs.events = lines.iter().map(event).collect();
    view
}

#[tokio::test]
async fn an_empty_event_starts_a_run_and_so_does_the_same_event_again() {
    let scene = Scene::new(false)
        .starting(view(Status::Running, &[]))
        .starting(view(Status::Running, &[]));
    for _ in 0..2 {
        let answer = scene.answer(json!({})).await.unwrap();
        assert_eq!(answer["shipway"]["status"], "running");
    }
    let orders = scene.runs.orders.lock().unwrap();
    assert_eq!(orders[0].run_id, Some(RunId::of("lambda-8476a536-e9f4")));
    assert_eq!(
        orders[0], orders[1],
        "Lambda hands an event over again under the same id"
    );
    assert_eq!(orders[0].container.as_deref(), Some("flyway"));
    assert!(scene.runs.looked.lock().unwrap().is_empty(), "nobody waits");
    assert_eq!(scene.lines()[0]["action"], "start");
}

#[tokio::test]
async fn what_is_not_allowed_is_not_started() {
    let scene = Scene::new(false);
    let event = json!({"command": ["clean"], "environment": {"FLYWAY_PASSWORD": "canary"}});
    let refused = scene.answer(event).await.unwrap_err();
    assert_eq!(refused.error_type, "Refused");
    assert!(
        refused.error_message.contains("\"clean\" is not allowed"),
        "{refused:?}"
    );
    assert!(scene.runs.orders.lock().unwrap().is_empty());
    let lines = scene.lines.lock().unwrap().join("\n");
    assert!(lines.contains("Refused") && !lines.contains("canary"), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn waiting_collects_the_log_and_ends_with_the_run() {
    let later = |mut view: View, status: &str| {
        view.last_status = Some(status.to_owned());
        Ok(view)
    };
    let scene = Scene::new(false).starting(view(Status::Running, &[])).looking([
        later(view(Status::Running, &["one"]), "PENDING"),
        Err(ContentError::new(Kind::Temporary, "throttled")),
        later(view(Status::Running, &["two"]), "RUNNING"),
        later(view(Status::Succeeded, &["three"]), "STOPPED"),
    ]);
    let answer = scene
        .answer(json!({"run_id": "gl-1", "wait_seconds": 250}))
        .await
        .unwrap();
    let events = answer["shipway"]["logs"]["events"].as_array().unwrap();
    let lines: Vec<&str> = events.iter().filter_map(|event| event["m"].as_str()).collect();
    assert_eq!(lines, ["one", "two", "three"], "each once");
    assert_eq!(
        (&answer["shipway"]["done"], &answer["shipway"]["ok"]),
        (&json!(true), &json!(true))
    );
    let looked = scene.runs.looked.lock().unwrap();
    let tokens: Vec<Option<&str>> = looked.iter().map(|look| look.logs_token.as_deref()).collect();
    assert_eq!(tokens, [None, Some("after one"), Some("after one"), Some("after two")]);
    assert_eq!((looked[0].limit, looked[3].limit), (500, 498));
    assert_eq!(looked[0].task_arn.as_deref(), Some("arn:t"), "no search");
}

#[tokio::test(start_paused = true)]
async fn waiting_leaves_time_for_the_answer() {
    let scene = Scene::new(false)
        .starting(view(Status::Running, &[]))
        .looking((0..100).map(|_| Ok(view(Status::Running, &[]))));
    let begun = Instant::now();
    let answer = scene.answer_within(json!({"wait_seconds": 900}), 60).await.unwrap();
    assert_eq!(answer["shipway"]["status"], "running");
    let took = begun.elapsed();
    assert!(
        took <= Duration::from_secs(50) && took > Duration::from_secs(40),
        "{took:?}"
    );
    // One whose time is nearly up is answered at once.
    let scene = Scene::new(false).starting(view(Status::Running, &[]));
    scene.answer_within(json!({"wait_seconds": 900}), 9).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_stops_when_there_is_enough_to_tell() {
    let scene = Scene::new(false).looking([Ok(view(Status::Running, &["one", "two"]))]);
    let event = json!({"action": "logs", "run_id": "gl-1", "limit": 2, "wait_seconds": 60});
    let answer = scene.answer(event).await.unwrap();
    assert_eq!(answer["shipway"]["logs"]["next_token"], "after two");

    let busy = View {
        done: false,
        ..view(Status::Busy, &[])
    };
    let scene = Scene::new(false).starting(busy);
    let answer = scene.answer(json!({"wait_seconds": 60})).await.unwrap();
    assert_eq!(
        (&answer["shipway"]["status"], &answer["shipway"]["ok"]),
        (&json!("busy"), &json!(false))
    );
}

#[tokio::test]
async fn strictness_makes_errors_of_what_is_no_success_unless_the_caller_reads_answers() {
    let failed = View {
        failure: Some(Failure::new("flyway exited with 1").hint("mend it")),
        ..view(Status::Failed, &[])
    };
    let scene = Scene::new(true).looking([Ok(failed.clone()), Ok(failed.clone()), Ok(failed)]);
    let event = json!({"action": "status", "run_id": "gl-1"});
    let error = scene.answer(event).await.unwrap_err();
    assert_eq!(error.error_type, "MigrationFailed");
    assert_eq!(error.error_message, "flyway exited with 1\nhint: mend it");
    let event = json!({"action": "status", "run_id": "gl-1", "strict": false});
    assert_eq!(scene.answer(event).await.unwrap()["shipway"]["ok"], json!(false));
    // A run that was stopped is no success, and what was wanted.
    let event = json!({"action": "stop", "run_id": "gl-1", "reason": "enough"});
    assert_eq!(
        scene.answer(event).await.unwrap()["shipway"]["stopped_reason"],
        "enough"
    );
}

#[tokio::test]
async fn history_is_told_as_it_is_kept() {
    let answer = Scene::new(false)
        .answer(json!({"action": "history", "family": "flyway"}))
        .await
        .unwrap();
    assert_eq!(answer["shipway"]["records"][0]["family"], "flyway");
}

#[tokio::test]
async fn a_check_starts_nothing_and_knows_the_rules() {
    let scene = Scene::new(false);
    let event = json!({"action": "check", "container": "flyway", "image": "r.example.com/other"});
    let answer = scene.answer(event).await.unwrap();
    let ours = &answer["shipway"];
    assert_eq!(ours["ok"], false, "{answer}");
    assert_eq!(ours["findings"][0]["text"], "flyway", "{answer}");
    assert_eq!(ours["findings"][1]["name"], "allowed", "{answer}");
    assert!(scene.runs.orders.lock().unwrap().is_empty());
}

fn stopped() -> Value {
    json!({"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": {"lastStatus": "STOPPED"}})
}

#[tokio::test]
async fn what_became_of_a_task_is_told_once_and_is_never_an_error() {
    let record = Record {
        status: Status::Failed,
        ..Record::default()
    };
    let scene = Scene::new(true);
    let ends = [Ok(Some((view(Status::Failed, &["last"]), record))), Ok(None)];
    scene.runs.ends.lock().unwrap().extend(ends);
    let answer = scene.answer(stopped()).await.unwrap();
    assert_eq!(
        (&answer["shipway"]["concluded"], &answer["shipway"]["ok"]),
        (&json!(true), &json!(true))
    );
    let answer = scene.answer(stopped()).await.unwrap();
    assert_eq!(answer["shipway"]["concluded"], json!(false));
    let lines = scene.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["MigrationFailed"], &lines[0]["Name"]),
        (&json!(1), &json!("migrations"))
    );
    assert_eq!(lines[0]["_aws"]["Timestamp"], json!(NOW));
}

#[tokio::test]
async fn what_cannot_be_kept_is_an_error_that_lambda_tries_again() {
    let scene = Scene::new(false);
    let error = ContentError::new(Kind::Temporary, "the table is throttled");
    scene.runs.ends.lock().unwrap().push_back(Err(error));
    assert_eq!(scene.answer(stopped()).await.unwrap_err().error_type, "Unavailable");
}

#[tokio::test]
async fn a_function_without_its_settings_says_so_to_its_callers() {
    let error = ContentError::new(Kind::Usage, "ENV_CLUSTER is not set");
    let scene = Scene {
        service: Err(Refusal::of_error(&error)),
        ..Scene::new(false)
    };
    let told = scene.answer(json!({})).await.unwrap_err();
    assert_eq!(
        (told.error_type.as_str(), told.error_message.as_str()),
        ("InvalidRequest", "ENV_CLUSTER is not set")
    );
}
