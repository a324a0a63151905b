//! Reading `index.json` and the manifests it names.

use bytes::Bytes;

use super::catalog::{Catalog, Listed};
use super::{ARTIFACT_TYPE, CONTAINERD_NAME, INDEX_FILE, REF_NAME};
use crate::content::{ContentError, Kind, Result, Selector};
use crate::oci::{Descriptor, Digest, Index, Manifest, Tag};

/// The images of a layout.
#[derive(Debug)]
pub(crate) struct LayoutIndex {
    entries: Vec<Descriptor>,
    catalog: Catalog,
}

impl LayoutIndex {
    /// Reads an `index.json`; place and address as in [`Catalog`].
    ///
    /// # Errors
    /// When the bytes are not an index.
    pub(crate) fn parse(bytes: &[u8], place: String, address: String) -> Result<Self> {
        let index: Index = serde_json::from_slice(bytes).map_err(|error| {
            ContentError::new(Kind::Invalid, format!("cannot read {INDEX_FILE} of {place}")).because(error)
        })?;
        let images = index.manifests.iter().map(|entry| Listed {
            identity: entry.digest.to_string(),
            names: names(entry),
            is_referrer: is_referrer(entry),
        });
        Ok(Self {
            catalog: Catalog {
                place,
                address,
                images: images.collect(),
            },
            entries: index.manifests,
        })
    }

    /// The place for people.
    pub(crate) fn place(&self) -> &str {
        &self.catalog.place
    }

    /// The entries, in their order.
    pub(crate) fn entries(&self) -> &[Descriptor] {
        &self.entries
    }

    /// The digest that is meant, with its entry. A digest need not have one: it may be of an image below an index.
    ///
    /// # Errors
    /// When nothing is meant, or more than one thing.
    pub(crate) fn select(&self, selector: &Selector) -> Result<(Digest, Option<&Descriptor>)> {
        let number = match selector {
            Selector::Tag(tag) => self.catalog.tagged(tag)?,
            Selector::Name(name) => self.catalog.named(name)?,
            Selector::Only => self.catalog.only()?,
            Selector::Digest(digest) => {
                return Ok((*digest, self.entries.iter().find(|entry| entry.digest == *digest)));
            }
        };
        Ok((self.entries[number].digest, Some(&self.entries[number])))
    }

    /// The tags of what is meant.
    pub(crate) fn tags(&self, selector: &Selector) -> Vec<Tag> {
        self.catalog.tags(selector)
    }

    /// The entry whose name is exactly this tag: the one a target would replace.
    pub(crate) fn named(&self, tag: &Tag) -> Option<&Descriptor> {
        self.entries
            .iter()
            .rfind(|entry| entry.annotation(REF_NAME) == Some(tag.as_str()))
    }

    /// Makes a manifest of the bytes found under a digest.
    ///
    /// # Errors
    /// When they have another digest, or are no manifest.
    pub(crate) fn manifest(&self, bytes: Bytes, digest: Digest, entry: Option<&Descriptor>) -> Result<Manifest> {
        let wrong = || {
            ContentError::new(
                Kind::Invalid,
                format!("cannot read manifest {digest} in {}", self.place()),
            )
        };
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(wrong().because(format!("its bytes have the digest {found}")));
        }
        let media_type = entry.map_or("", |entry| entry.media_type.as_str());
        Manifest::parse(bytes, media_type).map_err(|error| wrong().because(error))
    }
}

fn names(entry: &Descriptor) -> Vec<String> {
    let names = [REF_NAME, CONTAINERD_NAME]
        .into_iter()
        .filter_map(|key| entry.annotation(key));
    names.map(str::to_owned).collect()
}

/// Whether an entry speaks of another one: it has no name and says what it is, or the name of what cosign and lists of
/// referrers are named by.
fn is_referrer(entry: &Descriptor) -> bool {
    match entry.annotation(REF_NAME) {
        None => entry.rest.contains_key(ARTIFACT_TYPE),
        Some(name) => name.strip_prefix("sha256-").is_some_and(|rest| {
            let (hex, _) = rest.split_once('.').unwrap_or((rest, ""));
            format!("sha256:{hex}").parse::<Digest>().is_ok()
        }),
    }
}
