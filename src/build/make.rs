//! Making the image: base, layers, configs and manifests, each handed over as soon as it is known.

use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use tokio::sync::oneshot;

use super::BuildError;
use super::assemble::{Assembled, Assembly};
use super::base::{BaseImage, Bases};
use super::contents::Contents;
use super::layer::{self, Layer, LayerPlan};
use super::place::{self, Ground};
use super::ship::{BuiltLayer, BuiltPlatform, Order};
use crate::content::tree::Tree;
use crate::content::{Blob, Delivery, Image, Origin, Transfer};
use crate::oci::{Descriptor, Digest, Family, ImageConfig};
use crate::progress::{Event, Progress};
use crate::recipe::{Recipe, Step};

/// The image, and what is told of it.
pub(super) struct Made {
    pub image: Image,
    pub platforms: Vec<BuiltPlatform>,
    pub layers: Vec<BuiltLayer>,
    pub base_name: Option<String>,
    pub base_digest: Option<Digest>,
}

/// A layer that is packed, for all platforms it is the same for.
type Group = (LayerPlan, Layer);

/// What making an image needs.
pub(super) struct Making<'a> {
    pub order: &'a Order,
    pub deliveries: &'a [Delivery],
    pub transfers: &'a [Transfer],
    pub progress: &'a dyn Progress,
    /// What the image tells of its migrations.
    pub contents: Option<Contents>,
}

