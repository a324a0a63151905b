//! Layouts and archives, on either side.

use serde_json::json;

use super::{Pair, index};
use crate::support::base::{Base, Bundle};
use crate::support::image::{DockerArchive, Root, layout_index};
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;

/// Catches layouts and archives that are other images, or lose the tag on the way.
#[test]
fn through_layouts_and_archives_and_back() {
    let pair = Pair::new();
    let run = |from: &str, to: &str| pair.project.run(&["copy", from, to]).succeeded();
    let outcome = run(&pair.from(), "oci:out");
    assert_eq!(outcome.stdout, format!("{}\n", pair.digest));
    assert_eq!(
        layout_index(&pair.project.folder().join("out"))["manifests"][0]["digest"],
        pair.digest.as_str()
    );
    run("oci:out", "oci-archive:out.tar:v2");
    run("oci-archive:out.tar", "oci:again");
    run("oci:again:v2", &pair.target.reference("promoted"));
    assert_eq!(pair.target.assert_complete("promoted", "v2"), pair.digest);
    run("oci:out", &pair.target.reference("kept"));
    assert_eq!(pair.target.tag("kept", "1.4"), Some(pair.digest.clone()));
    assert_eq!(pair.project.temporary_files(), Vec::<String>::new());
    pair.assert_strict();
}

/// Catches a second copy into a layout that writes, and a dry run that does.
#[test]
fn a_layout_that_has_it_stays_as_it_is() {
    let pair = Pair::new();
    let copy = |more: &[&str]| {
        let from = pair.from();
        let mut arguments = vec!["copy", from.as_str(), "oci:out", "--format", "json"];
        arguments.extend(more);
        pair.project.run(&arguments).succeeded().json()
    };
    let json = copy(&["--dry-run", "--digest-file", "digest"]);
    assert_eq!(json["status"], "dry-run");
    assert_eq!(pair.project.files(), Vec::<String>::new());
    let json = copy(&[]);
    assert_eq!(
        (&json["status"], &json["outputs"]),
        (&json!("written"), &json!(["oci:out"]))
    );
    assert_eq!(json["tags"], json!(["1.4"]));
    assert_eq!(copy(&[])["status"], "unchanged");
}

/// Catches a copy that destroys what it reads.
#[test]
fn into_the_place_that_is_read() {
    let project = TestProject::empty();
    index().write_layout(&project.folder().join("out"), "v1");
    project.run(&["copy", "oci:out:v1", "oci:out:v2"]).succeeded();
    let index = layout_index(&project.folder().join("out"));
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["digest"], entries[1]["digest"]);
    project.run(&["copy", "oci:out:v1", "oci-archive:out.tar"]).succeeded();
    project
        .run(&["copy", "oci-archive:out.tar:v1", "oci-archive:./out.tar:v2"])
        .exited(2)
        .says(&["out.tar"])
        .hints();
    project
        .run(&["copy", "oci-archive:out.tar:v1", "oci:again"])
        .succeeded();
}

/// Catches a second tag in an archive that leaves it without its layers.
#[test]
fn an_archive_is_written_anew_as_a_whole() {
    let project = TestProject::empty();
    Base::flyway()
        .image()
        .write_layout(&project.folder().join("base"), "v1");
    project.run(&["copy", "oci:base", "oci-archive:out.tar"]).succeeded();
    project
        .run(&["copy", "oci:base", "oci-archive:out.tar", "-t", "v2"])
        .succeeded();
    for tag in ["v1", "v2"] {
        Root::archive(&project.folder().join("out.tar"), Some(tag));
    }
    let build = |tags: &[&str]| {
        let mut arguments = vec![
            "--base",
            "oci:base",
            "--add",
            "base/oci-layout:/x",
            "--profile",
            "custom",
        ];
        arguments.extend(["--output", "oci-archive:built.tar"]);
        arguments.extend(tags);
        let mut words = vec!["build"];
        words.extend(arguments);
        project.run(&words).succeeded();
    };
    build(&["-t", "v1"]);
    build(&["-t", "v1", "-t", "v2"]);
    for tag in ["v1", "v2"] {
        Root::archive(&project.folder().join("built.tar"), Some(tag));
    }
}

