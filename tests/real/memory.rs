//! What a build may take of the machine's memory, however large the image.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::parts::{Registry, output, program};
use crate::project::{Project, write_large_script};

/// Most memory a build may hold at once. GNU time counts kilobytes of 1024 bytes.
const PEAK_KILOBYTES: u64 = 40 * 1024;

const BASE_LAYERS: usize = 4;
const LAYER_BYTES: u64 = 100 << 20;

#[test]
#[ignore = "needs docker-registry, skopeo and GNU time: ci/test.sh"]
fn a_large_base_is_copied_between_registries_in_constant_memory() {
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let project = Project::new();
    project.log_in(&target);
    write_large_base(&project.path("base"));
    let base = format!("{}/large/base:1", source.address);
    source.copy_in(&format!("oci:{}:1", project.path("base").display()), &base);

    let access = target.access.as_ref().expect("it asks for a password");
    let certificate = format!("{}={}", target.address, access.certificates.join("ca.crt").display());
    let name = format!("{}/large/orders:1", target.address);
    let peak = peak_kilobytes(
        &project,
        &[
            "--base",
            &base,
            "--push",
            "-t",
            &name,
            "--registry-certificate",
            &certificate,
        ],
    );
    assert!(peak <= PEAK_KILOBYTES, "{peak} kB");
    target.digest_of(&name);
}

#[test]
#[ignore = "needs GNU time, and an optimised build: ci/test.sh"]
fn a_large_script_is_packed_in_constant_memory() {
    let project = Project::new();
    write_large_script(&project.path("scripts/V9__readings.sql"), 1 << 30);
    let peak = peak_kilobytes(
        &project,
        &[
            "--base",
            "scratch",
            "--output",
            "oci:built",
            "-t",
            "registry.example.com/orders:1",
        ],
    );
    assert!(peak <= PEAK_KILOBYTES, "{peak} kB");
}

/// Runs `shipway build` and tells the most memory it held.
fn peak_kilobytes(project: &Project, arguments: &[&str]) -> u64 {
    let mut time = project.isolate(Command::new("/usr/bin/time"));
    time.args(["--format", "%M", "--output"])
        .arg(project.path("peak"))
        .arg(program());
    output(
        time.args(["build", "--scripts", "scripts", "--config", "flyway.toml"])
            .args(arguments),
    );
    fs::read_to_string(project.path("peak"))
        .expect("time has written")
        .trim()
        .parse()
        .expect("a number of kilobytes")
}

/// An OCI layout of layers that no compression makes smaller.
fn write_large_base(layout: &Path) {
    fs::create_dir_all(layout.join("blobs/sha256")).expect("a folder can be made");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file can be written");
    let mut random = fs::File::open("/dev/urandom").expect("Linux has random numbers");
    let layers: Vec<_> = (0..BASE_LAYERS)
        .map(|number| {
            let mut header = tar::Header::new_gnu();
            header.set_size(LAYER_BYTES);
            header.set_mode(0o644);
            let mut layer = tar::Builder::new(Vec::new());
            layer
                .append_data(&mut header, format!("data-{number}"), (&mut random).take(LAYER_BYTES))
                .expect("memory can be written");
            write_blob(
                layout,
                "application/vnd.oci.image.layer.v1.tar",
                &layer.into_inner().expect("memory can be written"),
            )
        })
        .collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer["digest"].clone()).collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Entrypoint": ["flyway"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = write_blob(
        layout,
        "application/vnd.oci.image.config.v1+json",
        config.to_string().as_bytes(),
    );
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers });
    let mut manifest = write_blob(layout, media_type, manifest.to_string().as_bytes());
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "1" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(layout.join("index.json"), index.to_string()).expect("a file can be written");
}

fn write_blob(layout: &Path, media_type: &str, content: &[u8]) -> serde_json::Value {
    let mut digest = String::new();
    for byte in Sha256::digest(content) {
        write!(digest, "{byte:02x}").expect("a string can be written to");
    }
    fs::write(layout.join("blobs/sha256").join(&digest), content).expect("a blob can be written");
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len() })
}
