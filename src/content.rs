//! Places content is read from and written to, and moving images between them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

use crate::oci::{Descriptor, Digest, Manifest, Reference, Repository, Tag};

pub mod archive;
pub mod cache;
pub mod cached;
pub mod compress;
pub mod copy;
pub mod delivery;
pub mod error;
mod format;
pub mod image;
pub mod known;
pub mod layout;
pub mod location;
pub mod saved;
pub mod spool;
pub mod tag_rule;
pub mod transfer;
pub mod tree;
pub mod verify;

pub use cache::Cache;
pub use cached::CachedSource;
pub use delivery::{Delivered, Delivery, Status};
pub use error::{ContentError, Kind};
pub use image::{Blob, Image, Origin};
pub use known::KnownLayers;
pub use location::Location;
pub use tag_rule::TagRule;
pub use transfer::Transfer;

/// The result of anything that reads or writes content.
pub type Result<T> = std::result::Result<T, ContentError>;

/// The bytes of a blob, in pieces.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Largest manifest shipway reads: what registries take (ECR, Docker's registry: 4 MiB).
pub const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;
/// Largest image config shipway reads. Real ones have some kilobytes; history of a thousand steps has a few hundred.
pub const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;

/// Below this size a blob is little: it may travel beside others, and stay in memory.
pub const SMALL: u64 = 8 * 1024 * 1024;

/// Which of the images at a place is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one a tag names.
    Tag(Tag),
    /// The one with this full name, `repository:tag`, in an archive that keeps such names.
    Name(Reference),
    /// The one with this digest.
    Digest(Digest),
    /// The only one there is.
    Only,
}

impl Selector {
    /// What a reference to a registry selects: its digest, else its tag, else `latest`.
    #[must_use]
    pub fn of(reference: &Reference) -> Self {
        match (reference.digest, &reference.tag) {
            (Some(digest), _) => Self::Digest(digest),
            (None, Some(tag)) => Self::Tag(tag.clone()),
            (None, None) => Self::Tag(Tag::latest()),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Name(name) => f.write_str(&name.name()),
            Self::Digest(digest) => digest.fmt(f),
            Self::Only => f.write_str("the only image"),
        }
    }
}

/// Somewhere content can be read from.
///
/// Every byte handed out is verified: a manifest or a blob that is not what its descriptor says ends in an error,
/// never in content.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// Names the place for people, such as `127.0.0.1:5000/base` or `layout out`.
    fn place(&self) -> String;

    /// Reads the manifest that is meant.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it is not there, [`Kind::Invalid`] when its bytes lie or are no manifest.
    async fn resolve(&self, selector: &Selector) -> Result<Manifest>;

    /// Tells which digest a tag names without reading the manifest; `None` where that costs as much as reading it.
    ///
    /// # Errors
    /// As [`Source::resolve`].
    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>>;

    /// Streams a blob. Called again from the start when a transfer is tried again.
    ///
    /// # Errors
    /// As [`Source::resolve`]; the stream itself ends in [`Kind::Invalid`] when length or digest are wrong.
    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream>;

    /// The tags of what is meant: the one it is selected by; or all its tags, where it is the only image of a place that
    /// knows them.
    fn tags(&self, selector: &Selector) -> Vec<Tag> {
        match selector {
            Selector::Tag(tag) => vec![tag.clone()],
            Selector::Name(_) | Selector::Digest(_) | Selector::Only => Vec::new(),
        }
    }

    /// The full names of what is meant, `repository:tag`, where the place keeps such names.
    fn names(&self, _selector: &Selector) -> Vec<String> {
        Vec::new()
    }

    /// Lists the manifests that speak of another one, such as its signatures. A place without such lists has none.
    ///
    /// # Errors
    /// When the place cannot be asked, or its answer makes no sense.
    async fn referrers(&self, _subject: &Digest) -> Result<Vec<Descriptor>> {
        Ok(Vec::new())
    }

    /// Where a blob is read from, if that is another place: one that knows it by the image this one was built on.
    fn holder(&self, _blob: &Digest) -> Option<&Arc<dyn Source>> {
        None
    }

    /// The repository, where the place is one: blobs can be mounted from it instead of being sent.
    fn repository(&self) -> Option<&Repository> {
        None
    }
}

