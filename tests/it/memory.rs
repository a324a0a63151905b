//! Memory: constant, whatever the size of the base and of the scripts.

use std::fs::File;

use crate::support::base::Base;
use crate::support::image::Root;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};

/// What a run may take of its own at most, in kilobytes, whatever it moves. The promise is 40 MB with what is mapped of the program's file;
/// `tests/real` holds the released one to it.
const LIMIT: u64 = 32 * 1024;

fn discarding() -> FakeRegistry {
    FakeRegistry::start(Options {
        discards: true,
        ..Options::open()
    })
}

/// Catches a blob that is held in memory on its way from one registry to the other.
#[test]
fn copying_a_base_of_400_megabytes() {
    let source = discarding();
    let mut base = Base::flyway();
    for seed in 1..=4 {
        base = base.noise_layer(seed, 100 << 20);
    }
    source.seed("runner", "13", &base.image());
    let target = discarding();
    let project = TestProject::new();
    let outcome = project
        .push(&source.reference("runner:13"), &target.reference("orders:v1"))
        .succeeded();
    let received: u64 = target.requests().iter().map(|request| request.bytes_in).sum();
    assert!(received > 400 << 20, "{received} bytes were received");
    assert_eq!(target.image("orders", "v1").only().layers.len(), 6);
    assert!(outcome.peak_kilobytes > 0);
    assert!(outcome.peak_kilobytes <= LIMIT, "{} kilobytes", outcome.peak_kilobytes);
    assert_eq!(project.temporary_files(), Vec::<String>::new());
    source.assert_strict();
    target.assert_strict();
}

/// Catches a script that is read whole, or compressed into memory.
#[test]
fn packing_a_large_script() {
    let project = TestProject::new();
    let script = File::create(project.folder().join("db/V3__huge.sql")).unwrap();
    // A build that is not optimised reads statements slowly; tests/real packs a larger one.
    script.set_len(64 << 20).unwrap();
    drop(script);
    let outcome = project
        .build(&["--base", "scratch", "--output", "oci:out", "-t", "v1"])
        .succeeded();
    assert!(outcome.peak_kilobytes > 0);
    assert!(outcome.peak_kilobytes <= LIMIT, "{} kilobytes", outcome.peak_kilobytes);
    assert_eq!(project.temporary_files(), Vec::<String>::new());
    let index = crate::support::image::layout_index(&project.folder().join("out"));
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
}

/// Catches memory that grows with what does not compress, and with the number of platforms.
#[test]
fn packing_noise_for_several_platforms() {
    let project = TestProject::new();
    let noise = crate::support::registry::Content::noise(9, 64 << 20);
    let mut bytes = Vec::with_capacity(64 << 20);
    while bytes.len() < 64 << 20 {
        bytes.extend_from_slice(&noise.chunk(bytes.len() as u64));
    }
    project.write("db/V3__noise.sql", &bytes);
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    crate::support::base::Bundle::index(&bases).write_layout(&project.folder().join("base"), "13");
    let outcome = project
        .build(&[
            "--base",
            "oci:base",
            "--platform",
            "all",
            "--output",
            "oci:out",
            "-t",
            "v1",
            "--no-check",
        ])
        .succeeded();
    assert!(outcome.peak_kilobytes <= LIMIT, "{} kilobytes", outcome.peak_kilobytes);
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    assert_eq!(root.images[0].entry("flyway/sql/V3__noise.sql").unwrap().content, bytes);
}
