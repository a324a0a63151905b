//! `tag`: an image that is there gets more names.

use serde_json::json;

use crate::support::base::{Base, Bundle};
use crate::support::image::layout_index;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};

fn scene() -> (FakeRegistry, String, TestProject) {
    let registry = FakeRegistry::start(Options {
        immutable: true,
        ..Options::ecr()
    });
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    let digest = registry.seed("orders", "1.4", &Bundle::index(&bases));
    let project = TestProject::empty().logged_in(&registry);
    (registry, digest, project)
}

/// Catches anything but one look at the image, one at each tag, and one write for each.
#[test]
fn tags_are_asked_and_put() {
    let (registry, digest, project) = scene();
    let image = registry.reference("orders:1.4");
    let outcome = project.run(&["tag", &image, "stable", "current", "stable"]).succeeded();
    assert_eq!(outcome.stdout, format!("{}@{digest}\n", registry.reference("orders")));
    assert_eq!(registry.count(), 5, "{}", registry.story());
    for tag in ["stable", "current"] {
        assert_eq!(registry.tag("orders", tag), Some(digest.clone()));
    }
    registry.forget_requests();
    let json = project
        .run(&["tag", &image, "stable", "current", "new", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["status"], "pushed");
    assert_eq!(json["tags"][2], registry.reference("orders:new"));
    assert_eq!(registry.writes(), 1, "{}", registry.story());
    registry.forget_requests();
    let json = project
        .run(&["tag", &image, "stable", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["status"], "unchanged");
    assert_eq!(registry.count(), 2, "{}", registry.story());
    assert_eq!(registry.writes(), 0);
    registry.assert_strict();
}

/// Catches a tag that moves and must not, and others that were put before that was found out.
#[test]
fn a_tag_that_must_not_move_is_refused() {
    let registry = FakeRegistry::open();
    let digest = registry.seed("orders", "main", &Base::flyway().image());
    let other = registry.seed("orders", "1.4", &Base::plain().image());
    let project = TestProject::empty();
    let image = registry.reference(&format!("orders@{digest}"));
    project
        .run(&["tag", &image, "current", "1.4"])
        .exited(4)
        .says(&["1.4", &other, &digest])
        .hints();
    assert_eq!(registry.writes(), 0, "{}", registry.story());
    project
        .run(&["tag", &image, "current", "1.4", "--move-tags"])
        .succeeded();
    assert_eq!(registry.tag("orders", "1.4"), Some(digest));
}

/// Catches an image that gets a release's name without having been tested.
#[test]
fn the_image_must_be_what_was_tested() {
    let (registry, digest, project) = scene();
    let image = registry.reference("orders:1.4");
    let tested = format!("sha256:{}", "0".repeat(64));
    project
        .run(&["tag", &image, "stable", "--require-digest", &tested])
        .exited(4)
        .says(&[&tested, &digest]);
    assert_eq!(registry.writes(), 0);
    project
        .run(&["tag", &image, "stable", "--require-digest", &digest])
        .succeeded();
}

/// Catches names of other repositories that are taken for tags, and the missing word for what to do.
#[test]
fn another_repository_is_for_copy() {
    let (registry, _, project) = scene();
    let (image, other) = (registry.reference("orders:1.4"), registry.reference("shop/orders:1.4"));
    project
        .run(&["tag", &image, &other])
        .exited(2)
        .says(&["whole name", &format!("shipway copy {image} {other}")])
        .hints();
    project.run(&["tag", &image, "1.4+5"]).exited(2).says(&["1.4-5"]);
    project
        .run(&["tag", "oci-archive:out.tar", "x"])
        .exited(2)
        .says(&["archive"])
        .hints();
    assert_eq!(registry.count(), 0);
}

/// Catches a mirror that is asked which image a tag names, and may be late.
#[test]
fn the_registry_itself_is_asked() {
    let (mirror, registry) = (FakeRegistry::open(), FakeRegistry::open());
    mirror.seed("orders", "1.4", &Base::plain().image());
    let digest = registry.seed("orders", "1.4", &Base::flyway().image());
    let project = TestProject::empty();
    let flag = format!("{}={}", registry.host(), mirror.host());
    project
        .run(&[
            "tag",
            &registry.reference("orders:1.4"),
            "stable",
            "--registry-mirror",
            &flag,
        ])
        .succeeded();
    assert_eq!(registry.tag("orders", "stable"), Some(digest));
    assert_eq!(mirror.count(), 0);
}

/// Catches names in a layout that replace others.
#[test]
fn layouts_get_names_too() {
    let project = TestProject::empty();
    Base::flyway().image().write_layout(&project.folder().join("out"), "v1");
    let json = project
        .run(&["tag", "oci:out:v1", "v2", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!((&json["tags"], &json["status"]), (&json!(["v2"]), &json!("written")));
    assert_eq!(
        layout_index(&project.folder().join("out"))["manifests"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    project
        .run(&["tag", "oci:nowhere:v1", "v2"])
        .exited(1)
        .says(&["nowhere"]);
}

/// Catches an image of another repository, which the cache knows, being put where it never was.
#[test]
fn only_what_is_in_the_repository_gets_a_name() {
    let (registry, digest, project) = scene();
    registry.create("other");
    let known = registry.reference(&format!("orders@{digest}"));
    project.run(&["inspect", &known]).succeeded();
    registry.forget_requests();
    let image = registry.reference(&format!("other@{digest}"));
    project.run(&["tag", &image, "1.4"]).exited(1).says(&["other"]);
    assert_eq!(registry.writes(), 0, "{}", registry.story());
    assert_eq!(registry.tags("other"), []);
}
