//! Nobody is signed in: said at once, with where was looked and what to do.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::aws::EcrScene;

/// Catches "no basic auth credentials", and a network that is reached for although it is of no use.
#[test]
fn the_places_are_named_and_how_to_sign_in() {
    let scene = EcrScene::new();
    let outcome = scene.push(&[]).exited(1).hints();
    outcome.says(&[
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        &scene.host,
        "aws sso login",
        "id_tokens",
    ]);
    scene.aws.assert_silent();
    assert_eq!(scene.registry.writes(), 0);
    scene.registry.assert_at_most(4);
}

/// Catches a closed network in which the wait for instance metadata takes minutes.
#[test]
fn instance_metadata_that_never_answers_costs_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let scene = EcrScene::new()
        .environment("AWS_EC2_METADATA_DISABLED", "false")
        .environment("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
    let start = Instant::now();
    scene.push(&[]).exited(1).says(&["instance metadata"]).hints();
    let time = start.elapsed();
    assert!(time < Duration::from_secs(10), "{time:?}");
    scene.aws.assert_silent();
}

/// Catches a port nobody listens at taken for anything but the lack of instance metadata.
#[test]
fn instance_metadata_that_is_not_there_is_no_error_of_its_own() {
    let scene = EcrScene::new()
        .environment("AWS_EC2_METADATA_DISABLED", "false")
        .environment("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9");
    scene
        .push(&[])
        .exited(1)
        .says(&["AWS_ACCESS_KEY_ID", "aws sso login"])
        .hints();
}

/// Catches a container endpoint that is down, told as "no identity".
#[test]
fn a_place_that_fails_is_named() {
    let scene = EcrScene::new();
    scene.aws.allow(&["container:GetCredentials"]);
    let url = scene.aws.container("123456789012", "task-role", Some("right"));
    let scene = scene
        .environment("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)
        .environment("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary-wrong");
    scene.push(&[]).exited(1).says(&["container"]);
}
