//! `copy`: an image goes from one place to another and keeps its digest.

use serde_json::{Value, json};

use crate::support::base::{Base, Bundle};
use crate::support::image::{DockerArchive, Root, layout_index};
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;
use crate::support::registry::{Action, Authentication, FakeRegistry, Fault, Options, PASSWORD, USER};

/// Two registries, an index of two platforms with attestations in the first.
struct Pair {
    source: FakeRegistry,
    target: FakeRegistry,
    project: TestProject,
    digest: String,
}

/// The platforms of the index.
const PLATFORMS: usize = 2;

fn index() -> Bundle {
    Bundle::index(&[Base::flyway_of(3), Base::flyway_of(2).platform("linux/arm64/v8")])
}

impl Pair {
    fn new() -> Self {
        Self::with(Options::open())
    }

    fn with(target: Options) -> Self {
        let source = FakeRegistry::open();
        let digest = source.seed("orders", "1.4", &index());
        Self {
            source,
            target: FakeRegistry::start(target),
            project: TestProject::empty(),
            digest,
        }
    }

    fn from(&self) -> String {
        self.source.reference("orders:1.4")
    }

    fn copy(&self, target: &str, more: &[&str]) -> Outcome {
        let (from, to) = (self.from(), self.target.reference(target));
        let mut arguments = vec!["copy", from.as_str(), to.as_str()];
        arguments.extend(more);
        self.project.run(&arguments)
    }

    fn forget(&self) {
        self.source.forget_requests();
        self.target.forget_requests();
    }

    fn requests(&self) -> usize {
        self.source.count() + self.target.count()
    }

    fn story(&self) -> String {
        format!("source:{}\ntarget:{}", self.source.story(), self.target.story())
    }

    fn assert_strict(&self) {
        self.source.assert_strict();
        self.target.assert_strict();
        assert_eq!(self.source.writes(), 0, "{}", self.source.story());
        assert_eq!(self.target.redundant_uploads(), 0);
    }
}

/// Catches a copy that changes a byte, or loses a platform, an attestation or the tag.
#[test]
fn an_index_keeps_its_digest_and_its_tag() {
    let pair = Pair::new();
    let outcome = pair.copy("promoted", &[]).succeeded();
    let repository = pair.target.reference("promoted");
    assert_eq!(outcome.stdout, format!("{repository}@{}\n", pair.digest));
    assert_eq!(pair.target.assert_complete("promoted", "1.4"), pair.digest);
    assert_eq!(pair.target.tags("promoted").len(), 1);
    pair.assert_strict();
}

/// Catches a second copy that asks for more than whether the tags moved and the images are there.
#[test]
fn a_second_copy_asks_little() {
    let pair = Pair::new();
    pair.copy("promoted", &[]).succeeded();
    pair.forget();
    let json = pair.copy("promoted", &["--format", "json"]).succeeded().json();
    assert_eq!(json["status"], "unchanged");
    assert_eq!(pair.requests(), PLATFORMS + 2, "{}", pair.story());
    pair.forget();
    pair.copy("promoted", &["--no-cache"]).succeeded();
    assert_eq!(pair.requests(), PLATFORMS + 2, "{}", pair.story());
    assert_eq!(pair.target.writes(), 0);
    pair.assert_strict();
}

/// Catches blobs that are looked for one by one where the manifest is known to be there.
#[test]
fn another_tag_for_what_is_there_costs_little() {
    let pair = Pair::new();
    pair.copy("promoted", &[]).succeeded();
    pair.forget();
    pair.copy("promoted:current", &["--no-cache"]).succeeded();
    assert!(pair.requests() <= PLATFORMS + 3, "{}", pair.story());
    assert_eq!(pair.target.writes(), 1, "{}", pair.target.story());
    assert_eq!(pair.target.tag("promoted", "current"), Some(pair.digest.clone()));
    pair.assert_strict();
}

