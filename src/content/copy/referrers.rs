//! What speaks of an image and goes along with it: signatures, attestations, bills of materials.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::parts;
use crate::content::delivery::Parcel;
use crate::content::{ContentError, Image, Kind, Result, Selector, Source};
use crate::oci::{Digest, Manifest, Tag};
use crate::progress::{Event, Progress};

/// How far referrers of referrers are followed: a signature of an attestation is at the second step.
const DEPTH_LIMIT: usize = 5;
/// Manifests whose referrers are asked for at a time.
const SUBJECTS_AT_ONCE: usize = 4;
/// Most referrers of one image. Scanners that attach a report each day leave some hundred.
const REFERRERS_LIMIT: usize = 1000;

/// A manifest of which others may speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    /// Its digest.
    pub digest: Digest,
    /// Whether it is an image or an index of images: only these cosign names by tags.
    pub is_image: bool,
}

impl Subject {
    /// An image, or an index of images.
    pub(super) fn image(digest: Digest) -> Self {
        Self { digest, is_image: true }
    }
}

/// Something that speaks of a manifest.
#[derive(Debug)]
pub(super) struct Referrer {
    image: Image,
    subject: Digest,
    /// The tag by which cosign finds it, where it has no subject of its own.
    tag: Option<Tag>,
}

/// What became of a referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferrerStatus {
    /// It was everywhere before.
    Unchanged,
    /// It is there now.
    Written,
    /// A target does not take it.
    Refused,
    /// Nothing was to be written.
    DryRun,
}

/// A referrer that was to go along.
#[derive(Debug)]
pub struct CopiedReferrer {
    /// Its digest.
    pub digest: Digest,
    /// What it says to be.
    pub artifact_type: String,
    /// What became of it.
    pub status: ReferrerStatus,
}

impl Referrer {
    fn with(&self, status: ReferrerStatus) -> CopiedReferrer {
        CopiedReferrer {
            digest: self.image.root.digest(),
            artifact_type: self.image.root.artifact_type(),
            status,
        }
    }

    /// What is told of it when nothing is to be written.
    pub(super) fn not_copied(&self) -> CopiedReferrer {
        self.with(ReferrerStatus::DryRun)
    }
}

/// Reads the manifests of all that speaks of some manifests, and of what speaks of that in turn; each after what it
/// speaks of.
///
/// # Errors
/// When the source cannot be asked, or a manifest cannot be read.
pub(super) async fn gather(
    source: &Arc<dyn Source>,
    subjects: &[Subject],
    progress: &dyn Progress,
) -> Result<Vec<Referrer>> {
    let mut seen: HashSet<Digest> = subjects.iter().map(|subject| subject.digest).collect();
    let mut found: Vec<Referrer> = Vec::new();
    let mut level = subjects.to_vec();
    for _ in 0..DEPTH_LIMIT {
        let looking = stream::iter(level.into_iter().map(|subject| look(source, subject, progress)));
        let looked: Vec<Vec<Spoken>> = looking.buffered(SUBJECTS_AT_ONCE).try_collect().await?;
        let mut next = Vec::new();
        for spoken in looked.into_iter().flatten() {
            let digest = spoken.root.digest();
            // What cosign names by a tag may be the same for several images, and needs each of its tags.
            if !seen.insert(digest) && spoken.tag.is_none() {
                continue;
            }
            check_count(found.len(), source)?;
            found.push(Referrer {
                image: parts::read(source, spoken.root).await?,
                subject: spoken.subject,
                tag: spoken.tag,
            });
            next.push(Subject {
                digest,
                is_image: false,
            });
        }
        level = next;
        if level.is_empty() {
            return Ok(found);
        }
    }
    progress.on(&Event::Notice(&format!(
        "referrers of referrers in {} are copied to a depth of {DEPTH_LIMIT}; what speaks of the last ones is left out",
        source.place()
    )));
    Ok(found)
}

/// A manifest that speaks of another one.
struct Spoken {
    root: Manifest,
    subject: Digest,
    tag: Option<Tag>,
}

