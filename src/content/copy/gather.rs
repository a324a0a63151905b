//! Finding what speaks of an image: what lists name, and what cosign's tags do.

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::parts::{self, MANIFESTS_AT_ONCE};
use super::referrers::{CopiedReferrer, Gathered, Referrer, ReferrerStatus};
use super::watched::{Faults, WatchedSource};
use crate::content::{ContentError, Kind, Result, Selector, Source};
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
