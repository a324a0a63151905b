//! Making the image: base, layers, configs and manifests, each handed over as soon as it is known.

use std::sync::Arc;

use futures_util::future::{try_join_all, try_join3};
use tokio::sync::oneshot;

use super::BuildError;
use super::assemble::{Assembled, Assembly};
use super::base::{BaseImage, Bases};
use super::layer::{self, Layer, LayerPlan};
use super::place::{self, Ground};
use super::ship::{BuiltLayer, BuiltPlatform, Order, SetDigest};
use crate::content::tree::Tree;
use crate::content::{Blob, Delivery, Image, Origin, Transfer};
use crate::oci::{Descriptor, Digest, Family, ImageConfig};
use crate::progress::{Event, Progress};
use crate::recipe::{ImagePath, KnownBase};

/// The image, and what is told of it.
pub(super) struct Made {
    pub image: Image,
    pub platforms: Vec<BuiltPlatform>,
    pub layers: Vec<BuiltLayer>,
    pub base_digest: Option<Digest>,
    pub set_digest: Option<String>,
}

/// Layers packed for one layout of a base, shared by all platforms that have it.
type Group = (Vec<ImagePath>, Arc<Vec<Layer>>);

/// What making an image needs.
pub(super) struct Making<'a> {
    pub order: &'a Order,
    pub deliveries: &'a [Delivery],
    pub transfers: &'a [Transfer],
    pub progress: &'a dyn Progress,
}

impl Making<'_> {
    pub(super) async fn make(&self, set_digest: SetDigest<'_>, found: oneshot::Sender<()>) -> Result<Made, BuildError> {
        let known = self.order.recipe.known_base.as_ref();
        let known = known.filter(|known| place::is_enough(known, &self.order.recipe));
        let early = async {
            let ground = match (&self.order.base, known) {
                (None, _) => Ground::Nothing,
                (Some(_), Some(known)) => Ground::Known(known),
                (Some(_), None) => return Ok(None),
            };
            self.layers(ground, &mut Vec::new()).await.map(Some)
        };
        let (early, (bases, configs), set_digest) = try_join3(early, self.base(found), set_digest).await?;
        let family = self.order.family.unwrap_or(bases.family);
        if family == Family::Docker && self.order.insists_on_annotations {
            return Err(BuildError::Annotations {
                base: bases.title().to_owned(),
            });
        }
        let assembly = Assembly {
            recipe: &self.order.recipe,
            bases: &bases,
            family,
            created: &self.order.created,
            annotations: &self.order.annotations,
            set_digest: set_digest.as_deref(),
        };
        let mut groups: Vec<Group> = Vec::new();
        let mut images: Vec<(Assembled, Arc<Vec<Layer>>)> = Vec::new();
        for (base, config) in bases.images.iter().zip(configs) {
            let layers = match &early {
                Some(layers) if base.manifest.is_none() || is_known(known, &config) => Arc::clone(layers),
                _ => match &base.manifest {
                    Some((manifest, source)) => {
                        let cache = Some(self.order.cache.clone());
                        let tree = Tree::new(Arc::clone(source), manifest.layers.clone(), cache);
                        self.layers(Ground::Layers(&tree), &mut groups).await?
                    }
                    None => self.layers(Ground::Nothing, &mut groups).await?,
                },
            };
            let image = assembly.image(base, config, &layers)?;
            self.send(image.config.clone());
            images.push((image, layers));
        }
        self.finish(&bases, &assembly, images)
    }

    /// Reads the base; its layers are handed over before its configs are there.
    async fn base(&self, found: oneshot::Sender<()>) -> Result<(Bases, Vec<ImageConfig>), BuildError> {
        let platforms = &self.order.platforms;
        let bases = match &self.order.base {
            None => Bases::scratch(platforms),
            Some((name, source, selector)) => Bases::resolve(name, source, selector, platforms, self.progress).await?,
        };
        // Nobody listens when nothing can be written before the digest is known.
        let _ = found.send(());
        for blob in bases.images.iter().flat_map(base_blobs) {
            self.send(blob);
        }
        let configs = try_join_all(bases.images.iter().map(|image| bases.config(image, platforms))).await?;
        Ok((bases, configs))
    }

    /// Packs the layers for a base, unless they were packed for another one of the same layout.
    async fn layers(&self, ground: Ground<'_>, groups: &mut Vec<Group>) -> Result<Arc<Vec<Layer>>, BuildError> {
        let entries = place::place(&self.order.recipe, ground).await?;
        let paths: Vec<ImagePath> = entries.iter().map(|entry| entry.path.clone()).collect();
        if let Some((_, layers)) = groups.iter().find(|(same, _)| *same == paths) {
            return Ok(Arc::clone(layers));
        }
        let mut layers = Vec::new();
        for plan in layer::plan(&entries) {
            layers.push(self.pack(plan).await?);
        }
        let layers = Arc::new(layers);
        groups.push((paths, Arc::clone(&layers)));
        Ok(layers)
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
            base_digest: bases.digest,
            set_digest: assembly.set_digest.map(str::to_owned),
        })
    }
}

/// Whether a base is one the profile knows: it starts the program, nothing before it, and from its directory. A
/// wrapper of the program may be part of an image that is laid out in another way.
fn is_known(known: Option<&KnownBase>, config: &ImageConfig) -> bool {
    let Some(known) = known else { return false };
    let (Ok(entrypoint), Ok(directory)) = (config.entrypoint(), config.working_directory()) else {
        return false;
    };
    let [program] = entrypoint.as_slice() else {
        return false;
    };
    let home = known.directory.to_string();
    (*program == known.program || *program == format!("{home}/{}", known.program)) && directory == home
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_program_makes_a_base_known() {
        let known = KnownBase {
            program: "flyway".to_owned(),
            directory: "/flyway".parse().expect("path"),
        };
        let is_known = |execution: &str| {
            let text = format!(
                r#"{{"os":"linux","architecture":"amd64","config":{execution},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#
            );
            super::is_known(Some(&known), &ImageConfig::parse(text.as_bytes()).expect(execution))
        };
        assert!(is_known(r#"{"Entrypoint":["flyway"],"WorkingDir":"/flyway"}"#));
        assert!(is_known(r#"{"Entrypoint":["/flyway/flyway"],"WorkingDir":"/flyway"}"#));
        for execution in [
            "{}",
            r#"{"Entrypoint":["flyway"]}"#,
            r#"{"Entrypoint":["flyway"],"WorkingDir":"/work"}"#,
            r#"{"Entrypoint":["flyway","migrate"],"WorkingDir":"/flyway"}"#,
            r#"{"Entrypoint":["/opt/flyway"],"WorkingDir":"/flyway"}"#,
            r#"{"Entrypoint":["tini","flyway"],"WorkingDir":"/flyway"}"#,
        ] {
            assert!(!is_known(execution), "{execution}");
        }
    }
}
