//! Which blobs could not be read: whoever copies may not tell a failure of the source from one of the target.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;

use crate::content::{BlobStream, Image, Result, Selector, Source};
use crate::oci::{Descriptor, Digest, Manifest, Repository, Tag};

/// The blobs whose last reading failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Mutex<HashSet<Digest>>>);

impl Faults {
    /// Whether a blob of this image could not be read.
    pub(super) fn concern(&self, image: &Image) -> bool {
        let faults = self.lock();
        image.blobs.iter().any(|blob| faults.contains(&blob.descriptor.digest))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source that takes note of blobs that cannot be read.
#[derive(Debug)]
pub(super) struct WatchedSource {
    source: Arc<dyn Source>,
    faults: Faults,
}

impl WatchedSource {
    /// Reads from `source`, and notes in `faults` what cannot be read.
    pub(super) fn watch(source: &Arc<dyn Source>, faults: &Faults) -> Arc<dyn Source> {
        Arc::new(Self {
            source: Arc::clone(source),
            faults: faults.clone(),
        })
    }
}

#[async_trait]
impl Source for WatchedSource {
    fn place(&self) -> String {
        self.source.place()
    }

    async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        self.source.resolve(selector).await
    }

    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        self.source.peek(tag).await
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        let digest = blob.digest;
        self.faults.lock().insert(digest);
        let stream = self.source.fetch(blob).await?;
        self.faults.lock().remove(&digest);
        let faults = self.faults.clone();
        Ok(Box::pin(stream.inspect_err(move |_| {
            faults.lock().insert(digest);
        })))
    }

    fn tags(&self, selector: &Selector) -> Vec<Tag> {
        self.source.tags(selector)
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        self.source.referrers(subject).await
    }

    fn repository(&self) -> Option<&Repository> {
        self.source.repository()
    }
}
