//! Image manifests and indexes.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::descriptor::Descriptor;
use super::digest::Digest;
use super::json::JsonObject;
use super::media_type::{self, Family};
use super::platform::Platform;

/// The manifest of one image for one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// Type of the manifest itself; older OCI writers left it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// The image config.
    pub config: Descriptor,
    /// The layers, the base's first.
    pub layers: Vec<Descriptor>,
    /// Annotations, in their order.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

/// A list of manifests, usually one for each platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// Type of the index itself; older OCI writers left it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// Annotations, in their order.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

impl Index {
    /// The images it lists with their platform, without attestations and the like.
    pub fn images(&self) -> impl Iterator<Item = (&Descriptor, &Platform)> {
        let images = self.manifests.iter().filter(|child| !child.is_attestation());
        images.filter_map(|child| Some((child, child.platform.as_ref()?)))
    }

    /// The image for a platform: of those that will do the nearest, and of these the first.
    #[must_use]
    pub fn image_for(&self, wanted: &Platform) -> Option<&Descriptor> {
        let found = self.images().filter(|(_, platform)| wanted.accepts(platform));
        let nearest = found.min_by_key(|(_, platform)| wanted.distance(platform));
        nearest.map(|(child, _)| child)
    }

    /// How many images state just the platform of this one, as versions of Windows do.
    #[must_use]
    pub fn alike(&self, digest: &Digest) -> usize {
        let platform = self.images().find(|(child, _)| child.digest == *digest);
        platform.map_or(0, |(_, platform)| {
            self.images().filter(|(_, other)| *other == platform).count()
        })
    }
}

/// What a manifest's bytes say.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few of them live at a time, and a box would be in everybody's way"
)]
pub enum Body {
    /// One image.
    Image(ImageManifest),
    /// A list.
    Index(Index),
}

/// A manifest: its exact bytes, which the digest is of, and what they say.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Type, digest and size.
    pub descriptor: Descriptor,
    /// The bytes as read or as written.
    pub bytes: bytes::Bytes,
    /// What they say.
    pub body: Body,
}

/// Why bytes are not a manifest shipway can use.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Docker's schema 1, obsolete since 2017.
    #[error("it is a Docker schema 1 manifest, a format without a config that current registries refuse")]
    SchemaOne,
    /// The type is neither an image's nor an index's.
    #[error("its media type {0:?} is neither that of an image nor of an index")]
    MediaType(String),
    /// The bytes are not the JSON of a manifest.
    #[error("it is not a valid manifest")]
    Json(#[from] serde_json::Error),
}

impl Manifest {
    /// Reads a manifest. `content_type` is what the place it came from calls it; what the bytes say of themselves
    /// comes first.
    ///
    /// # Errors
    /// When the bytes are not an image manifest or an index.
    pub fn parse(bytes: bytes::Bytes, content_type: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Outline {
            #[serde(default)]
            schema_version: u32,
            #[serde(default)]
            media_type: String,
            manifests: Option<serde::de::IgnoredAny>,
            #[serde(rename = "fsLayers")]
            fs_layers: Option<serde::de::IgnoredAny>,
        }
        if content_type.starts_with(media_type::DOCKER_SCHEMA_1) {
            return Err(ManifestError::SchemaOne);
        }
        let outline: Outline = serde_json::from_slice(&bytes)?;
        if outline.schema_version == 1 || outline.fs_layers.is_some() {
            return Err(ManifestError::SchemaOne);
        }
        let stated = if outline.media_type.is_empty() {
            content_type.split(';').next().unwrap_or_default().trim().to_owned()
        } else {
            outline.media_type
        };
        let is_index = media_type::is_index(&stated)
            || (!media_type::is_image(&stated) && is_generic(&stated) && outline.manifests.is_some());
        let (media_type, body) = if is_index {
            (
                or(&stated, media_type::OCI_INDEX),
                Body::Index(serde_json::from_slice(&bytes)?),
            )
        } else if media_type::is_image(&stated) || is_generic(&stated) {
            (
                or(&stated, media_type::OCI_MANIFEST),
                Body::Image(serde_json::from_slice(&bytes)?),
            )
        } else {
            return Err(ManifestError::MediaType(stated));
        };
        Ok(Self {
            descriptor: Descriptor::of(media_type, &bytes),
            bytes,
            body,
        })
    }

    /// Writes an image manifest.
    ///
    /// # Errors
    /// Never in practice: the value has no map with keys that are not strings.
    pub fn image(image: ImageManifest) -> Result<Self, serde_json::Error> {
        let bytes: bytes::Bytes = serde_json::to_vec(&image)?.into();
        Ok(Self {
            descriptor: Descriptor::of(&image.media_type, &bytes),
            bytes,
            body: Body::Image(image),
        })
    }

    /// Writes an index.
    ///
    /// # Errors
    /// As [`Manifest::image`].
    pub fn index(index: Index) -> Result<Self, serde_json::Error> {
        let bytes: bytes::Bytes = serde_json::to_vec(&index)?.into();
        Ok(Self {
            descriptor: Descriptor::of(&index.media_type, &bytes),
            bytes,
            body: Body::Index(index),
        })
    }

