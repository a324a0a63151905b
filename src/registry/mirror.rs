//! Reading through mirrors: each is asked in turn, the registry itself last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::content::{BlobStream, ContentError, Kind, Result, Selector, Source, verify};
use crate::oci::{Descriptor, Digest, Manifest, Repository, Tag};
use crate::progress::{Event, Progress};

/// A repository behind its mirrors.
#[derive(Debug)]
pub struct Mirrored {
    /// Mirrors first, the registry itself last.
    places: Vec<Arc<dyn Source>>,
    /// The first place that is not known to fail.
    first: AtomicUsize,
    progress: Arc<dyn Progress>,
}

impl Mirrored {
    /// Reads from `mirrors`, and from `registry` what none of them has.
    #[must_use]
    pub fn new(mirrors: Vec<Arc<dyn Source>>, registry: Arc<dyn Source>, progress: Arc<dyn Progress>) -> Self {
        let mut places = mirrors;
        places.push(registry);
        Self {
            places,
            first: AtomicUsize::new(0),
            progress,
        }
    }

    fn candidates(&self) -> impl Iterator<Item = (usize, &Arc<dyn Source>)> {
        self.places.iter().enumerate().skip(self.first.load(Ordering::Relaxed))
    }

    /// Passes a failure of the last place on, and notes one of a mirror.
    fn failed(&self, index: usize, error: ContentError) -> Result<()> {
        if index + 1 == self.places.len() {
            return Err(error);
        }
        // A mirror that only lacks something is asked again for the next thing.
        if error.kind() != Kind::NotFound {
            self.first.fetch_max(index + 1, Ordering::Relaxed);
        }
        self.progress.on(&Event::Notice(&format!(
            "the mirror {} is passed over: {error}",
            self.places[index].place()
        )));
        Ok(())
    }

    /// Goes on at the registry itself where the mirror breaks. The whole is verified again, as it has two halves then.
    fn with_rest_from_origin(&self, stream: BlobStream, index: usize, blob: &Descriptor) -> BlobStream {
        let rest = Rest {
            stream,
            position: 0,
            skip: 0,
            origin: Some(Arc::clone(self.origin())),
            mirror: self.places[index].place(),
            blob: blob.clone(),
            progress: Arc::clone(&self.progress),
        };
        let pieces = futures_util::stream::unfold(Some(rest), |rest| async {
            let mut rest = rest?;
            match rest.piece().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(rest))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        verify::verified(Box::pin(pieces), blob, &self.place())
    }

    fn origin(&self) -> &Arc<dyn Source> {
        &self.places[self.places.len() - 1]
    }

    fn nothing(&self) -> ContentError {
        ContentError::new(Kind::NotFound, format!("nothing can be read from {}", self.place()))
    }
}

/// A blob that comes from a mirror, and from the registry itself what the mirror failed to give.
struct Rest {
    stream: BlobStream,
    position: u64,
    skip: u64,
    /// The registry, as long as the mirror is read.
    origin: Option<Arc<dyn Source>>,
    mirror: String,
    blob: Descriptor,
    progress: Arc<dyn Progress>,
}

impl Rest {
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.stream.next().await {
                Some(Ok(mut piece)) => {
                    let skipped = self.skip.min(piece.len() as u64);
                    self.skip -= skipped;
                    let piece = piece.split_off(usize::try_from(skipped).unwrap_or_default());
                    if !piece.is_empty() {
                        self.position += piece.len() as u64;
                        return Ok(Some(piece));
                    }
                }
                Some(Err(error)) => {
                    let Some(origin) = self.origin.take() else {
                        return Err(error);
                    };
                    self.progress.on(&Event::Notice(&format!(
                        "the mirror {} is passed over: {error}",
                        self.mirror
                    )));
                    self.stream = origin.fetch(&self.blob).await?;
                    self.skip = self.position;
                }
                None => return Ok(None),
            }
        }
    }
}

#[async_trait]
impl Source for Mirrored {
    fn place(&self) -> String {
        self.origin().place()
    }

    async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        for (index, place) in self.candidates() {
            match place.resolve(selector).await {
                Ok(manifest) => return Ok(manifest),
                Err(error) => self.failed(index, error)?,
            }
        }
        Err(self.nothing())
    }

    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        for (index, place) in self.candidates() {
            match place.peek(tag).await {
                Ok(None) if index + 1 < self.places.len() => {}
                Ok(digest) => return Ok(digest),
                Err(error) => self.failed(index, error)?,
            }
        }
        Ok(None)
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        for (index, place) in self.candidates() {
            match place.fetch(blob).await {
                Ok(stream) if index + 1 == self.places.len() => return Ok(stream),
                Ok(stream) => return Ok(self.with_rest_from_origin(stream, index, blob)),
                Err(error) => self.failed(index, error)?,
            }
        }
        Err(self.nothing())
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        // A mirror need not know what was attached since, and an empty list does not say so.
        self.origin().referrers(subject).await
    }

    fn repository(&self) -> Option<&Repository> {
        self.origin().repository()
    }
}
