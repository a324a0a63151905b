//! Images made by hand, as OCI layouts.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes an image for each architecture of Linux, of layers that no compression makes smaller, as the tag `1`.
///
/// One architecture is a manifest, several are an index. Returns the digest.
pub(crate) fn write_image(layout: &Path, architectures: &[&str], layers: usize, layer_bytes: u64) -> String {
    fs::create_dir_all(layout.join("blobs/sha256")).expect("a folder can be made");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file can be written");
    let mut manifests: Vec<Value> = architectures
        .iter()
        .map(|architecture| write_manifest(layout, architecture, layers, layer_bytes))
        .collect();
    let mut top = match manifests.len() {
        1 => manifests.remove(0),
        _ => {
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
            write_blob(layout, INDEX, index.to_string().as_bytes())
        }
    };
    top["annotations"] = json!({ "org.opencontainers.image.ref.name": "1" });
    let index = json!({ "schemaVersion": 2, "manifests": [top] });
    fs::write(layout.join("index.json"), index.to_string()).expect("a file can be written");
    top["digest"].as_str().expect("a descriptor has a digest").to_owned()
}

fn write_manifest(layout: &Path, architecture: &str, layers: usize, layer_bytes: u64) -> Value {
    let mut random = fs::File::open("/dev/urandom").expect("Linux has random numbers");
    let layers: Vec<_> = (0..layers)
        .map(|number| {
            let mut header = tar::Header::new_gnu();
            header.set_size(layer_bytes);
            header.set_mode(0o644);
            let mut layer = tar::Builder::new(Vec::new());
            layer
                .append_data(&mut header, format!("data-{number}"), (&mut random).take(layer_bytes))
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
        "architecture": architecture,
        "os": "linux",
        "config": { "Entrypoint": ["flyway"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = write_blob(
        layout,
        "application/vnd.oci.image.config.v1+json",
        config.to_string().as_bytes(),
    );
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
    let mut manifest = write_blob(layout, MANIFEST, manifest.to_string().as_bytes());
    manifest["platform"] = json!({ "os": "linux", "architecture": architecture });
    manifest
}

fn write_blob(layout: &Path, media_type: &str, content: &[u8]) -> Value {
    let mut digest = String::new();
    for byte in Sha256::digest(content) {
        write!(digest, "{byte:02x}").expect("a string can be written to");
    }
    fs::write(layout.join("blobs/sha256").join(&digest), content).expect("a blob can be written");
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len() })
}
