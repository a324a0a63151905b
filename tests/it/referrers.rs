//! `--referrers`: signatures, attestations and bills of materials go along.

use serde_json::{Value, json};

use crate::support::base::{Base, Bundle};
use crate::support::image::layout_index;
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Fault, Options, Referrers};

const SIGNATURE: &str = "application/vnd.example.signature";
const SBOM: &str = "application/vnd.example.sbom";

fn registry(referrers: Referrers) -> FakeRegistry {
    FakeRegistry::start(Options {
        referrers,
        ..Options::open()
    })
}

const LISTED: Referrers = Referrers::Listed { page: 1000 };

/// A registry with an image of which several things speak: of the index a signature and a bill of materials, of the
/// bill another signature, of one platform a signature.
struct Signed {
    registry: FakeRegistry,
    digest: String,
    child: String,
    all: Vec<String>,
}

impl Signed {
    fn at(registry: FakeRegistry) -> Self {
        let amd = Base::flyway().image();
        let index = Bundle::index(&[Base::flyway(), Base::flyway().platform("linux/arm64")]);
        let digest = registry.seed("orders", "1.4", &index);
        let bill = Bundle::referrer(&index, SBOM, "a bill");
        let all = [
            Bundle::referrer(&index, SIGNATURE, "of the index"),
            Bundle::referrer(&bill, SIGNATURE, "of the bill"),
            Bundle::referrer(&amd, SIGNATURE, "of a platform"),
            bill,
        ];
        Self {
            all: all
                .iter()
                .map(|bundle| registry.seed_untagged("orders", bundle))
                .collect(),
            child: amd.digest(),
            registry,
            digest,
        }
    }

    fn new() -> Self {
        Self::at(registry(LISTED))
    }

    fn copy(&self, project: &TestProject, target: &str, more: &[&str]) -> Outcome {
        let from = self.registry.reference("orders:1.4");
        let mut words = vec!["copy", from.as_str(), target, "--referrers", "--format", "json"];
        words.extend(more);
        project.run(&words)
    }
}

fn statuses(json: &Value) -> Vec<&str> {
    let all = json["referrers"].as_array().unwrap().iter();
    all.map(|referrer| referrer["status"].as_str().unwrap()).collect()
}

