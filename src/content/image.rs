//! Images as a set of parts, each of which knows where it comes from.

use std::sync::Arc;

use bytes::Bytes;

use super::spool::Spool;
use super::{BlobStream, Result, Source};
use crate::oci::{Descriptor, Manifest, Repository};

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub enum Origin {
    /// At another place; not downloaded unless somebody needs the bytes.
    Source(Arc<dyn Source>),
    /// In memory.
    Bytes(Bytes),
    /// Packed by this run, in memory or in a temporary file.
    Spool(Arc<Spool>),
}

/// A blob: its descriptor, and where it comes from.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Type, digest and size.
    pub descriptor: Descriptor,
    /// Where the bytes are.
    pub origin: Origin,
}

impl Blob {
    /// A blob held in memory.
    #[must_use]
    pub fn bytes(media_type: &str, bytes: Bytes) -> Self {
        Self {
            descriptor: Descriptor::of(media_type, &bytes),
            origin: Origin::Bytes(bytes),
        }
    }

    /// Streams the bytes from the start.
    ///
    /// # Errors
    /// When the place it comes from cannot be read.
    pub async fn open(&self) -> Result<BlobStream> {
        match &self.origin {
            Origin::Source(source) => source.fetch(&self.descriptor).await,
            Origin::Bytes(bytes) => {
                let bytes = bytes.clone();
                Ok(Box::pin(futures_util::stream::iter(std::iter::once(Ok(bytes)))))
            }
            Origin::Spool(spool) => Ok(spool.open()),
        }
    }

    /// Whether this run made the blob, so that it is unlikely to be anywhere yet.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        !matches!(self.origin, Origin::Source(_))
    }

    /// The repository it could be mounted from.
    #[must_use]
    pub fn repository(&self) -> Option<&Repository> {
        match &self.origin {
            Origin::Source(source) => source.holder(&self.descriptor.digest).unwrap_or(source).repository(),
            Origin::Bytes(_) | Origin::Spool(_) => None,
        }
    }
}

/// A complete image: the manifest that names it, the manifests below it, and the blobs of them all.
#[derive(Debug, Clone)]
pub struct Image {
    /// The manifest or index whose digest is the image's.
    pub root: Manifest,
    /// The manifests an index lists.
    pub children: Vec<Manifest>,
    /// Configs and layers, each once.
    pub blobs: Vec<Blob>,
}