/// Catches tags that are lost or put before the image is complete.
#[test]
fn tags_are_kept_changed_and_added() {
    let pair = Pair::new();
    let json = pair
        .copy("promoted:2", &["-t", "stable", "-t", "stable", "--format", "json"])
        .succeeded()
        .json();
    let name = |tag: &str| pair.target.reference(&format!("promoted:{tag}"));
    assert_eq!(json["tags"], json!([name("2"), name("stable")]));
    assert_eq!(
        json["images"],
        json!([format!("{}@{}", pair.target.reference("promoted"), pair.digest)])
    );
    assert_eq!(json["source"], pair.from());
    assert_eq!(json["status"], "pushed");
    assert_eq!(json["platforms"].as_array().unwrap().len(), PLATFORMS);
    assert_eq!(json["platforms"][1]["platform"], "linux/arm64/v8");
    assert_eq!(json["referrers"], json!([]));
    let tags: Vec<String> = pair.target.tags("promoted").into_iter().map(|(tag, _)| tag).collect();
    assert_eq!(tags, ["2", "stable"]);
    let requests = pair.target.requests();
    let first_tag = requests.iter().position(|request| request.is("PUT", "/manifests/2"));
    let last_blob = requests.iter().rposition(|request| request.path.contains("/blobs/"));
    assert!(first_tag > last_blob, "{}", pair.target.story());
    pair.copy("kept", &["-t", "stable"]).succeeded();
    let tags: Vec<String> = pair.target.tags("kept").into_iter().map(|(tag, _)| tag).collect();
    assert_eq!(tags, ["1.4", "stable"]);
}

/// Catches an image named by its digest alone that gets a tag nobody named, or that is sent twice.
#[test]
fn a_digest_alone_gets_no_tag() {
    let pair = Pair::new();
    let from = pair.source.reference(&format!("orders@{}", pair.digest));
    let to = pair.target.reference("promoted");
    pair.project.run(&["copy", &from, &to]).succeeded();
    pair.target.assert_complete("promoted", &pair.digest);
    assert_eq!(pair.target.tags("promoted"), []);
    pair.forget();
    pair.project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(pair.target.writes(), 0, "{}", pair.target.story());
    assert!(pair.requests() <= PLATFORMS + 2, "{}", pair.story());
}

/// Catches a tag that is lost because a digest stands beside it.
#[test]
fn a_tag_beside_a_digest_is_kept() {
    let pair = Pair::new();
    let from = pair.source.reference(&format!("orders:1.4@{}", pair.digest));
    let to = pair.target.reference("promoted");
    pair.project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(pair.target.tags("promoted"), [("1.4".to_owned(), pair.digest.clone())]);
}

/// Catches two runs of which the later one moves the tag of the earlier.
#[test]
fn a_tag_that_another_run_puts_meanwhile_stays() {
    let pair = Pair::new();
    let delay = Action::Delay(std::time::Duration::from_millis(1500));
    let slow = pair.target.fault(Fault::on("PUT", "/blobs/uploads/").with(delay));
    let other = std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            while !slow.struck() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            pair.target.seed("promoted", "1.4", &Base::plain().image())
        });
        let outcome = pair.copy("promoted", &[]).exited(4);
        let other = meanwhile.join().unwrap();
        outcome.says(&["1.4", &other, &pair.digest, "--move-tags"]).hints();
        other
    });
    assert_eq!(pair.target.tag("promoted", "1.4"), Some(other));
}

/// Catches a release that is overwritten, or a write before all tags were asked.
#[test]
fn a_tag_that_must_not_move_is_refused() {
    let pair = Pair::new();
    let other = pair.target.seed("promoted", "1.4", &Base::plain().image());
    pair.target.seed("promoted", "current", &Base::plain().image());
    let outcome = pair.copy("promoted:current", &["-t", "new", "-t", "1.4"]).exited(4);
    outcome.says(&["1.4", &other, &pair.digest, "--move-tags"]).hints();
    assert_eq!(pair.target.writes(), 0, "{}", pair.target.story());
    pair.copy("promoted:current", &["-t", "1.4", "--move-tags"]).succeeded();
    assert_eq!(pair.target.tag("promoted", "1.4"), Some(pair.digest.clone()));
    assert_eq!(pair.target.tag("promoted", "current"), Some(pair.digest.clone()));
}

/// Catches `immutable_tags` that is not looked at.
#[test]
fn the_rule_of_the_project_file_holds() {
    let pair = Pair::new();
    pair.project
        .write("shipway.toml", "[image]\nimmutable_tags = [\"stable\"]\n");
    for tag in ["1.4", "stable"] {
        pair.target.seed("promoted", tag, &Base::plain().image());
    }
    pair.copy("promoted:stable", &[]).exited(4).says(&["stable"]);
    pair.copy("promoted:1.4", &[]).succeeded();
}

