//! `--create-repository`, with moto as the one who knows what a repository is like.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::account::{DEVELOPMENT, digest_in, ends_with, moto, with_keys};
use super::api::{ask, create_repository, repository};
use super::gateway::Gateway;
use crate::parts::Registry;
use crate::project::Project;

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#;

const SETTINGS: &str = r#"
[repository]
tag_mutability = "immutable-with-exclusion"
tag_mutability_exclusions = ["current"]
scan_on_push = true
encryption = "KMS"
kms_key = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
lifecycle_policy = "lifecycle.json"
tags = { team = "orders", stage = "development" }
"#;

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_missing_repository_is_one_clear_error() {
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    let (_, said) = ends_with(1, &mut build(&project, &gateway, "missing/orders:1"));
    assert!(said.contains("does not exist"), "{said}");
    assert!(said.contains("--create-repository"), "{said}");
    assert!(
        said.contains("aws ecr create-repository --region eu-west-3 --repository-name missing/orders"),
        "{said}"
    );
    let asked = gateway.asked();
    assert!(
        !asked.iter().any(|request| request.starts_with("PUT ")),
        "bytes were sent: {asked:#?}"
    );
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_missing_repository_is_made_as_the_project_file_says() {
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    fs::write(project.path("lifecycle.json"), LIFECYCLE).expect("a file can be written");
    fs::write(project.path("shipway.toml"), SETTINGS).expect("a file can be written");
    let mut first = build(&project, &gateway, "made/orders:1");
    let (printed, _) = ends_with(0, first.arg("--create-repository"));
    assert_eq!(DEVELOPMENT.digest_of("made/orders:1"), digest_in(&printed));

    let made = facts("made/orders");
    assert_eq!(made["repository"]["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(
        made["repository"]["imageTagMutabilityExclusionFilters"],
        json!([{ "filterType": "WILDCARD", "filter": "current" }])
    );
    assert_eq!(made["repository"]["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(made["repository"]["encryptionConfiguration"]["encryptionType"], "KMS");
    assert_eq!(
        made["repository"]["encryptionConfiguration"]["kmsKey"],
        "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    );
    let policy: Value =
        serde_json::from_str(made["policy"].as_str().expect("there is a policy")).expect("a policy is JSON");
    assert_eq!(
        policy,
        serde_json::from_str::<Value>(LIFECYCLE).expect("a policy is JSON")
    );
    let mut tags = made["tags"].as_array().expect("there are tags").clone();
    tags.sort_by_key(|tag| tag["Key"].to_string());
    assert_eq!(
        tags,
        [
            json!({ "Key": "stage", "Value": "development" }),
            json!({ "Key": "team", "Value": "orders" })
        ]
    );

    let mut second = build(&project, &gateway, "made/orders:1");
    let (again, _) = ends_with(0, second.arg("--create-repository"));
    assert_eq!(again, printed);
    assert_eq!(facts("made/orders"), made);
}

/// Somebody else made it, for reasons we do not know.
#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_repository_that_is_there_stays_as_it_is() {
    create_repository(&moto(), DEVELOPMENT.id, "there/orders", "MUTABLE");
    let before = facts("there/orders");
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    fs::write(project.path("lifecycle.json"), LIFECYCLE).expect("a file can be written");
    fs::write(project.path("shipway.toml"), SETTINGS).expect("a file can be written");
    ends_with(
        0,
        build(&project, &gateway, "there/orders:1").arg("--create-repository"),
    );
    assert_eq!(facts("there/orders"), before);
}

/// The registry's own rule, where ours would let the tag move.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_tag_of_an_immutable_repository_stays() {
    create_repository(&moto(), DEVELOPMENT.id, "stays/orders", "IMMUTABLE");
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    let (printed, _) = ends_with(0, &mut build(&project, &gateway, "stays/orders:nightly"));
    assert_eq!(
        ends_with(0, &mut build(&project, &gateway, "stays/orders:nightly")).0,
        printed
    );

    fs::write(project.path("scripts/V3__more.sql"), "SELECT 1;\n").expect("a script can be written");
    let (_, said) = ends_with(4, &mut build(&project, &gateway, "stays/orders:nightly"));
    assert!(said.contains("nightly"), "{said}");
    assert_eq!(DEVELOPMENT.digest_of("stays/orders:nightly"), digest_in(&printed));
}

fn build(project: &Project, gateway: &Gateway, name: &str) -> Command {
    let mut build = project.build(&Registry::plain().base());
    build
        .args(["--push", "-t", &DEVELOPMENT.image(name)])
        .args(["--registry-endpoint", &gateway.endpoint()]);
    with_keys(&mut build, &moto());
    build
}

/// All that the API tells of a repository.
fn facts(name: &str) -> Value {
    let repository = repository(&moto(), DEVELOPMENT.id, name);
    let of = |operation: &str, question: Value| ask(&moto(), DEVELOPMENT.id, operation, &question).ok();
    let tags = of(
        "ListTagsForResource",
        json!({ "resourceArn": repository["repositoryArn"] }),
    );
    let policy = of("GetLifecyclePolicy", json!({ "repositoryName": name }));
    json!({
        "repository": repository,
        "tags": tags.map(|answer| answer["tags"].clone()),
        "policy": policy.map(|answer| answer["lifecyclePolicyText"].clone()),
    })
}
