//! What speaks of an image and goes along with it: signatures, attestations, bills of materials.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::parts::MANIFESTS_AT_ONCE;
use super::watched::Faults;
use crate::content::delivery::{Delivery, Parcel};
use crate::content::{ContentError, Image, Kind, Result, Source, TagRule};
use crate::oci::{Digest, Tag};
use crate::progress::{Event, Progress};

/// Something that speaks of a manifest.
#[derive(Debug)]
pub(super) struct Referrer {
    pub(super) image: Image,
    pub(super) subject: Digest,
    /// The tag by which cosign finds it, where it has no subject of its own.
    pub(super) tag: Option<Tag>,
}

/// What became of a referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferrerStatus {
    /// It was everywhere before.
    Unchanged,
    /// It is there now.
    Written,
    /// A target has another thing under the tag by which cosign would find it.
    Kept,
    /// A target does not take it.
    Refused,
    /// It is of a kind that is not known here.
    Skipped,
    /// Nothing was to be written.
    DryRun,
}

/// A referrer that was to go along.
#[derive(Debug, Clone)]
pub struct CopiedReferrer {
    /// Its digest.
    pub digest: Digest,
    /// What it says to be.
    pub artifact_type: String,
    /// What became of it.
    pub status: ReferrerStatus,
}

/// All that is to go along.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) source: Arc<dyn Source>,
    /// Each after what it speaks of.
    pub(super) referrers: Vec<Referrer>,
    /// What cannot be copied.
    pub(super) skipped: Vec<CopiedReferrer>,
    pub(super) faults: Faults,
}

/// How a referrer that has a tag stands to what the tag names at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is not known to be there.
    Open,
    /// The tag names it.
    There,
    /// The tag names something else, which stays.
    Kept,
}

/// How all referrers stand at all targets.
#[derive(Debug)]
pub(super) struct Standings(Vec<Vec<Standing>>);

impl Gathered {
    /// When nothing speaks of the image, or nobody asked.
    pub(super) fn nothing(source: &Arc<dyn Source>) -> Self {
        Self {
            source: Arc::clone(source),
            referrers: Vec::new(),
            skipped: Vec::new(),
            faults: Faults::default(),
        }
    }

    /// Whether nothing goes along.
    pub(super) fn is_empty(&self) -> bool {
        self.referrers.is_empty()
    }

    /// How much was found.
    pub(super) fn count(&self) -> usize {
        self.referrers.len() + self.skipped.len()
    }

    /// Asks what cosign's tags name at the targets. What a registry holds under one is somebody's signature, and is not
    /// replaced unless `rule` lets all tags move.
    ///
    /// # Errors
    /// When a target cannot be asked.
    pub(super) async fn stand(
        &self,
        deliveries: &[Delivery],
        rule: &TagRule,
        progress: &dyn Progress,
    ) -> Result<Standings> {
        let mut all = Vec::new();
        for delivery in deliveries {
            let asking = self
                .referrers
                .iter()
                .map(|referrer| referrer.stand(delivery, rule, progress));
            all.push(stream::iter(asking).buffered(MANIFESTS_AT_ONCE).try_collect().await?);
        }
        Ok(Standings(all))
    }

    /// What is told when nothing is to be written.
    pub(super) fn not_copied(self, standings: &Standings) -> Vec<CopiedReferrer> {
        let told = self.referrers.iter().enumerate().map(|(number, referrer)| {
            let is_kept = standings.0.iter().any(|all| all[number] == Standing::Kept);
            referrer.with(match is_kept {
                true => ReferrerStatus::Kept,
                false => ReferrerStatus::DryRun,
            })
        });
        told.chain(self.skipped.iter().cloned()).collect()
    }

