//! Bases that are not what they say: missing, old, lying, broken off, or made to exhaust us.

use crate::support::base::{Base, Bundle};
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;
use crate::support::registry::{Action, FakeRegistry, Fault};
use crate::support::tarball::gzip;

/// No base may make the command take more memory of its own than this, in kilobytes.
const MEMORY: u64 = 32 * 1024;

/// Builds on `runner:13` into a layout.
fn build(registry: &FakeRegistry, project: &TestProject) -> Outcome {
    let base = registry.reference("runner:13");
    let outcome = project.build(&["--base", &base, "--output", "oci:out", "--retry", "1"]);
    assert!(outcome.peak_kilobytes < MEMORY, "{} kilobytes", outcome.peak_kilobytes);
    if outcome.status != Some(0) {
        assert!(!project.folder().join("out").exists());
    }
    assert_eq!(project.temporary_files(), Vec::<String>::new());
    outcome
}

fn registry_with(bundle: &Bundle) -> FakeRegistry {
    let registry = FakeRegistry::open();
    registry.seed("runner", "13", bundle);
    registry
}

/// Catches a missing base told as a failed request.
#[test]
fn a_missing_base_is_named() {
    let registry = registry_with(&Base::flyway().image());
    let project = TestProject::new();
    project
        .build(&["--base", &registry.reference("runner:99"), "--output", "oci:out"])
        .exited(1)
        .says(&["runner:99"])
        .hints();
    for base in ["oci:absent", "oci-archive:absent.tar", "docker-archive:absent.tar"] {
        project
            .build(&["--base", base, "--output", "oci:out"])
            .failed()
            .says(&["absent"]);
    }
    Base::flyway()
        .image()
        .write_layout(&project.folder().join("layout"), "13");
    project
        .build(&["--base", "oci:layout:99", "--output", "oci:out"])
        .failed()
        .says(&["99"]);
    project.write("garbage.tar", "no tar file at all");
    project
        .build(&["--base", "docker-archive:garbage.tar", "--output", "oci:out"])
        .failed()
        .says(&["garbage.tar"]);
}

/// Catches a schema-1 manifest read as one without layers.
#[test]
fn a_schema_1_manifest_is_refused() {
    let registry = registry_with(&Bundle::schema_1());
    build(&registry, &TestProject::new())
        .exited(1)
        .says_one_of(&["schema 1", "schema1", "manifest.v1"]);
}

/// Catches a manifest that is read into memory whatever its size.
#[test]
fn a_manifest_of_50_megabytes_is_not_read() {
    let registry = registry_with(&Base::flyway().image());
    registry.fault(Fault::on("GET", "/manifests/").always().with(Action::Huge(50 << 20)));
    build(&registry, &TestProject::new()).exited(1).says(&["manifest"]);
    let sent: u64 = registry.requests().iter().map(|request| request.sent()).sum();
    assert!(sent < 40 << 20, "{sent} bytes were read");
}

/// Catches bytes that are not checked against their descriptor.
#[test]
fn a_digest_that_lies_is_found_out() {
    let base = Base::flyway();
    for path in ["/manifests/sha256:", "/blobs/"] {
        let registry = registry_with(&base.index());
        registry.fault(Fault::on("GET", path).always().with(Action::Lie));
        build(&registry, &TestProject::new()).exited(1).says(&["digest"]);
    }
    let registry = registry_with(&base.image());
    registry.fault(Fault::on("GET", "/manifests/13").always().with(Action::Lie));
    build(&registry, &TestProject::new()).failed();
}

/// Catches a base layer that is copied without a look at its bytes.
#[test]
fn a_layer_that_lies_is_not_passed_on() {
    let base = Base::flyway();
    let registry = registry_with(&base.image());
    let layer = base.layer_digests()[0].clone();
    registry.fault(Fault::on("GET", &format!("/blobs/{layer}")).always().with(Action::Lie));
    build(&registry, &TestProject::new()).exited(1).says(&["digest"]);
    let target = FakeRegistry::open();
    TestProject::new()
        .push(&registry.reference("runner:13"), &target.reference("orders:v1"))
        .exited(1);
    assert!(!target.blobs("orders").contains(&layer));
    assert_eq!(target.tags("orders"), []);
}

