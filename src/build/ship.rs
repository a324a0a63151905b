//! Building an image and delivering it, both at once: layers travel while the base is still being looked up, and
//! nothing travels when the image is there already.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::{BoxFuture, try_join, try_join_all, try_join3};

use super::BuildError;
use super::assemble::{Assembled, Assembly, SET_DIGEST_LABEL};
use super::base::{BaseImage, Bases, Platforms};
use super::layer::{self, Layer, LayerPlan};
use super::place::{self, Ground};
use crate::content::tree::Tree;
use crate::content::{self, Blob, Cache, Image, Origin, Selector, Source, TagRule, Target, Transfer};
use crate::oci::{Body, Descriptor, Digest, Family, ImageConfig, Manifest, Platform, Tag};
use crate::progress::{Event, Progress};
use crate::recipe::{ImagePath, KnownBase, Recipe};

/// What is to be built.
#[derive(Debug)]
pub struct Order {
    /// What to add and to change.
    pub recipe: Recipe,
    /// The base: its name, where it is, which one it is there; `None` to start from nothing.
    pub base: Option<(String, Arc<dyn Source>, Selector)>,
    /// For which platforms.
    pub platforms: Platforms,
    /// The family of media types; `None` to stay in the base's.
    pub family: Option<Family>,
    /// The time the image says it was made at, in RFC 3339.
    pub created: String,
    /// The time all new files carry, in seconds since the epoch.
    pub file_time: u64,
    /// Annotations of the manifests.
    pub annotations: BTreeMap<String, String>,
    /// Whether the user asked for annotations, so that leaving them out would be a lie.
    pub insists_on_annotations: bool,
    /// Which tags must not move.
    pub rule: TagRule,
    /// Folder for temporary files.
    pub temp_folder: PathBuf,
    /// What is remembered of layers.
    pub cache: Cache,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Where an image is to go.
#[derive(Debug)]
pub struct Delivery {
    /// The place.
    pub target: Arc<dyn Target>,
    /// Under which tags.
    pub tags: Vec<Tag>,
    /// The same place to read from, where tags may have to stay; `None` where every tag may move.
    pub present: Option<Arc<dyn Source>>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The image is there now.
    Written,
    /// It was there before; nothing was written.
    Unchanged,
    /// Nothing was to be written.
    DryRun,
}

/// One delivery, done.
#[derive(Debug)]
pub struct Delivered {
    /// What became of it.
    pub status: Status,
    /// The digest that is there now: the image's, or that of an image with the same migrations that stays.
    pub digest: Digest,
}

/// One new layer.
#[derive(Debug)]
pub struct BuiltLayer {
    /// How the manifest names it.
    pub descriptor: Descriptor,
    /// Digest of its tar bytes.
    pub diff_id: Digest,
    /// Its files.
    pub files: Vec<ImagePath>,
}

/// The image for one platform.
#[derive(Debug)]
pub struct BuiltPlatform {
    /// The platform.
    pub platform: Platform,
    /// Its manifest.
    pub manifest: Digest,
    /// Its config.
    pub config: Digest,
}

/// What was built, and where it went.
#[derive(Debug)]
pub struct Built {
    /// The image.
    pub root: Manifest,
    /// Its platforms.
    pub platforms: Vec<BuiltPlatform>,
    /// The new layers.
    pub layers: Vec<BuiltLayer>,
    /// What the base's name stood for.
    pub base_digest: Option<Digest>,
    /// Digest of the set of migrations.
    pub set_digest: Option<String>,
    /// The deliveries, in the order they were given.
    pub delivered: Vec<Delivered>,
}

/// The digest of the set of migrations, in hexadecimal digits; `None` where there are none. Reading large scripts takes
/// a while, so it is found out while the rest goes on.
pub type SetDigest<'a> = BoxFuture<'a, Result<Option<String>, BuildError>>;

/// Builds `order` and delivers it.
///
/// # Errors
/// The first failure. Every tag names what it named before then, or the whole new image.
pub async fn ship(
    order: &Order,
    set_digest: SetDigest<'_>,
    deliveries: &[Delivery],
    progress: &Arc<dyn Progress>,
) -> Result<Built, BuildError> {
    let transfers: Vec<Transfer> = deliveries
        .iter()
        .map(|delivery| Transfer::new(Arc::clone(&delivery.target), Arc::clone(progress)))
        .collect();
    let asking = async {
        let present = try_join_all(deliveries.iter().map(tags_of)).await?;
        // Without a tag that may turn out to be right already, everything will be written: it can go at once.
        if !order.dry_run && present.iter().flatten().all(Option::is_none) {
            transfers.iter().for_each(|transfer| transfer.begin(1));
        }
        Ok::<_, BuildError>(present)
    };
    let making = Making {
        order,
        transfers: &transfers,
        progress: progress.as_ref(),
    };
    let (present, made) = try_join(asking, making.make(set_digest)).await?;
    let set = made.set_digest.as_deref();
    let digest = made.image.root.digest();
    let plans = try_join_all(
        deliveries
            .iter()
            .zip(&present)
            .map(|(delivery, present)| decide(order, delivery, present, digest, set)),
    )
    .await?;
    let runs = plans.into_iter().zip(&transfers).map(|(plan, transfer)| async {
        match plan {
            _ if order.dry_run => Ok(Delivered {
                status: Status::DryRun,
                digest,
            }),
            Plan::Nothing(digest) => Ok(Delivered {
                status: Status::Unchanged,
                digest,
            }),
            Plan::Name(tags) => {
                transfer.name(&made.image.root, &tags).await?;
                Ok::<_, BuildError>(Delivered {
                    status: Status::Written,
                    digest,
                })
            }
            Plan::All(tags) => {
                transfer.complete(&made.image, &tags).await?;
                Ok(Delivered {
                    status: Status::Written,
                    digest,
                })
            }
        }
    });
    let delivered = try_join_all(runs).await?;
    // What is written here appears when everything has arrived everywhere, or not at all.
    for (delivery, delivered) in deliveries.iter().zip(&delivered) {
        if delivered.status == Status::Written {
            delivery.target.commit().await?;
        }
    }
    Ok(Built {
        root: made.image.root,
        platforms: made.platforms,
        layers: made.layers,
        base_digest: made.base_digest,
        set_digest: made.set_digest,
        delivered,
    })
}

async fn tags_of(delivery: &Delivery) -> Result<Vec<Option<Digest>>, BuildError> {
    Ok(try_join_all(delivery.tags.iter().map(|tag| delivery.target.tagged(tag))).await?)
}

/// What has to be done for one delivery.
enum Plan {
    /// Nothing; this digest is there.
    Nothing(Digest),
    /// The image is there and gets these tags.
    Name(Vec<Tag>),
    /// Everything, under these tags.
    All(Vec<Tag>),
}

async fn decide(
    order: &Order,
    delivery: &Delivery,
    present: &[Option<Digest>],
    digest: Digest,
    set: Option<&str>,
) -> Result<Plan, BuildError> {
    let mut tags = Vec::new();
    let mut stays = None;
    for (tag, named) in delivery.tags.iter().zip(present) {
        match (named, &delivery.present) {
            (Some(named), _) if *named == digest => {}
            (Some(named), Some(source)) if order.rule.is_fixed(tag) => {
                if !holds_same_set(set, tag, source, named).await? {
                    return Err(BuildError::Fixed {
                        tag: tag.clone(),
                        place: delivery.target.place(),
                        present: *named,
                        built: digest,
                    });
                }
                stays = Some(*named);
            }
            _ => tags.push(tag.clone()),
        }
    }
    let is_there = present.contains(&Some(digest));
    Ok(match (tags.is_empty(), is_there, stays) {
        (true, true, _) => Plan::Nothing(digest),
        (true, false, Some(other)) => Plan::Nothing(other),
        (false, true, _) => Plan::Name(tags),
        (_, false, _) => Plan::All(tags),
    })
}

/// Whether a tag that was made from the digest of the migrations names an image that holds just these.
async fn holds_same_set(
    set: Option<&str>,
    tag: &Tag,
    source: &Arc<dyn Source>,
    digest: &Digest,
) -> Result<bool, BuildError> {
    let Some(set) = set else { return Ok(false) };
    if !tag.as_str().contains(&set[..12.min(set.len())]) {
        return Ok(false);
    }
    let mut manifest = source.resolve(&Selector::Digest(*digest)).await?;
    if let Body::Index(index) = &manifest.body {
        let Some(child) = index.manifests.iter().find(|child| !child.is_attestation()) else {
            return Ok(false);
        };
        manifest = source.resolve(&Selector::Digest(child.digest)).await?;
    }
    let Body::Image(image) = &manifest.body else {
        return Ok(false);
    };
    let bytes = content::read(source, &image.config, content::CONFIG_LIMIT).await?;
    let labels = ImageConfig::parse(&bytes).and_then(|config| config.labels());
    Ok(labels.is_ok_and(|labels| labels.get(SET_DIGEST_LABEL).map(String::as_str) == Some(set)))
}

/// The image, and what is told of it.
struct Made {
    image: Image,
    platforms: Vec<BuiltPlatform>,
    layers: Vec<BuiltLayer>,
    base_digest: Option<Digest>,
    set_digest: Option<String>,
}

/// Layers packed for one layout of a base, shared by all platforms that have it.
type Group = (Vec<ImagePath>, Arc<Vec<Layer>>);

struct Making<'a> {
    order: &'a Order,
    transfers: &'a [Transfer],
    progress: &'a dyn Progress,
}

impl Making<'_> {
    async fn make(&self, set_digest: SetDigest<'_>) -> Result<Made, BuildError> {
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
        let (early, (bases, configs), set_digest) = try_join3(early, self.base(), set_digest).await?;
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
    async fn base(&self) -> Result<(Bases, Vec<ImageConfig>), BuildError> {
        let platforms = &self.order.platforms;
        let bases = match &self.order.base {
            None => Bases::scratch(platforms),
            Some((name, source, selector)) => Bases::resolve(name, source, selector, platforms, self.progress).await?,
        };
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
        self.send(layer_blob(&layer));
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

fn is_known(known: Option<&KnownBase>, config: &ImageConfig) -> bool {
    let program = config
        .entrypoint()
        .ok()
        .and_then(|entrypoint| entrypoint.into_iter().next());
    match (known, program) {
        (Some(known), Some(program)) => program.rsplit('/').next() == Some(known.program.as_str()),
        _ => false,
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
