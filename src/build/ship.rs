//! Building an image and delivering it, both at once: layers travel while the base is still being looked up, and
//! nothing travels when the image is there already.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use tokio::sync::oneshot;

use super::BuildError;
use super::base::Platforms;
use super::blueprint::Blueprint;
use super::contents::Contents;
use super::decide::decide;
use super::make::Making;
use crate::content::delivery::{self, Parcel};
use crate::content::{Cache, Delivered, Delivery, TagRule, Transfer};
use crate::migrations::manifest::Manifest;
use crate::oci::{self, Descriptor, Digest, Family, Platform};
use crate::progress::Progress;
use crate::recipe::ImagePath;

/// What is to be built.
#[derive(Debug)]
pub struct Order {
    /// From what.
    pub blueprint: Arc<dyn Blueprint>,
    /// For which platforms.
    pub platforms: Platforms,
    /// The family of media types; `None` to stay in the base's.
    pub family: Option<Family>,
    /// The time the image says it was made at, in RFC 3339.
    pub created: String,
    /// The time all new files carry, in seconds since the epoch.
    pub file_time: u64,
    /// Whether the image's labels say what it was built from. The labels of a Dockerfile's are what the Dockerfile says.
    pub describes_itself: bool,
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
    /// The migrations, for an image that tells of them.
    pub manifest: Option<Manifest>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

impl Order {
    /// Digest of the set of migrations, in hexadecimal digits.
    pub(super) fn set_digest(&self) -> Option<&str> {
        let digest = self.manifest.as_ref()?.set_digest.as_str();
        Some(digest.strip_prefix("sha256:").unwrap_or(digest))
    }
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
    pub root: oci::Manifest,
    /// Its platforms.
    pub platforms: Vec<BuiltPlatform>,
    /// The new layers.
    pub layers: Vec<BuiltLayer>,
    /// The base's name.
    pub base_name: Option<String>,
    /// What the base's name stood for.
    pub base_digest: Option<Digest>,
    /// Digest of the set of migrations.
    pub set_digest: Option<String>,
    /// The deliveries, in the order they were given.
    pub delivered: Vec<Delivered>,
}

impl Built {
    /// What is at the first delivery now, or would be; the image where there is none.
    #[must_use]
    pub fn present(&self) -> &Descriptor {
        self.delivered
            .first()
            .map_or(&self.root.descriptor, |delivered| &delivered.image)
    }
}

/// Builds `order` and delivers it.
///
/// # Errors
/// The first failure. Every tag names what it named before then, or the whole new image.
pub async fn ship(order: &Order, deliveries: &[Delivery], progress: &Arc<dyn Progress>) -> Result<Built, BuildError> {
    let transfers: Vec<Transfer> = deliveries
        .iter()
        .map(|delivery| Transfer::new(Arc::clone(&delivery.target), Arc::clone(progress)))
        .collect();
    let (found, base_is_found) = oneshot::channel();
    let asking = async {
        let present = try_join_all(deliveries.iter().map(Delivery::ask)).await?;
        // Without a tag that may turn out to be right already, everything will be written: it can go as soon as it is
        // sure that there is a base. A registry may create a repository at the first request that writes.
        if !order.dry_run && present.iter().flatten().all(Option::is_none) && base_is_found.await.is_ok() {
            transfers.iter().for_each(|transfer| transfer.begin(1));
        }
        Ok::<_, BuildError>(present)
    };
    let making = Making {
        order,
        deliveries,
        transfers: &transfers,
        progress: progress.as_ref(),
        contents: order.manifest.as_ref().map(Contents::of),
    };
    let (present, made) = try_join(asking, making.make(found)).await?;
    let set = order.set_digest();
    let root = &made.image.root;
    let plans = try_join_all(
        deliveries
            .iter()
            .zip(&present)
            .map(|(delivery, present)| decide(order, delivery, present, root, set)),
    )
    .await?;
    let delivered = plans.iter().map(|plan| plan.outcome(root, order.dry_run)).collect();
    if !order.dry_run {
        let all = deliveries.iter().zip(&transfers).zip(plans);
        let parcels: Vec<Parcel<'_>> = all
            .map(|((delivery, transfer), plan)| Parcel {
                delivery,
                transfer,
                plan,
            })
            .collect();
        delivery::fill(&parcels, &made.image).await?;
        delivery::publish(&parcels, &made.image).await?;
    }
    Ok(Built {
        root: made.image.root,
        platforms: made.platforms,
        layers: made.layers,
        base_name: made.base_name,
        base_digest: made.base_digest,
        set_digest: order.set_digest().map(str::to_owned),
        delivered,
    })
}
