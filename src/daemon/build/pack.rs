//! The build context as a tar stream.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::BuildRequest;
use crate::content::{BlobStream, ContentError, Kind};
use crate::dockerfile::FileTree;
use crate::recipe::{Entry, FileContent, ImagePath};

/// Size of the pieces that are sent.
const PIECE: usize = 128 * 1024;
/// Pieces that wait to be sent.
const WAITING: usize = 8;
/// Time of every file, one second after the epoch: the image must not know when the context was checked out.
const TIME: u64 = 1;

/// A context about to be packed.
#[derive(Debug)]
pub(super) struct Packing {
    tree: Arc<dyn FileTree>,
    /// The Dockerfile, if it has to be added.
    text: Option<Bytes>,
    /// The name of the Dockerfile in the archive.
    pub(super) dockerfile: String,
    /// Whether the Dockerfile is not in the context, or left out of it.
    pub(super) is_outside: bool,
}

impl Packing {
    /// Looks for the Dockerfile in the context. Where it is not, it gets the name `outside`.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub(super) fn of(request: &BuildRequest, outside: &str) -> Result<Self, ContentError> {
        let found = match &request.dockerfile_path {
            Some(path) => request.context.get(path).map_err(unusable)?.map(|_| path.relative()),
            None => None,
        };
        Ok(Self {
            tree: Arc::clone(&request.context),
            text: found.is_none().then(|| request.dockerfile.clone()),
            dockerfile: found.unwrap_or(outside).to_owned(),
            is_outside: found.is_none(),
        })
    }

    /// The archive, packed while it is read.
    pub(super) fn stream(self) -> BlobStream {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut archive = Builder::new(Pieces {
                sender: sender.clone(),
                waiting: Vec::with_capacity(PIECE),
            });
            let packed = self.pack(&mut archive).and_then(|()| {
                let mut pieces = archive.into_inner().map_err(broken)?;
                pieces.flush().map_err(broken)
            });
            // Nobody listens any more where the daemon has given up.
            if let Err(error) = packed {
                let _ = sender.blocking_send(Err(error));
            }
        });
        Box::pin(stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        }))
    }

    fn pack(&self, archive: &mut Builder<Pieces>) -> Result<(), ContentError> {
        if let Some(text) = &self.text {
            let mut header = header(EntryType::Regular, 0o644, text.len() as u64);
            archive
                .append_data(&mut header, &self.dockerfile, text.as_ref())
                .map_err(broken)?;
        }
        self.pack_folder(archive, &ImagePath::default())
    }

    fn pack_folder(&self, archive: &mut Builder<Pieces>, folder: &ImagePath) -> Result<(), ContentError> {
        for entry in self.tree.children(folder).map_err(unusable)? {
            pack_entry(archive, &entry)?;
            if entry.content == FileContent::Directory {
                self.pack_folder(archive, &entry.path)?;
            }
        }
        Ok(())
    }
}

fn pack_entry(archive: &mut Builder<Pieces>, entry: &Entry) -> Result<(), ContentError> {
    let path = entry.path.relative();
    let mode = entry.attributes.mode;
    let unreadable = |error| ContentError::file(format!("cannot read {path} of the build context"), error);
    let packed = match &entry.content {
        FileContent::Local { path, size, .. } => {
            let file = File::open(path).map_err(unreadable)?;
            let mut header = header(EntryType::Regular, mode, *size);
            archive.append_data(
                &mut header,
                entry.path.relative(),
                Exactly {
                    reader: file,
                    left: *size,
                },
            )
        }
        FileContent::Stored(stored) => {
            let mut header = header(EntryType::Regular, mode, stored.size());
            archive.append_data(&mut header, path, stored.reader())
        }
        FileContent::Link { to, .. } => {
            let mut header = header(EntryType::Symlink, mode, 0);
            archive.append_link(&mut header, path, to)
        }
        FileContent::HardLink(to) => {
            let mut header = header(EntryType::Link, mode, 0);
            archive.append_link(&mut header, path, to.relative())
        }
        FileContent::Directory => {
            let mut header = header(EntryType::Directory, mode, 0);
            archive.append_data(&mut header, path, io::empty())
        }
        // Sockets, pipes and devices are nothing to copy from.
        FileContent::Special(_) => Ok(()),
    };
    packed.map_err(unreadable)
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(TIME);
    header.set_size(size);
    header
}

fn unusable(problem: crate::dockerfile::Problem) -> ContentError {
    let hints = problem.hints();
    let error = ContentError::new(Kind::Usage, "cannot pack the build context").because(problem);
    hints.into_iter().fold(error, ContentError::hint)
}

fn broken(error: io::Error) -> ContentError {
    ContentError::file("cannot pack the build context", error)
}

/// Exactly as many bytes as the header says: a file that is written meanwhile would spoil all that follows it.
struct Exactly<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.reader.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            let why = "it became shorter while it was read";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Hands what is written on, in pieces.
struct Pieces {
    sender: mpsc::Sender<Result<Bytes, ContentError>>,
    waiting: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.waiting));
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
