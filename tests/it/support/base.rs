//! Base images of the tests' own: configs with fields only Docker knows, layers of any shape.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use super::registry::{Content, digest_of};
use super::tarball::{Tarball, gzip};

/// A base image for one platform.
#[derive(Clone)]
pub(crate) struct Base {
    platform: String,
    docker: bool,
    entrypoint: Option<String>,
    environment: Vec<String>,
    /// Whether it wants something run by those who build on it.
    triggers: bool,
    layers: Vec<BaseLayer>,
}

#[derive(Clone)]
struct BaseLayer {
    content: Content,
    digest: String,
    diff_id: String,
}

/// An image or index with all it consists of, ready to be put somewhere.
#[derive(Clone)]
pub(crate) struct Bundle {
    /// Blobs by digest.
    pub(crate) blobs: Vec<(String, Content)>,
    /// Manifests with their media types, children first, the root last.
    pub(crate) manifests: Vec<(String, Bytes)>,
}

impl Base {
    /// A small Flyway: its entrypoint, its environment, nothing in it yet.
    pub(crate) fn flyway() -> Self {
        Self {
            platform: "linux/amd64".to_owned(),
            docker: false,
            entrypoint: Some("[\"flyway\"]".to_owned()),
            environment: vec!["PATH=/flyway:/usr/bin:/bin".to_owned()],
            triggers: true,
            layers: Vec::new(),
        }
        .layer(
            Tarball::new()
                .directory("flyway", 0o755)
                .file("flyway/flyway", b"#!/bin/sh\nexit 0\n"),
        )
    }

    /// A Flyway of `count` layers.
    pub(crate) fn flyway_of(count: usize) -> Self {
        let mut base = Self::flyway();
        while base.layers.len() < count {
            let name = format!("flyway/lib/part-{}.jar", base.layers.len());
            let content = name.repeat(100);
            base = base.layer(
                Tarball::new()
                    .directory("flyway", 0o755)
                    .directory("flyway/lib", 0o755)
                    .file(&name, content.as_bytes()),
            );
        }
        base
    }

    /// An image that no profile knows anything of, without layers.
    pub(crate) fn plain() -> Self {
        Self {
            layers: Vec::new(),
            entrypoint: None,
            ..Self::flyway()
        }
    }

    /// Adds a layer on top.
    pub(crate) fn layer(mut self, tarball: Tarball) -> Self {
        let tar = tarball.bytes();
        let compressed = gzip(&tar);
        self.layers.push(BaseLayer {
            digest: digest_of(&compressed),
            diff_id: digest_of(&tar),
            content: Content::Bytes(compressed.into()),
        });
        self
    }

    /// Adds a large layer of noise that costs no memory; it is no tar file, and nobody is to look.
    pub(crate) fn noise_layer(mut self, seed: u64, size: u64) -> Self {
        let content = Content::noise(seed, size);
        let digest = content.digest();
        self.layers.push(BaseLayer {
            diff_id: digest.clone(),
            digest,
            content,
        });
        self
    }

    /// Adds a layer given by its compressed bytes.
    pub(crate) fn raw_layer(mut self, compressed: Vec<u8>) -> Self {
        let digest = digest_of(&compressed);
        self.layers.push(BaseLayer {
            diff_id: digest.clone(),
            digest,
            content: Content::Bytes(compressed.into()),
        });
        self
    }

    /// With Docker's media types.
    pub(crate) fn docker(mut self) -> Self {
        self.docker = true;
        self
    }

    /// For this platform: `linux/arm64`.
    pub(crate) fn platform(mut self, platform: &str) -> Self {
        self.platform = platform.to_owned();
        self
    }

    /// Without an entrypoint, as the Azure variant of Flyway's image.
    pub(crate) fn without_entrypoint(mut self) -> Self {
        self.entrypoint = None;
        self
    }

    /// Without instructions for those who build on it.
    pub(crate) fn without_triggers(mut self) -> Self {
        self.triggers = false;
        self
    }

    /// With a variable in its environment.
    pub(crate) fn environment(mut self, variable: &str) -> Self {
        self.environment.push(variable.to_owned());
        self
    }

