//! The calls of ECS and of its logs as ministack understands them: with a Docker engine its tasks are containers, without one they
//! stay as they are until they are stopped.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use serde_json::{Value, json};
use shipway::aws::{Clock, Services};
use shipway::execute::ecs::{Desired, Ecs, ListBy, Started};
use shipway::execute::ending::ending;
use shipway::execute::logs::LogReader;
use shipway::execute::pin::{Launch, Pin, RunTask, pin, run_task_input};
use shipway::execute::{Status, Task};

use super::account::{REGION, ministack};

const CLUSTER: &str = "ecs-calls";
/// A stream, named as those of tasks are.
const STREAM: &str = "flyway/flyway/0a";
const FAMILY: &str = "ecs-calls-flyway";
/// How long a task may take to stop; only a test that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Now, as far as these tests go.
const NOW: i64 = 1_795_409_220;

pub(super) fn services() -> Services {
    let nobody = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "tests");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(ministack())
        .credentials_provider(SharedCredentialsProvider::new(nobody));
    Services::of(config.build(), Arc::new(Clock::new(NOW)))
}

/// Makes the cluster, unless it is there.
async fn make_cluster(services: &Services) {
    let client = aws_sdk_ecs::Client::new(services.config());
    let made = client.create_cluster().cluster_name(CLUSTER).send().await;
    made.expect("a cluster can be made");
}

fn at_ministack<Tested: Future<Output = ()>>(test: impl FnOnce(Services) -> Tested) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(test(services()));
}

/// A definition with a field of the API that nothing here reads.
fn definition() -> Value {
    json!({
        "family": FAMILY, "networkMode": "host", "requiresCompatibilities": ["EC2"],
        "containerDefinitions": [{
            "name": "flyway", "image": "127.0.0.1:9/absent/orders:1", "essential": true, "memory": 64,
            "versionConsistency": "enabled",
        }],
    })
}

fn order(definition: &Value, started_by: &str) -> Value {
    let order = RunTask {
        cluster: CLUSTER.to_owned(),
        definition: definition["taskDefinitionArn"]
            .as_str()
            .expect("it has an ARN")
            .to_owned(),
        client_token: "token".to_owned(),
        started_by: started_by.to_owned(),
        launch: Launch::Ec2,
        network: None,
        container: "flyway".to_owned(),
        command: Some(vec!["migrate".to_owned()]),
        environment: [("GREETING".to_owned(), "grün".to_owned())].into(),
        cpu: None,
        memory: None,
        tags: [("shipway:attempt".to_owned(), "1".to_owned())].into(),
    };
    run_task_input(&order).expect("ECS takes it")
}

