//! Moving the parts of an image to one target, each as soon as it is known.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Blob, ContentError, Image, Kind, Placement, Result, Target};
use crate::oci::{Digest, Manifest, Tag};
use crate::progress::{Event, Progress};

/// Blobs of other places on their way to one target at a time. Registries answer more than this with resets (see ECR and its upload
/// parts); fewer leave round trips unused.
const BLOBS_AT_ONCE: usize = 6;
/// Questions whether a blob is there at a time. An index of many platforms names hundreds.
const QUESTIONS_AT_ONCE: usize = 32;

/// Manifests put at a time: those of an index's images, and one for each tag. An index may list hundreds, and Amazon ECR takes ten
/// in a second.
const MANIFESTS_AT_ONCE: usize = 8;

/// The way of one image to one target.
///
/// Blobs may be handed over before it is decided whether anything is to be written at all: they wait until
/// [`Transfer::begin`].
#[derive(Debug)]
pub struct Transfer {
    target: Arc<dyn Target>,
    progress: Arc<dyn Progress>,
    permits: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    begun: watch::Sender<bool>,
    known: Mutex<HashSet<Digest>>,
    running: Mutex<JoinSet<Result<Placement>>>,
}

impl Transfer {
    /// Prepares a transfer; nothing is written.
    #[must_use]
    pub fn new(target: Arc<dyn Target>, progress: Arc<dyn Progress>) -> Self {
        Self {
            target,
            progress,
            permits: Arc::new(Semaphore::new(BLOBS_AT_ONCE)),
            questions: Arc::new(Semaphore::new(QUESTIONS_AT_ONCE)),
            begun: watch::channel(false).0,
            known: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Arc<dyn Target> {
        &self.target
    }

    /// Lets what was handed over go, and announces `configs` whose digest is not known yet.
    pub fn begin(&self, configs: usize) {
        if configs > 0 && !*self.begun.borrow() {
            self.target.anticipate(configs);
        }
        self.begun.send_replace(true);
    }

    /// Hands a blob over. A blob that was handed over before is not sent twice.
    pub fn send(&self, blob: Blob) {
        let digest = blob.descriptor.digest;
        if !self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(digest) {
            return;
        }
        let target = Arc::clone(&self.target);
        let progress = Arc::clone(&self.progress);
        let permits = Arc::clone(&self.permits);
        let questions = Arc::clone(&self.questions);
        let mut begun = self.begun.subscribe();
        let task = async move {
            if begun.wait_for(|begun| *begun).await.is_err() {
                return Ok(Placement::Present);
            }
            let place = target.place();
            let size = blob.descriptor.size;
            let is_there = {
                let _question = questions.acquire().await;
                target.contains(&blob).await?
            };
            let placement = if is_there {
                Placement::Present
            } else {
                // What this run made is needed by everything that follows, and mostly little.
                let goes_first = blob.is_fresh() && size < super::SMALL;
                let _permit = if goes_first {
                    None
                } else {
                    Some(permits.acquire().await)
                };
                progress.on(&Event::BlobStarted {
                    place: &place,
                    digest: &digest,
                    size,
                });
                target.put(&blob).await?
            };
            progress.on(&Event::BlobFinished {
                place: &place,
                digest: &digest,
                size,
                placement,
            });
            Ok(placement)
        };
        self.running.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }

    /// Waits until every blob is there; the first failure ends the others.
    async fn settle(&self) -> Result<()> {
        let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(result) = running.join_next().await {
            result.map_err(|error| {
                ContentError::new(
                    Kind::Other,
                    format!("a transfer to {} was given up", self.target.place()),
                )
                .because(error)
            })??;
        }
        Ok(())
    }

    /// Puts the image's blobs, then the manifests an index lists: all that the image itself names.
    ///
    /// # Errors
    /// The first failure.
    pub async fn fill(&self, image: &Image) -> Result<()> {
        match self.deliver(image).await {
            Err(error) if self.may_differ(&error) => self.deliver(image).await,
            result => result,
        }
    }

    /// Puts the image itself under the first tag, then under the others, once [`Transfer::fill`] is done.
    ///
    /// # Errors
    /// The first failure. No tag names anything incomplete then.
    pub async fn complete(&self, image: &Image, tags: &[Tag]) -> Result<()> {
        match self.name(&image.root, tags).await {
            Err(error) if self.may_differ(&error) => {
                self.deliver(image).await?;
                self.name(&image.root, tags).await
            }
            result => result,
        }
    }

    /// Whether something was believed to be there that is not, and all is forgotten now.
    fn may_differ(&self, error: &ContentError) -> bool {
        let may_differ = error.kind() == Kind::Incomplete && self.target.distrust();
        if may_differ {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        may_differ
    }

    async fn deliver(&self, image: &Image) -> Result<()> {
        self.begin(0);
        for blob in &image.blobs {
            self.send(blob.clone());
        }
        self.settle().await?;
        self.put_all(image.children.iter().map(|child| (child, None))).await
    }

    /// Puts manifests in no order.
    async fn put_all<'a>(&self, manifests: impl Iterator<Item = (&'a Manifest, Option<&'a Tag>)>) -> Result<()> {
        let putting: Vec<_> = manifests
            .map(|(manifest, tag)| self.target.put_manifest(manifest, tag))
            .collect();
        stream::iter(putting)
            .buffer_unordered(MANIFESTS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Puts the manifest of an image that is there already under more tags.
    ///
    /// # Errors
    /// As [`Transfer::complete`].
    pub async fn name(&self, root: &Manifest, tags: &[Tag]) -> Result<()> {
        let mut tags = tags.iter();
        self.target.put_manifest(root, tags.next()).await?;
        self.put_all(tags.map(|tag| (root, Some(tag)))).await
    }
}
