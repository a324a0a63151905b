//! What has to be done for a delivery, given what its tags name now.

use std::sync::Arc;

use super::BuildError;
use super::assemble::SET_DIGEST_LABEL;
use super::ship::{Delivered, Delivery, Order, Status};
use crate::content::{self, Selector, Source};
use crate::oci::{Body, Descriptor, Digest, ImageConfig, Manifest, Tag};

/// What has to be done for one delivery.
pub(super) enum Plan {
    /// Nothing; this is there.
    Nothing(Descriptor),
    /// The image is there and gets these tags.
    Name(Vec<Tag>),
    /// Everything, under these tags.
    All(Vec<Tag>),
}

impl Plan {
    /// What becomes of the delivery of the image `root`.
    pub(super) fn outcome(&self, root: &Manifest, dry_run: bool) -> Delivered {
        let (status, image) = match self {
            Self::Nothing(present) => (Status::Unchanged, present),
            Self::Name(_) | Self::All(_) => (Status::Written, &root.descriptor),
        };
        Delivered {
            status: if dry_run { Status::DryRun } else { status },
            image: image.clone(),
        }
    }
}

/// Finds out what has to be done for one delivery.
pub(super) async fn decide(
    order: &Order,
    delivery: &Delivery,
    present: &[Option<Digest>],
    root: &Manifest,
    set: Option<&str>,
) -> Result<Plan, BuildError> {
    let digest = root.digest();
    let mut tags = Vec::new();
    let mut stays = None;
    for (tag, named) in delivery.tags.iter().zip(present) {
        match (named, &delivery.present) {
            (Some(named), _) if *named == digest => {}
            (Some(named), Some(source)) if order.rule.is_fixed(tag) => {
                let Some(present) = with_same_set(set, tag, source, named).await? else {
                    return Err(BuildError::Fixed {
                        tag: tag.clone(),
                        place: delivery.target.place(),
                        present: *named,
                        built: digest,
                    });
                };
                stays = Some(present);
            }
            _ => tags.push(tag.clone()),
        }
    }
    let is_there = present.contains(&Some(digest));
    Ok(match (tags.is_empty(), is_there, stays) {
        (true, true, _) => Plan::Nothing(root.descriptor.clone()),
        (true, false, Some(other)) => Plan::Nothing(other),
        (false, true, _) => Plan::Name(tags),
        (_, false, _) => Plan::All(tags),
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
