//! Bytes the fake registry holds, or only pretends to hold.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use sha2::{Digest as _, Sha256};

/// How many bytes of an answer are handed to the connection at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The content of a blob, a manifest or an answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Held in memory.
    Bytes(Bytes),
    /// One block over and over, cut at `size`: a large blob that costs no memory.
    Repeated {
        /// The block.
        block: Bytes,
        /// The size of the whole in bytes.
        size: u64,
    },
    /// Received, hashed and thrown away.
    Forgotten {
        /// The size in bytes.
        size: u64,
    },
}

impl Content {
    /// A large blob of noise that no two seeds share.
    pub(crate) fn noise(seed: u64, size: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut block = Vec::with_capacity(1 << 20);
        while block.len() < 1 << 20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            block.extend_from_slice(&state.to_le_bytes());
        }
        Self::Repeated {
            block: block.into(),
            size,
        }
    }

    /// The size in bytes.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Repeated { size, .. } | Self::Forgotten { size } => *size,
        }
    }

    /// The bytes, if they are held in memory.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Up to [`CHUNK_BYTES`] from `offset` on; empty at the end.
    pub(crate) fn chunk(&self, offset: u64) -> Bytes {
        match self {
            Self::Bytes(bytes) => {
                let start = (offset as usize).min(bytes.len());
                bytes.slice(start..(start + CHUNK_BYTES).min(bytes.len()))
            }
            Self::Repeated { block, size } => {
                let start = (offset % block.len() as u64) as usize;
                let left = size.saturating_sub(offset);
                let end = (start + CHUNK_BYTES)
                    .min(block.len())
                    .min(start + left.min(CHUNK_BYTES as u64) as usize);
                block.slice(start..end)
            }
            Self::Forgotten { .. } => panic!("the fake registry threw this blob away"),
        }
    }

    /// The digest of all bytes.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut offset = 0;
        loop {
            let chunk = self.chunk(offset);
            if chunk.is_empty() {
                return digest_text(&hash.finalize());
            }
            offset += chunk.len() as u64;
            hash.update(&chunk);
        }
    }
}

/// The digest of `bytes` as registries write it.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    digest_text(&Sha256::digest(bytes))
}

/// `sha256:` and the hexadecimal form of a finished hash.
pub(crate) fn digest_text(hash: &[u8]) -> String {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What becomes of an answer's body on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mishap {
    /// The connection breaks after so many bytes.
    pub(crate) cut_after: Option<u64>,
    /// Nothing comes any more after so many bytes.
    pub(crate) stall_after: Option<u64>,
}

/// An answer's body: counts the bytes that left.
pub(crate) struct Served {
    content: Content,
    offset: u64,
    mishap: Mishap,
    flushed: bool,
    sent: Arc<AtomicU64>,
}

impl Served {
    /// A body of `content` that adds what it sends to `sent`.
    pub(crate) fn new(content: Content, mishap: Mishap, sent: Arc<AtomicU64>) -> Self {
        Self {
            content,
            offset: 0,
            mishap,
            flushed: false,
            sent,
        }
    }
}

impl Body for Served {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let mut chunk = self.content.chunk(self.offset);
        if let Some(limit) = self.mishap.stall_after {
            // No waker is kept: the body stalls for as long as the peer has patience.
            if self.offset >= limit {
                return Poll::Pending;
            }
            chunk.truncate((limit - self.offset) as usize);
        }
        if let Some(limit) = self.mishap.cut_after {
            if self.offset >= limit && !self.flushed {
                // What was sent so far leaves only while the body has nothing ready.
                self.flushed = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.offset >= limit {
                return Poll::Ready(Some(Err(io::Error::other("scripted truncation"))));
            }
            chunk.truncate((limit - self.offset) as usize);
        }
        if chunk.is_empty() {
            return Poll::Ready(None);
        }
        self.offset += chunk.len() as u64;
        self.sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.size() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.size() - self.offset)
    }
}