/// Catches a layer that is cut short and stored as it is.
#[test]
fn a_truncated_layer_is_not_taken() {
    let base = Base::flyway();
    let registry = registry_with(&base.image());
    let path = format!("/blobs/{}", base.layer_digests()[0]);
    registry.fault(Fault::on("GET", &path).always().with(Action::CutAfter(20)));
    build(&registry, &TestProject::new()).failed();
    registry.heal();
    registry.fault(Fault::on("GET", &path).with(Action::CutAfter(20)));
    build(&registry, &TestProject::new()).succeeded();
}

/// Catches a layout whose blobs were changed on the disk.
#[test]
fn a_layout_that_lies_is_found_out() {
    let project = TestProject::new();
    let base = Base::flyway();
    let folder = project.folder().join("layout");
    base.image().write_layout(&folder, "13");
    let blob = folder
        .join("blobs/sha256")
        .join(base.layer_digests()[0].trim_start_matches("sha256:"));
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&blob, &bytes).unwrap();
    let arguments = ["--base", "oci:layout:13", "--output", "oci:out"];
    project.build(&arguments).exited(1).says(&["digest"]);
    bytes.truncate(20);
    std::fs::write(&blob, &bytes).unwrap();
    project.build(&arguments).exited(1);
    assert!(!project.folder().join("out").exists());
}

/// Catches a path in a layout's descriptors that leads out of the layout.
#[test]
fn a_digest_that_is_a_path_is_refused() {
    let project = TestProject::new().file(
        "layout/index.json",
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
         \"digest\":\"sha256:../../../../etc/passwd\",\"size\":10}]}",
    );
    project.write("layout/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    project
        .build(&["--base", "oci:layout", "--output", "oci:out"])
        .failed()
        .says(&["digest"]);
}

/// A compressed stream of `count` times 16 MiB of `byte` after `head`; each part is a gzip member of its own.
fn bomb(head: &[u8], byte: u8, count: usize) -> Vec<u8> {
    let member = gzip(&vec![byte; 16 << 20]);
    [gzip(head), member.repeat(count)].concat()
}

/// The header of one entry.
fn header(kind: tar::EntryType, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_path("opt/large").unwrap();
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Catches a gzip bomb unpacked into memory: a large file, and a name of 256 MiB.
#[test]
fn a_gzip_bomb_costs_no_memory() {
    let size = 256 << 20;
    for kind in [
        tar::EntryType::Regular,
        tar::EntryType::GNULongName,
        tar::EntryType::XHeader,
    ] {
        let base = Base::plain().raw_layer(bomb(&header(kind, size), b'a', 16));
        let registry = registry_with(&base.image());
        let project = TestProject::empty().file("sql/one.sql", "SELECT 1;\n");
        let reference = registry.reference("runner:13");
        let outcome = project.run(&[
            "build",
            "--profile",
            "custom",
            "--base",
            &reference,
            "--add",
            "sql:/opt/sql",
            "--output",
            "oci:out",
        ]);
        assert!(
            outcome.peak_kilobytes < MEMORY,
            "{kind:?}: {} kilobytes",
            outcome.peak_kilobytes
        );
        if kind != tar::EntryType::Regular {
            outcome.failed();
        }
    }
}

/// Catches an index that names itself by way of others without end, or children of other types.
#[test]
fn an_index_without_images_is_refused() {
    let registry = FakeRegistry::open();
    let index = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}";
    let bundle = Bundle {
        blobs: Vec::new(),
        manifests: vec![("application/vnd.oci.image.index.v1+json".to_owned(), index.into())],
    };
    registry.seed("runner", "13", &bundle);
    build(&registry, &TestProject::new()).failed().says(&["linux/amd64"]);
}

/// Catches a base whose config is no JSON object, or counts its layers wrongly, getting as far as the push.
#[test]
fn a_base_that_contradicts_itself_is_refused() {
    let good = Base::flyway().image();
    for config in [
        "[]",
        "{}",
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
    ] {
        let digest = crate::support::registry::digest_of(config.as_bytes());
        let mut manifest: serde_json::Value = serde_json::from_slice(&good.manifests[0].1).unwrap();
        manifest["config"]["digest"] = digest.clone().into();
        manifest["config"]["size"] = config.len().into();
        let mut bundle = good.clone();
        bundle
            .blobs
            .push((digest, crate::support::registry::Content::Bytes(config.into())));
        bundle.manifests[0].1 = manifest.to_string().into();
        let registry = registry_with(&bundle);
        build(&registry, &TestProject::new()).failed().says(&["config"]);
    }
}