/// Catches a `docker load` file without a name, or with a platform nobody chose.
#[test]
fn a_docker_archive_holds_one_image() {
    let pair = Pair::new();
    let copy = |to: &str, more: &[&str]| {
        let from = pair.from();
        let mut arguments = vec!["copy", from.as_str(), to];
        arguments.extend(more);
        pair.project.run(&arguments)
    };
    copy("docker-archive:a.tar", &[])
        .exited(2)
        .says(&["--platform", "linux/arm64/v8"]);
    assert_eq!(pair.project.files(), Vec::<String>::new());
    copy("docker-archive:a.tar", &["--platform", "linux/amd64", "-t", "x"]).succeeded();
    let archive = DockerArchive::read(&pair.project.folder().join("a.tar"));
    assert_eq!(archive.tags, [pair.from(), pair.source.reference("orders:x")]);
    assert_eq!(archive.layers.len(), 3);
    copy(
        "docker-archive:b.tar:example.com/shop/orders:7",
        &["--platform", "linux/amd64"],
    )
    .succeeded();
    let archive = DockerArchive::read(&pair.project.folder().join("b.tar"));
    assert_eq!(archive.tags, ["example.com/shop/orders:7"]);
    copy("docker-archive:c.tar", &["--referrers"])
        .exited(2)
        .says(&["--referrers"])
        .hints();
    // One platform and its attestation are one image.
    pair.source.seed("single", "1", &Base::flyway().index());
    let single = pair.source.reference("single:1");
    pair.project.run(&["copy", &single, "docker-archive:d.tar"]).succeeded();
    pair.project
        .run(&["copy", "docker-archive:d.tar", &pair.target.reference("loaded")])
        .succeeded();
    assert!(pair.target.tag("loaded", "1").is_some());
    pair.source.seed(
        "chart",
        "1",
        &Bundle::artifact("application/vnd.cncf.helm.config.v1+json", "chart"),
    );
    let chart = pair.source.reference("chart:1");
    pair.project
        .run(&["copy", &chart, "docker-archive:e.tar"])
        .exited(2)
        .says(&["helm"]);
}

/// Catches a dry run that finds in the cache what is not in the repository.
#[test]
fn a_dry_run_looks_for_the_image_where_it_is_said_to_be() {
    let registry = FakeRegistry::ecr();
    let digest = registry.seed("runner", "13", &Base::flyway().image());
    registry.create("orders");
    let project = TestProject::empty().logged_in(&registry);
    let known = registry.reference(&format!("runner@{digest}"));
    let target = registry.reference("orders:v1");
    project.run(&["copy", &known, &target, "--dry-run"]).succeeded();
    project.run(&["inspect", &known]).succeeded();
    let missing = registry.reference(&format!("nosuch@{digest}"));
    project
        .run(&["copy", &missing, &target, "--dry-run"])
        .exited(1)
        .says(&["nosuch"]);
}

/// Catches names that an archive loses on its way into another, and one that cannot be read under the name it got.
#[test]
fn a_docker_archive_keeps_its_names() {
    let source = FakeRegistry::open();
    source.seed("orders", "1.4", &Base::flyway().image());
    let project = TestProject::empty();
    let from = source.reference("orders:1.4");
    let first = "docker-archive:a.tar:example.com/shop/orders:7";
    project.run(&["copy", &from, first, "-t", "8"]).succeeded();
    let names = ["example.com/shop/orders:7", "example.com/shop/orders:8"];
    let read = |file: &str| DockerArchive::read(&project.folder().join(file)).tags;
    assert_eq!(read("a.tar"), names);
    project
        .run(&["copy", "docker-archive:a.tar", "docker-archive:b.tar"])
        .succeeded();
    assert_eq!(read("b.tar"), names);
    project.run(&["copy", first, "docker-archive:c.tar"]).succeeded();
    assert_eq!(read("c.tar"), names[..1]);
    project
        .run(&["copy", "docker-archive:a.tar:8", "docker-archive:d.tar", "-t", "9"])
        .succeeded();
    assert_eq!(read("d.tar"), [names[1], "example.com/shop/orders:9"]);
    project.run(&["push", first, &source.reference("loaded")]).succeeded();
    assert!(source.tag("loaded", "7").is_some());
    project
        .run(&["copy", "docker-archive:a.tar:example.com/shop/orders:6", "oci:out"])
        .exited(1)
        .says(&["example.com/shop/orders:6", names[0]]);
}
