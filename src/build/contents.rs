//! What an image tells of its migrations: a manifest at the start of its last layer, and labels that name it.

use std::collections::BTreeSet;

use super::layer::LayerPlan;
use super::{BuildError, OWN_LAYER_FROM};
use crate::migrations::manifest::{Manifest, PATH};
use crate::oci::{Attributes, Digest};
use crate::recipe::{Entry, FileContent, ImagePath, PathError, Stored};

/// Annotation of a layer's descriptor: what the layer begins with.
pub const LAYER_ANNOTATION: &str = "io.shipway.layer";
/// Its value where that is the manifest of the migrations.
pub const MANIFEST_LAYER: &str = "manifest";
/// Annotation and label: which set of migrations an image holds.
pub(super) const SET_DIGEST_LABEL: &str = "io.shipway.migrations.digest";
/// Annotation and label: digest of the manifest of the migrations.
pub const MANIFEST_DIGEST_LABEL: &str = "io.shipway.manifest.digest";
/// Annotation and label: the project the migrations are of.
const PROJECT_LABEL: &str = "io.shipway.project";
/// Annotation and label: the profile that runs them.
const RUNNER_LABEL: &str = "io.shipway.runner";
/// Annotation and label: the highest version.
const VERSION_LABEL: &str = "io.shipway.max-version";

/// What an image tells of its migrations.
#[derive(Debug)]
pub(super) struct Contents {
    bytes: Vec<u8>,
    project: String,
    runner: String,
    version: Option<String>,
    set_digest: String,
}

impl Contents {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let set_digest = manifest.set_digest.as_str();
        Self {
            bytes: manifest.to_bytes(),
            project: manifest.project.clone(),
            runner: manifest.runner.profile.clone(),
            version: manifest.highest_version().map(str::to_owned),
            set_digest: set_digest.strip_prefix("sha256:").unwrap_or(set_digest).to_owned(),
        }
    }

    /// Puts the manifest at the start of the last layer, where it is found without reading more than it.
    pub(super) fn lead(&self, plans: &mut Vec<LayerPlan>) -> Result<(), BuildError> {
        let [folder, file] = self.entries()?;
        // A large file is a layer of its own so that it stays the same when others change.
        let is_large = |plan: &LayerPlan| plan.entries.iter().any(|entry| entry.size() >= OWN_LAYER_FROM);
        if plans.last().is_none_or(is_large) {
            plans.push(LayerPlan {
                entries: Vec::new(),
                of_instruction: false,
                has_manifest: false,
            });
        }
        let taken: BTreeSet<&ImagePath> = plans
            .iter()
            .flat_map(|plan| &plan.entries)
            .map(|entry| &entry.path)
            .collect();
        if taken.contains(&file.path) {
            return Err(BuildError::Reserved { path: file.path });
        }
        if let Some(last) = plans.last_mut() {
            last.entries.retain(|entry| entry.path != folder.path);
            last.entries.splice(0..0, [folder, file]);
            last.has_manifest = true;
        }
        Ok(())
    }

    fn entries(&self) -> Result<[Entry; 2], PathError> {
        let path: ImagePath = PATH.parse()?;
        let folder = path.parent().unwrap_or_default();
        let content = FileContent::Stored(Stored::Memory(self.bytes.clone().into()));
        Ok([
            Entry::new(folder, FileContent::Directory, Attributes::PLAIN),
            Entry::new(path, content, Attributes::of_file(false)),
        ])
    }
}

/// Labels and annotations, with their values; none for an image that tells nothing.
pub(super) fn labels(contents: Option<&Contents>) -> [(&'static str, Option<String>); 5] {
    let of = |value: fn(&Contents) -> Option<String>| contents.and_then(value);
    [
        (SET_DIGEST_LABEL, of(|contents| Some(contents.set_digest.clone()))),
        (
            MANIFEST_DIGEST_LABEL,
            of(|contents| Some(Digest::of(&contents.bytes).to_string())),
        ),
        (PROJECT_LABEL, of(|contents| Some(contents.project.clone()))),
        (RUNNER_LABEL, of(|contents| Some(contents.runner.clone()))),
        (VERSION_LABEL, of(|contents| contents.version.clone())),
    ]
}
