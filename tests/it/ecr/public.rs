//! The public gallery: read by anybody, written to with a token of its own service.

use crate::support::aws::{BASE_LAYERS, EcrScene, PUBLIC_HOST};
use crate::support::base::Base;
use crate::support::registry::{Authentication, FakeRegistry, Options};

const TOKEN: &str = "ecr-public:GetAuthorizationToken";

/// A gallery that anybody may pull from.
fn gallery() -> FakeRegistry {
    let gallery = FakeRegistry::start(Options {
        authentication: Authentication::Bearer {
            anonymous_pull: true,
            uses: usize::MAX,
        },
        ..Options::ecr()
    });
    gallery.seed("docker/library/runner", "13", &Base::flyway_of(BASE_LAYERS).index());
    gallery
}

/// Catches an identity that is asked for what anybody may have.
#[test]
fn a_base_of_the_gallery_is_read_by_nobody_in_particular() {
    let gallery = gallery();
    let scene = EcrScene::signed_in().endpoint(PUBLIC_HOST, &gallery);
    let base = format!("{PUBLIC_HOST}/docker/library/runner:13");
    let local = ["build", "--scripts", "db", "--base", &base, "--output", "oci:out"];
    scene.run(&local).succeeded();
    scene.aws.assert_silent();
    assert!(gallery.requests().iter().all(|request| {
        let authorization = request.authorization.clone().unwrap_or_default();
        !authorization.starts_with("Basic")
    }));
    let target = scene.reference("orders:v1");
    let arguments = ["build", "--scripts", "db", "--base", &base, "-t", &target, "--push"];
    scene.run(&arguments).succeeded();
    assert_eq!(
        scene.aws.calls().len(),
        1,
        "one token, for the target: {}",
        scene.aws.recorded()
    );
    gallery.assert_strict();
}

/// Catches the token of a private registry used for the gallery, or asked for in the wrong region.
#[test]
fn writing_to_the_gallery_takes_a_token_of_its_own() {
    let gallery = gallery();
    gallery.create("a1b2c3d4/orders");
    let scene = EcrScene::signed_in().endpoint(PUBLIC_HOST, &gallery);
    scene.aws.allow(&[TOKEN]);
    scene.aws.governs_public(&gallery);
    let base = format!("{PUBLIC_HOST}/docker/library/runner:13");
    let target = format!("{PUBLIC_HOST}/a1b2c3d4/orders:v1");
    let arguments = ["build", "--scripts", "db", "--base", &base, "-t", &target, "--push"];
    scene.run(&arguments).succeeded();
    gallery.image("a1b2c3d4/orders", "v1");
    let calls = scene.aws.calls();
    assert_eq!(calls.len(), 1, "{}", scene.aws.recorded());
    assert_eq!(calls[0].operation, TOKEN);
    assert_eq!(calls[0].region, "us-east-1");
    gallery.assert_strict();
}

/// Catches a gallery whose repository is created by the service of private registries.
#[test]
fn a_repository_of_the_gallery_is_created_there() {
    let gallery = gallery();
    let scene = EcrScene::signed_in().endpoint(PUBLIC_HOST, &gallery);
    scene.aws.allow(&[TOKEN, "ecr-public:CreateRepository"]);
    scene.aws.governs_public(&gallery);
    let base = scene.reference("runner:13");
    let target = format!("{PUBLIC_HOST}/a1b2c3d4/orders:v1");
    let arguments = [
        "build",
        "--scripts",
        "db",
        "--base",
        &base,
        "-t",
        &target,
        "--push",
        "--create-repository",
    ];
    scene.run(&arguments).succeeded();
    let created = scene.aws.calls_of("ecr-public:CreateRepository");
    assert_eq!(created.len(), 1);
    assert_eq!(
        created[0].input["repositoryName"], "orders",
        "the alias is no part of the name"
    );
    assert_eq!(created[0].region, "us-east-1");
}
