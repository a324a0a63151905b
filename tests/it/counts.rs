//! What a push costs, in requests and in dependent round trips. Nothing here is timed.

use crate::support::base::Base;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};
use crate::support::scene::{BASE_LAYERS, Scene};

/// The requests for a later release without cache: the base (4), the tag, the new layer (2), the base's layers,
/// the config (2) and the manifest.
const LATER_RELEASE: usize = 10 + BASE_LAYERS;

/// Catches a ping, a second look at anything, a PATCH, or a base layer asked for twice.
#[test]
fn a_later_release_without_cache() {
    let scene = Scene::ecr();
    scene.push("v1", &["--no-cache"]).succeeded();
    scene.next_release();
    scene.push("v2", &["--no-cache"]).succeeded();
    scene.registry.assert_at_most(LATER_RELEASE);
    scene.registry.assert_strict();
    assert_eq!(scene.registry.redundant_uploads(), 0);
    insta::assert_snapshot!(scene.registry.transcript(), @r"
    GET runner/blobs/<base config> 307
    GET runner/manifests/13 200
    GET runner/manifests/<base manifest 1> 200
    GET storage/<base config> 200
    HEAD orders/blobs/<base layer 1> 200
    HEAD orders/blobs/<base layer 2> 200
    HEAD orders/blobs/<base layer 3> 200
    HEAD orders/blobs/<base layer 4> 200
    HEAD orders/blobs/<base layer 5> 200
    HEAD orders/blobs/<base layer 6> 200
    HEAD orders/manifests/v2 404
    POST orders/blobs/uploads/ 202
    POST orders/blobs/uploads/ 202
    PUT orders/blobs/uploads/session <new config> 201
    PUT orders/blobs/uploads/session <new layer> 201
    PUT orders/manifests/v2 201
    ");
}

/// Catches a cache that is not used, or whose answers are checked one by one.
#[test]
fn a_later_release_with_cache() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    scene.next_release();
    scene.push("v2", &[]).succeeded();
    scene.registry.assert_at_most(8);
    scene.registry.assert_strict();
    scene.registry.image("orders", "v2");
}

/// Catches a re-run that writes, or that looks at more than the base and the tags.
#[test]
fn an_unchanged_run_without_cache() {
    let scene = Scene::ecr();
    let tags = ["v1", "current", "latest"];
    let first = scene.push_tags(&tags, &["--no-cache"]).succeeded();
    scene.registry.forget_requests();
    let second = scene.push_tags(&tags, &["--no-cache"]).succeeded();
    scene.registry.assert_at_most(4 + tags.len());
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
    assert_eq!(first.stdout, second.stdout);
    scene.registry.assert_strict();
}

/// Catches a cached run that asks for more than whether the tags moved.
#[test]
fn an_unchanged_run_with_cache() {
    let scene = Scene::ecr();
    let tags = ["v1", "current"];
    scene.push_tags(&tags, &[]).succeeded();
    scene.registry.forget_requests();
    scene.push_tags(&tags, &[]).succeeded();
    scene.registry.assert_at_most(1 + tags.len());
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
}

/// Catches a mount that is not tried, or tried after an upload.
#[test]
fn a_first_push_that_mounts() {
    let scene = Scene::new(Options {
        mounts: true,
        ..Options::ecr()
    });
    scene.push("v1", &["--no-cache"]).succeeded();
    scene.registry.assert_at_most(10 + 2 * BASE_LAYERS);
    scene.registry.assert_strict();
    let requests = scene.registry.requests();
    let downloaded = requests.iter().filter(|request| request.is("GET", "/storage/"));
    assert_eq!(downloaded.count(), 1, "the config alone is read");
    scene.registry.image("orders", "v1");
}

/// Catches a second POST after a refused mount, a PATCH, and a base layer read twice.
#[test]
fn a_first_push_that_cannot_mount() {
    let scene = Scene::ecr();
    scene.push("v1", &["--no-cache"]).succeeded();
    scene.registry.assert_at_most(10 + 5 * BASE_LAYERS);
    scene.registry.assert_strict();
    scene.registry.image("orders", "v1");
}

/// Catches a tag that costs more than a question and a manifest.
#[test]
fn each_further_tag_costs_two() {
    let scene = Scene::ecr();
    scene.push("v1", &["--no-cache"]).succeeded();
    scene.next_release();
    scene
        .push_tags(&["v2", "current", "latest"], &["--no-cache"])
        .succeeded();
    scene.registry.assert_at_most(LATER_RELEASE + 2 * 2);
    scene.registry.assert_strict();
}

/// Catches a layer that is asked for, mounted or uploaded once per platform.
#[test]
fn the_new_layer_of_several_platforms_travels_once() {
    let registry = FakeRegistry::ecr();
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    registry.seed("orders", "base", &crate::support::base::Bundle::index(&bases));
    let project = TestProject::new().logged_in(&registry);
    let base = registry.reference("orders:base");
    let target = registry.reference("orders:v1");
    project
        .build(&["--base", &base, "-t", &target, "--push", "--platform", "all"])
        .succeeded();
    let requests = registry.requests();
    let uploads = requests.iter().filter(|request| request.is("PUT", "/uploads/"));
    assert_eq!(uploads.count(), 3, "a layer and two configs:{}", registry.story());
    assert_eq!(registry.redundant_uploads(), 0);
    registry.assert_strict();
}

