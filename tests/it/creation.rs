//! Repositories that are missing when something is written: created once, or named in one clear error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shipway::content::{ContentError, Kind, Target as _};
use shipway::oci::{Manifest, Tag};
use shipway::registry::Creation;

use crate::support::ecr::{Client, EcrScene, HOST, blob, credentials, login, ready, words};
use crate::support::registry::{FakeRegistry, Fault};

fn known() -> shipway::registry::Assistance {
    login(|_| Ok(credentials().into()))
}

/// Creates `path`, and counts how often it was asked to.
fn creation(registry: &Arc<FakeRegistry>, path: &'static str) -> (Creation, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (registry, count) = (Arc::clone(registry), Arc::clone(&asked));
    let creation: Creation = Arc::new(move || {
        let (registry, count) = (Arc::clone(&registry), Arc::clone(&count));
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            count.fetch_add(1, Ordering::Relaxed);
            registry.create(path);
            Ok(())
        })
    });
    (creation, asked)
}

/// Catches a repository that is created once for each layer, or after its first bytes were sent in vain.
#[tokio::test]
async fn a_missing_repository_is_created_once_for_all_that_needs_it() {
    let registry = Arc::new(FakeRegistry::ecr());
    let (creation, asked) = creation(&registry, "team/new");
    let target = Client::of(&registry, known()).target("team/new").created_by(creation);
    let tag: Tag = "v1".parse().unwrap();
    assert_eq!(target.tagged(&tag).await.unwrap(), None, "no repository, no tag");
    target.anticipate(1);
    let (one, two, three) = (blob("one"), blob("two"), blob("three"));
    let (one, two, three) = tokio::join!(target.put(&one), target.put(&two), target.put(&three));
    for placement in [one, two, three] {
        placement.unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(registry.blobs("team/new").len(), 3);
    let requests = registry.requests();
    let bytes: u64 = requests
        .iter()
        .filter(|request| request.status != 201)
        .map(|request| request.bytes_in)
        .sum();
    assert_eq!(bytes, 0, "bytes were sent before it was there:{}", registry.story());
    registry.assert_strict();
}

/// Catches a new repository that is given up because the registry needs a moment to know it.
#[tokio::test]
async fn a_new_repository_may_take_a_moment() {
    let registry = Arc::new(FakeRegistry::ecr());
    let (creation, asked) = creation(&registry, "new");
    let unknown = "The repository with name 'new' does not exist in the registry with id '123456789012'";
    registry.fault(
        Fault::on("POST", "/new/blobs/uploads/")
            .times(4)
            .respond(404, "NAME_UNKNOWN", unknown),
    );
    registry.fault(
        Fault::on("PUT", "/new/manifests/")
            .times(2)
            .respond(404, "NAME_UNKNOWN", unknown),
    );
    let target = Client::of(&registry, known()).target("new").created_by(creation);
    let config = blob("{}");
    target.put(&config).await.unwrap();
    let text = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{0}\",\"config\":{{\"mediaType\":\"{1}\",\"digest\":\"{2}\",\"size\":2}},\"layers\":[]}}",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.config.v1+json",
        config.descriptor.digest
    );
    let manifest = Manifest::parse(text.into(), "application/vnd.oci.image.manifest.v1+json").unwrap();
    target
        .put_manifest(&manifest, Some(&"v1".parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(registry.tags("new").len(), 1);
}

/// Catches a failed creation that is tried for each layer, or told without its reason.
#[tokio::test]
async fn a_creation_that_fails_is_told() {
    let registry = FakeRegistry::ecr();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let creation: Creation = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let error = ContentError::new(Kind::Denied, "not authorized to perform ecr:CreateRepository");
        ready(Err(error.hint("allow ecr:CreateRepository")))
    });
    let target = Client::of(&registry, known()).target("new").created_by(creation);
    let (one, two) = (blob("one"), blob("two"));
    let (one, two) = tokio::join!(target.put(&one), target.put(&two));
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Denied);
        let words = words(&error);
        assert!(words.contains("does not exist, and cannot be created"), "{words}");
        assert!(words.contains("\nnot authorized to perform"), "{words}");
        assert!(words.contains("hint: allow ecr:CreateRepository"), "{words}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Catches a creator that is asked although the repository is there.
#[tokio::test]
async fn what_is_there_is_not_created() {
    let registry = Arc::new(FakeRegistry::ecr());
    registry.create("orders");
    let (creation, asked) = creation(&registry, "orders");
    let target = Client::of(&registry, known()).target("orders").created_by(creation);
    target.put(&blob("one")).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(registry.count(), 2, "{}", registry.story());
}

/// Catches a missing repository that is found out late, or told as anything else.
#[test]
fn a_missing_repository_is_one_error_before_bytes_are_sent() {
    let scene = EcrScene::new();
    let outcome = scene
        .push(&["team/absent:v1"], &[])
        .exited(1)
        .says(&["team/absent", "does not exist in the registry", "account 123456789012"])
        .hints();
    let command = "aws ecr create-repository --region eu-west-1 --repository-name team/absent";
    assert!(outcome.stderr.contains(command), "{outcome:#?}");
    let requests = scene.registry.requests();
    assert!(
        requests.iter().all(|request| request.method != "PUT"),
        "{}",
        scene.registry.story()
    );
    assert!(!outcome.stderr.contains("does not take layers over"), "{outcome:#?}");
}

/// Catches the commonest cause of a missing repository going unnamed.
#[test]
fn a_uri_given_as_a_name_is_told() {
    let scene = EcrScene::new();
    for name in [format!("{HOST}/orders:v1"), "123456789012/orders:v1".to_owned()] {
        let outcome = scene.push(&[&name], &[]).exited(1).hints();
        let hint = format!("hint: the name of a repository is what follows the registry's host: {HOST}/orders\n");
        assert!(outcome.stderr.contains(&hint), "{outcome:#?}");
        assert!(!outcome.stderr.contains("create-repository"), "{outcome:#?}");
    }
}

/// Catches a base that is missing being told as a repository to create.
#[test]
fn a_missing_base_is_told_with_the_account() {
    let scene = EcrScene::new();
    let outcome = scene.push_on("absent:13", &["orders:v1"], &[]).exited(1).hints();
    assert!(
        outcome.stderr.contains("account 123456789012 in eu-west-1"),
        "{outcome:#?}"
    );
    assert!(!outcome.stderr.contains("--create-repository"), "{outcome:#?}");
}
