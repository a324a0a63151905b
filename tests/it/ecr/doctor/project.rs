//! What of a project makes a push fail, told beforehand.

use super::{assert_check, assert_healthy, checks, doctor, prepared};
use crate::support::aws::{EcrScene, HOST};

/// A project with this image section, a base, and more.
fn project(image: &str, more: &str) -> EcrScene {
    let file =
        format!("[runner]\nbase = \"{HOST}/runner:13\"\n[image]\nrepository = \"{HOST}/orders\"\n{image}\n{more}\n");
    prepared(EcrScene::signed_in()).set(|project| project.project_file(&file))
}

/// Catches settings that fail only when a repository is to be made.
#[test]
fn settings_of_a_repository_are_checked() {
    let scene = project("", "[repository]\ntag_mutability = \"IMMUTABLE\"");
    assert_check(
        &checks(&scene),
        "failed",
        &["repository.tag_mutability", "immutable-with-exclusion"],
    );
    let scene = project("", "[repository]\nlifecycle_policy = \"no-such-file.json\"");
    assert_check(&checks(&scene), "failed", &["no-such-file.json"]);
    let scene = project("", "[repository]\nscan_on_push = true");
    assert_healthy(&checks(&scene));
}

/// Catches a tag that is none, found out when everything is built.
#[test]
fn a_tag_that_is_none_is_told() {
    let scene = project("tags = [\"1.4+5\", \"{git.sha}\"]", "");
    assert_check(&checks(&scene), "failed", &["1.4+5", "is not a tag"]);
    let scene = project("tags = [\"v1\"]", "").environment("SHIPWAY_TAGS", "v2,1.4+5");
    let told = checks(&scene);
    assert_check(&told, "failed", &["SHIPWAY_TAGS", "1.4+5"]);
    assert_check(&told, "ok", &["registry", "v2"]);
}

/// Catches a second repository that nobody looked at.
#[test]
fn a_tag_may_name_another_repository() {
    let tags = format!("tags = [\"v1\", \"{HOST}/bills:v1\", \"{HOST}/lists:{{git.sha}}\", \"{HOST}/orders:v2\"]");
    let scene = project(&tags, "");
    let told = checks(&scene);
    assert_healthy(&told);
    for other in ["bills", "lists"] {
        let command = format!("shipway doctor {HOST}/{other}");
        assert_check(&told, "warning", &[&command]);
    }
    assert_check(&told, "ok", &["registry", "v1, v2"]);
    let warnings = told.iter().filter(|check| check["name"] == "tag").count();
    assert_eq!(warnings, 2, "{told:#?}");
    // Who names one repository asks about that one.
    let outcome = doctor(&scene, &[&scene.reference("orders")]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert!(!outcome.stdout.contains("shipway doctor"), "{outcome:#?}");
}

/// Catches a push that is refused because its tag is taken, although all was well.
#[test]
fn a_tag_that_is_taken_is_told() {
    let scene = prepared(EcrScene::signed_in());
    scene.push(&[]).succeeded();
    scene.registry.forget_requests();
    assert_check(&checks(&scene), "warning", &["tag", "v1", "must not move"]);
}

/// Catches a project without a base, which a build refuses.
#[test]
fn a_base_has_to_be_named() {
    let file = format!("[image]\nrepository = \"{HOST}/orders\"\n");
    let scene = prepared(EcrScene::signed_in()).set(|project| project.project_file(&file));
    assert_check(&checks(&scene), "failed", &["base", "no image to build on", "--base"]);
    // Who names a repository may copy to it.
    let outcome = doctor(&scene, &[&scene.reference("orders")]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("skip base:"), "{outcome:#?}");
    let scratch = prepared(EcrScene::signed_in())
        .environment("SHIPWAY_BASE", "scratch")
        .set(|project| project.project_file(&file));
    assert_healthy(&checks(&scratch));
}

/// Catches the base of a project file looked for in another folder.
#[test]
fn a_base_in_files_is_relative_to_the_project() {
    let scene = project("", "");
    let base = scene.reference("runner:13");
    let build = ["build", "--scripts", "db", "--base", &base, "--output", "oci:sub/base"];
    scene.run(&build).succeeded();
    let file = format!("[runner]\nbase = \"oci:base\"\n[image]\nrepository = \"{HOST}/orders\"\n");
    scene.project.write("sub/shipway.toml", file);
    let outcome = doctor(&scene, &["--project-file", "sub/shipway.toml"]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
}

/// Catches a place that is no repository looked for at a registry.
#[test]
fn a_reference_is_a_repository() {
    let scene = EcrScene::signed_in();
    let digest = format!("{HOST}/orders@sha256:{}", "0".repeat(64));
    let places = ["oci:out", "oci-archive:out.tar", "docker-archive:out.tar", "scratch"];
    for reference in places.into_iter().chain([digest.as_str()]) {
        scene
            .run(&["doctor", reference])
            .exited(2)
            .says(&["REF", "registry.example.com/orders"]);
    }
    scene.aws.assert_silent();
}
