//! What a run reports: on standard output, as JSON, and in files that are written only after success.

use std::fs;

use crate::support::base::Base;
use crate::support::base::Bundle;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Fault};
use crate::support::scene::{BASE_LAYERS, Scene};

const FILES: [&str; 8] = [
    "--digest-file",
    "digest",
    "--metadata-file",
    "metadata.json",
    "--image-refs",
    "refs",
    "--dotenv",
    "build.env",
];

/// Catches result files that differ from what was pushed.
#[test]
fn result_files_say_what_was_pushed() {
    let scene = Scene::ecr();
    let outcome = scene.push_tags(&["v1", "current"], &FILES).succeeded();
    let root = scene.registry.image("orders", "v1");
    let read = |name: &str| fs::read_to_string(scene.project.folder().join(name)).unwrap();
    let reference = format!("{}@{}", scene.registry.reference("orders"), root.digest);
    assert_eq!(outcome.stdout, format!("{reference}\n"));
    assert_eq!(read("digest"), format!("{}\n", root.digest));
    assert_eq!(read("refs"), format!("{reference}\n"));
    let metadata: serde_json::Value = serde_json::from_str(&read("metadata.json")).unwrap();
    assert_eq!(metadata["containerimage.digest"], root.digest.as_str());
    assert_eq!(metadata["containerimage.descriptor"]["digest"], root.digest.as_str());
    assert_eq!(
        metadata["containerimage.descriptor"]["mediaType"],
        root.media_type.as_str()
    );
    assert!(metadata["containerimage.descriptor"]["size"].as_u64().unwrap() > 0);
    assert_eq!(
        metadata["containerimage.config.digest"],
        root.only().manifest["config"]["digest"]
    );
    let names = format!("{},{}", scene.target("v1"), scene.target("current"));
    assert_eq!(metadata["image.name"], names.as_str());
    let dotenv = read("build.env");
    assert!(dotenv.contains(&format!("SHIPWAY_IMAGE={reference}\n")), "{dotenv}");
    assert!(
        dotenv.contains(&format!("SHIPWAY_DIGEST={}\n", root.digest)),
        "{dotenv}"
    );
    assert!(dotenv.contains("SHIPWAY_TAGS=v1 current\n"), "{dotenv}");
    assert!(
        !dotenv.contains('"') && !dotenv.contains('\''),
        "GitLab takes quotes literally: {dotenv}"
    );
}

/// Catches kaniko's mistake: a digest file of an image that was never pushed.
#[test]
fn a_failed_push_writes_no_result() {
    let scene = Scene::ecr();
    scene
        .registry
        .fault(Fault::on("PUT", "/manifests/").always().respond(403, "DENIED", "no"));
    let before = scene.project.files();
    let outcome = scene.push("v1", &FILES).exited(1);
    assert_eq!(outcome.stdout, "");
    assert_eq!(scene.project.files(), before);
    let json = scene.push("v1", &["--format", "json"]).exited(1);
    assert_eq!(json.stdout, "");
}

/// Catches a file that turns out not to be writable when the tags have moved already.
#[test]
fn result_files_are_made_sure_of_before_anything_is_sent() {
    let scene = Scene::ecr();
    scene.project.write("folder/x", "");
    let before = scene.project.files();
    for path in ["absent/digest", "folder"] {
        for flag in ["--digest-file", "--metadata-file", "--image-refs", "--dotenv"] {
            let outcome = scene.push(
                "v1",
                &["--dotenv", "first.env", flag, path][if flag == "--dotenv" { 2 } else { 0 }..],
            );
            let outcome = outcome.exited(2).says(&[path, flag]).hints();
            assert!(!outcome.stderr.contains(".shipway-"), "{outcome:?}");
        }
    }
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
    assert_eq!(scene.project.files(), before);
}

/// Catches a tag in a registry although an archive of the same run could not be written.
#[test]
fn no_tag_moves_before_files_are_complete() {
    let scene = Scene::ecr();
    scene
        .push("v1", &["--output", "oci-archive:absent/out.tar"])
        .exited(1)
        .says(&["absent"])
        .hints();
    assert_eq!(scene.registry.tags("orders"), [], "{}", scene.registry.story());
}

