//! Checking bytes against their descriptor while they pass.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};

use super::{BlobStream, ContentError, Kind, Result};
use crate::oci::{Descriptor, Digest, Hasher};

/// Passes a stream on and ends it in an error unless it has exactly the descriptor's length and digest.
///
/// The last piece is held back until the digest is known to be right, so that a receiver that counts bytes never has
/// them all when they are wrong.
#[must_use]
pub fn verified(stream: BlobStream, blob: &Descriptor, place: &str) -> BlobStream {
    Box::pin(Verified {
        stream,
        hasher: Some(Hasher::new()),
        held: None,
        seen: 0,
        size: blob.size,
        digest: blob.digest,
        place: place.to_owned(),
    })
}

struct Verified {
    stream: BlobStream,
    hasher: Option<Hasher>,
    held: Option<Bytes>,
    seen: u64,
    size: u64,
    digest: Digest,
    place: String,
}

impl Verified {
    fn wrong(&mut self, kind: Kind, why: String) -> Poll<Option<Result<Bytes>>> {
        self.hasher = None;
        self.held = None;
        let what = format!("blob {} from {} is not what it should be", self.digest, self.place);
        Poll::Ready(Some(Err(ContentError::new(kind, what).because(why))))
    }
}

impl Stream for Verified {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            if self.hasher.is_none() {
                return Poll::Ready(self.held.take().map(Ok));
            }
            match self.stream.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => {
                    self.hasher = None;
                    self.held = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Ok(piece))) => {
                    if piece.is_empty() {
                        continue;
                    }
                    self.seen += piece.len() as u64;
                    if self.seen > self.size {
                        let why = format!("it has more than the {} bytes its descriptor says", self.size);
                        return self.wrong(Kind::Invalid, why);
                    }
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(&piece);
                    }
                    if let Some(earlier) = self.held.replace(piece) {
                        return Poll::Ready(Some(Ok(earlier)));
                    }
                }
                Poll::Ready(None) => {
                    if self.seen < self.size {
                        // Cut short, not forged: worth another try.
                        let why = format!("it ended after {} of {} bytes", self.seen, self.size);
                        return self.wrong(Kind::Temporary, why);
                    }
                    let digest = self.hasher.take().map(Hasher::finish);
                    if digest != Some(self.digest) {
                        let found = digest.map_or_else(String::new, |digest| digest.to_string());
                        return self.wrong(Kind::Invalid, format!("its digest is {found}"));
                    }
                }
            }
        }
    }
}

/// Reads a stream to its end; `size` is how long it is expected to be.
///
/// # Errors
/// The stream's own.
pub async fn collect(mut stream: BlobStream, size: u64) -> Result<Bytes> {
    let mut bytes = BytesMut::with_capacity(usize::try_from(size.min(super::CONFIG_LIMIT)).unwrap_or_default());
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn verify(pieces: &[&'static str], descriptor: &Descriptor) -> Result<Bytes> {
        let pieces: Vec<Result<Bytes>> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
            .collect();
        let stream = verified(Box::pin(stream::iter(pieces)), descriptor, "here");
        collect(stream, descriptor.size).await
    }

    #[tokio::test]
    async fn right_bytes_pass() {
        let descriptor = Descriptor::of("x", b"abc");
        assert_eq!(verify(&["a", "", "bc"], &descriptor).await.expect("bytes"), "abc");
        assert_eq!(verify(&[], &Descriptor::of("x", b"")).await.expect("bytes"), "");
    }

    #[tokio::test]
    async fn wrong_bytes_end_in_an_error_before_the_last_piece() {
        let descriptor = Descriptor::of("x", b"abc");
        let stream = stream::iter(vec![Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"x"))]);
        let mut stream = verified(Box::pin(stream), &descriptor, "here");
        assert!(stream.next().await.expect("piece").is_ok());
        let error = stream.next().await.expect("piece").expect_err("lie");
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn length_is_checked_both_ways() {
        let descriptor = Descriptor::of("x", b"abc");
        assert_eq!(
            verify(&["ab"], &descriptor).await.expect_err("short").kind(),
            Kind::Temporary
        );
        assert_eq!(
            verify(&["abcd"], &descriptor).await.expect_err("long").kind(),
            Kind::Invalid
        );
    }
}
