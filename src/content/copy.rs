//! Copying an image from one place to others: everything it names, byte by byte, so that its digest stays.

mod choose;
mod gather;
mod name;
mod parts;
mod referrers;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{try_join, try_join_all};

use super::delivery::{self, Delivered, Delivery, Parcel, Plan};
use super::{ContentError, Image, Kind, Result, Selector, Source, TagRule, Transfer};
use crate::oci::{Body, Descriptor, Digest, Platform};
use crate::progress::Progress;

use referrers::{Gathered, Standings};

pub use name::{Naming, name};
pub use referrers::{CopiedReferrer, ReferrerStatus};

/// How much of what the source names is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of it.
    Everything,
    /// The images for these platforms: of one, its own manifest; of several, an index with just these.
    Platforms(Vec<Platform>),
    /// The only image there is, for a place that holds no more than one.
    OnlyImage,
}

/// What is to be copied.
#[derive(Debug)]
pub struct Errand {
    /// Where it is.
    pub source: Arc<dyn Source>,
    /// Which image there.
    pub selector: Selector,
    /// How much of it.
    pub selection: Selection,
    /// The digest it must have: the source's, or that of the part that is copied.
    pub required: Option<Digest>,
    /// Which tags must not move.
    pub rule: TagRule,
    /// Whether what speaks of the image goes along: signatures, attestations, bills of materials.
    pub with_referrers: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// The image at the targets.
    pub root: Descriptor,
    /// The manifests of its platforms. One that stands alone says only in its config what it is for, which is not read
    /// unless a platform was asked for.
    pub platforms: Vec<(Option<Platform>, Digest)>,
    /// What speaks of it and went along.
    pub referrers: Vec<CopiedReferrer>,
    /// The deliveries, in the order they were given.
    pub delivered: Vec<Delivered>,
}

/// Copies an image.
///
/// # Errors
/// The first failure. [`Kind::Refused`], before anything is written, when the image is not the required one or a tag
/// that must not move names another.
pub async fn copy(errand: &Errand, deliveries: &[Delivery], progress: &Arc<dyn Progress>) -> Result<Copied> {
    let asking = try_join_all(deliveries.iter().map(Delivery::ask));
    let (named, chosen) = try_join(asking, choose::choose(errand, progress.as_ref())).await?;
    let copying = Copying {
        errand,
        deliveries,
        chosen,
        progress,
        has_believed: AtomicBool::new(false),
    };
    match copying.run(&named, true).await {
        // What a target said to hold is not complete there: everything is sent then.
        Err(error) if error.kind() == Kind::Incomplete && copying.has_believed.load(Ordering::Relaxed) => {
            copying.run(&named, false).await
        }
        result => result,
    }
}

/// A copy whose image is known.
struct Copying<'a> {
    errand: &'a Errand,
    deliveries: &'a [Delivery],
    chosen: choose::Chosen,
    progress: &'a Arc<dyn Progress>,
    /// Whether a target said to hold something, which was not sent then.
    has_believed: AtomicBool,
}

