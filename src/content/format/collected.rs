//! The manifests a run puts, and what they make of an `index.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{ARTIFACT_TYPE, REF_NAME};
use crate::oci::media_type::OCI_INDEX;
use crate::oci::{Body, Descriptor, Digest, Manifest, Tag};

/// The manifests put so far, and their tags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collected {
    manifests: BTreeMap<Digest, Manifest>,
    tags: BTreeMap<Tag, Digest>,
}

impl Collected {
    /// Takes a manifest.
    pub(crate) fn add(&mut self, manifest: &Manifest, tag: Option<&Tag>) {
        self.manifests.insert(manifest.digest(), manifest.clone());
        if let Some(tag) = tag {
            self.tags.insert(tag.clone(), manifest.digest());
        }
    }

    /// The manifests, by digest.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.values()
    }

    /// The entries they need: one for each tag, and one for each manifest that neither has a tag nor belongs to an
    /// index of the same run.
    fn entries(&self) -> Vec<Descriptor> {
        let plain = |manifest: &Manifest| {
            let Descriptor {
                media_type,
                digest,
                size,
                ..
            } = &manifest.descriptor;
            Descriptor::new(media_type, *digest, *size)
        };
        let tagged = self.tags.iter().map(|(tag, digest)| {
            let mut entry = plain(&self.manifests[digest]);
            entry
                .rest
                .insert("annotations".to_owned(), json!({ REF_NAME: tag.as_str() }));
            entry
        });
        let children: BTreeSet<Digest> = self.manifests().flat_map(children).map(|child| child.digest).collect();
        let has_name = |digest: &Digest| self.tags.values().any(|named| named == digest) || children.contains(digest);
        let untagged = self
            .manifests()
            .filter(|manifest| !has_name(&manifest.digest()))
            .map(|manifest| {
                let mut entry = plain(manifest);
                // So that readers can tell it from an image without reading it.
                if manifest.subject().is_some() {
                    entry
                        .rest
                        .insert(ARTIFACT_TYPE.to_owned(), json!(manifest.artifact_type()));
                }
                entry
            });
        tagged.chain(untagged).collect()
    }

    /// Adds the entries to an `index.json`, or to a new one; `None` when it says all of it already.
    ///
    /// What else the file holds stays as it is, members unknown to us too. An entry of the same name is replaced.
    ///
    /// # Errors
    /// When the bytes are not an index.
    pub(crate) fn merge(&self, index: Option<&[u8]>) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let mut root: Map<String, Value> = match index {
            Some(bytes) => serde_json::from_slice(bytes)?,
            None => Map::from_iter([
                ("schemaVersion".to_owned(), json!(2)),
                ("mediaType".to_owned(), json!(OCI_INDEX)),
            ]),
        };
        let mut entries = match root.get_mut("manifests").map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(entries) => serde_json::from_value::<Vec<Value>>(entries)?,
        };
        let mut changed = index.is_none();
        for entry in self.entries() {
            let value = serde_json::to_value(&entry)?;
            let name = name(&value);
            let is_same = |old: &Value| match name {
                Some(_) => self::name(old) == name,
                None => old.get("digest") == value.get("digest"),
            };
            let mut old: Vec<usize> = (0..entries.len()).filter(|number| is_same(&entries[*number])).collect();
            let last = old.pop();
            match last {
                Some(last) if entries[last].get("digest") != value.get("digest") => entries[last] = value,
                None => entries.push(value),
                Some(_) if name.is_none() || old.is_empty() => continue,
                Some(_) => {}
            }
            // Of several entries of one name every reader takes another.
            for number in old.into_iter().rev() {
                entries.remove(number);
            }
            changed = true;
        }
        root.insert("manifests".to_owned(), Value::Array(entries));
        if changed {
            serde_json::to_vec(&root).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// What an index lists.
fn children(manifest: &Manifest) -> &[Descriptor] {
    match &manifest.body {
        Body::Index(index) => &index.manifests,
        Body::Image(_) => &[],
    }
}

fn name(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(REF_NAME)?.as_str()
}