    /// How many layers it has.
    pub(crate) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The digests of its layers.
    pub(crate) fn layer_digests(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.digest.clone()).collect()
    }

    /// The config's text: keys in no special order, fields Docker alone knows, a number no parser may touch.
    pub(crate) fn config(&self) -> String {
        let mut platform = self.platform.split('/');
        let system = platform.next().unwrap();
        let architecture = platform.next().unwrap();
        let variant = platform.next();
        let variant = variant.map_or(String::new(), |variant| format!(",\"variant\":\"{variant}\""));
        let entrypoint = self.entrypoint.clone();
        let entrypoint = entrypoint.map_or(String::new(), |words| format!("\"Entrypoint\":{words},"));
        let environment = json!(self.environment);
        let triggers = if self.triggers {
            "\"OnBuild\":[\"RUN true\"],"
        } else {
            ""
        };
        let diff_ids: Vec<_> = self.layers.iter().map(|layer| &layer.diff_id).collect();
        let history: Vec<_> = (0..self.layers.len())
            .map(|index| json!({"created": "2026-01-02T03:04:05Z", "created_by": format!("COPY part-{index} /")}))
            .chain([json!({"created": "2026-01-02T03:04:05Z", "created_by": "CMD [\"-?\"]", "empty_layer": true})])
            .collect();
        format!(
            "{{\"architecture\":\"{architecture}\"{variant},\"config\":{{\"Hostname\":\"\",\
             \"Healthcheck\":{{\"Test\":[\"CMD\",\"true\"],\"Interval\":30000000000}},\"Env\":{environment},\
             \"Cmd\":[\"-?\"],\"Image\":\"sha256:0123\",\"WorkingDir\":\"/flyway\",{entrypoint}\
             {triggers}\"Labels\":{{\"maintainer\":\"base\",\
             \"org.opencontainers.image.version\":\"13.12.0\",\"org.opencontainers.image.source\":\
             \"https://example.com/base\"}},\"Shell\":[\"/bin/bash\",\"-c\"],\"StopSignal\":\"SIGTERM\"}},\
             \"container\":\"0123456789\",\"created\":\"2026-01-02T03:04:05Z\",\"docker_version\":\"20.10.24\",\
             \"history\":{},\"moby.odd\":{{\"ratio\":1.50,\"b\":1,\"a\":2}},\"os\":\"{system}\",\
             \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":{}}}}}",
            json!(history),
            json!(diff_ids),
        )
    }

    /// The image as a single manifest.
    pub(crate) fn image(&self) -> Bundle {
        let config = Bytes::from(self.config());
        let (manifest_type, config_type, layer_type) = match self.docker {
            true => (
                DOCKER_MANIFEST,
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ),
            false => (
                OCI_MANIFEST,
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
        };
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|layer| json!({"mediaType": layer_type, "digest": layer.digest, "size": layer.content.size()}))
            .collect();
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": {"mediaType": config_type, "digest": digest_of(&config), "size": config.len()},
            "layers": layers,
        });
        if !self.docker {
            manifest["annotations"] = json!({"org.opencontainers.image.title": "the base's own title"});
        }
        let mut blobs: Vec<_> = self
            .layers
            .iter()
            .map(|layer| (layer.digest.clone(), layer.content.clone()))
            .collect();
        blobs.push((digest_of(&config), Content::Bytes(config)));
        Bundle {
            blobs,
            manifests: vec![(manifest_type.to_owned(), Bytes::from(manifest.to_string()))],
        }
    }

    /// The image as the only platform of an index, with an attestation beside it as BuildKit makes them.
    pub(crate) fn index(&self) -> Bundle {
        Bundle::index(std::slice::from_ref(self))
    }
}

/// Docker's media type of an image manifest.
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// The OCI media type of an image manifest.
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

impl Bundle {
    /// An index of several platforms, each followed by an attestation.
    pub(crate) fn index(bases: &[Base]) -> Self {
        let mut bundle = Self {
            blobs: Vec::new(),
            manifests: Vec::new(),
        };
        let mut children = Vec::new();
        for base in bases {
            let image = base.image();
            let mut names = base.platform.split('/');
            let mut platform = json!({"os": names.next(), "architecture": names.next()});
            if let Some(variant) = names.next() {
                platform["variant"] = json!(variant);
            }
            children.push(bundle.take(image.clone(), platform));
            if !base.docker {
                let unknown = json!({"os": "unknown", "architecture": "unknown"});
                let mut attestation = bundle.take(attestation(&image.digest()), unknown);
                attestation["annotations"] = json!({
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": image.digest(),
                });
                children.push(attestation);
            }
        }
        let media_type = if bases[0].docker { DOCKER_LIST } else { OCI_INDEX };
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": children});
        let index = Bytes::from(index.to_string());
        bundle.manifests.push((media_type.to_owned(), index));
        bundle
    }

    /// A manifest of the old schema 1, which nobody should still be asked to read.
    pub(crate) fn schema_1() -> Self {
        let manifest = json!({"schemaVersion": 1, "name": "old", "tag": "1", "fsLayers": [], "history": []});
        Self {
            blobs: Vec::new(),
            manifests: vec![(SCHEMA_1.to_owned(), Bytes::from(manifest.to_string()))],
        }
    }

    /// The digest of the root.
    pub(crate) fn digest(&self) -> String {
        digest_of(&self.manifests.last().unwrap().1)
    }

