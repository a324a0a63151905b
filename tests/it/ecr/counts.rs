//! What a push to Amazon ECR costs: what it costs at any registry, and one call for the token.

use crate::support::aws::{ACCOUNT, BASE_LAYERS, EcrScene, HOST};
use crate::support::base::{Base, Bundle};
use crate::support::registry::{FakeRegistry, Options};

/// The one call to AWS.
fn assert_one_token(scene: &EcrScene) {
    let calls: Vec<_> = scene.aws.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, ["ecr:GetAuthorizationToken"]);
    scene.registry.assert_strict();
}

/// Catches a request more than at any other registry, a ping, or a first request without the token.
#[test]
fn a_later_release_without_cache() {
    let scene = EcrScene::signed_in();
    scene.push_tags(&["v1"], &["--no-cache"]).succeeded();
    assert_one_token(&scene);
    scene.next_release();
    scene.push_tags(&["v2"], &["--no-cache"]).succeeded();
    assert_one_token(&scene);
    scene.registry.assert_at_most(10 + BASE_LAYERS);
    assert_eq!(scene.registry.redundant_uploads(), 0);
}

/// Catches a token that is written to the cache, or asked for although nothing is.
#[test]
fn a_later_release_with_cache() {
    let scene = EcrScene::signed_in();
    scene.push_tags(&["v1"], &[]).succeeded();
    scene.next_release();
    scene.push_tags(&["v2"], &[]).succeeded();
    assert_one_token(&scene);
    scene.registry.assert_at_most(8);
}

/// Catches an unchanged run that writes.
#[test]
fn an_unchanged_run() {
    let scene = EcrScene::signed_in();
    let tags = ["v1", "current"];
    scene.push_tags(&tags, &[]).succeeded();
    scene.registry.forget_requests();
    scene.aws.forget_calls();
    scene.push_tags(&tags, &[]).succeeded();
    assert_one_token(&scene);
    scene.registry.assert_at_most(1 + tags.len());
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
}

/// Catches a mount that costs a call to AWS.
#[test]
fn a_first_push_that_mounts_or_cannot() {
    for (mounts, limit) in [(true, 10 + 2 * BASE_LAYERS), (false, 10 + 5 * BASE_LAYERS)] {
        let options = Options {
            mounts,
            ..Options::ecr()
        };
        let scene = EcrScene::at(HOST, "eu-west-1", options).with_dev();
        scene.push(&["--no-cache"]).succeeded();
        assert_one_token(&scene);
        scene.registry.assert_at_most(limit);
        scene.registry.image("orders", "v1");
    }
}

/// Catches a token per tag, per target, per platform, or one for the base and one for the target.
#[test]
fn one_token_is_for_everything_at_one_registry() {
    let scene = EcrScene::signed_in();
    scene.registry.create("bills");
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    scene.registry.seed("runner", "both", &Bundle::index(&bases));
    let base = scene.reference("runner:both");
    let targets = ["orders:v1", "orders:current", "bills:v1", "bills:current"].map(|name| scene.reference(name));
    let mut arguments = vec![
        "build",
        "--scripts",
        "db",
        "--push",
        "--platform",
        "all",
        "--base",
        &base,
    ];
    for target in &targets {
        arguments.extend(["-t", target]);
    }
    scene.run(&arguments).succeeded();
    assert_one_token(&scene);
    assert_eq!(scene.registry.tags("bills").len(), 2);
}

/// Catches the token of one region sent to another, and a region asked twice.
#[test]
fn each_region_has_a_token_of_its_own() {
    let other_host = "123456789012.dkr.ecr.us-east-2.amazonaws.com";
    let other = FakeRegistry::ecr();
    other.create("orders");
    let scene = EcrScene::signed_in().endpoint(other_host, &other);
    scene.aws.governs(ACCOUNT, "us-east-2", &other);
    let target = format!("{other_host}/orders:v1");
    scene.push(&["-t", &target]).succeeded();
    let mut regions: Vec<_> = scene.aws.calls().into_iter().map(|call| call.region).collect();
    regions.sort();
    assert_eq!(regions, ["eu-west-1", "us-east-2"]);
    scene.registry.assert_strict();
    other.assert_strict();
    assert_eq!(scene.registry.tag("orders", "v1"), other.tag("orders", "v1"));
}

/// Catches an identity that is looked for where nobody asked Amazon ECR for anything.
#[test]
fn what_is_local_asks_nobody() {
    let scene = EcrScene::signed_in();
    Base::flyway()
        .image()
        .write_layout(&scene.project.folder().join("base"), "13");
    let repository = scene.reference("orders");
    let file = format!("[migrations]\nscripts = \"db\"\n[image]\nrepository = \"{repository}\"\n");
    let scene = scene.set(|project| project.project_file(&file));
    let arguments = ["build", "--base", "oci:base:13", "--output", "oci:out", "-t", "v1"];
    scene.run(&arguments).succeeded();
    scene.aws.assert_silent();
    assert_eq!(scene.registry.count(), 0);
}

/// Catches a registry that is no registry of Amazon's, asked about with an AWS identity.
#[test]
fn other_registries_have_nothing_to_do_with_aws() {
    let scene = EcrScene::signed_in();
    let open = FakeRegistry::open();
    open.seed("runner", "13", &Base::flyway().image());
    scene
        .project
        .push(&open.reference("runner:13"), &open.reference("orders:v1"))
        .succeeded();
    scene.aws.assert_silent();
}

/// Catches a request that waits for the token although it needs none, and a token that is waited for twice.
#[test]
fn the_depth_of_a_later_release() {
    let options = Options {
        rounds: true,
        ..Options::ecr()
    };
    let scene = EcrScene::at(HOST, "eu-west-1", options).with_dev();
    scene.push_tags(&["v1"], &["--no-cache"]).succeeded();
    scene.next_release();
    let before = scene.registry.rounds();
    scene.push_tags(&["v2"], &["--no-cache"]).succeeded();
    let depth = scene.registry.rounds() - before;
    assert!(depth <= 6, "depth {depth}:{}", scene.registry.story());
    assert_one_token(&scene);
}
