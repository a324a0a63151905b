//! Handing on what a container writes: bytes as they come, to the stream they belong to. Somebody listens for migration tools.

use std::io;

use shipway::execute::{Piece, Report, Stream};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::args::Format;
use crate::listener::Listener;
use crate::printer::OutputError;

/// How many pieces may wait to be written before the container has to wait.
const WAITING: usize = 64;

/// Writes what it is sent, until nobody is left who sends.
pub(crate) struct Relay {
    task: JoinHandle<(io::Result<()>, Option<Report>)>,
}

impl Relay {
    /// Begins. Where standard output is to hold JSON, everything goes to standard error.
    pub(crate) fn begin(format: Format) -> (mpsc::Sender<Piece>, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let task = tokio::spawn(hand_on(
            receiver,
            format == Format::Json,
            tokio::io::stdout(),
            tokio::io::stderr(),
        ));
        (sender, Self { task })
    }

    /// Waits until everything is written; tells what a migration tool said in it, too.
    pub(crate) async fn end(self) -> (Result<(), OutputError>, Option<Report>) {
        match self.task.await {
            Ok((result, report)) => (result.map_err(OutputError), report),
            Err(error) => (Err(OutputError(io::Error::other(error))), None),
        }
    }
}

/// An output that may stop to take anything: a reader that has enough of it does not end the run.
struct Outlet<W> {
    to: W,
    broken: Option<io::Error>,
}

impl<W: AsyncWrite + Unpin> Outlet<W> {
    async fn write(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        let written = match self.to.write_all(bytes).await {
            Ok(()) => self.to.flush().await,
            Err(error) => Err(error),
        };
        self.broken = written.err();
    }
}

async fn hand_on(
    mut pieces: mpsc::Receiver<Piece>,
    all_to_error: bool,
    output: impl AsyncWrite + Unpin,
    error: impl AsyncWrite + Unpin,
) -> (io::Result<()>, Option<Report>) {
    let mut listener = Listener::default();
    let mut output = Outlet {
        to: output,
        broken: None,
    };
    let mut error = Outlet {
        to: error,
        broken: None,
    };
    let mut is_within_line = false;
    while let Some(piece) = pieces.recv().await {
        listener.hear(piece.stream, &piece.bytes);
        if piece.stream == Stream::Output && !all_to_error {
            output.write(&piece.bytes).await;
        } else {
            is_within_line = piece.bytes.last().is_some_and(|byte| *byte != b'\n');
            error.write(&piece.bytes).await;
        }
    }
    if is_within_line {
        // Our own lines come next.
        error.write(b"\n").await;
    }
    let written = match output.broken {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    };
    (written, listener.finish())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    async fn written(pieces: &[(Stream, &'static [u8])], all_to_error: bool) -> (Vec<u8>, Vec<u8>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        for (stream, bytes) in pieces {
            let piece = Piece {
                stream: *stream,
                bytes: Bytes::from_static(bytes),
            };
            sender.send(piece).await.expect("there is room");
        }
        drop(sender);
        let (mut output, mut error) = (Vec::new(), Vec::new());
        hand_on(receiver, all_to_error, &mut output, &mut error)
            .await
            .0
            .expect("memory can be written");
        (output, error)
    }

    #[tokio::test]
    async fn streams_are_kept_apart_and_bytes_as_they_are() {
        let pieces: [(Stream, &[u8]); 4] = [
            (Stream::Output, b"a\xff"),
            (Stream::Error, b"e\r"),
            (Stream::Output, b"\0b"),
            (Stream::Error, b"\n"),
        ];
        assert_eq!(written(&pieces, false).await, (b"a\xff\0b".to_vec(), b"e\r\n".to_vec()));
        assert_eq!(written(&pieces, true).await, (Vec::new(), b"a\xffe\r\0b\n".to_vec()));
    }

    #[tokio::test]
    async fn an_unfinished_line_is_ended_before_ours() {
        let pieces: [(Stream, &[u8]); 1] = [(Stream::Error, b"no end")];
        assert_eq!(written(&pieces, false).await.1, b"no end\n");
    }
}
