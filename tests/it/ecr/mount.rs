//! Layers taken over from another repository of the same registry, which Amazon ECR does where it is told to.

use crate::support::aws::{BASE_LAYERS, EcrScene, HOST, REGION};
use crate::support::base::Base;
use crate::support::registry::Options;

const RULES: &str = "ecr:DescribePullThroughCacheRules";

/// A scene whose registry mounts, with a base in `team/runner` and one in `docker-hub/library/runner`.
fn scene() -> EcrScene {
    let options = Options {
        mounts: true,
        ..Options::ecr()
    };
    let scene = EcrScene::at(HOST, REGION, options).as_dev();
    for repository in ["team/runner", "docker-hub/library/runner"] {
        let base = Base::flyway_of(BASE_LAYERS).index();
        scene.registry.seed(repository, "13", &base);
    }
    scene
}

/// Pushes with a base, and tells how many mounts were asked for and done.
fn push(scene: &EcrScene, base: &str) -> (usize, usize) {
    let base = scene.reference(base);
    let target = scene.reference("orders:v1");
    let arguments = ["build", "--scripts", "db", "--push", "--base", &base, "-t", &target];
    scene.run(&arguments).succeeded();
    scene.registry.image("orders", "v1");
    scene.registry.assert_strict();
    let requests = scene.registry.requests();
    let asked: Vec<_> = requests
        .iter()
        .filter(|request| request.query.contains("mount="))
        .collect();
    let done = asked.iter().filter(|request| request.status == 201).count();
    (asked.len(), done)
}

/// Catches a mount from a repository that a cache fills, which Amazon ECR does not do, and a question per layer.
#[test]
fn nothing_is_mounted_from_a_pull_through_cache() {
    let scene = scene();
    scene.aws.allow(&[RULES]);
    scene.aws.pull_through("docker-hub");
    assert_eq!(push(&scene, "docker-hub/library/runner:13"), (0, 0));
    assert_eq!(scene.aws.count(RULES), 1);
}

/// Catches a name with a slash taken for a cache.
#[test]
fn layers_of_other_repositories_are_mounted() {
    let scene = scene();
    scene.aws.allow(&[RULES]);
    scene.aws.pull_through("docker-hub");
    assert_eq!(push(&scene, "team/runner:13"), (BASE_LAYERS, BASE_LAYERS));
    assert!(scene.aws.count(RULES) <= 1);
}

/// Catches a question asked of AWS that the name answers.
#[test]
fn a_name_without_a_slash_is_no_cache() {
    let scene = scene();
    assert_eq!(push(&scene, "runner:13"), (BASE_LAYERS, BASE_LAYERS));
    assert_eq!(scene.aws.calls().len(), 1, "{}", scene.aws.recorded());
}

/// Catches a push that fails, or gives up mounting, because a question may not be asked.
#[test]
fn a_question_that_may_not_be_asked_is_no_obstacle() {
    let scene = scene();
    scene.aws.deny(RULES);
    assert_eq!(push(&scene, "team/runner:13"), (BASE_LAYERS, BASE_LAYERS));
    assert!(scene.aws.count(RULES) <= 1);
}

/// Catches a refused mount that is tried for each layer, and the setting that would allow it left unsaid.
#[test]
fn a_registry_that_does_not_mount_is_asked_once_and_the_setting_named() {
    let scene = EcrScene::signed_in();
    let outcome = scene.push(&[]).succeeded().says(&["BLOB_MOUNTING"]);
    let told = outcome.stderr.matches("BLOB_MOUNTING").count();
    assert_eq!(told, 1, "{outcome:#?}");
    let requests = scene.registry.requests();
    let asked = requests
        .iter()
        .filter(|request| request.query.contains("mount="))
        .count();
    assert!(
        asked < BASE_LAYERS,
        "{asked} mounts asked for: {}",
        scene.registry.story()
    );
}