/// Catches an image that was not tested and goes on all the same.
#[test]
fn the_source_must_be_what_was_tested() {
    let pair = Pair::new();
    pair.copy("promoted", &["--require-digest", &pair.digest]).succeeded();
    let moved = pair.source.seed("orders", "1.4", &Base::plain().image());
    pair.forget();
    pair.copy(
        "promoted",
        &["--require-digest", &pair.digest, "--digest-file", "digest"],
    )
    .exited(4)
    .says(&[&moved, &pair.digest])
    .hints();
    assert_eq!(pair.target.writes(), 0, "{}", pair.target.story());
    assert!(!pair.project.folder().join("digest").exists());
    pair.copy("promoted", &["--require-digest", "1.4"])
        .exited(2)
        .says(&["--require-digest"]);
}

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

/// Catches bytes that are passed on although they are not what they should be.
#[test]
fn a_damaged_blob_gets_no_name() {
    let pair = Pair::new();
    pair.source.fault(Fault::on("GET", "/blobs/").with(Action::Lie));
    pair.copy("promoted", &["--digest-file", "digest"])
        .exited(1)
        .says(&["is not what it should be", &pair.source.host()]);
    assert_eq!(pair.target.tags("promoted"), []);
    assert!(!pair.project.folder().join("digest").exists());
}

/// Catches an error that does not say which side failed.
#[test]
fn an_error_names_the_side() {
    let pair = Pair::new();
    let from = pair.source.reference("orders:nowhere");
    let to = pair.target.reference("promoted");
    pair.project
        .run(&["copy", &from, &to])
        .exited(1)
        .says(&[&format!("cannot read {from}")]);
    let closed = Pair::with(Options {
        authentication: Authentication::Basic,
        ..Options::open()
    });
    closed
        .copy("promoted", &[])
        .exited(1)
        .says(&[&closed.target.reference("promoted")])
        .hints();
    closed.assert_strict();
}

/// Catches the login of one registry that is shown to the other.
#[test]
fn each_registry_gets_its_own_login() {
    let options = || Options {
        authentication: Authentication::Basic,
        ..Options::open()
    };
    let source = FakeRegistry::start(options());
    let target = FakeRegistry::open();
    let digest = source.seed("orders", "1.4", &index());
    let project = TestProject::empty().logged_in(&source);
    let (from, to) = (source.reference("orders:1.4"), target.reference("promoted"));
    project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(target.assert_complete("promoted", "1.4"), digest);
    assert!(target.requests().iter().all(|request| request.authorization.is_none()));
    // The user of the flags is for what is written to.
    let closed = FakeRegistry::start(options());
    let arguments = [
        "copy",
        &to_tagged(&to),
        &closed.reference("promoted"),
        "--username",
        USER,
        "--password-stdin",
    ];
    project.run_with_input(&arguments, PASSWORD).succeeded();
    assert_eq!(closed.assert_complete("promoted", "1.4"), digest);
    assert!(target.requests().iter().all(|request| request.authorization.is_none()));
}

fn to_tagged(repository: &str) -> String {
    format!("{repository}:1.4")
}

/// Catches result files that differ from what is printed.
#[test]
fn results_are_written_after_success() {
    let pair = Pair::new();
    let files = ["--digest-file", "digest", "--image-refs", "refs", "--dotenv", "env"];
    let outcome = pair.copy("promoted", &files).succeeded();
    let read = |name: &str| std::fs::read_to_string(pair.project.folder().join(name)).unwrap();
    assert_eq!(read("digest"), format!("{}\n", pair.digest));
    assert_eq!(read("refs"), outcome.stdout);
    assert_eq!(
        read("env"),
        format!(
            "SHIPWAY_IMAGE={}@{digest}\nSHIPWAY_DIGEST={digest}\nSHIPWAY_TAGS=1.4\n",
            pair.target.reference("promoted"),
            digest = pair.digest
        )
    );
}

/// Catches a dry run that writes, or that does not say what it would refuse.
#[test]
fn a_dry_run_writes_nothing() {
    let pair = Pair::new();
    let json = pair
        .copy("promoted", &["--dry-run", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&json["status"], &json["digest"]),
        (&json!("dry-run"), &json!(pair.digest))
    );
    assert_eq!(pair.target.writes(), 0);
    pair.target.seed("promoted", "1.4", &Base::plain().image());
    pair.copy("promoted", &["--dry-run"]).exited(4);
}

