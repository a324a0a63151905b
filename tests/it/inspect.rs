//! `inspect`: what an image holds, wherever it lies.

use crate::support::base::{Base, Bundle};
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;
use crate::support::scene::{BASE_LAYERS, Scene};

/// Catches a place that inspect cannot read, or that it tells something else about.
#[test]
fn the_same_image_is_told_the_same_wherever_it_lies() {
    let scene = Scene::ecr();
    let digest = scene
        .push("v1", &["--output", "oci:out", "--output", "oci-archive:out.tar"])
        .succeeded()
        .digest();
    let by_tag = scene.target("v1");
    let by_digest = format!("{}@{digest}", scene.registry.reference("orders"));
    for reference in [by_tag.as_str(), by_digest.as_str(), "oci:out", "oci-archive:out.tar"] {
        let json = scene
            .project
            .run(&["inspect", reference, "--format", "json"])
            .succeeded()
            .json();
        assert_eq!(json["digest"], digest.as_str(), "{reference}");
        let platform = &json["platforms"][0];
        assert_eq!(platform["platform"], "linux/amd64", "{reference}");
        let layers = platform["layers"].as_array().unwrap();
        assert_eq!(layers.len(), BASE_LAYERS + 1, "{reference}");
        assert_eq!(layers[0]["new"], false, "{reference}");
        assert_eq!(layers[0]["createdBy"], "COPY part-0 /", "{reference}");
        let new = &layers[BASE_LAYERS];
        assert_eq!(new["new"], true, "{reference}");
        let files = new["files"].as_array().unwrap();
        let paths: Vec<_> = files.iter().filter_map(|file| file["path"].as_str()).collect();
        assert!(
            paths
                .iter()
                .any(|path| path.ends_with("flyway/sql/V1__create_orders.sql")),
            "{paths:?}"
        );
        assert_eq!(platform["config"]["config"]["WorkingDir"], "/flyway", "{reference}");
        let name = "org.opencontainers.image.base.digest";
        assert_eq!(platform["labels"][name], scene.base_digest.as_str(), "{reference}");
    }
    assert_eq!(
        scene
            .registry
            .requests()
            .iter()
            .filter(|request| request.status >= 500)
            .count(),
        0
    );
    scene.registry.assert_strict();
}

/// Catches a text that leaves out what a person looks for.
#[test]
fn the_text_names_platform_layers_and_files() {
    let scene = Scene::ecr();
    let digest = scene.push("v1", &[]).succeeded().digest();
    scene.registry.forget_requests();
    let text = scene.project.run(&["inspect", &scene.target("v1")]).succeeded().stdout;
    for word in [
        &digest,
        "linux/amd64",
        "V2__add_total.sql",
        "migrate",
        "org.opencontainers.image.base.name",
    ] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
    assert_eq!(scene.registry.writes(), 0);
}

/// Catches base layers read only to list what nobody asked for.
#[test]
fn base_layers_are_not_read() {
    let scene = Scene::ecr();
    scene.push("v1", &["--no-cache"]).succeeded();
    scene.registry.forget_requests();
    scene
        .project
        .run(&["--no-cache", "inspect", &scene.target("v1")])
        .succeeded();
    for layer in Base::flyway_of(BASE_LAYERS).layer_digests() {
        let requests = scene.registry.requests();
        assert!(
            !requests.iter().any(|request| request.path.contains(&layer)),
            "{}",
            scene.registry.story()
        );
    }
}

/// Catches an index of which one platform is shown, and a platform that is not there.
#[test]
fn an_index_shows_its_platforms() {
    let registry = FakeRegistry::open();
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    registry.seed("runner", "13", &Bundle::index(&bases));
    let project = TestProject::empty();
    let reference = registry.reference("runner:13");
    let json = project
        .run(&["inspect", &reference, "--format", "json"])
        .succeeded()
        .json();
    let platforms = json["platforms"].as_array().unwrap();
    let names: Vec<_> = platforms
        .iter()
        .filter_map(|platform| platform["platform"].as_str())
        .collect();
    assert_eq!(names, ["linux/amd64", "linux/arm64"]);
    let one = project.run(&["inspect", &reference, "--platform", "linux/arm64", "--format", "json"]);
    assert_eq!(one.succeeded().json()["platforms"].as_array().unwrap().len(), 1);
    project
        .run(&["inspect", &reference, "--platform", "linux/s390x"])
        .exited(2)
        .says(&["linux/s390x", "linux/arm64"]);
    project
        .run(&["inspect", &registry.reference("runner:99")])
        .exited(1)
        .says(&["runner:99"]);
}

/// Catches an archive of Docker's that can be built on but not looked at.
#[test]
fn a_docker_archive_can_be_inspected() {
    let project = TestProject::new();
    Base::flyway().write_docker_archive(&project.folder().join("saved.tar"), "runner:13");
    let json = project
        .run(&["inspect", "docker-archive:saved.tar", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["platforms"][0]["layers"].as_array().unwrap().len(), 1);
}

/// Catches words that make sense for writing only, and a word that names no image.
#[test]
fn what_is_no_image_is_refused() {
    let project = TestProject::new();
    let outcome = project
        .run(&["inspect", "oci:db"])
        .exited(2)
        .says(&["not an OCI layout"])
        .hints();
    assert!(!outcome.stderr.contains("may be new"), "{outcome:?}");
    project
        .run(&["inspect", "scratch"])
        .exited(2)
        .says(&["scratch"])
        .hints();
    let outcome = project.build(&["--base", "scratch", "--output", "oci:db"]).exited(2);
    outcome.says(&["may be new"]);
}