    /// The same index with some of its entries, each as it was written.
    ///
    /// # Errors
    /// When it is no index.
    pub fn with_entries(&self, wanted: &[Digest]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Entry {
            digest: String,
        }
        let mut object = JsonObject::parse(&self.bytes)?;
        let mut entries: Vec<Box<RawValue>> = object.get("manifests")?.unwrap_or_default();
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        entries.retain(|entry| {
            let parsed = serde_json::from_str::<Entry>(entry.get());
            parsed.is_ok_and(|entry| wanted.contains(&entry.digest))
        });
        object.set("manifests", &entries)?;
        Self::parse(object.to_bytes()?.into(), &self.descriptor.media_type)
    }

    /// The same index with one more entry; all else stays as it was written.
    ///
    /// # Errors
    /// When it is no index.
    pub fn with_entry(&self, entry: &Descriptor) -> Result<Self, ManifestError> {
        let mut object = JsonObject::parse(&self.bytes)?;
        let mut entries: Vec<Box<RawValue>> = object.get("manifests")?.unwrap_or_default();
        entries.push(to_raw_value(entry)?);
        object.set("manifests", &entries)?;
        Self::parse(object.to_bytes()?.into(), &self.descriptor.media_type)
    }

    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.descriptor.digest
    }

    /// The family of the media type.
    #[must_use]
    pub fn family(&self) -> Family {
        Family::of(&self.descriptor.media_type)
    }

    /// The config and the layers of an image; nothing for an index.
    #[must_use]
    pub fn blobs(&self) -> Vec<&Descriptor> {
        match &self.body {
            Body::Image(image) => std::iter::once(&image.config).chain(&image.layers).collect(),
            Body::Index(_) => Vec::new(),
        }
    }
}

fn is_generic(media_type: &str) -> bool {
    matches!(
        media_type,
        "" | "application/json" | "application/octet-stream" | "text/plain"
    )
}

fn or<'a>(stated: &'a str, default: &'a str) -> &'a str {
    if is_generic(stated) { default } else { stated }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, content_type: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(bytes::Bytes::copy_from_slice(text.as_bytes()), content_type)
    }

    fn config() -> String {
        format!(
            r#"{{"mediaType":"{}","digest":"{}","size":2}}"#,
            media_type::OCI_CONFIG,
            Digest::of(b"{}")
        )
    }

    #[test]
    fn what_the_bytes_say_of_themselves_comes_first() {
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[]}}"#,
            media_type::DOCKER_MANIFEST,
            config()
        );
        let manifest = parse(&text, media_type::OCI_MANIFEST).expect("manifest");
        assert_eq!(manifest.family(), Family::Docker);
        assert_eq!(manifest.digest(), Digest::of(text.as_bytes()));
    }

    #[test]
    fn a_manifest_without_a_type_is_told_by_its_shape() {
        let image = parse(
            &format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, config()),
            "",
        )
        .expect("image");
        assert_eq!(image.descriptor.media_type, media_type::OCI_MANIFEST);
        let index = parse(
            r#"{"schemaVersion":2,"manifests":[]}"#,
            "application/json; charset=utf-8",
        )
        .expect("index");
        assert_eq!(index.descriptor.media_type, media_type::OCI_INDEX);
    }

    #[test]
    fn schema_one_is_refused_by_name() {
        let text = r#"{"schemaVersion":1,"name":"a","fsLayers":[]}"#;
        assert!(matches!(parse(text, ""), Err(ManifestError::SchemaOne)));
        let prettyjws = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        assert!(matches!(parse("{}", prettyjws), Err(ManifestError::SchemaOne)));
    }

    #[test]
    fn what_is_no_manifest_is_an_error() {
        assert!(matches!(parse("<html>", ""), Err(ManifestError::Json(_))));
        assert!(matches!(
            parse("{}", "application/vnd.x"),
            Err(ManifestError::MediaType(_))
        ));
    }

    #[test]
    fn entries_are_chosen_and_stay_as_they_were_written() {
        let entry = |text: &str, platform: &str| {
            let digest = Digest::of(text.as_bytes());
            format!(
                r#"{{"mediaType":"{}", "digest":"{digest}","size":1,"platform":{{{platform}}},"odd":1.50}}"#,
                media_type::OCI_MANIFEST
            )
        };
        let amd = entry("a", r#""architecture":"amd64","os":"windows","os.version":"10.0.1""#);
        let arm = entry("b", r#""architecture":"arm64","os":"linux","variant":"v8""#);
        let unknown = entry("c", r#""architecture":"unknown","os":"unknown""#);
        let text = |entries: &[&str]| format!(r#"{{"schemaVersion":2,"manifests":[{}],"z":1}}"#, entries.join(","));
        let index = parse(&text(&[&amd, &arm, &unknown]), media_type::OCI_INDEX).expect("index");
        let Body::Index(list) = &index.body else {
            panic!("index")
        };
        assert_eq!(list.images().count(), 2);
        let wanted: Platform = "linux/arm64".parse().expect("platform");
        let found = list.image_for(&wanted).expect("image").digest;
        assert_eq!(found, Digest::of(b"b"));
        assert!(list.image_for(&Platform::linux_amd64()).is_none());
        let some = index.with_entries(&[found, Digest::of(b"a")]).expect("index");
        assert_eq!(some.bytes, text(&[&amd, &arm]));
        assert_eq!(some.descriptor.media_type, media_type::OCI_INDEX);
    }
}
