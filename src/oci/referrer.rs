//! Manifests that speak of another one: signatures, attestations, bills of materials (image specification 1.1,
//! "subject").

use serde::Deserialize;
use serde_json::{Map, Value};

use super::descriptor::Descriptor;
use super::digest::Digest;
use super::manifest::{Body, Manifest};
use super::reference::Tag;

/// Suffixes of the tags under which cosign keeps signatures, attestations and bills of materials of an image, where it
/// does not use subjects.
const COSIGN_SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// The members of a manifest that make it a referrer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    subject: Option<Descriptor>,
    #[serde(default)]
    artifact_type: String,
    #[serde(default)]
    annotations: Map<String, Value>,
}

impl Manifest {
    /// The manifest this one speaks of.
    #[must_use]
    pub fn subject(&self) -> Option<Digest> {
        self.outline()?.subject.map(|subject| subject.digest)
    }

    /// What kind of thing it is: its `artifactType`, else the type of its config.
    #[must_use]
    pub fn artifact_type(&self) -> String {
        let stated = self.outline().map(|outline| outline.artifact_type).unwrap_or_default();
        match &self.body {
            Body::Image(image) if stated.is_empty() => image.config.media_type.clone(),
            _ => stated,
        }
    }

    /// How a list of referrers names it (distribution specification 1.1, "Listing Referrers").
    #[must_use]
    pub fn as_referrer(&self) -> Descriptor {
        let mut entry = Descriptor::new(&self.descriptor.media_type, self.digest(), self.descriptor.size);
        entry
            .rest
            .insert("artifactType".to_owned(), self.artifact_type().into());
        let annotations = self.outline().map(|outline| outline.annotations).unwrap_or_default();
        if !annotations.is_empty() {
            entry.rest.insert("annotations".to_owned(), annotations.into());
        }
        entry
    }

    fn outline(&self) -> Option<Outline> {
        serde_json::from_slice(&self.bytes).ok()
    }
}

impl Tag {
    /// The tag that lists the referrers of a manifest where a registry does not do so itself (distribution
    /// specification 1.1, "Referrers Tag Schema").
    #[must_use]
    pub fn of_referrers(subject: &Digest) -> Self {
        Self::of_valid(format!("sha256-{}", subject.hex()))
    }

    /// The tags under which cosign keeps what it says of a manifest.
    #[must_use]
    pub fn of_cosign(subject: &Digest) -> [Self; 3] {
        COSIGN_SUFFIXES.map(|suffix| Self::of_valid(format!("sha256-{}.{suffix}", subject.hex())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::media_type::OCI_MANIFEST;

    fn manifest(more: &str) -> Manifest {
        let config = serde_json::to_string(&Descriptor::of("application/vnd.x.config", b"{}")).expect("json");
        let text = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{config},"layers":[]{more}}}"#);
        Manifest::parse(text.into(), "").expect("manifest")
    }

    #[test]
    fn a_referrer_says_what_it_is_and_of_what() {
        let subject = Descriptor::of(OCI_MANIFEST, b"subject");
        let text = serde_json::to_string(&subject).expect("json");
        let manifest = manifest(&format!(
            r#","subject":{text},"artifactType":"application/vnd.x.sig","annotations":{{"b":"1","a":"2"}}"#
        ));
        assert_eq!(manifest.subject(), Some(subject.digest));
        let entry = serde_json::to_string(&manifest.as_referrer()).expect("json");
        assert!(
            entry.ends_with(r#""artifactType":"application/vnd.x.sig","annotations":{"b":"1","a":"2"}}"#),
            "{entry}"
        );
    }

    #[test]
    fn the_type_of_the_config_stands_in() {
        let manifest = manifest("");
        assert_eq!(manifest.subject(), None);
        assert_eq!(manifest.artifact_type(), "application/vnd.x.config");
    }

    #[test]
    fn tags_that_stand_for_referrers_are_tags() {
        let digest = Digest::of(b"");
        let [signature, ..] = Tag::of_cosign(&digest);
        for tag in [Tag::of_referrers(&digest), signature] {
            assert_eq!(tag.as_str().parse::<Tag>().as_ref(), Ok(&tag));
        }
    }
}
