//! What the fake registry holds: blobs and manifests per repository, and open uploads.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::content::{Content, digest_of};

/// All repositories and uploads.
#[derive(Default)]
pub(crate) struct Store {
    /// Repositories by name.
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// Uploads by session, finished and failed ones too.
    pub(crate) uploads: BTreeMap<String, Upload>,
    /// Sessions opened so far: no two have one name.
    pub(crate) sessions: usize,
    /// Names of digests for transcripts.
    pub(crate) names: BTreeMap<String, String>,
}

/// One repository. Blobs are kept per repository, as Amazon ECR does.
#[derive(Default)]
pub(crate) struct Repository {
    /// Blobs by digest.
    pub(crate) blobs: BTreeMap<String, Content>,
    /// Manifests by digest.
    pub(crate) manifests: BTreeMap<String, Manifest>,
    /// Digests by tag.
    pub(crate) tags: BTreeMap<String, String>,
}

/// A manifest as it was put.
#[derive(Clone)]
pub(crate) struct Manifest {
    /// Its content type.
    pub(crate) media_type: String,
    /// Its bytes.
    pub(crate) bytes: Bytes,
}

/// An upload session.
pub(crate) struct Upload {
    /// The repository it was opened in.
    pub(crate) repository: String,
    /// Whether bytes were already sent to it; a session is used once.
    pub(crate) used: bool,
}

impl Repository {
    /// The digest a tag or digest stands for, if there is such a manifest.
    pub(crate) fn digest(&self, reference: &str) -> Option<String> {
        let digest = if reference.starts_with("sha256:") {
            reference
        } else {
            self.tags.get(reference)?
        };
        self.manifests.contains_key(digest).then(|| digest.to_owned())
    }

    /// What a manifest names that the repository lacks, and how it names it.
    pub(crate) fn missing(&self, manifest: &Value) -> Option<String> {
        for child in manifest["manifests"].as_array().into_iter().flatten() {
            let digest = child["digest"].as_str().unwrap_or_default();
            if !self.manifests.contains_key(digest) {
                return Some(format!("manifest {digest}"));
            }
        }
        let config = manifest.get("config").into_iter();
        for blob in config.chain(manifest["layers"].as_array().into_iter().flatten()) {
            let digest = blob["digest"].as_str().unwrap_or_default();
            let media_type = blob["mediaType"].as_str().unwrap_or_default();
            if media_type.contains("foreign") && blob["urls"].is_array() {
                continue;
            }
            match self.blobs.get(digest) {
                None => return Some(format!("blob {digest}")),
                Some(content) if Some(content.size()) != blob["size"].as_u64() => {
                    return Some(format!("blob {digest} of size {}", blob["size"]));
                }
                Some(_) => {}
            }
        }
        None
    }

    /// Whether a committed manifest names the blob: only then can it be mounted from here.
    pub(crate) fn refers_to(&self, digest: &str) -> bool {
        self.manifests
            .values()
            .any(|manifest| contains(&manifest.bytes, digest.as_bytes()))
    }
}

impl Store {
    /// The name of a digest in transcripts; what is unknown is named by the manifests that refer to it.
    pub(crate) fn name(&self, digest: &str) -> String {
        if let Some(name) = self.names.get(digest) {
            return format!("<{name}>");
        }
        for repository in self.repositories.values() {
            if repository.manifests.contains_key(digest) {
                return "<new manifest>".to_owned();
            }
            for manifest in repository.manifests.values() {
                let Ok(manifest) = serde_json::from_slice::<Value>(&manifest.bytes) else {
                    continue;
                };
                if manifest["config"]["digest"] == digest {
                    return "<new config>".to_owned();
                }
                let layers = manifest["layers"].as_array();
                if layers.into_iter().flatten().any(|layer| layer["digest"] == digest) {
                    return "<new layer>".to_owned();
                }
            }
        }
        "<unknown>".to_owned()
    }

    /// The blob of this digest in whichever repository has it: the storage host knows no repositories.
    pub(crate) fn any_blob(&self, digest: &str) -> Option<Content> {
        let mut blobs = self.repositories.values().map(|r| r.blobs.get(digest));
        blobs.find_map(|blob| blob.cloned())
    }
}

impl Manifest {
    /// The digest of its bytes.
    pub(crate) fn digest(&self) -> String {
        digest_of(&self.bytes)
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
