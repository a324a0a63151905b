//! What is copied besides plain images.

use serde_json::{Value, json};

use super::{Pair, index};
use crate::support::base::{Base, Bundle};

/// Catches a tool that copies images only.
#[test]
fn what_is_no_image_is_copied_as_well() {
    let pair = Pair::new();
    let chart = Bundle::artifact("application/vnd.cncf.helm.config.v1+json", "chart");
    let digest = pair.source.seed("chart", "0.1.0", &chart);
    let from = pair.source.reference("chart:0.1.0");
    pair.project
        .run(&["copy", &from, &pair.target.reference("chart")])
        .succeeded();
    assert_eq!(pair.target.assert_complete("chart", "0.1.0"), digest);
}

/// Catches Docker's own formats that are made into something else.
#[test]
fn docker_media_types_stay() {
    let pair = Pair::new();
    let list = Bundle::index(&[Base::flyway().docker(), Base::flyway().docker().platform("linux/arm64")]);
    let digest = pair.source.seed("old", "1", &list);
    let from = pair.source.reference("old:1");
    pair.project
        .run(&["copy", &from, &pair.target.reference("old")])
        .succeeded();
    assert_eq!(pair.target.assert_complete("old", "1"), digest);
    pair.assert_strict();
}

/// Catches layers that may not be passed on, and are.
#[test]
fn foreign_layers_stay_where_they_are() {
    let pair = Pair::new();
    let mut bundle = Base::flyway().docker().image();
    let mut manifest: Value = serde_json::from_slice(&bundle.manifests[0].1).unwrap();
    manifest["layers"].as_array_mut().unwrap().insert(
        0,
        json!({"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "size": 1234,
            "digest": format!("sha256:{}", "1".repeat(64)), "urls": ["https://example.com/layer"]}),
    );
    bundle.manifests[0].1 = manifest.to_string().into();
    pair.source.seed("windows", "1", &bundle);
    let from = pair.source.reference("windows:1");
    pair.project
        .run(&["copy", &from, &pair.target.reference("windows")])
        .succeeded();
    pair.target.assert_complete("windows", "1");
    assert_eq!(pair.target.asked("HEAD", &"1".repeat(64)), 0);
    pair.assert_strict();
}

/// Catches an index of indexes that arrives without what the inner ones name.
#[test]
fn an_index_in_an_index_is_refused() {
    let pair = Pair::new();
    let inner = index();
    let (media_type, bytes) = inner.manifests.last().unwrap().clone();
    let outer = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": [
        {"mediaType": media_type, "digest": inner.digest(), "size": bytes.len()}]});
    let mut bundle = inner;
    bundle.manifests.push((media_type, outer.to_string().into()));
    pair.source.seed("nested", "1", &bundle);
    let from = pair.source.reference("nested:1");
    pair.project
        .run(&["copy", &from, &pair.target.reference("nested")])
        .exited(1)
        .says(&["cannot copy", "another index"])
        .hints();
    assert_eq!(pair.target.writes(), 0);
}

/// Catches an index whose manifests fill the memory: they are all held until the image is copied.
#[test]
fn an_index_of_huge_manifests_is_refused() {
    let pair = Pair::new();
    let mut bundle = index();
    let (media_type, bytes) = bundle.manifests.last().unwrap().clone();
    let mut outer: Value = serde_json::from_slice(&bytes).unwrap();
    for entry in outer["manifests"].as_array_mut().unwrap() {
        entry["size"] = json!(9_000_000);
    }
    bundle.manifests.push((media_type, outer.to_string().into()));
    pair.source.seed("huge", "1", &bundle);
    let from = pair.source.reference("huge:1");
    pair.project
        .run(&["copy", &from, &pair.target.reference("huge")])
        .exited(1)
        .says(&["cannot copy", "bytes", "limit"]);
    assert_eq!(pair.target.writes(), 0);
    assert_eq!(pair.source.asked("GET", "/manifests/"), 1);
}
