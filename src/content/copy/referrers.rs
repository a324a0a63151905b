//! What speaks of an image and goes along with it: signatures, attestations, bills of materials.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::error::Error as _;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::parts::{self, MANIFESTS_AT_ONCE};
use super::watched::{Faults, WatchedSource};
use crate::content::delivery::{Delivery, Parcel};
use crate::content::{ContentError, Image, Kind, Result, Selector, Source, TagRule};
use crate::oci::manifest::ManifestError;
use crate::oci::{Descriptor, Digest, Manifest, Tag, media_type};
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
    source: Arc<dyn Source>,
    /// Each after what it speaks of.
    referrers: Vec<Referrer>,
    /// What cannot be copied.
    skipped: Vec<CopiedReferrer>,
    faults: Faults,
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
) -> Result<Gathered> {
    let faults = Faults::default();
    let watched = WatchedSource::watch(source, &faults);
    let mut gathered = Gathered {
        source: Arc::clone(source),
        referrers: Vec::new(),
        skipped: Vec::new(),
        faults,
    };
    let mut seen: HashSet<Digest> = subjects.iter().map(|subject| subject.digest).collect();
    let mut level = subjects.to_vec();
    for _ in 0..DEPTH_LIMIT {
        let named = named(source, &level, &mut seen).await?;
        let listed = named.iter().filter(|named| named.tag.is_none()).count();
        check_count(gathered.count() + listed, source)?;
        let looking = stream::iter(named.into_iter().map(|named| look(source, named, progress)));
        let looked: Vec<Looked> = looking.buffered(MANIFESTS_AT_ONCE).try_collect().await?;
        level.clear();
        for looked in looked {
            match looked {
                Looked::Nothing => {}
                Looked::Skipped(skipped) => gathered.skipped.push(skipped),
                Looked::Spoken(root, named) => {
                    let digest = root.digest();
                    // What cosign names by a tag may be the same for several images, and needs each of its tags.
                    if named.tag.is_none() || seen.insert(digest) {
                        level.push(Subject {
                            digest,
                            is_image: false,
                        });
                    }
                    check_count(gathered.count() + 1, source)?;
                    gathered.referrers.push(Referrer {
                        image: parts::read(&watched, root).await?,
                        subject: named.subject,
                        tag: named.tag,
                    });
                }
            }
        }
        if level.is_empty() {
            return Ok(gathered);
        }
    }
    progress.on(&Event::Notice(&format!(
        "referrers of referrers in {} are copied to a depth of {DEPTH_LIMIT}; what speaks of the last ones is left out",
        source.place()
    )));
    Ok(gathered)
}

/// What is said to speak of a manifest.
struct Named {
    subject: Digest,
    /// Its entry in a list.
    entry: Option<Descriptor>,
    /// The tag cosign would give it.
    tag: Option<Tag>,
}

/// Lists what speaks of some manifests, without what was seen before, and the tags cosign may have given.
async fn named(source: &Arc<dyn Source>, subjects: &[Subject], seen: &mut HashSet<Digest>) -> Result<Vec<Named>> {
    let listing = stream::iter(subjects.iter().map(|subject| source.referrers(&subject.digest)));
    let lists: Vec<Vec<Descriptor>> = listing.buffered(SUBJECTS_AT_ONCE).try_collect().await?;
    let mut named = Vec::new();
    for (subject, list) in subjects.iter().zip(lists) {
        named.extend(
            list.into_iter()
                .filter(|entry| seen.insert(entry.digest))
                .map(|entry| Named {
                    subject: subject.digest,
                    entry: Some(entry),
                    tag: None,
                }),
        );
        if subject.is_image {
            named.extend(Tag::of_cosign(&subject.digest).map(|tag| Named {
                subject: subject.digest,
                entry: None,
                tag: Some(tag),
            }));
        }
    }
    Ok(named)
}

/// What there is under a name.
#[expect(clippy::large_enum_variant, reason = "a few of them live at a time")]
enum Looked {
    Nothing,
    Skipped(CopiedReferrer),
    Spoken(Manifest, Named),
}

/// Reads what is said to speak of a manifest. It need not be there, nor be of a kind that is known.
async fn look(source: &Arc<dyn Source>, named: Named, progress: &dyn Progress) -> Result<Looked> {
    let selector = match (&named.entry, &named.tag) {
        (Some(entry), _) => Selector::Digest(entry.digest),
        (None, Some(tag)) => Selector::Tag(tag.clone()),
        (None, None) => return Ok(Looked::Nothing),
    };
    let unknown = named.entry.as_ref().map(|entry| entry.media_type.as_str());
    let unknown = unknown.filter(|stated| !media_type::is_manifest(stated) && !stated.is_empty());
    let why = match unknown {
        Some(stated) => format!("its media type {stated:?} is neither that of an image nor of an index"),
        None => match source.resolve(&selector).await {
            Ok(root) => return Ok(Looked::Spoken(root, named)),
            Err(error) if error.kind() == Kind::NotFound => {
                if let Some(entry) = &named.entry {
                    progress.on(&Event::Notice(&format!(
                        "{} lists {} as a referrer of {}, and does not hold it",
                        source.place(),
                        entry.digest,
                        named.subject
                    )));
                }
                return Ok(Looked::Nothing);
            }
            Err(error) => match no_manifest(&error) {
                Some(why) => why.to_string(),
                None => return Err(error),
            },
        },
    };
    progress.on(&Event::Notice(&format!(
        "{selector} in {}, which speaks of {}, is not copied: {why}",
        source.place(),
        named.subject
    )));
    let (digest, artifact_type) = match (named.entry, named.tag) {
        (Some(entry), _) => {
            let stated = entry.rest.get("artifactType").and_then(|value| value.as_str());
            (Some(entry.digest), stated.unwrap_or(&entry.media_type).to_owned())
        }
        (None, Some(tag)) => (source.peek(&tag).await?, String::new()),
        (None, None) => (None, String::new()),
    };
    Ok(digest.map_or(Looked::Nothing, |digest| {
        Looked::Skipped(CopiedReferrer {
            digest,
            artifact_type,
            status: ReferrerStatus::Skipped,
        })
    }))
}

/// Why bytes that arrived whole are no manifest, if that is what an error says.
fn no_manifest(error: &ContentError) -> Option<&ManifestError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn check_count(count: usize, source: &Arc<dyn Source>) -> Result<()> {
    if count <= REFERRERS_LIMIT {
        return Ok(());
    }
    Err(ContentError::new(
        Kind::Invalid,
        format!("cannot copy all referrers from {}", source.place()),
    )
    .because(format!("there are more than {REFERRERS_LIMIT}")))
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

    fn count(&self) -> usize {
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
