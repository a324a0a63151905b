//! Layers taken over from other repositories of one registry, and what is said where that does not work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shipway::content::{Placement, Target as _};
use shipway::registry::{Assistance, Creation, PullThrough};

use crate::support::base::Base;
use crate::support::ecr::{ARN, Client, EcrScene, credentials, login};
use crate::support::registry::{FakeRegistry, Fault, Options};
use crate::support::scene::{BASE_LAYERS, Scene};

/// The command that turns mounting on.
const COMMAND: &str = "aws ecr put-account-setting --region eu-west-1 --name BLOB_MOUNTING --value ENABLED";

fn mounting() -> Options {
    Options {
        mounts: true,
        ..Options::ecr()
    }
}

fn known() -> Assistance {
    login(|_| Ok(credentials().into()))
}

/// Digest and size of the first layer of a base.
fn first_layer(base: &Base) -> (String, u64) {
    let digest = base.layer_digests()[0].clone();
    let bundle = base.image();
    let content = bundle.blobs.iter().find(|(other, _)| *other == digest);
    (digest, content.unwrap().1.size())
}

/// Catches a refusal that is told for each repository, asked for again and again, or told without the way out.
#[test]
fn a_refusal_is_told_once_with_the_setting() {
    let scene = EcrScene::new();
    scene.registry.create("billing");
    let outcome = scene.push(&["orders:v1", "billing:v1"], &[]).succeeded();
    let told = outcome.stderr.matches("does not take layers over").count();
    assert_eq!(told, 1, "{outcome:#?}");
    assert!(outcome.stderr.contains(COMMAND), "{outcome:#?}");
    assert!(outcome.stderr.contains("same encryption"), "{outcome:#?}");
    let requests = scene.registry.requests();
    let asked = requests.iter().filter(|request| request.query.contains("mount="));
    assert!(asked.count() <= 2 * BASE_LAYERS, "{}", scene.registry.story());
    scene.registry.image("orders", "v1");
    scene.registry.image("billing", "v1");
}

/// Catches a setting of Amazon ECR that is recommended elsewhere.
#[test]
fn other_registries_have_no_such_setting() {
    let scene = Scene::ecr();
    let outcome = scene.push("v1", &[]).succeeded();
    assert!(outcome.stderr.contains("does not take layers over"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("aws ecr"), "{outcome:#?}");
}

/// Catches a mount that is not tried where it works, or a notice about nothing.
#[test]
fn layers_are_taken_over() {
    let scene = EcrScene::of(mounting());
    let outcome = scene.push(&["orders:v1"], &[]).succeeded();
    let requests = scene.registry.requests();
    let mounted = requests
        .iter()
        .filter(|request| request.query.contains("mount=") && request.status == 201);
    assert_eq!(mounted.count(), BASE_LAYERS, "{}", scene.registry.story());
    assert!(!outcome.stderr.contains("does not take"), "{outcome:#?}");
}

/// Catches a missing right that is told as a setting, or stops the push.
#[test]
fn a_forbidden_mount_names_the_rights_on_both_repositories() {
    let scene = EcrScene::of(mounting());
    scene
        .registry
        .fault(Fault::on("POST", "mount=").always().respond(403, "DENIED", "no"));
    let outcome = scene.push(&["orders:v1"], &[]).succeeded();
    let rights =
        format!("allow ecr:InitiateLayerUpload on {ARN}/orders, and ecr:GetDownloadUrlForLayer on {ARN}/runner");
    assert!(outcome.stderr.contains(&rights), "{outcome:#?}");
    assert!(!outcome.stderr.contains("BLOB_MOUNTING"), "{outcome:#?}");
    scene.registry.image("orders", "v1");
}

/// Catches a mount from a repository that a pull-through cache fills, and a question asked per layer.
#[tokio::test]
async fn nothing_is_taken_over_from_a_pull_through_cache() {
    let registry = FakeRegistry::start(mounting());
    let base = Base::flyway_of(2);
    for path in ["hub/flyway", "team/runner", "runner"] {
        registry.seed(path, "13", &base.image());
    }
    registry.create("orders");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let question: PullThrough = Arc::new(move |path| {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { path.starts_with("hub/") })
    });
    let client = Client::of(
        &registry,
        Assistance {
            pull_through: Some(question),
            ..known()
        },
    );
    let target = client.target("orders");
    let (digest, size) = first_layer(&base);
    for (path, expected, questions) in [
        ("hub/flyway", Placement::Sent, 1),
        ("hub/flyway", Placement::Sent, 1),
        ("team/runner", Placement::Mounted, 2),
        ("runner", Placement::Mounted, 2),
    ] {
        let placement = target.put(&client.blob_in(path, &digest, size)).await.unwrap();
        assert_eq!(placement, expected, "{path}:{}", registry.story());
        assert_eq!(asked.load(Ordering::Relaxed), questions, "{path}");
    }
    assert_eq!(client.notices(), Vec::<String>::new());
}

/// Catches a missing target that is taken for a registry that does not mount.
#[tokio::test]
async fn a_missing_repository_is_no_refusal_to_mount() {
    let registry = Arc::new(FakeRegistry::start(mounting()));
    let base = Base::flyway_of(2);
    registry.seed("runner", "13", &base.image());
    let client = Client::of(&registry, known());
    let (digest, size) = first_layer(&base);
    let blob = client.blob_in("runner", &digest, size);
    let error = client.target("new").put(&blob).await.unwrap_err();
    assert!(error.hints()[0].contains("--repository-name new"), "{error:?}");
    let creating = Arc::clone(&registry);
    let creation: Creation = Arc::new(move || {
        creating.create("new");
        Box::pin(async { Ok(()) })
    });
    let target = client.target("new").created_by(creation);
    assert_eq!(
        target.put(&blob).await.unwrap(),
        Placement::Mounted,
        "{}",
        registry.story()
    );
    assert_eq!(client.notices(), Vec::<String>::new());
}