#[test]
#[ignore = "needs ministack: ci/test.sh"]
fn a_revision_is_pinned_and_its_task_is_found_and_stopped() {
    at_ministack(|services| async move {
        let ecs = Ecs::new(&services);
        assert_eq!(ecs.cluster("no-such-cluster").await.expect("it answers"), None);
        make_cluster(&services).await;
        assert!(ecs.cluster(CLUSTER).await.expect("it answers").is_some());

        ecs.register(&definition()).await.expect("it is registered");
        let described = ecs.definition(FAMILY).await.expect("it is there");
        let image = format!("127.0.0.1:9/absent/orders@sha256:{}", "0".repeat(64));
        let wish = Pin {
            image: Some(image.clone()),
            tags: [("shipway:run-id".to_owned(), "r".to_owned())].into(),
            ..Pin::default()
        };
        let pinned = pin(&described, &wish).expect("it can be pinned");
        let registered = ecs
            .register(&pinned.register.expect("another image"))
            .await
            .expect("it is registered");
        let container = &registered["containerDefinitions"][0];
        assert_eq!(
            (&container["image"], &container["versionConsistency"]),
            (&json!(image), &json!("enabled"))
        );
        let newest = ecs.definition(FAMILY).await.expect("it is there");
        assert_eq!(
            newest["taskDefinition"]["taskDefinitionArn"],
            registered["taskDefinitionArn"]
        );
        assert_eq!(newest["tags"], json!([{"key": "shipway:run-id", "value": "r"}]));
        assert_eq!(
            pin(&newest, &wish).expect("it can be pinned").register,
            None,
            "it has that image"
        );

        let started_by = format!("shipway/calls-{}", std::process::id());
        let started = ecs
            .run_task(&order(&registered, &started_by))
            .await
            .expect("it answers");
        let Started::Answered(started) = started else {
            panic!("{started:?}")
        };
        let arn = started.tasks[0]["taskArn"].as_str().expect("it has an ARN").to_owned();
        assert_eq!(
            started.tasks[0]["overrides"]["containerOverrides"][0]["environment"][0]["value"],
            "grün"
        );

        // Without its image an engine ends it at once: whichever list it is in by then.
        let by = ListBy::StartedBy(started_by);
        let stopped = ecs
            .stop(CLUSTER, &arn, "the test is over")
            .await
            .expect("it can be stopped");
        assert_eq!(stopped["taskArn"], arn);
        let ended = Instant::now() + PATIENCE;
        let task = loop {
            let mut answered = ecs
                .tasks(CLUSTER, std::slice::from_ref(&arn))
                .await
                .expect("it answers");
            let task = Task::read(&answered.tasks.remove(0)).expect("it is a task");
            if task.is_stopped() {
                break task;
            }
            assert!(Instant::now() < ended, "{task:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(task.tag("shipway:attempt"), Some("1"));
        assert_eq!(
            ecs.list(CLUSTER, &by, Desired::Stopped).await.expect("it answers"),
            [arn]
        );
        assert!(
            ecs.list(CLUSTER, &by, Desired::Running)
                .await
                .expect("it answers")
                .is_empty()
        );
        let ending = ending(&task, "flyway", &[]).expect("it has stopped");
        assert!(
            matches!(ending.status, Status::Stopped | Status::StartFailed),
            "{ending:?}"
        );
        assert!(ending.failure.is_some(), "{ending:?}");
    });
}

#[test]
#[ignore = "needs ministack: ci/test.sh"]
fn what_is_not_there_is_told_as_such() {
    at_ministack(|services| async move {
        let ecs = Ecs::new(&services);
        // Whole, for ministack takes the end of an ID for the ID: a short one could be that of another test's task.
        let absent = "0".repeat(32);
        let error = ecs
            .definition("no-such-family")
            .await
            .expect_err("there is none")
            .to_string();
        assert!(error.contains("no task definition no-such-family"), "{error}");
        let error = ecs
            .stop("no-such-cluster", &absent, "why")
            .await
            .expect_err("there is none")
            .to_string();
        assert!(error.contains("no-such-cluster"), "{error}");
        make_cluster(&services).await;
        let gone = format!("arn:aws:ecs:{}:000000000000:task/{CLUSTER}/{absent}", services.region());
        let answered = ecs.tasks(CLUSTER, &[gone]).await.expect("it answers");
        assert!(answered.tasks.is_empty());
        assert_eq!(answered.failures[0]["reason"], "MISSING");
    });
}

#[test]
#[ignore = "needs ministack: ci/test.sh"]
fn a_log_is_read_to_its_end_and_goes_on_where_it_ended() {
    at_ministack(|services| async move {
        let reader = LogReader::new(&services);
        let group = format!("/shipway/calls-{}", std::process::id());
        let page = |token: Option<String>| {
            let (reader, group) = (reader.clone(), group.clone());
            async move {
                reader
                    .page(&group, STREAM, token.as_deref(), 2)
                    .await
                    .expect("it answers")
            }
        };
        let client = aws_sdk_cloudwatchlogs::Client::new(services.config());
        assert_eq!(page(None).await, None, "no group yet");
        let made = client.create_log_group().log_group_name(&group).send().await;
        made.expect("a group can be made");
        assert_eq!(page(None).await, None, "no stream yet");
        let stream = client.create_log_stream().log_group_name(&group);
        let made = stream.log_stream_name(STREAM).send().await;
        made.expect("a stream can be made");
        let put = async |lines: &[&str]| {
            let mut call = client.put_log_events().log_group_name(&group).log_stream_name(STREAM);
            for line in lines {
                let event = InputLogEvent::builder().timestamp(NOW * 1000).message(*line).build();
                call = call.log_events(event.expect("all is said"));
            }
            call.send().await.expect("lines can be written");
        };
        put(&["one", "two", "three"]).await;
        let mut read = Vec::new();
        let mut token = None;
        let mut has_more = true;
        loop {
            let found = page(token).await.expect("it is there");
            read.extend(found.events.into_iter().map(|event| event.message));
            token = Some(found.next_token);
            if found.is_at_end && has_more {
                // What comes after the end was reached is not lost.
                assert_eq!(read, ["one", "two", "three"]);
                put(&["four"]).await;
                has_more = false;
            } else if found.is_at_end {
                break;
            }
            assert!(read.len() < 10, "{read:?}");
        }
        assert_eq!(read, ["one", "two", "three", "four"]);
    });
}
