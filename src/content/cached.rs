//! A source whose manifests and configs are remembered.

use std::sync::Arc;

use async_trait::async_trait;

use super::{BlobStream, CONFIG_LIMIT, Cache, Result, Selector, Source, verify};
use crate::oci::{Descriptor, Digest, Manifest, Repository, Tag, media_type};

/// Reads through a cache: what is named by its digest is read once, a tag costs one question whether it has moved.
#[derive(Debug)]
pub struct CachedSource {
    source: Arc<dyn Source>,
    repository: Repository,
    cache: Cache,
}

impl CachedSource {
    /// Remembers what is read from `source`, which is `repository`.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, repository: Repository, cache: Cache) -> Self {
        Self {
            source,
            repository,
            cache,
        }
    }

    fn remembered(&self, digest: &Digest) -> Option<Manifest> {
        let bytes = self.cache.content(digest)?;
        Manifest::parse(bytes, "").ok()
    }

    fn remember(&self, manifest: &Manifest) {
        // Only a manifest that states its own type can be read without the answer's header.
        if Manifest::parse(manifest.bytes.clone(), "").is_ok_and(|again| again.descriptor == manifest.descriptor) {
            self.cache.keep_content(&manifest.digest(), &manifest.bytes);
        }
    }
}

#[async_trait]
impl Source for CachedSource {
    fn place(&self) -> String {
        self.source.place()
    }

    async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        let mut selector = selector.clone();
        if let Selector::Tag(tag) = &selector
            && let Some(last) = self.cache.tag(&self.repository, tag)
            && self.cache.content(&last).is_some()
            && let Some(now) = self.source.peek(tag).await?
        {
            self.cache.keep_tag(&self.repository, tag, &now);
            selector = Selector::Digest(now);
        }
        if let Selector::Digest(digest) = &selector
            && let Some(manifest) = self.remembered(digest)
        {
            return Ok(manifest);
        }
        let manifest = self.source.resolve(&selector).await?;
        self.remember(&manifest);
        if let Selector::Tag(tag) = &selector {
            self.cache.keep_tag(&self.repository, tag, &manifest.digest());
        }
        Ok(manifest)
    }

    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        self.source.peek(tag).await
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        if !media_type::is_config(&blob.media_type) || blob.size > CONFIG_LIMIT {
            return self.source.fetch(blob).await;
        }
        let bytes = match self.cache.content(&blob.digest) {
            Some(bytes) => bytes,
            None => {
                let bytes = verify::collect(self.source.fetch(blob).await?, blob.size).await?;
                self.cache.keep_content(&blob.digest, &bytes);
                bytes
            }
        };
        Ok(Box::pin(futures_util::stream::iter(std::iter::once(Ok(bytes)))))
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
