//! `shipway doctor`, asked about what is really there.

use std::process::Command;

use serde_json::{Value, json};

use super::account::{DEVELOPMENT, REGION, SECRET, STAGING, ministack, moto, with_aws, with_keys};
use super::api::{ask, create_repository};
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
