//! Reading what `docker save` writes.
//!
//! It names a config and plain tar files. The manifest a registry would hold is made here: the config's exact bytes,
//! and the layers packed the way our own are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::DOCKER_MANIFEST_FILE;
use super::members::Members;
use super::pack::Packer;
use crate::content::format::catalog::{Catalog, Listed};
use crate::content::known::LayersByDiffId;
use crate::content::verify::verified;
use crate::content::{
    BlobStream, CONFIG_LIMIT, ContentError, Kind, KnownLayers, MANIFEST_LIMIT, Result, Selector, Source,
};
use crate::oci::{Descriptor, Digest, Family, ImageConfig, ImageManifest, Manifest, Tag};

/// An image as `manifest.json` names it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// The images `docker save` wrote.
#[derive(Debug)]
pub(super) struct DockerImages {
    members: Members,
    catalog: Catalog,
    images: Vec<SavedImage>,
    packed: Mutex<Packed>,
    known: Option<KnownLayers>,
    /// The layers that were named as the known image names them.
    named: std::sync::Mutex<HashMap<Digest, Descriptor>>,
}

/// What was packed so far.
#[derive(Debug)]
struct Packed {
    packer: Packer,
    manifests: HashMap<usize, Manifest>,
}

impl DockerImages {
    /// Reads the `manifest.json` of an archive; packed layers will lie in `temporary`.
    /// Layers of `known` are not packed.
    pub(super) async fn open(members: Members, temporary: PathBuf, known: Option<KnownLayers>) -> Result<Self> {
        let what = format!("{DOCKER_MANIFEST_FILE} of {}", members.place());
        let bytes = members
            .require(DOCKER_MANIFEST_FILE)?
            .read(&what, MANIFEST_LIMIT)
            .await?;
        let images: Vec<SavedImage> = serde_json::from_slice(&bytes)
            .map_err(|error| ContentError::new(Kind::Invalid, format!("cannot read {what}")).because(error))?;
        let listed = images.iter().map(|image| Listed {
            identity: image.config.clone(),
            names: image.repo_tags.clone().unwrap_or_default(),
            is_referrer: false,
        });
        Ok(Self {
            catalog: Catalog {
                place: members.place(),
                address: format!("docker-archive:{}", members.path().display()),
                images: listed.collect(),
            },
            packed: Mutex::new(Packed {
                packer: Packer::new(members.place(), temporary),
                manifests: HashMap::new(),
            }),
            members,
            images,
            known,
            named: std::sync::Mutex::default(),
        })
    }

    pub(super) fn place(&self) -> String {
        self.members.place()
    }

    pub(super) async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        match selector {
            Selector::Tag(tag) => self.manifest(self.catalog.tagged(tag)?).await,
            Selector::Name(name) => self.manifest(self.catalog.named(name)?).await,
            Selector::Only => self.manifest(self.catalog.only()?).await,
            Selector::Digest(digest) => {
                // Digests are known only once all is packed.
                for number in 0..self.images.len() {
                    let manifest = self.manifest(number).await?;
                    if manifest.digest() == *digest {
                        return Ok(manifest);
                    }
                }
                Err(
                    ContentError::new(Kind::NotFound, format!("cannot read {digest} in {}", self.place()))
                        .because("none of its images gets this digest when its layers are compressed"),
                )
            }
        }
    }

    pub(super) fn names(&self, selector: &Selector) -> Vec<String> {
        self.catalog.full_names(selector)
    }

    pub(super) fn tags(&self, selector: &Selector) -> Vec<Tag> {
        self.catalog.tags(selector)
    }

    /// Where a layer is that is not read from the archive.
    pub(super) fn holder(&self, blob: &Digest) -> Option<&Arc<dyn Source>> {
        let known = self.known.as_ref()?;
        self.named(blob).map(|_| known.source())
    }

    /// A layer as the known image names it.
    fn named(&self, blob: &Digest) -> Option<Descriptor> {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.get(blob).cloned()
    }

    pub(super) async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        if let (Some(known), Some(named)) = (&self.known, self.named(&blob.digest)) {
            return known.source().fetch(&named).await;
        }
        let region = self.packed.lock().await.packer.get(&blob.digest);
        let region = region.ok_or_else(|| {
            ContentError::new(Kind::NotFound, format!("{} has no blob {}", self.place(), blob.digest))
        })?;
        Ok(verified(region.stream(&self.place()), blob, &self.place()))
    }

    /// The manifest of an image, for which its layers are packed once.
    async fn manifest(&self, number: usize) -> Result<Manifest> {
        let mut packed = self.packed.lock().await;
        if let Some(manifest) = packed.manifests.get(&number) {
            return Ok(manifest.clone());
        }
        let image = &self.images[number];
        let what = format!("config {} of {}", image.config, self.place());
        let invalid = |why: String| ContentError::new(Kind::Invalid, format!("cannot read {what}")).because(why);
        let region = self.members.require(&image.config)?;
        let config = region.read(&what, CONFIG_LIMIT).await?;
        let parsed = ImageConfig::parse(&config).and_then(|config| Ok((config.diff_ids()?, config)));
        let (diff_ids, parsed) =
            parsed.map_err(|error| ContentError::new(Kind::Invalid, format!("cannot read {what}")).because(error))?;
        let files = image.layers.as_deref().unwrap_or_default();
        if files.len() != diff_ids.len() {
            return Err(invalid(format!(
                "it lists {} layers, {DOCKER_MANIFEST_FILE} {}",
                diff_ids.len(),
                files.len()
            )));
        }
        let known = match (&self.known, parsed.platform()) {
            (Some(known), Ok(platform)) => known.layers(&platform).await?,
            _ => LayersByDiffId::default(),
        };
        let family = known.family.unwrap_or(Family::Docker);
        let mut layers = Vec::new();
        for (file, diff_id) in files.iter().zip(&diff_ids) {
            if let Some(layer) = known.get(diff_id) {
                let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
                named.insert(layer.digest, layer.clone());
                layers.push(layer.clone());
                continue;
            }
            let layer = packed.packer.pack(file, self.members.require(file)?).await?;
            if layer.diff_id != *diff_id {
                return Err(invalid(format!(
                    "it names layer {diff_id}, and {file} is {}",
                    layer.diff_id
                )));
            }
            layers.push(Descriptor::new(family.layer_gzip(), layer.digest, layer.size));
        }
        let descriptor = Descriptor::of(family.config(), &config);
        packed.packer.add(descriptor.digest, region);
        let manifest = Manifest::image(ImageManifest {
            schema_version: 2,
            media_type: family.manifest().to_owned(),
            config: descriptor,
            layers,
            annotations: serde_json::Map::new(),
        });
        let manifest = manifest.map_err(|error| {
            ContentError::new(Kind::Other, format!("cannot make a manifest for {what}")).because(error)
        })?;
        packed.manifests.insert(number, manifest.clone());
        Ok(manifest)
    }
}