/// Catches targets that make no sense and are found out late.
#[test]
fn targets_that_make_no_sense_are_refused() {
    let pair = Pair::new();
    let by_digest = pair.target.reference(&format!("promoted@{}", pair.digest));
    for (target, more, word) in [
        (by_digest.as_str(), &[][..], "digest"),
        ("oci:out", &["-t", "a.b/c:1"], "a.b/c:1"),
        ("oci:out", &["-t", "a+b"], "a+b"),
        ("oci:out", &["--platform", "amd64"], "--platform"),
        ("https://a.b/c", &[], "URL"),
        ("docker-archive:", &[], "file"),
    ] {
        let from = pair.from();
        let mut arguments = vec!["copy", from.as_str(), target];
        arguments.extend(more);
        pair.project.run(&arguments).exited(2).says(&[word]);
    }
    pair.project
        .run(&["copy", "scratch", "oci:out"])
        .exited(2)
        .says(&["scratch"]);
    assert_eq!(pair.requests(), 0, "{}", pair.story());
    // A layout whose image has no name.
    index().write_layout(&pair.project.folder().join("out"), "v1");
    let mut nameless = layout_index(&pair.project.folder().join("out"));
    nameless["manifests"][0].as_object_mut().unwrap().remove("annotations");
    pair.project.write("out/index.json", nameless.to_string());
    let target = pair.target.reference("promoted");
    pair.project
        .run(&["copy", "oci:out", &target])
        .exited(2)
        .says(&["no tag"])
        .hints();
    pair.project.run(&["copy", "oci:out", &target, "-t", "v7"]).succeeded();
    // One with several.
    let layout = pair.project.folder().join("several");
    Base::plain().image().write_layout(&layout, "one");
    pair.project.run(&["copy", "oci:out", "oci:several:two"]).succeeded();
    pair.project
        .run(&["copy", "oci:several", &target])
        .exited(2)
        .says(&["cannot tell which image", "one", "two"])
        .hints();
}

/// Catches a blob that is held in memory on its way, whatever the number of them.
#[test]
fn memory_stays_small() {
    let discarding = || {
        FakeRegistry::start(Options {
            discards: true,
            ..Options::open()
        })
    };
    let (source, target) = (discarding(), discarding());
    let mut base = Base::flyway();
    for seed in 1..=4 {
        base = base.noise_layer(seed, 100 << 20);
    }

    let digest = source.seed("orders", "1.4", &base.index());
    let project = TestProject::empty();
    let outcome = project
        .run(&["copy", &source.reference("orders:1.4"), &target.reference("promoted")])
        .succeeded();
    let received: u64 = target.requests().iter().map(|request| request.bytes_in).sum();
    assert!(received > 400 << 20, "{received} bytes were received");
    assert_eq!(target.assert_complete("promoted", "1.4"), digest);
    assert!(outcome.peak_kilobytes > 0);
    assert!(
        outcome.peak_kilobytes <= 32 * 1024,
        "{} kilobytes",
        outcome.peak_kilobytes
    );
    assert_eq!(project.temporary_files(), Vec::<String>::new());
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

/// Catches a file of results that replaces the image itself.
#[test]
fn results_do_not_go_where_the_image_is() {
    let pair = Pair::new();
    let (from, to) = (pair.from(), pair.target.reference("promoted"));
    pair.project.run(&["copy", &from, "oci-archive:in.tar"]).succeeded();
    pair.forget();
    let before = std::fs::read(pair.project.folder().join("in.tar")).unwrap();
    for flag in ["--digest-file", "--image-refs", "--dotenv"] {
        pair.project
            .run(&["push", "oci-archive:in.tar", &to, flag, "./in.tar"])
            .exited(2)
            .says(&[flag, "in.tar"])
            .hints();
        pair.project
            .run(&["copy", &from, "oci-archive:out.tar", flag, "out.tar"])
            .exited(2)
            .says(&[flag, "out.tar"]);
    }
    assert_eq!(pair.requests(), 0);
    assert_eq!(std::fs::read(pair.project.folder().join("in.tar")).unwrap(), before);
    assert!(!pair.project.folder().join("out.tar").exists());
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