/// Finds what speaks of one manifest.
async fn look(source: &Arc<dyn Source>, subject: Subject, progress: &dyn Progress) -> Result<Vec<Spoken>> {
    let mut found = Vec::new();
    for entry in source.referrers(&subject.digest).await? {
        match resolve(source, &Selector::Digest(entry.digest)).await? {
            Some(root) => found.push(Spoken {
                root,
                subject: subject.digest,
                tag: None,
            }),
            None => progress.on(&Event::Notice(&format!(
                "{} lists {} as a referrer of {}, and does not hold it",
                source.place(),
                entry.digest,
                subject.digest
            ))),
        }
    }
    if subject.is_image {
        for tag in Tag::of_cosign(&subject.digest) {
            if let Some(root) = resolve(source, &Selector::Tag(tag.clone())).await? {
                found.push(Spoken {
                    root,
                    subject: subject.digest,
                    tag: Some(tag),
                });
            }
        }
    }
    Ok(found)
}

/// Reads a manifest that need not be there.
async fn resolve(source: &Arc<dyn Source>, selector: &Selector) -> Result<Option<Manifest>> {
    match source.resolve(selector).await {
        Ok(root) => Ok(Some(root)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn check_count(count: usize, source: &Arc<dyn Source>) -> Result<()> {
    if count < REFERRERS_LIMIT {
        return Ok(());
    }
    Err(ContentError::new(
        Kind::Invalid,
        format!("cannot copy all referrers from {}", source.place()),
    )
    .because(format!("there are more than {REFERRERS_LIMIT}")))
}

/// Puts referrers where their subjects are. A target may not take them: registries differ in what they allow, and the
/// image itself is none the worse.
///
/// # Errors
/// When a referrer cannot be read, or a target fails for now.
pub(super) async fn attach(
    referrers: &[Referrer],
    parcels: &[Parcel<'_>],
    progress: &dyn Progress,
) -> Result<Vec<CopiedReferrer>> {
    let mut statuses = vec![ReferrerStatus::Unchanged; referrers.len()];
    for parcel in parcels {
        // One after the other: a registry without lists of its own keeps one for each subject in a manifest, which is
        // read, extended and put again.
        let mut listed: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for (referrer, status) in referrers.iter().zip(&mut statuses) {
            let became = match attach_one(referrer, parcel, &mut listed).await {
                Ok(became) => became,
                Err(error) if is_refusal(&error) => {
                    progress.on(&Event::Notice(&format!(
                        "{} does not take the referrer {} ({}): {}",
                        parcel.delivery.target.place(),
                        referrer.image.root.digest(),
                        referrer.image.root.artifact_type(),
                        innermost(&error)
                    )));
                    ReferrerStatus::Refused
                }
                Err(error) => return Err(error),
            };
            *status = (*status).max(became);
        }
    }
    let all = referrers.iter().zip(statuses);
    Ok(all.map(|(referrer, status)| referrer.with(status)).collect())
}

async fn attach_one(
    referrer: &Referrer,
    parcel: &Parcel<'_>,
    listed: &mut HashMap<Digest, Vec<Digest>>,
) -> Result<ReferrerStatus> {
    let target = &parcel.delivery.target;
    let digest = referrer.image.root.digest();
    if let Some(tag) = &referrer.tag {
        if target.tagged(tag).await? == Some(digest) {
            return Ok(ReferrerStatus::Unchanged);
        }
        parcel.transfer.fill(&referrer.image).await?;
        parcel
            .transfer
            .complete(&referrer.image, std::slice::from_ref(tag))
            .await?;
        return Ok(ReferrerStatus::Written);
    }
    let listed = match listed.entry(referrer.subject) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(target.referrers(&referrer.subject).await?),
    };
    if listed.contains(&digest) {
        return Ok(ReferrerStatus::Unchanged);
    }
    parcel.transfer.fill(&referrer.image).await?;
    target.put_referrer(&referrer.image.root, &referrer.subject).await?;
    Ok(ReferrerStatus::Written)
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
