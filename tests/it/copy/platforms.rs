//! Some platforms of an index, or one.

use serde_json::{Value, json};

use super::Pair;
use crate::support::base::{Base, Bundle};
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;

/// Catches a platform that drags the others along, or whose digest changes.
#[test]
fn one_platform_is_an_image_of_its_own() {
    let pair = Pair::new();
    let json = pair
        .copy("promoted", &["--platform", "linux/arm64", "--format", "json"])
        .succeeded()
        .json();
    let child = pair.target.tag("promoted", "1.4").unwrap();
    assert_eq!(json["digest"], child.as_str());
    assert_eq!(
        json["platforms"],
        json!([{"platform": "linux/arm64/v8", "digest": child}])
    );
    assert_eq!(
        pair.source.manifest("orders", &child),
        pair.target.manifest("promoted", &child)
    );
    assert_eq!(pair.target.image("promoted", "1.4").only().platform, "linux/arm64/v8");
    // Either of the two digests is what was tested.
    for digest in [&child, &pair.digest] {
        pair.copy("promoted", &["--platform", "linux/arm64", "--require-digest", digest])
            .succeeded();
    }
    pair.copy("promoted", &["--platform", "linux/s390x"])
        .exited(2)
        .says(&["linux/s390x", "linux/amd64, linux/arm64/v8"]);
    pair.assert_strict();
}

/// Catches entries of an index that are rewritten, and a new digest nobody is told of.
#[test]
fn several_platforms_are_an_index_of_just_these() {
    let pair = Pair::new();
    let platforms = ["--platform", "linux/amd64,linux/arm64"];
    pair.copy("promoted", &platforms)
        .succeeded()
        .says(&["note:", "digest of its own"]);
    let made: Value = serde_json::from_str(&pair.target.manifest("promoted", "1.4").unwrap()).unwrap();
    let whole: Value = serde_json::from_str(&pair.source.manifest("orders", "1.4").unwrap()).unwrap();
    let entries: Vec<&Value> = whole["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["platform"]["os"] == "linux")
        .collect();
    assert_eq!(
        made["manifests"].as_array().unwrap().iter().collect::<Vec<_>>(),
        entries
    );
    pair.target.assert_complete("promoted", "1.4");
    pair.forget();
    pair.copy("promoted", &platforms).succeeded();
    assert_eq!(pair.target.writes(), 0);
    pair.copy("whole", &["--platform", "all"]).succeeded();
    assert_eq!(pair.target.tag("whole", "1.4"), Some(pair.digest.clone()));
}

/// Catches a platform of an image that stands alone and is not looked at.
#[test]
fn a_single_image_has_one_platform() {
    let source = FakeRegistry::open();
    source.seed("orders", "1", &Base::flyway().image());
    let project = TestProject::empty();
    let copy =
        |platform: &str, to: &str| project.run(&["copy", &source.reference("orders:1"), to, "--platform", platform]);
    copy("linux/amd64", "oci:out").succeeded();
    copy("linux/arm64", "oci:other")
        .exited(2)
        .says(&["linux/arm64", "linux/amd64"]);
    assert!(!project.folder().join("other").exists());
}

/// Catches the oldest variant of a processor, taken because it is listed first, and a choice nobody is told of.
#[test]
fn the_best_image_for_a_platform_is_taken() {
    let source = FakeRegistry::open();
    let bases = ["v5", "v7", "v6"].map(|variant| Base::flyway().platform(&format!("linux/arm/{variant}")));
    let bundle = Bundle::index(&bases);
    source.seed("orders", "1.4", &bundle);
    let target = FakeRegistry::open();
    let project = TestProject::empty();
    let (from, to) = (source.reference("orders:1.4"), target.reference("promoted"));
    let words = ["copy", &from, &to, "--platform", "linux/arm", "--format", "json"];
    let json = project.run(&words).succeeded().json();
    assert_eq!(json["digest"], bases[1].image().digest(), "{json}");
    assert_eq!(json["platforms"][0]["platform"], "linux/arm/v7");
    let twice = Bundle::index(&[Base::flyway_of(3), Base::flyway_of(2)]);
    source.seed("orders", "twice", &twice);
    let first = Base::flyway_of(3).image().digest();
    project
        .run(&[
            "copy",
            &source.reference("orders:twice"),
            &to,
            "--platform",
            "linux/amd64",
        ])
        .succeeded()
        .says(&["note:", "2 images for linux/amd64", &first]);
}