/// How a blob came to be at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It was there already.
    Present,
    /// The registry took it over from another of its repositories.
    Mounted,
    /// Its bytes were sent or written.
    Sent,
    /// Where it comes from is noted; the target takes it with all others when it is complete.
    Noted,
}

/// Somewhere content can be written to.
///
/// Nothing is visible under a tag before everything it names is complete.
#[async_trait]
pub trait Target: Send + Sync + fmt::Debug {
    /// Names the place for people.
    fn place(&self) -> String;

    /// Tells which digest a tag names now; `None` when there is no such tag.
    ///
    /// # Errors
    /// When the place cannot be asked. A repository that does not exist is one.
    async fn tagged(&self, tag: &Tag) -> Result<Option<Digest>>;

    /// Tells whether the place is one that can be written to, as far as that can be told without writing. Called before
    /// anything is put anywhere.
    ///
    /// # Errors
    /// When it cannot.
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Announces configs that will follow once their digest is known, so that the way can be prepared meanwhile. Never
    /// called unless they will be put.
    fn anticipate(&self, _configs: usize) {}

    /// Forgets what was believed to be there without having been asked for. Returns whether there was such a belief,
    /// so that putting everything again may make a difference.
    fn distrust(&self) -> bool {
        false
    }

    /// Whether a blob is known to be there. `false` is no promise: it may be unknown, or not worth asking for.
    ///
    /// # Errors
    /// When the place cannot be asked.
    async fn contains(&self, _blob: &Blob) -> Result<bool> {
        Ok(false)
    }

    /// Whether a manifest is known to be there, with all it names. `false` is no promise, as with [`Target::contains`].
    ///
    /// # Errors
    /// When the place cannot be asked.
    async fn holds(&self, _manifest: &Digest) -> Result<bool> {
        Ok(false)
    }

    /// Whether what is put replaces all that was there, as with a file that is written anew.
    fn is_replaced(&self) -> bool {
        false
    }

    /// Puts a blob. Ok means the content is there, or will be when [`Target::commit`] returns; not that this call put
    /// it there.
    ///
    /// # Errors
    /// When it could not be put, after all retries.
    async fn put(&self, blob: &Blob) -> Result<Placement>;

    /// Puts a manifest whose blobs and children are there, under a tag or only by its digest.
    ///
    /// # Errors
    /// When it is refused.
    async fn put_manifest(&self, manifest: &Manifest, tag: Option<&Tag>) -> Result<()>;

    /// Which of the manifests that speak of `subject` are listed. Not to be listed is no promise.
    ///
    /// # Errors
    /// When the place cannot be asked.
    async fn referrers(&self, _subject: &Digest) -> Result<Vec<Digest>> {
        Ok(Vec::new())
    }

    /// Puts a manifest that speaks of `subject`, so that whoever asks for what does finds it. It gets no tag.
    ///
    /// # Errors
    /// When it is refused.
    async fn put_referrer(&self, manifest: &Manifest, _subject: &Digest) -> Result<()> {
        self.put_manifest(manifest, None).await
    }

    /// Does all of [`Target::commit`] that takes time, room or luck, and leaves a step that hardly fails. Nothing is
    /// visible yet. Called at most once, after the last manifest was put.
    ///
    /// # Errors
    /// When something cannot be written.
    async fn seal(&self) -> Result<()> {
        Ok(())
    }

    /// Makes everything put so far visible. Called once, at the end; a target that is dropped without it leaves
    /// nothing behind.
    ///
    /// # Errors
    /// When the last step fails.
    async fn commit(&self) -> Result<()>;
}

/// Reads a whole blob that is known to be small.
///
/// # Errors
/// As [`Source::fetch`], and [`Kind::Invalid`] when the descriptor's size is above `limit` bytes.
pub async fn read(source: &Arc<dyn Source>, blob: &Descriptor, limit: u64) -> Result<Bytes> {
    if blob.size > limit {
        return Err(
            ContentError::new(Kind::Invalid, format!("{} in {}", blob.digest, source.place())).because(format!(
                "it has {} bytes, and {limit} is the limit for what it is",
                blob.size
            )),
        );
    }
    verify::collect(source.fetch(blob).await?, blob.size).await
}