    /// Names for transcripts.
    pub(crate) fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for (index, (_, bytes)) in self.manifests.iter().enumerate().rev() {
            let manifest: Value = serde_json::from_slice(bytes).unwrap();
            let kind = match manifest.get("manifests") {
                Some(_) => "base index".to_owned(),
                None => format!("base manifest {}", index + 1),
            };
            names.push((kind, digest_of(bytes)));
            if let Some(digest) = manifest["config"]["digest"].as_str() {
                names.push(("base config".to_owned(), digest.to_owned()));
            }
            let layers = manifest["layers"].as_array().into_iter().flatten();
            for (layer, descriptor) in layers.enumerate() {
                let digest = descriptor["digest"].as_str().unwrap().to_owned();
                names.push((format!("base layer {}", layer + 1), digest));
            }
        }
        names
    }

    /// Writes an OCI layout that names the root by `tag`.
    pub(crate) fn write_layout(&self, folder: &Path, tag: &str) {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        let write = |digest: &str, bytes: &[u8]| {
            std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).unwrap();
        };
        for (digest, content) in &self.blobs {
            write(digest, content.bytes().unwrap());
        }
        for (_, bytes) in &self.manifests {
            write(&digest_of(bytes), bytes);
        }
        let (media_type, bytes) = self.manifests.last().unwrap();
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": media_type, "digest": self.digest(), "size": bytes.len(),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }]});
        std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
        std::fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
    }

    fn take(&mut self, image: Self, platform: Value) -> Value {
        let (media_type, bytes) = image.manifests.last().unwrap();
        let descriptor = json!({
            "mediaType": media_type, "digest": image.digest(), "size": bytes.len(), "platform": platform,
        });
        self.blobs.extend(image.blobs);
        self.manifests.extend(image.manifests);
        descriptor
    }
}

impl Base {
    /// Writes what `docker save` would: uncompressed layers, `manifest.json` and the config.
    pub(crate) fn write_docker_archive(&self, file: &Path, tag: &str) {
        let config = self.config();
        let config_name = format!("{}.json", digest_of(config.as_bytes()).trim_start_matches("sha256:"));
        let mut archive = Tarball::new();
        let mut names = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let name = format!("layer-{index}/layer.tar");
            let tar = super::tarball::gunzip(layer.content.bytes().unwrap());
            archive = archive.file(&name, &tar);
            names.push(name);
        }
        let manifest = json!([{"Config": config_name, "RepoTags": [tag], "Layers": names}]);
        let archive = archive
            .file(&config_name, config.as_bytes())
            .file("manifest.json", manifest.to_string().as_bytes());
        std::fs::write(file, archive.bytes()).unwrap();
    }
}

impl Bundle {
    /// Something that is no image, such as a chart: a config of its own type and one layer of text.
    pub(crate) fn artifact(config_type: &str, text: &str) -> Self {
        Self::artifact_with(config_type, text, json!({}))
    }

    /// Something that speaks of a manifest, such as a signature.
    pub(crate) fn referrer(subject: &Self, artifact_type: &str, text: &str) -> Self {
        let (media_type, bytes) = subject.manifests.last().unwrap();
        let members = json!({
            "artifactType": artifact_type,
            "subject": {"mediaType": media_type, "digest": subject.digest(), "size": bytes.len()},
            "annotations": {"made.by": "a test"},
        });
        Self::artifact_with("application/vnd.oci.empty.v1+json", text, members)
    }

    fn artifact_with(config_type: &str, text: &str, members: Value) -> Self {
        let config = Bytes::from_static(b"{}");
        let content = Bytes::from(text.to_owned());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": config_type, "digest": digest_of(&config), "size": config.len()},
            "layers": [{"mediaType": "application/octet-stream", "digest": digest_of(&content),
                "size": content.len()}],
        });
        manifest
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        Self {
            blobs: vec![
                (digest_of(&content), Content::Bytes(content)),
                (digest_of(&config), Content::Bytes(config)),
            ],
            manifests: vec![(OCI_MANIFEST.to_owned(), Bytes::from(manifest.to_string()))],
        }
    }
}

fn attestation(subject: &str) -> Bundle {
    let statement = Bytes::from(json!({"_type": "https://in-toto.io/Statement/v0.1", "s": subject}).to_string());
    let config = Bytes::from(
        "{\"architecture\":\"unknown\",\"os\":\"unknown\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
    );
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(&config),
            "size": config.len()},
        "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": digest_of(&statement),
            "size": statement.len()}],
    });
    Bundle {
        blobs: vec![
            (digest_of(&statement), Content::Bytes(statement)),
            (digest_of(&config), Content::Bytes(config)),
        ],
        manifests: vec![(OCI_MANIFEST.to_owned(), Bytes::from(manifest.to_string()))],
    }
}