impl Copying<'_> {
    /// Copies; what the targets say to hold is believed if they are trusted.
    async fn run(&self, named: &[Vec<Option<Digest>>], is_trusted: bool) -> Result<Copied> {
        let root = &self.chosen.root;
        let transfers: Vec<Transfer> = self
            .deliveries
            .iter()
            .map(|delivery| Transfer::new(Arc::clone(&delivery.target), Arc::clone(self.progress)))
            .collect();
        let plans = self.plans(named, is_trusted).await?;
        let delivered = plans
            .iter()
            .map(|plan| plan.outcome(root, self.errand.dry_run))
            .collect();
        let all = self.deliveries.iter().zip(&transfers).zip(plans);
        let parcels: Vec<Parcel<'_>> = all
            .map(|((delivery, transfer), plan)| Parcel {
                delivery,
                transfer,
                plan,
            })
            .collect();
        let needs_all = parcels.iter().any(|parcel| matches!(parcel.plan, Plan::All(_))) && !self.errand.dry_run;
        let source = &self.errand.source;
        let reading = async {
            if needs_all {
                parts::read(source, root.clone()).await
            } else {
                Ok(Image {
                    root: root.clone(),
                    children: Vec::new(),
                    blobs: Vec::new(),
                })
            }
        };
        let gathering = async {
            if self.errand.with_referrers {
                gather::gather(source, &self.subjects(), self.progress.as_ref()).await
            } else {
                Ok(Gathered::nothing(source))
            }
        };
        let (image, gathered) = try_join(reading, gathering).await?;
        let progress = self.progress.as_ref();
        let standings = gathered.stand(self.deliveries, &self.errand.rule, progress).await?;
        let referrers = if self.errand.dry_run {
            gathered.not_copied(&standings)
        } else {
            self.fill(&parcels, &image, is_trusted).await?;
            let attached = self.attach(&parcels, &image, &gathered, &standings).await?;
            self.ask_again(&parcels, named).await?;
            delivery::publish(&parcels, &image).await?;
            attached
        };
        Ok(Copied {
            root: root.descriptor.clone(),
            platforms: self.platforms(),
            referrers,
            delivered,
        })
    }

    /// What has to be done for each delivery. No tag that must not move does.
    async fn plans(&self, named: &[Vec<Option<Digest>>], is_trusted: bool) -> Result<Vec<Plan>> {
        let root = &self.chosen.root;
        let mut plans = Vec::new();
        for (delivery, named) in self.deliveries.iter().zip(named) {
            let standing = delivery.standing(&self.errand.rule, named, &root.digest());
            if let Some((tag, named)) = standing.fixed.first() {
                return Err(delivery.refusal(tag, named, &root.digest()));
            }
            plans.push(match delivery.plan(standing, root) {
                // It has to be written anew for the referrers.
                _ if self.errand.with_referrers && delivery.target.is_replaced() => Plan::All(delivery.tags.clone()),
                Plan::Name(tags) if !is_trusted => Plan::All(tags),
                plan => {
                    // What a tag names should be complete.
                    if matches!(plan, Plan::Name(_)) {
                        self.has_believed.store(true, Ordering::Relaxed);
                    }
                    plan
                }
            });
        }
        let looking = self.deliveries.iter().zip(plans).map(|(delivery, plan)| async move {
            let plan = match plan {
                Plan::All(tags) if is_trusted && delivery.target.holds(&root.digest()).await? => {
                    self.has_believed.store(true, Ordering::Relaxed);
                    if tags.is_empty() {
                        Plan::Nothing(root.descriptor.clone())
                    } else {
                        Plan::Name(tags)
                    }
                }
                plan => plan,
            };
            let target = delivery.target.as_ref();
            Ok::<_, ContentError>(match plan {
                // A layout looks for all that its names need by itself.
                Plan::Nothing(_) if delivery.present.is_some() && !parts::holds_images(root, target).await? => {
                    Plan::All(Vec::new())
                }
                plan => plan,
            })
        });
        try_join_all(looking).await
    }

    /// Writes the image, without a name.
    async fn fill(&self, parcels: &[Parcel<'_>], image: &Image, is_trusted: bool) -> Result<()> {
        let filling = parcels.iter().map(|parcel| async move {
            match parcel.plan {
                Plan::All(_) if is_trusted => {
                    let lacking = parts::lacking(image, parcel.delivery.target.as_ref()).await?;
                    if lacking.children.len() < image.children.len() {
                        self.has_believed.store(true, Ordering::Relaxed);
                    }
                    parcel.transfer.fill(&lacking).await
                }
                Plan::All(_) => parcel.transfer.fill(image).await,
                Plan::Nothing(_) | Plan::Name(_) => Ok(()),
            }
        });
        try_join_all(filling).await.map(|_| ())
    }

    /// Writes what speaks of the image, before it has its names: whoever finds it by its name finds its signatures as
    /// well.
    async fn attach(
        &self,
        parcels: &[Parcel<'_>],
        image: &Image,
        gathered: &Gathered,
        standings: &Standings,
    ) -> Result<Vec<CopiedReferrer>> {
        if !gathered.is_empty() {
            for parcel in parcels.iter().filter(|parcel| matches!(parcel.plan, Plan::All(_))) {
                parcel.transfer.complete(image, &[]).await?;
            }
        }
        gathered.attach(parcels, standings, self.progress.as_ref()).await
    }

    /// Asks once more for the tags that must not move and named nothing, where much was written since: another run may
    /// have put them.
    async fn ask_again(&self, parcels: &[Parcel<'_>], named: &[Vec<Option<Digest>>]) -> Result<()> {
        let digest = &self.chosen.root.digest();
        let asking = parcels.iter().zip(named).map(|(parcel, named)| async move {
            let delivery = parcel.delivery;
            if !matches!(parcel.plan, Plan::All(_)) || delivery.present.is_none() {
                return Ok(());
            }
            for (tag, named) in delivery.tags.iter().zip(named) {
                if named.is_none()
                    && self.errand.rule.is_fixed(tag)
                    && let Some(other) = delivery.target.tagged(tag).await?
                    && other != *digest
                {
                    return Err(delivery.refusal(tag, &other, digest));
                }
            }
            Ok(())
        });
        try_join_all(asking).await.map(|_| ())
    }

    /// The manifests whose referrers go along. Of an index made anew nothing speaks.
    fn subjects(&self) -> Vec<gather::Subject> {
        let mut subjects = Vec::new();
        let root = &self.chosen.root;
        if !self.chosen.is_new {
            subjects.push(gather::Subject::image(root.digest()));
        }
        if let Body::Index(index) = &root.body {
            subjects.extend(index.manifests.iter().map(|child| gather::Subject {
                digest: child.digest,
                is_image: !child.is_attestation(),
            }));
        }
        subjects
    }

    fn platforms(&self) -> Vec<(Option<Platform>, Digest)> {
        let root = &self.chosen.root;
        match &root.body {
            Body::Index(index) => index
                .images()
                .map(|(child, platform)| (Some(platform.clone()), child.digest))
                .collect(),
            Body::Image(_) => vec![(self.chosen.platform.clone(), root.digest())],
        }
    }
}

/// The refusal of an image that is not the required one.
fn not_required(source: &dyn Source, found: &Digest, required: &Digest) -> ContentError {
    let place = source.place();
    let what = format!("the image in {place} is {found}, and {required} is required");
    let error = ContentError::new(Kind::Refused, what);
    match source.repository() {
        Some(repository) => error.hint(format!(
            "a tag may have moved since; name what was tested by its digest: {}",
            repository.pinned(*required)
        )),
        None => error,
    }
}
