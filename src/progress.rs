//! What the library tells whoever is watching.

use std::time::Duration;

use crate::content::Placement;
use crate::oci::Digest;

/// Something that happened, or is going to take a while.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Something the user should know about a choice that was made for them.
    Notice(&'a str),
    /// A part of something long is done, or begins, in words.
    Step(&'a str),
    /// It is known who we are at a registry.
    Login {
        /// The registry's host.
        registry: &'a str,
        /// Where the login was found, or where it was looked for; never the login itself.
        origin: &'a str,
    },
    /// A request failed for now and is made again after `wait`.
    Retry {
        /// What is tried again.
        what: &'a str,
        /// Why the last try failed.
        cause: &'a str,
        /// How long until the next one.
        wait: Duration,
    },
    /// A layer was packed.
    Packed {
        /// Number of files in it.
        files: usize,
        /// Number of compressed bytes.
        size: u64,
        /// Its digest.
        digest: &'a Digest,
    },
    /// A blob starts on its way to `place`.
    BlobStarted {
        /// The target.
        place: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// More bytes of a blob have been handed over; a transfer that is tried again starts at zero.
    BlobAdvanced {
        /// The target.
        place: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Bytes handed over so far.
        position: u64,
    },
    /// A blob is at `place`.
    BlobFinished {
        /// The target.
        place: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Its length in bytes.
        size: u64,
        /// How it got there.
        placement: Placement,
    },
    /// A manifest is at `place`.
    ManifestPut {
        /// The target.
        place: &'a str,
        /// The manifest.
        digest: &'a Digest,
        /// The tag it was put under, if any.
        tag: Option<&'a str>,
    },
    /// A line of the log of a build in a daemon.
    BuildLog(&'a str),
    /// An image is in the store of a daemon.
    Loaded {
        /// The daemon.
        place: &'a str,
        /// The names it has there.
        names: &'a str,
        /// What the daemon calls it.
        id: &'a str,
    },
}

/// Watches. The library never prints.
pub trait Progress: Send + Sync + std::fmt::Debug {
    /// Takes an event. Called from several threads, and often: it must not block.
    fn on(&self, event: &Event<'_>);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn on(&self, _event: &Event<'_>) {}
}
