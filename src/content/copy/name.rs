//! More tags for an image that is there.

use std::sync::Arc;

use futures_util::future::try_join;

use super::not_required;
use crate::content::delivery::{self, Delivered, Delivery, Parcel, Plan};
use crate::content::{Image, Result, Selector, Source, TagRule, Transfer};
use crate::oci::{Digest, Manifest};
use crate::progress::Progress;

/// Which image gets which tags.
#[derive(Debug)]
pub struct Naming {
    /// The place, to read from.
    pub source: Arc<dyn Source>,
    /// Which image there.
    pub selector: Selector,
    /// The same place to write to, and the tags.
    pub delivery: Delivery,
    /// The digest the image must have.
    pub required: Option<Digest>,
    /// Which tags must not move.
    pub rule: TagRule,
}

/// Puts an image's manifest under more tags of the place it is at.
///
/// # Errors
/// As [`copy`](super::copy()).
pub async fn name(naming: &Naming, progress: &Arc<dyn Progress>) -> Result<(Manifest, Delivered)> {
    let delivery = &naming.delivery;
    let (named, root) = try_join(delivery.ask(), naming.source.resolve(&naming.selector)).await?;
    let digest = root.digest();
    if let Some(required) = naming.required.filter(|required| *required != digest) {
        return Err(not_required(naming.source.as_ref(), &digest, &required));
    }
    let mut standing = delivery.standing(&naming.rule, &named, &digest);
    if let Some((tag, named)) = standing.fixed.first() {
        return Err(delivery.refusal(tag, named, &digest));
    }
    standing.is_there = true;
    let plan: Plan = delivery.plan(standing, &root);
    let delivered = plan.outcome(&root, false);
    let transfer = Transfer::new(Arc::clone(&delivery.target), Arc::clone(progress));
    let parcel = Parcel {
        delivery,
        transfer: &transfer,
        plan,
    };
    let image = Image {
        root: root.clone(),
        children: Vec::new(),
        blobs: Vec::new(),
    };
    delivery::publish(&[parcel], &image).await?;
    Ok((root, delivered))
}