    /// Puts referrers where their subjects are. A target may not take them: registries differ in what they allow, and
    /// the image itself is none the worse.
    ///
    /// # Errors
    /// When a referrer cannot be read, or a target fails for now.
    pub(super) async fn attach(
        &self,
        parcels: &[Parcel<'_>],
        standings: &Standings,
        progress: &dyn Progress,
    ) -> Result<Vec<CopiedReferrer>> {
        let mut statuses = vec![ReferrerStatus::Unchanged; self.referrers.len()];
        for (parcel, standings) in parcels.iter().zip(&standings.0) {
            // One after the other: a registry without lists of its own keeps one for each subject in a manifest, which
            // is read, extended and put again.
            let mut listed: HashMap<Digest, Vec<Digest>> = HashMap::new();
            for ((referrer, standing), status) in self.referrers.iter().zip(standings).zip(&mut statuses) {
                let became = match standing {
                    Standing::There => ReferrerStatus::Unchanged,
                    Standing::Kept => ReferrerStatus::Kept,
                    Standing::Open if referrer.is_listed(parcel, &mut listed).await? => ReferrerStatus::Unchanged,
                    Standing::Open => self.put(referrer, parcel, progress).await?,
                };
                *status = (*status).max(became);
            }
        }
        let all = self.referrers.iter().zip(statuses);
        let told = all.map(|(referrer, status)| referrer.with(status));
        Ok(told.chain(self.skipped.iter().cloned()).collect())
    }

    /// Puts a referrer, or tells that the target does not take it.
    async fn put(&self, referrer: &Referrer, parcel: &Parcel<'_>, progress: &dyn Progress) -> Result<ReferrerStatus> {
        let root = &referrer.image.root;
        match referrer.put(parcel).await {
            Ok(()) => Ok(ReferrerStatus::Written),
            Err(error) if self.faults.concern(&referrer.image) => Err(error.within(format!(
                "cannot copy the referrer {} ({}) from {}",
                root.digest(),
                root.artifact_type(),
                self.source.place()
            ))),
            Err(error) if is_refusal(&error) => {
                progress.on(&Event::Notice(&format!(
                    "{} does not take the referrer {} ({}): {}",
                    parcel.delivery.target.place(),
                    root.digest(),
                    root.artifact_type(),
                    innermost(&error)
                )));
                Ok(ReferrerStatus::Refused)
            }
            Err(error) => Err(error),
        }
    }
}

impl Referrer {
    fn with(&self, status: ReferrerStatus) -> CopiedReferrer {
        CopiedReferrer {
            digest: self.image.root.digest(),
            artifact_type: self.image.root.artifact_type(),
            status,
        }
    }

    async fn stand(&self, delivery: &Delivery, rule: &TagRule, progress: &dyn Progress) -> Result<Standing> {
        let digest = self.image.root.digest();
        let target = &delivery.target;
        // What is written anew keeps nothing of what was there.
        let Some(tag) = self.tag.as_ref().filter(|_| !target.is_replaced()) else {
            return Ok(Standing::Open);
        };
        Ok(match target.tagged(tag).await? {
            None => Standing::Open,
            Some(named) if named == digest => Standing::There,
            Some(_) if rule.move_all || delivery.present.is_none() => Standing::Open,
            Some(named) => {
                progress.on(&Event::Notice(&format!(
                    "the tag {tag} of {} names {named} and is kept; to move it to {digest}: --move-tags",
                    target.place()
                )));
                Standing::Kept
            }
        })
    }

    /// Whether the target lists it; one with a tag needs its tag.
    async fn is_listed(&self, parcel: &Parcel<'_>, listed: &mut HashMap<Digest, Vec<Digest>>) -> Result<bool> {
        if self.tag.is_some() {
            return Ok(false);
        }
        let listed = match listed.entry(self.subject) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(parcel.delivery.target.referrers(&self.subject).await?),
        };
        Ok(listed.contains(&self.image.root.digest()))
    }

    async fn put(&self, parcel: &Parcel<'_>) -> Result<()> {
        parcel.transfer.fill(&self.image).await?;
        match &self.tag {
            Some(tag) => parcel.transfer.complete(&self.image, std::slice::from_ref(tag)).await,
            None => {
                let target = &parcel.delivery.target;
                target.put_referrer(&self.image.root, &self.subject).await
            }
        }
    }
}

/// Whether the target's answer was no, and will be.
fn is_refusal(error: &ContentError) -> bool {
    match error.kind() {
        Kind::Refused | Kind::Denied | Kind::NotFound | Kind::Incomplete | Kind::Other => true,
        Kind::Temporary | Kind::Invalid | Kind::Usage | Kind::File => false,
    }
}

/// The last cause, which is what the target said.
fn innermost(error: &ContentError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