/// Catches a request that waits for an answer it does not need.
#[test]
fn the_depth_of_a_later_release() {
    let scene = Scene::new(Options {
        rounds: true,
        ..Options::ecr()
    });
    scene.push_tags(&["v1", "current"], &["--no-cache"]).succeeded();
    scene.next_release();
    let before = scene.registry.rounds();
    scene.push("v2", &["--no-cache"]).succeeded();
    let depth = scene.registry.rounds() - before;
    assert!(depth <= 6, "depth {depth} for a new tag:{}", scene.registry.story());
    scene.project.write("db/V4__more.sql", "SELECT 1;\n");
    scene.registry.forget_requests();
    let before = scene.registry.rounds();
    scene.push("current", &["--no-cache"]).succeeded();
    let depth = scene.registry.rounds() - before;
    assert!(depth <= 7, "depth {depth} for a moving tag:{}", scene.registry.story());
}

/// Catches a dry run, or a plain build without targets, that writes.
#[test]
fn a_dry_run_writes_nothing() {
    let scene = Scene::ecr();
    let dry = scene.push("v1", &["--dry-run", "--format", "json"]).succeeded().json();
    assert_eq!(scene.registry.writes(), 0);
    assert_eq!(dry["status"], "dry-run");
    let wet = scene.push("v1", &["--format", "json"]).succeeded().json();
    assert_eq!(dry["digest"], wet["digest"]);
    assert_eq!(wet["status"], "pushed");
}

/// An index of 24 platforms, without attestations.
fn many() -> crate::support::base::Bundle {
    let bases: Vec<Base> = (0..24)
        .map(|number| Base::plain().docker().platform(&format!("linux/arm/v{number}")))
        .collect();
    crate::support::base::Bundle::index(&bases)
}

/// Catches manifests that are put all at once: of the images of an index, and of tags.
#[test]
fn manifests_are_put_a_few_at_a_time() {
    let registry = FakeRegistry::start(Options {
        rounds: true,
        ..Options::open()
    });
    registry.seed("runner", "13", &many());
    let project = TestProject::empty();
    let from = registry.reference("runner:13");
    let to = registry.reference("orders:v0");
    let tags: Vec<String> = (1..20).map(|number| format!("v{number}")).collect();
    let mut arguments = vec!["copy", from.as_str(), to.as_str()];
    for tag in &tags {
        arguments.extend(["-t", tag.as_str()]);
    }
    project.run(&arguments).succeeded();
    let requests = registry.requests();
    let put: Vec<_> = requests
        .iter()
        .filter(|request| request.is("PUT", "/manifests/"))
        .collect();
    assert_eq!(put.len(), 24 + 20);
    for round in 0..=registry.rounds() {
        let at_once = put.iter().filter(|request| request.round == round).count();
        assert!(at_once <= 8, "{at_once} at once:{}", registry.story());
    }
    registry.image("orders", "v19");
}

/// Catches a push that asks first for every manifest that was ever put by the run before, one after the other.
#[test]
fn what_was_pushed_before_is_asked_for_at_once_and_not_endlessly() {
    let registry = FakeRegistry::start(Options {
        rounds: true,
        ..Options::open()
    });
    registry.seed("many", "1", &many());
    registry.seed("runner", "13", &Base::flyway_of(4).image());
    let project = TestProject::new();
    project
        .run(&["copy", &registry.reference("many:1"), &registry.reference("orders:v0")])
        .succeeded();
    registry.forget_requests();
    project
        .push(&registry.reference("runner:13"), &registry.reference("orders:v1"))
        .succeeded();
    let requests = registry.requests();
    let mut rounds: Vec<_> = requests
        .iter()
        .filter(|request| request.is("HEAD", "/orders/manifests/sha256:"))
        .map(|request| request.round)
        .collect();
    assert!((1..=5).contains(&rounds.len()), "{}", registry.story());
    rounds.dedup();
    assert_eq!(rounds.len(), 1, "{}", registry.story());
}

/// Catches what speaks of an image being remembered as a proof of layers.
#[test]
fn referrers_prove_nothing() {
    let registry = FakeRegistry::open();
    let image = Base::flyway_of(4).image();
    registry.seed("runner", "13", &image);
    let referrer = crate::support::base::Bundle::referrer(&image, "application/vnd.example.sbom", "a bill");
    let referrer = registry.seed_untagged("runner", &referrer);
    let project = TestProject::new();
    let from = registry.reference("runner:13");
    project
        .run(&["copy", "--referrers", &from, &registry.reference("orders:v0")])
        .succeeded();
    registry.forget_requests();
    project.push(&from, &registry.reference("orders:v1")).succeeded();
    let requests = registry.requests();
    assert!(
        !requests
            .iter()
            .any(|request| request.method == "HEAD" && request.path.ends_with(&referrer)),
        "{}",
        registry.story()
    );
}
