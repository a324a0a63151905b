//! Not asking more often than Amazon ECR answers.

use crate::support::ecr::EcrScene;
use crate::support::registry::Options;
use crate::support::scene::Scene;

/// What Amazon ECR takes in a second.
const MANIFESTS_PER_SECOND: usize = 10;

fn options() -> Options {
    Options {
        manifests_per_second: Some(MANIFESTS_PER_SECOND),
        ..Options::ecr()
    }
}

/// Catches a release of many tags that is throttled.
#[test]
fn thirty_tags_are_never_too_many() {
    let scene = EcrScene::of(options());
    let names: Vec<String> = (1..=30).map(|number| format!("orders:v{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    scene.push(&names, &[]).succeeded();
    let requests = scene.registry.requests();
    let throttled = requests.iter().filter(|request| request.status == 429).count();
    assert_eq!(throttled, 0, "{}", scene.registry.story());
    assert_eq!(scene.registry.tags("orders").len(), 30);
    scene.registry.assert_strict();
}

/// Catches a registry that is kept waiting for the limits of another.
#[test]
fn other_registries_are_asked_at_once() {
    let scene = Scene::new(options());
    let tags: Vec<String> = (1..=30).map(|number| format!("v{number}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    scene.push_tags(&tags, &["--retry-delay", "0.5"]).succeeded();
    let requests = scene.registry.requests();
    assert!(requests.iter().any(|request| request.status == 429));
}
