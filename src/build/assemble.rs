//! Config and manifest of the new image for one platform.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::base::{BaseImage, Bases};
use super::contents::{self, Contents, LAYER_ANNOTATION, MANIFEST_LAYER};
use super::layer::Layer;
use super::{BuildError, history};
use crate::content::Blob;
use crate::oci::config::ConfigError;
use crate::oci::{Descriptor, Digest, Family, ImageConfig, ImageManifest, Index, Manifest, Platform};
use crate::recipe::{Change, Recipe, Step};

/// Annotation and label: name of the base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// Annotation and label: digest of the base.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// What is the same for all platforms.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub bases: &'a Bases,
    pub family: Family,
    pub created: &'a str,
    pub describes_itself: bool,
    pub annotations: &'a BTreeMap<String, String>,
    pub contents: Option<&'a Contents>,
}

/// The image for one platform.
#[derive(Debug)]
pub(super) struct Assembled {
    pub platform: Platform,
    pub config: Blob,
    pub manifest: Manifest,
}

impl Assembly<'_> {
    pub(super) fn image(
        &self,
        recipe: &Recipe,
        base: &BaseImage,
        mut config: ImageConfig,
        layers: &[Layer],
    ) -> Result<Assembled, BuildError> {
        let wrong = |source| BuildError::Config {
            image: self.bases.title().to_owned(),
            source,
        };
        let platform = match &base.platform {
            Some(platform) => platform.clone(),
            None => config.platform().map_err(wrong)?,
        };
        self.edit(recipe, &mut config, layers).map_err(wrong)?;
        let bytes: Bytes = config.to_bytes().map_err(wrong)?.into();
        let config = Blob::bytes(self.family.config(), bytes);
        let mut descriptors = Vec::new();
        for layer in base.manifest.iter().flat_map(|(manifest, _)| &manifest.layers) {
            let media_type = self.family.layer(&layer.media_type).ok_or_else(|| BuildError::Zstd {
                base: self.bases.title().to_owned(),
            })?;
            descriptors.push(Descriptor {
                media_type: media_type.to_owned(),
                ..layer.clone()
            });
        }
        descriptors.extend(layers.iter().map(|layer| self.descriptor(layer)));
        let manifest = Manifest::image(ImageManifest {
            schema_version: 2,
            media_type: self.family.manifest().to_owned(),
            config: config.descriptor.clone(),
            layers: descriptors,
            annotations: self.annotations(),
        })?;
        Ok(Assembled {
            platform,
            config,
            manifest,
        })
    }

    pub(super) fn index(&self, images: &[Assembled]) -> Result<Manifest, BuildError> {
        let entry = |image: &Assembled| image.manifest.descriptor.clone().with_platform(image.platform.clone());
        Ok(Manifest::index(Index {
            schema_version: 2,
            media_type: self.family.index().to_owned(),
            manifests: images.iter().map(entry).collect(),
            annotations: self.annotations(),
        })?)
    }

    pub(super) fn descriptor(&self, layer: &Layer) -> Descriptor {
        let mut descriptor = Descriptor::new(self.family.layer_gzip(), layer.digest, layer.size);
        // Docker's descriptors have no annotations.
        if self.family == Family::Oci && layer.has_manifest {
            let annotations = json!({ LAYER_ANNOTATION: MANIFEST_LAYER });
            descriptor.rest.insert("annotations".to_owned(), annotations);
        }
        descriptor
    }

    fn edit(&self, recipe: &Recipe, config: &mut ImageConfig, layers: &[Layer]) -> Result<(), ConfigError> {
        config.set_created(self.created)?;
        if self.describes_itself {
            let digest = self.bases.digest.map(|digest| digest.to_string());
            config.set_label(BASE_NAME, self.bases.registry_name.as_deref())?;
            config.set_label(BASE_DIGEST, digest.as_deref())?;
        }
        // What the base says of its own migrations is not true here.
        for (key, value) in contents::labels(self.contents) {
            config.set_label(key, value.as_deref())?;
        }
        let told = history::Told::new(layers, self.created);
        let mut history = told.files();
        let mut environment = Vec::new();
        for step in &recipe.steps {
            match step {
                Step::Files(_) => {}
                Step::Change(change) => {
                    if apply(config, change)? {
                        history.extend(told.change(change));
                    }
                }
                Step::Instruction { text, entries, changes } => {
                    for change in changes {
                        match change {
                            // A config with thousands of variables is not read and written for each of them.
                            Change::Environment {
                                name,
                                value,
                                unless_set: false,
                            } => environment.push((name.clone(), value.clone())),
                            other => {
                                apply(config, other)?;
                            }
                        }
                    }
                    if !text.is_empty() {
                        history.push(told.instruction(text, entries.is_empty()));
                    }
                }
            }
        }
        if !environment.is_empty() {
            config.set_all_env(&environment)?;
        }
        let diff_ids: Vec<Digest> = layers.iter().map(|layer| layer.diff_id).collect();
        config.append(&diff_ids, &history)
    }

    /// Docker's manifests have no annotations; the labels say the same there.
    fn annotations(&self) -> Map<String, Value> {
        if self.family == Family::Docker {
            return Map::new();
        }
        let base = [
            (BASE_NAME, self.bases.registry_name.clone()),
            (BASE_DIGEST, self.bases.digest.map(|digest| digest.to_string())),
        ];
        let base = base
            .into_iter()
            .chain(contents::labels(self.contents))
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        let mut all: BTreeMap<String, String> = base.collect();
        all.extend(self.annotations.clone());
        all.into_iter()
            .map(|(key, value)| (key, Value::String(value)))
            .collect()
    }
}

/// Makes a change, and tells whether there was one to make.
fn apply(config: &mut ImageConfig, change: &Change) -> Result<bool, ConfigError> {
    match change {
        Change::Environment {
            name,
            value,
            unless_set,
        } => {
            if *unless_set && config.env_value(name)?.is_some() {
                return Ok(false);
            }
            config.set_env(name, value)?;
        }
        Change::WorkingDirectory(path) => config.set_execution("WorkingDir", &path.to_string())?,
        Change::User(user) => config.set_execution("User", user)?,
        Change::Entrypoint { arguments, unless_set } => {
            if *unless_set && !config.entrypoint()?.is_empty() {
                return Ok(false);
            }
            config.set_execution("Entrypoint", arguments)?;
        }
        Change::Command(arguments) => config.set_execution("Cmd", arguments)?,
        Change::Label { key, value } => config.set_label(key, value.as_deref())?,
        Change::Expose(ports) => config.add_execution("ExposedPorts", ports)?,
        Change::Volumes(directories) => config.add_execution("Volumes", directories)?,
        Change::Healthcheck(check) => config.set_execution("Healthcheck", check)?,
        Change::Shell(words) => config.set_execution("Shell", words)?,
        Change::StopSignal(signal) => config.set_execution("StopSignal", signal)?,
        Change::OnBuild(instruction) => {
            let mut all = config.triggers()?;
            all.push(instruction.clone());
            config.set_execution("OnBuild", &all)?;
        }
        Change::NoOnBuild => config.remove_execution("OnBuild")?,
        Change::Author(author) => config.set_author(author)?,
    }
    Ok(true)
}
