//! Bringing an image to several places at once: what each needs, and in which order it is written.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::{ContentError, Image, Kind, Result, Source, TagRule, Target, Transfer};
use crate::oci::{Descriptor, Digest, Manifest, Tag};

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
    /// What is there now, or would be: the image, or another one that may stay in its place.
    pub image: Descriptor,
}

/// How the tags of a delivery stand to an image.
#[derive(Debug)]
pub struct Standing {
    /// Whether one of them names the image already.
    pub is_there: bool,
    /// Those that name nothing, or something else, and may be put.
    pub moves: Vec<Tag>,
    /// Those that must not move, with what they name.
    pub fixed: Vec<(Tag, Digest)>,
}

/// What has to be done for one delivery.
#[derive(Debug)]
pub enum Plan {
    /// Nothing; this is there.
    Nothing(Descriptor),
    /// The image is there and gets these tags.
    Name(Vec<Tag>),
    /// Everything, under these tags.
    All(Vec<Tag>),
}

/// A delivery on its way.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// Where it goes.
    pub delivery: &'a Delivery,
    /// How it gets there.
    pub transfer: &'a Transfer,
    /// What has to be done for it.
    pub plan: Plan,
}

impl Delivery {
    /// Makes sure of the place, and asks what each tag names there.
    ///
    /// # Errors
    /// When it cannot be written to, or cannot be asked.
    pub async fn ask(&self) -> Result<Vec<Option<Digest>>> {
        self.target.check().await?;
        try_join_all(self.tags.iter().map(|tag| self.target.tagged(tag))).await
    }

    /// How the tags, which name `named`, stand to the image with this digest.
    #[must_use]
    pub fn standing(&self, rule: &TagRule, named: &[Option<Digest>], digest: &Digest) -> Standing {
        let mut standing = Standing {
            is_there: named.contains(&Some(*digest)),
            moves: Vec::new(),
            fixed: Vec::new(),
        };
        for (tag, named) in self.tags.iter().zip(named) {
            match named {
                Some(named) if named == digest => {}
                Some(named) if self.present.is_some() && rule.is_fixed(tag) => {
                    standing.fixed.push((tag.clone(), *named))
                }
                _ => standing.moves.push(tag.clone()),
            }
        }
        standing
    }

    /// What has to be done, given how the tags stand.
    #[must_use]
    pub fn plan(&self, standing: Standing, root: &Manifest) -> Plan {
        match (standing.is_there, standing.moves.is_empty()) {
            (true, true) => Plan::Nothing(root.descriptor.clone()),
            // What is written anew keeps nothing of what was there.
            (true, false) if self.target.is_replaced() => Plan::All(self.tags.clone()),
            (true, false) => Plan::Name(standing.moves),
            (false, _) => Plan::All(standing.moves),
        }
    }

    /// The refusal to move a tag from `named` to an image with another digest.
    #[must_use]
    pub fn refusal(&self, tag: &Tag, named: &Digest, digest: &Digest) -> ContentError {
        let place = self.target.place();
        let what = format!("the tag {tag} of {place} must not move: it names {named}, this image is {digest}");
        ContentError::new(Kind::Refused, what)
            .hint("use a new tag for what is new; to move this one all the same, this once: --move-tags")
            .hint("image.immutable_tags in shipway.toml says which tags must not move")
    }
}

impl Plan {
    /// What becomes of the delivery of the image `root`.
    #[must_use]
    pub fn outcome(&self, root: &Manifest, dry_run: bool) -> Delivered {
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

impl Parcel<'_> {
    /// Gives the image its tags.
    async fn name(&self, image: &Image) -> Result<()> {
        match &self.plan {
            Plan::Nothing(_) => Ok(()),
            Plan::Name(tags) => self.transfer.name(&image.root, tags).await,
            Plan::All(tags) => self.transfer.complete(image, tags).await,
        }
    }
}

/// Brings all that the image names to where it is needed. Nothing gets a name.
///
/// # Errors
/// The first failure.
pub async fn fill(parcels: &[Parcel<'_>], image: &Image) -> Result<()> {
    let filling = parcels.iter().map(|parcel| async move {
        match parcel.plan {
            Plan::All(_) => parcel.transfer.fill(image).await,
            Plan::Nothing(_) | Plan::Name(_) => Ok(()),
        }
    });
    try_join_all(filling).await.map(|_| ())
}

/// Names the image everywhere, once it is complete. Nothing gets a name in a registry before all that may still fail is
/// done everywhere, and what is written here appears when everything has arrived everywhere, or not at all.
///
/// # Errors
/// The first failure. No tag names anything incomplete then.
pub async fn publish(parcels: &[Parcel<'_>], image: &Image) -> Result<()> {
    let (here, there): (Vec<_>, Vec<_>) = parcels.iter().partition(|parcel| parcel.delivery.present.is_none());
    let sealing = here.into_iter().map(|parcel| async move {
        parcel.name(image).await?;
        parcel.transfer.target().seal().await
    });
    try_join_all(sealing).await?;
    try_join_all(there.into_iter().map(|parcel| parcel.name(image))).await?;
    for parcel in parcels {
        parcel.delivery.target.commit().await?;
    }
    Ok(())
}