/// Catches referrers that are lost, that come before what they speak of, or after the image has its name.
#[test]
fn all_that_speaks_of_an_image_goes_along() {
    let signed = Signed::at(registry(Referrers::Listed { page: 1 }));
    let target = registry(LISTED);
    let project = TestProject::empty();
    let json = signed
        .copy(&project, &target.reference("promoted"), &[])
        .succeeded()
        .json();
    assert_eq!(statuses(&json), ["pushed"; 4]);
    assert!(
        json["referrers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|referrer| referrer["artifactType"] == SBOM)
    );
    for digest in &signed.all {
        target.assert_complete("promoted", digest);
    }
    assert_eq!(target.tags("promoted"), [("1.4".to_owned(), signed.digest.clone())]);
    let requests = target.requests();
    let put = |part: &str| requests.iter().position(|request| request.is("PUT", part)).unwrap();
    let tag = put("/manifests/1.4");
    assert!(put(&signed.digest) < put(&signed.all[0]), "{}", target.story());
    assert!(put(&signed.all[3]) < put(&signed.all[1]), "{}", target.story());
    assert!(signed.all.iter().all(|digest| put(digest) < tag), "{}", target.story());
    target.assert_strict();
    signed.registry.assert_strict();
}

/// Catches a second copy that writes, and a new signature of an image that is there and is left behind.
#[test]
fn what_is_new_follows() {
    let signed = Signed::new();
    let target = registry(LISTED);
    let project = TestProject::empty();
    let to = target.reference("promoted");
    signed.copy(&project, &to, &[]).succeeded();
    target.forget_requests();
    let json = signed.copy(&project, &to, &[]).succeeded().json();
    assert_eq!(
        (statuses(&json), &json["status"]),
        (vec!["unchanged"; 4], &json!("unchanged"))
    );
    assert_eq!(target.writes(), 0, "{}", target.story());
    let index = Bundle::index(&[Base::flyway(), Base::flyway().platform("linux/arm64")]);
    let late = signed
        .registry
        .seed_untagged("orders", &Bundle::referrer(&index, SIGNATURE, "late"));
    let json = signed.copy(&project, &to, &["--dry-run"]).succeeded().json();
    assert_eq!(statuses(&json), ["dry-run"; 5]);
    assert_eq!(target.writes(), 0);
    let json = signed.copy(&project, &to, &[]).succeeded().json();
    assert_eq!(json["status"], "pushed");
    assert_eq!(statuses(&json).iter().filter(|status| **status == "pushed").count(), 1);
    target.assert_complete("promoted", &late);
    assert_eq!(target.asked("PUT", "/manifests/1.4"), 0);
}

/// Catches referrers nobody asked for.
#[test]
fn they_stay_where_they_are_unless_asked_for() {
    let signed = Signed::new();
    let target = registry(LISTED);
    let from = signed.registry.reference("orders:1.4");
    TestProject::empty()
        .run(&["copy", &from, &target.reference("promoted")])
        .succeeded();
    assert_eq!(signed.registry.asked("GET", "/referrers/"), 0);
    assert!(
        signed
            .all
            .iter()
            .all(|digest| target.manifest("promoted", digest).is_none())
    );
}

/// Catches a registry without lists, where nobody finds what was put.
#[test]
fn without_lists_a_tag_keeps_them() {
    let signed = Signed::new();
    let target = registry(Referrers::Unknown);
    let project = TestProject::empty();
    let to = target.reference("promoted");
    signed.copy(&project, &to, &[]).succeeded();
    let tag = |digest: &str| digest.replace(':', "-");
    let list = target.manifest("promoted", &tag(&signed.digest)).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let entries = list["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{list}");
    let signature = entries
        .iter()
        .find(|entry| entry["digest"] == signed.all[0].as_str())
        .unwrap();
    assert_eq!(signature["artifactType"], SIGNATURE);
    assert_eq!(signature["annotations"]["made.by"], "a test");
    assert!(target.manifest("promoted", &tag(&signed.child)).is_some());
    target.forget_requests();
    let json = signed.copy(&project, &to, &[]).succeeded().json();
    assert_eq!(statuses(&json), ["unchanged"; 4]);
    assert_eq!(target.writes(), 0, "{}", target.story());
    // And from there on: what the tags list is found.
    let third = registry(LISTED);
    let from = target.reference("promoted:1.4");
    project
        .run(&["copy", &from, &third.reference("again"), "--referrers"])
        .succeeded();
    for digest in &signed.all {
        third.assert_complete("again", digest);
    }
    assert_eq!(third.tags("again").len(), 1, "{:?}", third.tags("again"));
    target.assert_strict();
    third.assert_strict();
}

/// Catches a list that is replaced instead of extended.
#[test]
fn a_list_that_is_there_is_extended() {
    let signed = Signed::new();
    let target = registry(Referrers::Unknown);
    let project = TestProject::empty();
    let to = target.reference("promoted");
    let index = Bundle::index(&[Base::flyway(), Base::flyway().platform("linux/arm64")]);
    let own = Bundle::referrer(&index, SBOM, "made at the target");
    target.seed_untagged("promoted", &own);
    let (media_type, bytes) = own.manifests.last().unwrap();
    let list = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": media_type, "digest": own.digest(), "size": bytes.len(), "artifactType": SBOM}]});
    let list = Bundle {
        blobs: Vec::new(),
        manifests: vec![(
            "application/vnd.oci.image.index.v1+json".to_owned(),
            list.to_string().into(),
        )],
    };
    let tag = signed.digest.replace(':', "-");
    target.seed("promoted", &tag, &list);
    signed.copy(&project, &to, &[]).succeeded();
    let list: Value = serde_json::from_str(&target.manifest("promoted", &tag).unwrap()).unwrap();
    let digests: Vec<&str> = list["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["digest"].as_str().unwrap())
        .collect();
    assert_eq!(digests.len(), 3);
    assert_eq!(digests[0], own.digest());
}

/// Catches a refused signature that fails the promotion, or that nobody is told of.
#[test]
fn a_refused_referrer_is_told_and_no_failure() {
    let signed = Signed::new();
    let target = registry(Referrers::Refused);
    let project = TestProject::empty();
    let outcome = signed
        .copy(&project, &target.reference("promoted"), &[])
        .succeeded()
        .says(&["note:", "does not take the referrer", "405", SIGNATURE]);
    assert_eq!(statuses(&outcome.json()), ["refused"; 4]);
    assert_eq!(target.assert_complete("promoted", "1.4"), signed.digest);
}

/// Catches a registry that fails for now and is taken for one that refuses.
#[test]
fn a_registry_out_of_order_is_a_failure() {
    let signed = Signed::new();
    let target = registry(LISTED);
    let fault = Fault::on("PUT", &format!("/manifests/{}", signed.all[0]));
    target.fault(fault.always().respond(503, "UNAVAILABLE", "later"));
    let project = TestProject::empty();
    signed
        .copy(&project, &target.reference("promoted"), &["--retry", "1"])
        .exited(8);
    assert_eq!(target.tags("promoted"), [], "no name before its signatures");
}

/// Catches cosign's older way, by tags, that is forgotten.
#[test]
fn what_cosign_names_by_tags_keeps_its_tags() {
    let source = registry(LISTED);
    let digest = source.seed("orders", "1.4", &Base::flyway().image());
    let tag = |suffix: &str| format!("{}.{suffix}", digest.replace(':', "-"));
    for suffix in ["sig", "att", "sbom"] {
        source.seed(
            "orders",
            &tag(suffix),
            &Bundle::artifact("application/vnd.oci.image.config.v1+json", suffix),
        );
    }
    let target = registry(LISTED);
    let project = TestProject::empty();
    let (from, to) = (source.reference("orders:1.4"), target.reference("promoted"));
    let run = || {
        project
            .run(&["copy", &from, &to, "--referrers", "--format", "json"])
            .succeeded()
            .json()
    };
    assert_eq!(statuses(&run()), ["pushed"; 3]);
    for suffix in ["sig", "att", "sbom"] {
        assert_eq!(target.tag("promoted", &tag(suffix)), source.tag("orders", &tag(suffix)));
    }
    target.forget_requests();
    assert_eq!(statuses(&run()), ["unchanged"; 3]);
    assert_eq!(target.writes(), 0);
    // Through a layout, whose image is still the only one to be meant.
    project.run(&["copy", &from, "oci:out", "--referrers"]).succeeded();
    let other = registry(LISTED);
    project
        .run(&["push", "oci:out", &other.reference("again"), "--referrers"])
        .succeeded();
    assert_eq!(other.tags("again").len(), 4, "{:?}", other.tags("again"));
}

/// Catches signatures that a layout or an archive loses, and an image that is no longer the only one there.
#[test]
fn layouts_and_archives_keep_them() {
    let signed = Signed::new();
    let project = TestProject::empty();
    let json = signed.copy(&project, "oci:out", &[]).succeeded().json();
    assert_eq!(statuses(&json), ["written"; 4]);
    let entries = layout_index(&project.folder().join("out"))["manifests"].clone();
    let entries = entries.as_array().unwrap();
    assert_eq!(entries.len(), 5);
    let nameless = entries.iter().filter(|entry| entry["annotations"].is_null()).count();
    assert_eq!(nameless, 4);
    let json = signed.copy(&project, "oci:out", &[]).succeeded().json();
    assert_eq!(
        (statuses(&json), &json["status"]),
        (vec!["unchanged"; 4], &json!("unchanged"))
    );
    project
        .run(&["copy", "oci:out", "oci-archive:out.tar", "--referrers"])
        .succeeded();
    project
        .run(&["copy", "oci:out", "oci-archive:out.tar", "--referrers"])
        .succeeded();
    let target = registry(LISTED);
    for (source, repository) in [("oci:out", "one"), ("oci-archive:out.tar", "other")] {
        project
            .run(&["push", source, &target.reference(repository), "--referrers"])
            .succeeded();
        assert_eq!(target.tags(repository), [("1.4".to_owned(), signed.digest.clone())]);
        for digest in &signed.all {
            target.assert_complete(repository, digest);
        }
    }
    target.assert_strict();
}

/// Catches signatures of an index that is not there, and those of a platform that are lost.
#[test]
fn a_platform_takes_its_own() {
    let signed = Signed::new();
    let target = registry(LISTED);
    let project = TestProject::empty();
    let to = target.reference("promoted");
    let json = signed
        .copy(&project, &to, &["--platform", "linux/amd64"])
        .succeeded()
        .json();
    assert_eq!(json["digest"], signed.child.as_str());
    assert_eq!(json["referrers"].as_array().unwrap().len(), 1);
    assert_eq!(json["referrers"][0]["digest"], signed.all[2].as_str());
    let json = signed
        .copy(
            &project,
            &target.reference("two:1"),
            &["--platform", "linux/amd64,linux/arm64"],
        )
        .succeeded()
        .json();
    assert_eq!(json["referrers"].as_array().unwrap().len(), 1);
}

/// Catches a list that names what is gone, and fails the copy.
#[test]
fn a_list_may_name_what_is_gone() {
    let source = registry(Referrers::Unknown);
    let signed = Signed::at(source);
    let list = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": signed.all[0], "size": 1}]});
    let list = Bundle {
        blobs: Vec::new(),
        manifests: vec![(
            "application/vnd.oci.image.index.v1+json".to_owned(),
            list.to_string().into(),
        )],
    };
    signed.registry.seed("orders", &signed.digest.replace(':', "-"), &list);
    signed.registry.lose("orders", &signed.all[0]);
    let outcome = signed.copy(&TestProject::empty(), "oci:out", &[]).succeeded();
    let outcome = outcome.says(&["note:", &signed.all[0], "does not hold"]);
    assert_eq!(outcome.json()["referrers"], json!([]));
}

/// Catches a signature at the target that is lost because cosign gave another one the same name.
#[test]
fn a_tag_of_cosigns_stays_where_it_is() {
    let source = registry(LISTED);
    let digest = source.seed("orders", "1.4", &Base::flyway().image());
    let tag = format!("{}.sig", digest.replace(':', "-"));
    let config = "application/vnd.oci.image.config.v1+json";
    let ours = source.seed("orders", &tag, &Bundle::artifact(config, "ours"));
    let target = registry(LISTED);
    let theirs = target.seed("promoted", &tag, &Bundle::artifact(config, "theirs"));
    let project = TestProject::empty();
    let (from, to) = (source.reference("orders:1.4"), target.reference("promoted"));
    let run = |more: &[&str]| {
        let words = ["copy", &from, &to, "--referrers", "--format", "json"];
        project.run(&[&words, more].concat()).succeeded()
    };
    let outcome = run(&["--dry-run"]).says(&["note:", &tag, &theirs, "--move-tags"]);
    assert_eq!(statuses(&outcome.json()), ["kept"]);
    let outcome = run(&[]).says(&["note:", &tag, &theirs, "--move-tags"]);
    assert_eq!(statuses(&outcome.json()), ["kept"]);
    assert_eq!(target.tag("promoted", &tag), Some(theirs));
    let requests = target.requests();
    let asked = requests.iter().rposition(|request| request.is("HEAD", &tag));
    let wrote = requests.iter().position(|request| request.writes());
    assert!(asked < wrote, "{}", target.story());
    assert_eq!(statuses(&run(&["--move-tags"]).json()), ["pushed"]);
    assert_eq!(target.tag("promoted", &tag), Some(ours));
}

/// Catches a source that lost a part of a signature, which is told as a target that does not want it.
#[test]
fn a_fault_of_the_source_is_no_refusal() {
    for status in [404, 403] {
        let signed = Signed::new();
        let target = registry(LISTED);
        let manifest: Value =
            serde_json::from_str(&signed.registry.manifest("orders", &signed.all[0]).unwrap()).unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        signed.registry.fault(
            Fault::on("GET", &format!("/blobs/{layer}"))
                .always()
                .respond(status, "UNKNOWN", "gone"),
        );
        signed
            .copy(&TestProject::empty(), &target.reference("promoted"), &[])
            .exited(1)
            .says(&["cannot copy the referrer", &signed.all[0], &signed.registry.host()]);
        assert_eq!(target.tags("promoted"), [], "no name before its signatures");
    }
}

/// Catches a list whose end is lost, and with it signatures.
#[test]
fn a_page_that_fails_is_no_end() {
    let signed = Signed::at(registry(Referrers::Listed { page: 1 }));
    signed
        .registry
        .fault(Fault::on("GET", "?last=1").always().respond(404, "NOT_FOUND", "gone"));
    signed
        .copy(&TestProject::empty(), "oci:out", &[])
        .exited(1)
        .says(&["cannot list the referrers", &signed.registry.host()]);
}

/// Catches a copy that ends because of a kind of manifest nobody writes any more.
#[test]
fn what_is_not_known_is_left_out_and_told() {
    let signed = Signed::new();
    let artifact = "application/vnd.oci.artifact.manifest.v1+json";
    let old = |media_type: &str, members: Value| {
        let mut manifest = json!({"mediaType": media_type, "artifactType": SBOM,
            "subject": {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": signed.digest, "size": 1}});
        manifest
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        signed.registry.seed_untagged(
            "orders",
            &Bundle {
                blobs: Vec::new(),
                manifests: vec![(media_type.to_owned(), manifest.to_string().into())],
            },
        )
    };
    let digests = [
        old(artifact, json!({"blobs": []})),
        old("application/vnd.oci.image.manifest.v1+json", json!({"layers": 7})),
    ];
    let target = registry(LISTED);
    let outcome = signed
        .copy(&TestProject::empty(), &target.reference("promoted"), &[])
        .succeeded();
    let outcome = outcome.says(&["note:", &digests[0], &digests[1], "is not copied"]);
    let json = outcome.json();
    assert_eq!(statuses(&json)[4..], ["skipped"; 2]);
    let skipped = &json["referrers"].as_array().unwrap()[4..];
    assert!(skipped.iter().all(|entry| entry["artifactType"] == SBOM), "{json}");
    target.assert_complete("promoted", &signed.digest);
}

/// Catches members and entries of others that are lost when a list is extended.
#[test]
fn a_list_keeps_what_is_not_known() {
    let signed = Signed::new();
    let target = registry(Referrers::Unknown);
    let tag = signed.digest.replace(':', "-");
    let index = Bundle::index(&[Base::flyway(), Base::flyway().platform("linux/arm64")]);
    let own = Bundle::referrer(&index, SBOM, "made at the target");
    target.seed_untagged("promoted", &own);
    let (media_type, bytes) = own.manifests.last().unwrap();
    let entry = format!(
        r#"{{"size": {}, "odd": 1.50, "digest":"{}","mediaType":"{media_type}"}}"#,
        bytes.len(),
        own.digest()
    );
    let list = format!(
        r#"{{"schemaVersion":2,"odd":{{"b":1, "a":2}},"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{entry}],"artifactType":"x/y"}}"#
    );
    let list = Bundle {
        blobs: Vec::new(),
        manifests: vec![("application/vnd.oci.image.index.v1+json".to_owned(), list.into())],
    };
    target.seed("promoted", &tag, &list);
    signed
        .copy(&TestProject::empty(), &target.reference("promoted"), &[])
        .succeeded();
    let list = target.manifest("promoted", &tag).unwrap();
    assert!(list.contains(&entry), "{list}");
    assert!(
        list.contains(r#""odd":{"b":1, "a":2}"#) && list.contains(r#""artifactType":"x/y""#),
        "{list}"
    );
}

/// Catches an entry that another run takes away at the same moment.
#[test]
fn a_list_that_lost_the_entry_is_extended_again() {
    let signed = Signed::new();
    let target = registry(Referrers::Unknown);
    let tag = signed.digest.replace(':', "-");
    // What another run's list does to ours: it is put, and is not there afterwards.
    let put = target.fault(
        Fault::on("PUT", &format!("/manifests/{tag}"))
            .respond(201, "", "")
            .header("docker-content-digest", ""),
    );
    signed
        .copy(&TestProject::empty(), &target.reference("promoted"), &[])
        .succeeded();
    assert!(put.struck());
    let list: Value = serde_json::from_str(&target.manifest("promoted", &tag).unwrap()).unwrap();
    assert_eq!(list["manifests"].as_array().unwrap().len(), 2, "{list}");
}

/// Catches somebody's image that is replaced by a list.
#[test]
fn an_image_under_the_tag_of_a_list_stays() {
    let signed = Signed::new();
    let target = registry(Referrers::Unknown);
    let tag = signed.digest.replace(':', "-");
    let other = target.seed("promoted", &tag, &Base::plain().image());
    let outcome = signed
        .copy(&TestProject::empty(), &target.reference("promoted"), &[])
        .succeeded()
        .says(&["note:", &tag, "names an image"]);
    let json = outcome.json();
    assert_eq!(
        statuses(&json).iter().filter(|status| **status == "refused").count(),
        2,
        "{json}"
    );
    assert_eq!(target.tag("promoted", &tag), Some(other));
}
