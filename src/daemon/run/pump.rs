//! Handing on what a container writes: raw, as it comes, and to the last byte.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::Run;
use super::container::LogStream;
use crate::execute::{Piece, Stream};

/// How long a stream may stay silent once the container has ended: what it wrote is with the daemon by then.
const LAST_SILENCE: Duration = Duration::from_secs(10);

/// How long after the end of its output a container usually has ended. If it goes on, the connection may have been cut
/// in a way that looks like an end.
const USUAL_END: Duration = Duration::from_secs(1);

/// How long it waits before it connects again.
const PAUSE: Duration = Duration::from_millis(500);

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// In order.
    Closed,
    /// The connection broke.
    Broken,
    /// It is open, and nothing comes from it although the container has ended.
    Silent,
    /// The daemon does not keep the output.
    NotKept,
}

/// How many bytes of each stream.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    output: u64,
    error: u64,
}

impl Count {
    fn of(&mut self, stream: Stream) -> &mut u64 {
        match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        }
    }
}

impl Run<'_> {
    /// Hands on what comes from `attached` and, if that breaks, the rest from the daemon's own copy of it.
    pub(super) async fn pump(&self, attached: LogStream, mut exited: watch::Receiver<bool>) {
        let mut shown = Count::default();
        let mut end = self.copy(attached, Count::default(), &mut shown, &exited).await;
        loop {
            let is_over = match end {
                End::Silent | End::NotKept => true,
                End::Closed => {
                    let usual = tokio::time::timeout(USUAL_END, exited.wait_for(|exited| *exited)).await;
                    usual.is_ok()
                }
                End::Broken => false,
            };
            if is_over {
                return;
            }
            // What is read after the end is complete, or cannot be had.
            let is_last = *exited.borrow();
            tokio::time::sleep(PAUSE).await;
            let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).build();
            let docker = self.daemon.patient();
            let again: LogStream = Box::pin(docker.logs(&self.name, Some(options)));
            let skip = shown;
            end = self.copy(again, skip, &mut shown, &exited).await;
            if is_last {
                return;
            }
        }
    }

    /// Hands on a stream but for its first bytes, which have been shown.
    async fn copy(
        &self,
        mut from: LogStream,
        mut skip: Count,
        shown: &mut Count,
        exited: &watch::Receiver<bool>,
    ) -> End {
        loop {
            let next = tokio::select! {
                next = from.next() => next,
                () = silence_after(exited.clone()) => return End::Silent,
            };
            let (stream, mut bytes) = match next {
                None => return End::Closed,
                Some(Err(bollard::errors::Error::DockerResponseServerError { .. })) => return End::NotKept,
                Some(Err(_)) => return End::Broken,
                Some(Ok(log)) => piece(log),
            };
            let known = skip.of(stream);
            let skipped = usize::try_from(*known).unwrap_or(usize::MAX).min(bytes.len());
            *known -= skipped as u64;
            bytes.advance(skipped);
            *shown.of(stream) += bytes.len() as u64;
            if !bytes.is_empty() {
                // Whoever read it may have enough of it; the run goes on.
                let _ = self.watch.output.send(Piece { stream, bytes }).await;
            }
        }
    }
}

fn piece(log: LogOutput) -> (Stream, Bytes) {
    match log {
        LogOutput::StdErr { message } => (Stream::Error, message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            (Stream::Output, message)
        }
    }
}

async fn silence_after(mut exited: watch::Receiver<bool>) {
    if exited.wait_for(|exited| *exited).await.is_err() {
        // Whoever would tell is gone, and with it the need for a limit.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(LAST_SILENCE).await;
}
