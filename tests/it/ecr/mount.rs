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
    let scene = EcrScene::at(HOST, REGION, options).with_dev();
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
    let by_rule = scene();
    by_rule.aws.allow(&[RULES]);
    by_rule.aws.pull_through("team");
    assert_eq!(push(&by_rule, "team/runner:13"), (0, 0));
    assert_eq!(by_rule.aws.count(RULES), 1);
    let by_name = scene();
    by_name.aws.allow(&[RULES]);
    by_name.aws.pull_through("docker-hub");
    assert_eq!(push(&by_name, "docker-hub/library/runner:13"), (0, 0));
    assert!(by_name.aws.count(RULES) <= 1);
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

/// Catches a usual name of a cache that outweighs what the rules say.
#[test]
fn the_rules_decide_where_they_may_be_asked_for() {
    let scene = scene();
    scene.aws.allow(&[RULES]);
    assert_eq!(push(&scene, "docker-hub/library/runner:13"), (BASE_LAYERS, BASE_LAYERS));
    let denied = self::scene();
    denied.aws.deny(RULES);
    assert_eq!(push(&denied, "docker-hub/library/runner:13"), (0, 0));
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

/// Catches a refusal told for each layer, and the setting that would allow it left unsaid.
#[test]
fn a_registry_that_does_not_mount_is_told_once_with_the_setting() {
    let scene = EcrScene::signed_in();
    let other = scene.reference("orders:current");
    let outcome = scene.push(&["-t", &other]).succeeded().says(&["BLOB_MOUNTING"]);
    assert_eq!(outcome.stderr.matches("BLOB_MOUNTING").count(), 1, "{outcome:#?}");
}