impl Making<'_> {
    pub(super) async fn make(&self, found: oneshot::Sender<()>) -> Result<Made, BuildError> {
        let fixed = self.order.blueprint.recipe();
        let known = fixed.and_then(|recipe| Some((recipe, recipe.known_base.as_ref()?)));
        let known = known.filter(|(recipe, known)| place::is_enough(known, recipe));
        let early = async {
            let (recipe, ground) = match (fixed, known) {
                (Some(recipe), _) if !self.order.blueprint.has_base() => (recipe, Ground::Nothing),
                (Some(recipe), Some((_, known))) => (recipe, Ground::Known(known)),
                _ => return Ok(None),
            };
            self.layers(recipe, ground, &mut Vec::new()).await.map(Some)
        };
        // What a recipe that follows from the base refuses, a secret say, is known before anything is sent.
        let (found, later) = match fixed {
            Some(_) => (Some(found), None),
            None => (None, Some(found)),
        };
        let (early, (bases, configs)) = try_join(early, self.base(found)).await?;
        let mut recipes = Vec::new();
        for (base, config) in bases.images.iter().zip(&configs) {
            recipes.push(self.order.blueprint.recipe_on(base, config, self.progress).await?);
        }
        // Nobody listens when nothing can be written before the digest is known.
        let _ = later.map(|found| found.send(()));
        let family = self.order.family.unwrap_or(bases.family);
        if family == Family::Docker && self.order.insists_on_annotations {
            return Err(BuildError::Annotations {
                base: bases.title().to_owned(),
            });
        }
        let assembly = Assembly {
            bases: &bases,
            family,
            created: &self.order.created,
            describes_itself: self.order.describes_itself,
            annotations: &self.order.annotations,
            contents: self.contents.as_ref(),
        };
        let mut groups: Vec<Group> = Vec::new();
        let mut images: Vec<(Assembled, Arc<Vec<Layer>>)> = Vec::new();
        for ((base, config), recipe) in bases.images.iter().zip(configs).zip(recipes) {
            let layers = match (&early, &base.manifest) {
                (Some(layers), manifest) if manifest.is_none() || known.is_some_and(|(_, known)| known.is(&config)) => {
                    Arc::clone(layers)
                }
                (_, Some((manifest, source))) => {
                    let cache = Some(self.order.cache.clone());
                    let tree = Tree::new(Arc::clone(source), manifest.layers.clone(), cache);
                    self.layers(&recipe, Ground::Layers(&tree), &mut groups).await?
                }
                (_, None) => self.layers(&recipe, Ground::Nothing, &mut groups).await?,
            };
            let image = assembly.image(&recipe, base, config, &layers)?;
            self.send(image.config.clone());
            images.push((image, layers));
        }
        self.finish(&bases, &assembly, images)
    }

    /// Reads the base; its layers are handed over before its configs are there.
    async fn base(&self, found: Option<oneshot::Sender<()>>) -> Result<(Bases, Vec<ImageConfig>), BuildError> {
        let platforms = &self.order.platforms;
        let bases = self.order.blueprint.bases(platforms, self.progress).await?;
        // Nobody listens when nothing can be written before the digest is known.
        let _ = found.map(|found| found.send(()));
        for blob in bases.images.iter().flat_map(base_blobs) {
            self.send(blob);
        }
        let configs = try_join_all(bases.images.iter().map(|image| bases.config(image, platforms))).await?;
        Ok((bases, configs))
    }

    /// Packs the layers of a recipe on a base, except those that are there from another base.
    async fn layers(
        &self,
        recipe: &Recipe,
        ground: Ground<'_>,
        groups: &mut Vec<Group>,
    ) -> Result<Arc<Vec<Layer>>, BuildError> {
        let placed = place::place(recipe, ground).await?;
        let mut plans = layer::plan(&placed);
        if let Some(contents) = &self.contents {
            contents.lead(&mut plans)?;
        }
        plans.extend(recipe.steps.iter().filter_map(|step| match step {
            Step::Instruction { entries, .. } if !entries.is_empty() => Some(LayerPlan {
                entries: entries.clone(),
                of_instruction: true,
                has_manifest: false,
            }),
            _ => None,
        }));
        let mut layers = Vec::new();
        for plan in plans {
            let layer = match groups.iter().find(|(same, _)| *same == plan) {
                Some((_, layer)) => layer.clone(),
                None => {
                    let layer = self.pack(plan.clone()).await?;
                    groups.push((plan, layer.clone()));
                    layer
                }
            };
            layers.push(layer);
        }
        Ok(Arc::new(layers))
    }

    async fn pack(&self, plan: LayerPlan) -> Result<Layer, BuildError> {
        let (file_time, folder) = (self.order.file_time, self.order.temp_folder.clone());
        let layer = tokio::task::spawn_blocking(move || plan.pack(file_time, &folder)).await??;
        self.progress.on(&Event::Packed {
            files: layer.files.len(),
            size: layer.size,
            digest: &layer.digest,
        });
        // Whether the layer is in the image may be open until the base's config is known. A registry forgets what no
        // manifest names, a layout does not: there it goes with the rest.
        for (delivery, transfer) in self.deliveries.iter().zip(self.transfers) {
            if delivery.present.is_some() {
                transfer.send(layer_blob(&layer));
            }
        }
        Ok(layer)
    }

    fn send(&self, blob: Blob) {
        for transfer in self.transfers {
            transfer.send(blob.clone());
        }
    }

    fn finish(
        &self,
        bases: &Bases,
        assembly: &Assembly<'_>,
        images: Vec<(Assembled, Arc<Vec<Layer>>)>,
    ) -> Result<Made, BuildError> {
        let mut blobs: Vec<Blob> = bases.images.iter().flat_map(base_blobs).collect();
        let mut layers: Vec<BuiltLayer> = Vec::new();
        for (image, of_image) in &images {
            blobs.push(image.config.clone());
            for layer in of_image.iter() {
                let descriptor = assembly.descriptor(layer);
                if !layers.iter().any(|known| known.descriptor.digest == descriptor.digest) {
                    blobs.push(layer_blob(layer));
                    layers.push(BuiltLayer {
                        descriptor,
                        diff_id: layer.diff_id,
                        files: layer.files.clone(),
                    });
                }
            }
        }
        let platforms = images
            .iter()
            .map(|(image, _)| BuiltPlatform {
                platform: image.platform.clone(),
                manifest: image.manifest.digest(),
                config: image.config.descriptor.digest,
            })
            .collect();
        let mut images: Vec<Assembled> = images.into_iter().map(|(image, _)| image).collect();
        let (root, children) = if bases.is_index {
            let index = assembly.index(&images)?;
            (index, images.into_iter().map(|image| image.manifest).collect())
        } else {
            let only = images.pop().ok_or_else(|| BuildError::NoImage {
                base: bases.title().to_owned(),
            })?;
            (only.manifest, Vec::new())
        };
        Ok(Made {
            image: Image { root, children, blobs },
            platforms,
            layers,
            base_name: bases.name.clone(),
            base_digest: bases.digest,
        })
    }
}

/// The layers of a base that have to be where the image is. Foreign layers stay where their addresses say.
fn base_blobs(base: &BaseImage) -> Vec<Blob> {
    let Some((manifest, source)) = &base.manifest else {
        return Vec::new();
    };
    manifest
        .layers
        .iter()
        .filter(|layer| !layer.rest.contains_key("urls"))
        .map(|layer| Blob {
            descriptor: layer.clone(),
            origin: Origin::Source(Arc::clone(source)),
        })
        .collect()
}

/// A new layer on its way. What its manifest calls it does not matter to whoever stores it.
fn layer_blob(layer: &Layer) -> Blob {
    Blob {
        descriptor: Descriptor::new(Family::Oci.layer_gzip(), layer.digest, layer.size),
        origin: Origin::Spool(Arc::clone(&layer.spool)),
    }
}
