//! Which manifests of a layout speak of which.

use std::collections::HashMap;

use super::REF_NAME;
use crate::oci::{Body, Descriptor, Digest, Manifest, Tag};

/// The referrers of a layout: a layout has no list of them, but names them in its `index.json`.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    by_subject: HashMap<Digest, Vec<Descriptor>>,
    /// The manifests under tags that stand for a list of referrers.
    lists: HashMap<String, Vec<Descriptor>>,
}

impl Subjects {
    /// Takes note of a manifest `index.json` names.
    pub(crate) fn add(&mut self, entry: &Descriptor, manifest: &Manifest) {
        if let Some(subject) = manifest.subject() {
            self.by_subject.entry(subject).or_default().push(manifest.as_referrer());
        }
        if let (Some(name), Body::Index(index)) = (entry.annotation(REF_NAME), &manifest.body) {
            self.lists.insert(name.to_owned(), index.manifests.clone());
        }
    }

    /// The referrers of a manifest, each once.
    pub(crate) fn of(&self, subject: &Digest) -> Vec<Descriptor> {
        let listed = self.lists.get(Tag::of_referrers(subject).as_str());
        let mut found: Vec<Descriptor> = Vec::new();
        for entry in self.by_subject.get(subject).into_iter().chain(listed).flatten() {
            if !found.iter().any(|known| known.digest == entry.digest) {
                found.push(entry.clone());
            }
        }
        found
    }
}
