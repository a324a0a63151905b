//! What has to be done for a delivery, given what its tags name now.

use std::sync::Arc;

use super::BuildError;
use super::assemble::SET_DIGEST_LABEL;
use super::ship::{Delivery, Order};
use crate::content::{self, Selector, Source};
use crate::oci::{Body, Digest, ImageConfig, Tag};

/// What has to be done for one delivery.
pub(super) enum Plan {
    /// Nothing; this digest is there.
    Nothing(Digest),
    /// The image is there and gets these tags.
    Name(Vec<Tag>),
    /// Everything, under these tags.
    All(Vec<Tag>),
}

/// Finds out what has to be done for one delivery.
pub(super) async fn decide(
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
