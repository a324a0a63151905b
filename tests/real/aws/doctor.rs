//! `shipway doctor`, asked about what is really there.

use std::process::Command;

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use serde_json::{Value, json};
use shipway::execute::ecs::Ecs;

use super::account::{DEVELOPMENT, REGION, SECRET, STAGING, ministack, moto, with_aws, with_keys};
use super::api::{ask, create_repository};
use super::ecs::services;
use super::gateway::Gateway;
use crate::project::Project;

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_push_that_would_work_is_status_zero() {
    let gateway = Gateway::before(DEVELOPMENT);
    create_repository(&moto(), DEVELOPMENT.id, "healthy/orders", "IMMUTABLE");
    let project = Project::new();
    let mut doctor = doctor(&project, &gateway.endpoint(), &DEVELOPMENT.image("healthy/orders"));
    let told = examine(0, with_keys(&mut doctor, &moto()));
    assert_eq!(told["ok"], true, "{told:#}");
    let text = told.to_string();
    for word in [
        "AWS_ACCESS_KEY_ID",
        "arn:aws:sts::123456789012:user/moto",
        "IMMUTABLE",
        "AES256",
    ] {
        assert!(text.to_uppercase().contains(&word.to_uppercase()), "{word}: {told:#}");
    }
    let asked = gateway.asked();
    assert!(
        asked
            .iter()
            .all(|request| request.starts_with("GET ") || request.starts_with("HEAD ")),
        "{asked:#?}"
    );
    let images = json!({ "repositoryName": "healthy/orders" });
    let images = ask(&moto(), DEVELOPMENT.id, "ListImages", &images).expect("the repository is there");
    assert_eq!(images["imageIds"], json!([]));
}

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_missing_repository_is_named() {
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    let mut doctor = doctor(&project, &gateway.endpoint(), &DEVELOPMENT.image("unhealthy/orders"));
    let told = examine(1, with_keys(&mut doctor, &moto()));
    assert!(failures(&told).contains("unhealthy/orders"), "{told:#}");
    let found = ask(
        &moto(),
        DEVELOPMENT.id,
        "DescribeRepositories",
        &json!({ "repositoryNames": ["unhealthy/orders"] }),
    );
    assert_eq!(found, Err("RepositoryNotFoundException".to_owned()), "it was made");
}

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn missing_credentials_are_named() {
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    let mut doctor = doctor(&project, &gateway.endpoint(), &DEVELOPMENT.image("nobody/orders"));
    let told = examine(1, with_aws(&mut doctor, &moto()));
    assert!(failures(&told).contains("identity"), "{told:#}");
}

/// The identity is of one account and the registry of another.
#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_refused_password_is_named() {
    let project = Project::new();
    let mut doctor = doctor(&project, &STAGING.endpoint(), &STAGING.image("other/orders"));
    let told = examine(1, with_keys(&mut doctor, &moto()));
    assert!(failures(&told).contains(STAGING.id), "{told:#}");
}

#[test]
#[ignore = "needs ministack: ci/test.sh"]
fn ministack_is_healthy() {
    let account = "000000000000";
    create_repository(&ministack(), account, "healthy/orders", "MUTABLE");
    let host = format!("{account}.dkr.ecr.{REGION}.amazonaws.com");
    let project = Project::new();
    let mut doctor = doctor(
        &project,
        &format!("{host}={}", ministack()),
        &format!("{host}/healthy/orders"),
    );
    let told = examine(0, with_keys(&mut doctor, &ministack()));
    assert_eq!(told["ok"], true, "{told:#}");
}

/// What a run needs, as it is made piece by piece: each time one failure less, and none when all is there.
#[test]
#[ignore = "needs ministack: ci/test.sh"]
fn what_a_run_needs_is_looked_at() {
    let name = format!("doctor-{}", std::process::id());
    let group = format!("/shipway/{name}");
    let project = Project::new();
    let examine = |status: i32| {
        let mut doctor = project.shipway();
        doctor.args(["doctor", "--cluster", &name, "--family", &name, "--lock", &name]);
        doctor.args(["--region", REGION, "--subnet", "subnet-0a", "--format", "json"]);
        examine(status, with_keys(&mut doctor, &ministack()))
    };
    let failed = |told: &Value| -> Vec<String> {
        let checks = told["checks"].as_array().expect("there are checks");
        let failed = checks.iter().filter(|check| check["status"] == "failed");
        failed
            .map(|check| check["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let services = services();
    let told = examine(1);
    assert_eq!(failed(&told), ["cluster", "task definition", "table"], "{told:#}");

    let client = aws_sdk_ecs::Client::new(services.config());
    let made = runtime.block_on(client.create_cluster().cluster_name(&name).send());
    made.expect("a cluster can be made");
    let told = examine(1);
    assert_eq!(failed(&told), ["task definition", "table"], "{told:#}");

    let definition = json!({
        "family": name, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::000000000000:role/flyway-execution",
        "containerDefinitions": [{
            "name": "flyway", "image": "127.0.0.1:9/absent/orders:1", "essential": true,
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": "flyway",
            }},
        }],
    });
    let registered = runtime.block_on(Ecs::new(&services).register(&definition));
    registered.expect("a revision can be registered");
    let told = examine(1);
    assert_eq!(failed(&told), ["log", "table"], "{told:#}");

    let client = aws_sdk_cloudwatchlogs::Client::new(services.config());
    let made = runtime.block_on(client.create_log_group().log_group_name(&group).send());
    made.expect("a group can be made");
    let told = examine(1);
    assert_eq!(failed(&told), ["table"], "{told:#}");

    let client = aws_sdk_dynamodb::Client::new(services.config());
    let mut request = client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        request = request
            .attribute_definitions(attribute.build().expect("all is said"))
            .key_schema(key.build().expect("all is said"));
    }
    runtime.block_on(request.send()).expect("a table can be made");
    let told = examine(0);
    assert_eq!(told["ok"], true, "{told:#}");
    // Nothing makes its items go away.
    assert!(told.to_string().contains("expires_at"), "{told:#}");
}

fn doctor(project: &Project, endpoint: &str, reference: &str) -> Command {
    let mut doctor = project.shipway();
    doctor.args(["doctor", reference, "--registry-endpoint", endpoint, "--format", "json"]);
    doctor
}

/// Runs it to an end that must be this one, and reads what it tells.
fn examine(status: i32, doctor: &mut Command) -> Value {
    let done = doctor.output().expect("shipway starts");
    let printed = String::from_utf8_lossy(&done.stdout);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(status), "{printed}{said}");
    assert!(
        !printed.contains(SECRET) && !said.contains(SECRET),
        "the secret is in the log"
    );
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{said}"))
}

/// The words of the checks that failed.
fn failures(told: &Value) -> String {
    let checks = told["checks"].as_array().expect("there are checks");
    let failed = checks.iter().filter(|check| check["status"] == "failed");
    failed.map(Value::to_string).collect::<Vec<_>>().join("\n")
}
