//! What is sent to a daemon, watched while it goes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use super::DaemonError;
use crate::content::{BlobStream, ContentError};

/// What is known of bytes on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Sending(Arc<State>);

#[derive(Debug, Default)]
struct State {
    position: AtomicU64,
    is_over: AtomicBool,
    failure: Mutex<Option<ContentError>>,
}

impl Sending {
    /// The bytes of `stream`, watched; `on` hears how many went after each piece.
    pub(super) fn watch(
        &self,
        stream: BlobStream,
        on: impl Fn(u64) + Send + 'static,
    ) -> Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>> {
        let state = Arc::clone(&self.0);
        let end = Arc::clone(&self.0);
        let pieces = stream.map(move |piece| match piece {
            Ok(piece) => {
                let length = piece.len() as u64;
                on(state.position.fetch_add(length, Ordering::Relaxed) + length);
                Ok(piece)
            }
            Err(error) => {
                let told = io::Error::other(error.to_string());
                *state.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(told)
            }
        });
        let over = stream::once(async move {
            end.is_over.store(true, Ordering::Relaxed);
        });
        Box::pin(pieces.chain(over.filter_map(|()| async { None })))
    }

    /// The failure of our own side, which the client and the daemon only know as a connection that broke.
    pub(super) fn failure(&self) -> Option<DaemonError> {
        let failure = self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map(DaemonError::Content)
    }

    /// Ends when no byte went for `limit` although there are more. What the daemon does with them once it has them all
    /// may take its time.
    pub(super) async fn stalled(&self, limit: Duration) {
        let mut last = None;
        loop {
            tokio::time::sleep(limit).await;
            let position = self.0.position.load(Ordering::Relaxed);
            if last == Some(position) && !self.0.is_over.load(Ordering::Relaxed) {
                return;
            }
            last = Some(position);
        }
    }
}
