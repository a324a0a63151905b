//! A copy that finds some of it there.

use serde_json::Value;

use super::{Pair, index};
use crate::support::base::Base;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Fault, Options};

/// Catches bytes that are sent although the registry has them in another repository.
#[test]
fn repositories_of_one_registry_share_blobs() {
    let registry = FakeRegistry::start(Options {
        mounts: true,
        ..Options::open()
    });
    let digest = registry.seed("orders", "1.4", &index());
    let project = TestProject::empty();
    let (from, to) = (
        registry.reference("orders:1.4"),
        registry.reference("production/orders"),
    );
    project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(registry.assert_complete("production/orders", "1.4"), digest);
    assert_eq!(registry.asked("PUT", "/blobs/uploads/"), 0, "{}", registry.story());
    let layers = registry
        .requests()
        .iter()
        .filter(|request| request.is("GET", "/blobs/"))
        .count();
    assert_eq!(layers, 0, "{}", registry.story());
    registry.assert_strict();
}

/// Catches mounting that fails the copy, or that is tried for every blob.
#[test]
fn a_refused_mount_is_no_failure() {
    let registry = FakeRegistry::open();
    let digest = registry.seed("orders", "1.4", &index());
    let project = TestProject::empty();
    let (from, to) = (
        registry.reference("orders:1.4"),
        registry.reference("production/orders"),
    );
    project.run(&["copy", &from, &to]).succeeded().says(&["does not take"]);
    assert_eq!(registry.assert_complete("production/orders", "1.4"), digest);
}

/// Catches a copy that begins again from nothing after it broke.
#[test]
fn a_copy_that_broke_goes_on() {
    let pair = Pair::new();
    let fault = pair.target.fault(
        Fault::on("PUT", "/manifests/1.4")
            .always()
            .respond(500, "UNKNOWN", "out of order"),
    );
    pair.copy("promoted", &["--retry", "0"])
        .exited(8)
        .says(&["cannot push"]);
    assert!(fault.struck());
    assert_eq!(pair.target.tags("promoted"), []);
    pair.target.heal();
    pair.forget();
    pair.copy("promoted", &[]).succeeded();
    assert_eq!(pair.target.asked("PUT", "/blobs/"), 0, "{}", pair.target.story());
    assert_eq!(pair.target.asked("HEAD", "/blobs/"), 0, "{}", pair.target.story());
    assert_eq!(pair.target.writes(), 1, "{}", pair.target.story());
    assert_eq!(pair.target.assert_complete("promoted", "1.4"), pair.digest);
    pair.assert_strict();
}

/// Catches a copy that sends again what arrived before another layer failed.
#[test]
fn what_arrived_before_is_not_sent_again() {
    let pair = Pair::new();
    let layer = Base::flyway_of(3).layer_digests()[2].clone();
    pair.source.fault(
        Fault::on("GET", &format!("/blobs/{layer}"))
            .always()
            .respond(404, "BLOB_UNKNOWN", "gone"),
    );
    pair.copy("promoted", &[])
        .exited(1)
        .says(&["cannot read", &layer, &pair.source.host()]);
    assert_eq!(pair.target.tags("promoted"), []);
    let before = pair.target.blobs("promoted").len();
    pair.source.heal();
    pair.forget();
    pair.copy("promoted", &[]).succeeded();
    let all = pair.target.blobs("promoted").len();
    assert_eq!(
        pair.target.asked("PUT", "/blobs/"),
        all - before,
        "{}",
        pair.target.story()
    );
    pair.target.assert_complete("promoted", "1.4");
}

/// Catches a registry that says to hold an image and has lost a part of it.
#[test]
fn a_registry_that_lost_a_part_gets_it_again() {
    let pair = Pair::new();
    pair.copy("promoted", &[]).succeeded();
    let text: Value = serde_json::from_str(&pair.source.manifest("orders", "1.4").unwrap()).unwrap();
    let child = text["manifests"][0]["digest"].as_str().unwrap();
    pair.target.lose("promoted", child);
    pair.copy("promoted:current", &["--no-cache"]).succeeded();
    assert_eq!(pair.target.assert_complete("promoted", "current"), pair.digest);
}

/// Catches an image that is told to be there and lacks a platform.
#[test]
fn what_lacks_an_image_is_not_unchanged() {
    let pair = Pair::new();
    pair.copy("promoted", &[]).succeeded();
    let text: Value = serde_json::from_str(&pair.source.manifest("orders", "1.4").unwrap()).unwrap();
    let child = text["manifests"][0]["digest"].as_str().unwrap();
    for from in ["orders:1.4".to_owned(), format!("orders@{}", pair.digest)] {
        pair.target.lose("promoted", child);
        let (from, to) = (pair.source.reference(&from), pair.target.reference("promoted"));
        let json = pair
            .project
            .run(&["copy", &from, &to, "--format", "json"])
            .succeeded()
            .json();
        assert_eq!(json["status"], "pushed");
        assert_eq!(pair.target.assert_complete("promoted", "1.4"), pair.digest);
    }
}

/// Catches a layout or an archive that is told to hold an image of which parts are missing.
#[test]
fn what_lacks_a_part_is_written_again() {
    let pair = Pair::new();
    let from = pair.from();
    let layout = pair.project.folder().join("out");
    let blob = |digest: &str| {
        layout
            .join("blobs/sha256")
            .join(digest.strip_prefix("sha256:").unwrap())
    };
    let text: Value = serde_json::from_str(&pair.source.manifest("orders", "1.4").unwrap()).unwrap();
    let child = text["manifests"][0]["digest"].as_str().unwrap();
    let layer = Base::flyway_of(3).layer_digests()[1].clone();
    let copy = || {
        let words = ["copy", from.as_str(), "oci:out", "--format", "json"];
        pair.project.run(&words).succeeded().json()["status"].clone()
    };
    assert_eq!(copy(), "written");
    assert_eq!(copy(), "unchanged");
    for (digest, size) in [(child, None), (&layer, None), (&layer, Some(3))] {
        match size {
            None => std::fs::remove_file(blob(digest)).unwrap(),
            Some(size) => std::fs::OpenOptions::new()
                .write(true)
                .open(blob(digest))
                .unwrap()
                .set_len(size)
                .unwrap(),
        }
        assert_eq!(copy(), "written", "{digest} {size:?}");
        assert_eq!(copy(), "unchanged");
    }
    // An archive that lost a layer, made of a layout without it.
    std::fs::remove_file(blob(&layer)).unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-cf", "../out.tar", "."])
        .current_dir(&layout)
        .status();
    assert!(tar.unwrap().success());
    for status in ["written", "unchanged"] {
        let words = ["copy", from.as_str(), "oci-archive:out.tar", "--format", "json"];
        assert_eq!(pair.project.run(&words).succeeded().json()["status"], status);
    }
}
