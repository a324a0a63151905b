//! Descriptors: what a blob or a manifest is, how long it is, and its digest.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::digest::Digest;
use super::media_type;
use super::platform::Platform;

/// Names content by media type, digest and size.
///
/// Fields this program has no use for are kept in `rest`, in their order, so that a descriptor of a base image is
/// written as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Type of the content.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Length of the content in bytes.
    pub size: u64,
    /// Platform of the image a manifest stands for, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Everything else (`annotations`, `urls`, `data`, …).
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Descriptor {
    /// Describes `bytes`.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// Describes content whose digest and length are known.
    #[must_use]
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            platform: None,
            rest: Map::new(),
        }
    }

    /// The same, for an index entry.
    #[must_use]
    pub fn with_platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.rest.get("annotations")?.get(key)?.as_str()
    }

    /// Whether the content is to be had from elsewhere only and may not be passed on (Windows base layers of old): the
    /// type says so, and `urls` say from where.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        let has_urls = self
            .rest
            .get("urls")
            .and_then(Value::as_array)
            .is_some_and(|urls| !urls.is_empty());
        has_urls && media_type::is_foreign(&self.media_type)
    }

    /// Whether the index entry is an attestation (BuildKit's provenance or SBOM) rather than an image to run.
    #[must_use]
    pub fn is_attestation(&self) -> bool {
        self.annotation("vnd.docker.reference.type") == Some("attestation-manifest")
            || self
                .platform
                .as_ref()
                .is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_is_what_says_so_twice() {
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        for (media_type, urls, is_foreign) in [
            (foreign, json!(["https://a.b/c"]), true),
            (
                "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
                json!(["https://a.b/c"]),
                true,
            ),
            (foreign, json!([]), false),
            (media_type::OCI_LAYER_GZIP, json!(["https://a.b/c"]), false),
        ] {
            let mut layer = Descriptor::of(media_type, b"");
            layer.rest.insert("urls".to_owned(), urls);
            assert_eq!(layer.is_foreign(), is_foreign, "{layer:?}");
        }
    }
}
