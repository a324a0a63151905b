//! Where an image goes: registries, layouts and archives, several at once, whole or not at all.

use std::fs;

use crate::support::base::Base;
use crate::support::image::{DockerArchive, Root, layout_index};
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Fault};
use crate::support::scene::Scene;
use crate::support::tarball::Tarball;

/// Catches tags that are lost, or that name different images.
#[test]
fn a_layout_names_the_image_by_each_tag() {
    let project = TestProject::new();
    let digest = project
        .build(&["--base", "scratch", "--output", "oci:out", "-t", "v1", "-t", "current"])
        .succeeded()
        .digest();
    let out = project.folder().join("out");
    for tag in ["v1", "current"] {
        assert_eq!(Root::layout(&out, Some(tag)).digest, digest);
    }
    let referenced = Root::layout(&out, Some("v1"));
    let image = referenced.only();
    assert_eq!(
        fs::read_dir(out.join("blobs/sha256")).unwrap().count(),
        2 + image.layers.len(),
        "nothing but the manifest, the config and the layers"
    );
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches a second build into a layout that leaves an index naming what is not there.
#[test]
fn a_layout_can_be_built_into_again() {
    let project = TestProject::new();
    let build = || {
        project
            .build(&["--base", "scratch", "--output", "oci:out", "-t", "v1"])
            .succeeded()
            .digest()
    };
    let first = build();
    assert_eq!(build(), first);
    project.write("db/V3__x.sql", "SELECT 3;\n");
    let second = build();
    assert_ne!(first, second);
    let out = project.folder().join("out");
    assert_eq!(Root::layout(&out, Some("v1")).digest, second);
    let index = layout_index(&out);
    let entries = index["manifests"].as_array().unwrap().iter();
    let named = entries.filter(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1");
    assert_eq!(named.count(), 1, "one image bears the tag: {index}");
}

/// Catches archives that are another image than the layout, or that nobody can load.
#[test]
fn archives_hold_the_same_image() {
    let project = TestProject::new();
    Base::flyway()
        .image()
        .write_layout(&project.folder().join("base"), "13");
    let digest = project
        .build(&[
            "--base",
            "oci:base",
            "-t",
            "example.com/orders:v1",
            "--output",
            "oci:out",
            "--output",
            "oci-archive:out.tar",
            "--output",
            "docker-archive:docker.tar",
        ])
        .succeeded()
        .digest();
    assert_eq!(Root::layout(&project.folder().join("out"), None).digest, digest);
    let root = Root::archive(&project.folder().join("out.tar"), None);
    assert_eq!(root.digest, digest);
    let archive = DockerArchive::read(&project.folder().join("docker.tar"));
    assert_eq!(archive.tags, ["example.com/orders:v1"]);
    assert_eq!(archive.config["config"], root.only().config["config"]);
    assert_eq!(archive.layers.len(), 2);
    assert_eq!(archive.layers[1], root.only().layers[1].entries);
}

/// Catches a project whose name no repository can have, in an archive that nobody can load.
#[test]
fn an_archive_for_docker_has_a_valid_name() {
    let project = TestProject::new();
    for (name, expected) in [("My Orders_DB", "my-orders-db:v1"), ("名前", "migrations:v1")] {
        let mut command = project.command(&["build", "--scripts", "db", "--base", "scratch", "-t", "v1"]);
        command
            .args(["--output", "docker-archive:docker.tar"])
            .env("SHIPWAY_PROJECT", name);
        assert!(command.output().unwrap().status.success());
        let archive = DockerArchive::read(&project.folder().join("docker.tar"));
        assert_eq!(archive.tags, [expected]);
    }
}

/// Catches one output written over another.
#[test]
fn two_outputs_with_one_path_are_refused() {
    let project = TestProject::new();
    std::os::unix::fs::symlink(".", project.folder().join("here")).unwrap();
    for (one, other) in [
        ("oci-archive:out.tar", "docker-archive:out.tar"),
        ("oci-archive:out.tar", "oci-archive:./out.tar"),
        ("oci:out", "oci:db/../out"),
        ("oci:out", "oci:here/out"),
    ] {
        project
            .build(&["--base", "scratch", "--output", one, "--output", other])
            .exited(2)
            .says(&[one, other])
            .hints();
    }
    assert!(!project.folder().join("out").exists());
    assert!(!project.folder().join("out.tar").exists());
}

/// Catches a layer in a layout that was packed for a base as the profile expects it, which this one is not.
#[test]
fn a_layout_holds_nothing_that_no_manifest_names() {
    let project = TestProject::new();
    let link = Tarball::new().directory("data", 0o755).symlink("flyway/sql", "/data");
    let base = Base::flyway().without_entrypoint().layer(link);
    base.image().write_layout(&project.folder().join("base"), "13");
    project
        .build(&[
            "--base",
            "oci:base",
            "--output",
            "oci:out",
            "--output",
            "oci-archive:out.tar",
            "-t",
            "v1",
        ])
        .succeeded();
    let out = project.folder().join("out");
    let root = Root::layout(&out, Some("v1"));
    let image = root.only();
    assert!(image.entry("data/V1__create_orders.sql").is_some());
    let expected = 2 + image.layers.len();
    assert_eq!(fs::read_dir(out.join("blobs/sha256")).unwrap().count(), expected);
    let archive = crate::support::tarball::entries(&fs::read(project.folder().join("out.tar")).unwrap());
    let blobs = archive.iter().filter(|entry| entry.path.starts_with("blobs/sha256/"));
    assert_eq!(blobs.count(), expected);
}

/// Catches an index put into `docker save`'s format, which has room for one image.
#[test]
fn several_platforms_do_not_fit_a_docker_archive() {
    let project = TestProject::new();
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    crate::support::base::Bundle::index(&bases).write_layout(&project.folder().join("base"), "13");
    project
        .build(&[
            "--base",
            "oci:base",
            "--platform",
            "all",
            "--output",
            "docker-archive:docker.tar",
        ])
        .exited(2)
        .says(&["docker-archive"]);
    assert!(!project.folder().join("docker.tar").exists());
    project
        .build(&[
            "--base",
            "oci:base",
            "--platform",
            "all",
            "--output",
            "oci-archive:out.tar",
        ])
        .succeeded();
    assert_eq!(Root::archive(&project.folder().join("out.tar"), None).images.len(), 2);
}

/// Catches targets that are served one from the other's leftovers, or get different images.
#[test]
fn several_targets_get_the_same_image() {
    let scene = Scene::ecr();
    let other = FakeRegistry::open();
    let here = scene.target("v1");
    let there = other.reference("copies:v1");
    let outcome = scene
        .project
        .build(&[
            "--base",
            &scene.base,
            "-t",
            &here,
            "-t",
            &there,
            "--push",
            "--output",
            "oci:out",
            "--output",
            "oci-archive:out.tar",
        ])
        .succeeded();
    let digest = scene.registry.image("orders", "v1").digest;
    assert_eq!(other.image("copies", "v1").digest, digest);
    assert_eq!(Root::layout(&scene.project.folder().join("out"), None).digest, digest);
    assert_eq!(
        Root::archive(&scene.project.folder().join("out.tar"), None).digest,
        digest
    );
    let mut lines: Vec<_> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    let mut expected = [
        format!("{}@{digest}", scene.registry.reference("orders")),
        format!("{}@{digest}", other.reference("copies")),
    ];
    expected.sort();
    assert_eq!(lines, expected);
    scene.registry.assert_strict();
    other.assert_strict();
}

/// Catches a half image, a temporary file, or an archive that was there before and now is broken.
#[test]
fn a_run_that_fails_leaves_nothing_behind() {
    let scene = Scene::ecr();
    scene.project.write("out.tar", "what was there before");
    scene
        .registry
        .fault(Fault::on("GET", "/storage/").always().respond(403, "DENIED", "no"));
    let before = scene.project.files();
    scene
        .push(
            "v1",
            &[
                "--output",
                "oci:out",
                "--output",
                "oci-archive:out.tar",
                "--output",
                "docker-archive:new.tar",
            ],
        )
        .failed();
    assert_eq!(scene.project.files(), before);
    assert_eq!(
        fs::read_to_string(scene.project.folder().join("out.tar")).unwrap(),
        "what was there before"
    );
    assert!(!scene.project.folder().join("out").exists());
    assert_eq!(scene.project.temporary_files(), Vec::<String>::new());
    assert_eq!(scene.registry.tags("orders"), []);
}

/// Catches a tag in one registry although another target of the same run failed before.
#[test]
fn a_layout_that_fails_halfway_leaves_the_old_one() {
    let scene = Scene::ecr();
    scene.push("v1", &["--output", "oci:out"]).succeeded();
    let index = layout_index(&scene.project.folder().join("out"));
    let files = scene.project.files();
    scene
        .registry
        .fault(Fault::on("GET", "/storage/").always().respond(403, "DENIED", "no"));
    scene.project.write("db/V1__create_orders.sql", "SELECT 'changed';\n");
    scene.push("current", &["--no-cache", "--output", "oci:out"]).failed();
    assert_eq!(layout_index(&scene.project.folder().join("out")), index);
    assert_eq!(scene.project.files(), files);
}

/// Catches an archive that replaces the link it is named by, or a device.
#[test]
fn an_archive_is_written_through_links_and_over_files_only() {
    let project = TestProject::new().file("store/old.tar", "old");
    std::os::unix::fs::symlink("store/old.tar", project.folder().join("link.tar")).unwrap();
    project
        .build(&["--base", "scratch", "--output", "oci-archive:link.tar"])
        .succeeded();
    assert!(project.folder().join("link.tar").is_symlink());
    Root::archive(&project.folder().join("store/old.tar"), None);
    let scene = Scene::ecr();
    let pipe = scene.project.folder().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for output in ["oci-archive:pipe", "docker-archive:pipe", "oci-archive:/dev/null"] {
        scene
            .push("v1", &["--output", output])
            .exited(2)
            .says(&["archive is a file"])
            .hints();
    }
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
}

/// Catches a push that nobody asked for.
#[test]
fn without_push_nothing_is_sent() {
    let scene = Scene::ecr();
    let target = scene.target("v1");
    let outcome = scene
        .project
        .build(&["--base", &scene.base, "-t", &target, "--output", "oci:out"])
        .succeeded();
    assert_eq!(scene.registry.writes(), 0);
    assert!(outcome.stdout.starts_with("sha256:"), "{outcome:?}");
}

/// Catches kaniko's word for a target that only names it.
#[test]
fn destination_means_tag_and_push() {
    let scene = Scene::ecr();
    let target = scene.target("v1");
    scene
        .project
        .build(&["--base", &scene.base, "--destination", &target])
        .succeeded();
    scene.registry.image("orders", "v1");
}

/// Catches an output whose kind is not known and that becomes a file of a strange name.
#[test]
fn an_unknown_output_is_refused() {
    let project = TestProject::new();
    project
        .build(&["--base", "scratch", "--output", "tarball:x"])
        .exited(2)
        .says(&["tarball", "oci-archive"]);
}
