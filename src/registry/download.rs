//! Receiving a blob, and going on where a connection broke.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{HeaderValue, RANGE};
use reqwest::{Response, StatusCode};

use super::Registry;
use super::error::Failure;
use super::retry::Retry;
use super::transport::Request;
use crate::content::{ContentError, Kind};

/// A blob on its way here.
pub(super) struct Download {
    registry: Arc<Registry>,
    request: Request,
    response: Response,
    size: u64,
    position: u64,
    /// Bytes of the answer that were received before: a server need not know ranges.
    skip: u64,
    retry: Retry,
}

impl Download {
    pub(super) async fn start(registry: Arc<Registry>, request: Request, size: u64) -> Result<Self, Failure> {
        let response = registry.transport.send(&request, |_| false).await?;
        Ok(Self {
            registry,
            request,
            response,
            size,
            position: 0,
            skip: 0,
            retry: Retry::new(),
        })
    }

    /// The next piece; `None` at the end. The caller checks length and digest of the whole.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let result = self.registry.transport.piece(&mut self.response).await;
            let failure = match result {
                Ok(Some(mut piece)) => {
                    let skipped = self.skip.min(piece.len() as u64);
                    self.skip -= skipped;
                    let piece = piece.split_off(usize::try_from(skipped).unwrap_or_default());
                    if piece.is_empty() {
                        continue;
                    }
                    self.position += piece.len() as u64;
                    if self.retry.has_failed() {
                        self.retry.progressed();
                    }
                    return Ok(Some(piece));
                }
                Ok(None) if self.position >= self.size => return Ok(None),
                Ok(None) => Failure::temporary(ContentError::new(
                    Kind::Temporary,
                    format!("the answer ended after {} of {} bytes", self.position, self.size),
                )),
                // All that was asked for is here; how the connection ends does not matter.
                Err(_) if self.position >= self.size => return Ok(None),
                Err(failure) => failure,
            };
            self.retry
                .wait(&self.registry.transport, "the download", failure)
                .await?;
            self.resume().await?;
        }
    }

    async fn resume(&mut self) -> Result<(), Failure> {
        let mut request = self.request.clone();
        if self.position > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.position))
        {
            request.headers.push((RANGE, range));
        }
        self.response = self.registry.transport.send(&request, |_| false).await?;
        self.skip = if self.response.status() == StatusCode::PARTIAL_CONTENT {
            0
        } else {
            self.position
        };
        Ok(())
    }
}