/// Catches results that speak of the image that was built where another one with the same scripts stays.
#[test]
fn a_tag_that_stays_is_reported_by_what_it_names() {
    let scene = Scene::ecr();
    let read = |name: &str| fs::read_to_string(scene.project.folder().join(name)).unwrap();
    let tag = "{migrations.version}-{migrations.digest}";
    let push = |more: &[&str]| scene.push(tag, &[&FILES, more].concat()).succeeded();
    push(&[]);
    let [first, metadata] = ["digest", "metadata.json"].map(read);
    let label = &["--label", "team=orders", "--format", "json"];
    for more in [&label[..], &["--label", "team=orders", "--format", "json", "--dry-run"]] {
        let json = push(more).json();
        assert_eq!(json["digest"], first.trim_end());
        assert!(json["images"][0].as_str().unwrap().ends_with(first.trim_end()));
        assert_eq!(json["platforms"], serde_json::json!([]));
        assert_eq!(json["layers"], serde_json::json!([]));
    }
    assert_eq!(read("digest"), first);
    let told = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(
        told(&read("metadata.json"))["containerimage.descriptor"],
        told(&metadata)["containerimage.descriptor"]
    );
    assert!(read("build.env").contains(&format!("SHIPWAY_DIGEST={first}")));
    let dry = scene.push(tag, &["--label", "team=orders", "--dry-run"]).succeeded();
    assert_eq!(dry.digest(), first.trim_end());
}

/// Catches a re-run of an unchanged job that reports nothing.
#[test]
fn an_unchanged_run_reports_the_same() {
    let scene = Scene::ecr();
    let first = scene.push("v1", &FILES).succeeded();
    let read = || fs::read_to_string(scene.project.folder().join("build.env")).unwrap();
    let before = read();
    fs::remove_file(scene.project.folder().join("build.env")).unwrap();
    let second = scene.push("v1", &FILES).succeeded();
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(before, read());
}

/// Catches JSON that lacks what a pipeline needs, or is not alone on standard output.
#[test]
fn json_tells_all() {
    let scene = Scene::ecr();
    let json = scene
        .push("v1", &["--format", "json", "--output", "oci:out"])
        .succeeded()
        .json();
    let root = scene.registry.image("orders", "v1");
    let image = root.only();
    assert_eq!(json["digest"], root.digest.as_str());
    assert_eq!(json["mediaType"], root.media_type.as_str());
    assert_eq!(json["status"], "pushed");
    let reference = format!("{}@{}", scene.registry.reference("orders"), root.digest);
    assert_eq!(json["images"], serde_json::json!([reference]));
    assert_eq!(json["tags"], serde_json::json!([scene.target("v1")]));
    assert_eq!(json["outputs"], serde_json::json!(["oci:out"]));
    assert_eq!(json["platforms"][0]["platform"], "linux/amd64");
    assert_eq!(json["platforms"][0]["config"], image.manifest["config"]["digest"]);
    assert_eq!(json["base"]["name"], scene.base.as_str());
    assert_eq!(json["base"]["digest"], scene.base_digest.as_str());
    let layer = &image.layers[BASE_LAYERS];
    assert_eq!(json["layers"].as_array().unwrap().len(), 1, "the new layers");
    assert_eq!(json["layers"][0]["digest"], layer.descriptor.digest.as_str());
    assert_eq!(json["layers"][0]["size"], layer.bytes.len());
    assert_eq!(
        json["layers"][0]["diffId"],
        image.config["rootfs"]["diff_ids"][BASE_LAYERS]
    );
    assert_eq!(json["migrations"]["version"], "2");
    assert_eq!(json["migrations"]["scripts"], 2);
    let written = scene
        .project
        .build(&["--base", "scratch", "--output", "oci:alone", "--format", "json"]);
    assert_eq!(written.succeeded().json()["status"], "written");
}

/// Catches an index reported by the digest of one of its platforms.
#[test]
fn several_platforms_are_reported_by_the_index() {
    let registry = FakeRegistry::open();
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    registry.seed("runner", "13", &Bundle::index(&bases));
    let project = TestProject::new();
    let base = registry.reference("runner:13");
    let target = registry.reference("orders:v1");
    let arguments = [
        "--base",
        &base,
        "-t",
        &target,
        "--push",
        "--platform",
        "all",
        "--format",
        "json",
    ];
    let json = project.build(&arguments).succeeded().json();
    let root = registry.image("orders", "v1");
    assert_eq!(json["digest"], root.digest.as_str());
    let platforms = json["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), 2);
    for (platform, image) in platforms.iter().zip(&root.images) {
        assert_eq!(platform["digest"], image.digest.as_str());
        assert_eq!(platform["platform"], image.platform.as_str());
    }
}

/// Catches a broken pipe that is a panic or an error.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = TestProject::new().wrapped(&["sh", "-c", "{ \"$0\" \"$@\"; echo $? >&2; } | true"]);
    let outcome = project.build(&["--base", "scratch", "--output", "oci:out", "--format", "json"]);
    assert!(outcome.stderr.trim_end().ends_with('0'), "{outcome:?}");
}

/// Catches a version that is missing or slow to find.
#[test]
fn version_and_help_are_there() {
    let project = TestProject::empty();
    let version = project.run(&["--version"]).succeeded();
    assert_eq!(version.stdout, format!("shipway {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["build", "--help"], &["inspect", "--help"]] {
        let help = project.run(arguments).succeeded();
        assert!(help.stdout.contains("Usage"), "{help:?}");
    }
    project.run(&["nonsense"]).exited(2);
}
