//! Images made by hand, as OCI layouts.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes an image for each architecture of Linux, of layers that no compression makes smaller, as the tag `1`.
///
/// One architecture is a manifest, several are an index. Returns the digest.
pub(crate) fn write_image(layout: &Path, architectures: &[&str], layers: usize, layer_bytes: u64) -> String {
    begin(layout);
    let config = json!({ "Entrypoint": ["flyway"] });
    let mut manifests: Vec<Value> = architectures
        .iter()
        .map(|architecture| {
            let layers = (0..layers).map(|number| large_layer(&[], &format!("data-{number}"), layer_bytes));
            write_manifest(layout, architecture, &config, layers)
        })
        .collect();
    let top = match manifests.len() {
        1 => manifests.remove(0),
        _ => {
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
            write_blob(layout, INDEX, index.to_string().as_bytes())
        }
    };
    end(layout, top)
}

/// As [`write_image`], for this machine's architecture, of given layers.
pub(crate) fn write_image_of(layout: &Path, config: &Value, layers: impl Iterator<Item = Vec<u8>>) -> String {
    begin(layout);
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let top = write_manifest(layout, architecture, config, layers);
    end(layout, top)
}

fn begin(layout: &Path) {
    fs::create_dir_all(layout.join("blobs/sha256")).expect("a folder can be made");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file can be written");
}

fn end(layout: &Path, mut top: Value) -> String {
    top["annotations"] = json!({ "org.opencontainers.image.ref.name": "1" });
    let index = json!({ "schemaVersion": 2, "manifests": [top] });
    fs::write(layout.join("index.json"), index.to_string()).expect("a file can be written");
    top["digest"].as_str().expect("a descriptor has a digest").to_owned()
}

/// A layer of empty entries, folders where the name ends with a slash, and behind them a file that no compression makes smaller.
pub(crate) fn large_layer(entries: &[&str], file: &str, bytes: u64) -> Vec<u8> {
    let mut layer = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(match entry.ends_with('/') {
            true => tar::EntryType::Directory,
            false => tar::EntryType::Regular,
        });
        header.set_mode(0o755);
        header.set_size(0);
        layer
            .append_data(&mut header, entry, std::io::empty())
            .expect("memory can be written");
    }
    let random = fs::File::open("/dev/urandom").expect("Linux has random numbers");
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o644);
    layer
        .append_data(&mut header, file, random.take(bytes))
        .expect("memory can be written");
    layer.into_inner().expect("memory can be written")
}

/// `config` is how the image is run: the member of that name in an image's configuration.
fn write_manifest(layout: &Path, architecture: &str, config: &Value, layers: impl Iterator<Item = Vec<u8>>) -> Value {
    // Packed, as layers are in a registry, but without the work: a registry's client would pack them otherwise.
    let (layers, diff_ids): (Vec<_>, Vec<_>) = layers
        .map(|layer| {
            let mut packed = GzEncoder::new(Vec::new(), Compression::none());
            packed.write_all(&layer).expect("memory can be written");
            let packed = packed.finish().expect("memory can be written");
            let descriptor = write_blob(layout, "application/vnd.oci.image.layer.v1.tar+gzip", &packed);
            (descriptor, sha256(&layer))
        })
        .unzip();
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": config,
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
    let digest = sha256(content);
    fs::write(layout.join("blobs").join(digest.replace(':', "/")), content).expect("a blob can be written");
    json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
}

fn sha256(content: &[u8]) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(digest, "{byte:02x}").expect("a string can be written to");
    }
    digest
}
