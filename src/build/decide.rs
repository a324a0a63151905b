//! What has to be done for a delivery, given what its tags name now.

use std::sync::Arc;

use super::BuildError;
use super::contents::SET_DIGEST_LABEL;
use super::ship::Order;
use crate::content::delivery::Plan;
use crate::content::{self, Delivery, Selector, Source};
use crate::oci::{Body, Descriptor, Digest, ImageConfig, Manifest, Tag};

/// Finds out what has to be done for one delivery.
pub(super) async fn decide(
    order: &Order,
    delivery: &Delivery,
    present: &[Option<Digest>],
    root: &Manifest,
    set: Option<&str>,
) -> Result<Plan, BuildError> {
    let standing = delivery.standing(&order.rule, present, &root.digest());
    let mut stays = None;
    for (tag, named) in &standing.fixed {
        let same = match &delivery.present {
            Some(source) => with_same_set(set, tag, source, named).await?,
            None => None,
        };
        let Some(same) = same else {
            return Err(delivery.refusal(tag, named, &root.digest()).into());
        };
        stays = Some(same);
    }
    Ok(match stays {
        Some(other) if !standing.is_there && standing.moves.is_empty() => Plan::Nothing(other),
        _ => delivery.plan(standing, root),
    })
}

/// What a tag names that was made from the digest of the migrations, if it is an image that holds just these.
async fn with_same_set(
    set: Option<&str>,
    tag: &Tag,
    source: &Arc<dyn Source>,
    digest: &Digest,
) -> Result<Option<Descriptor>, BuildError> {
    let Some(set) = set else { return Ok(None) };
    if !tag.as_str().contains(&set[..12.min(set.len())]) {
        return Ok(None);
    }
    let root = source.resolve(&Selector::Digest(*digest)).await?;
    let present = root.descriptor.clone();
    let mut manifest = root;
    if let Body::Index(index) = &manifest.body {
        let Some(child) = index.manifests.iter().find(|child| !child.is_attestation()) else {
            return Ok(None);
        };
        manifest = source.resolve(&Selector::Digest(child.digest)).await?;
    }
    let Body::Image(image) = &manifest.body else {
        return Ok(None);
    };
    let bytes = content::read(source, &image.config, content::CONFIG_LIMIT).await?;
    let labels = ImageConfig::parse(&bytes).and_then(|config| config.labels());
    let is_same = labels.is_ok_and(|labels| labels.get(SET_DIGEST_LABEL).map(String::as_str) == Some(set));
    Ok(is_same.then_some(present))
}
