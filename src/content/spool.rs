//! Bytes packed by this run: in memory while they are few, in an unnamed temporary file beyond that.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;

use super::{BlobStream, ContentError};

/// Up to this size packed layers stay in memory, all of them together: most sets of migrations have some kilobytes, and
/// the whole program promises to stay below 40 MB.
const MEMORY_LIMIT: usize = 8 * 1024 * 1024;
/// What all spools of the process hold in memory. One number for all, since it is the process that has the memory.
static IN_MEMORY: AtomicUsize = AtomicUsize::new(0);
/// Size of the pieces a file is read back in.
const PIECE: usize = 256 * 1024;

/// Written bytes, to be read as often as needed. A temporary file has no name, so nothing is left whatever happens.
pub struct Spool(Place);

enum Place {
    Memory { bytes: Bytes, _share: Share },
    File { file: File, size: u64, folder: PathBuf },
}

impl Spool {
    /// Streams the bytes from the start; several readers do not disturb each other.
    #[must_use]
    pub fn open(self: &Arc<Self>) -> BlobStream {
        match &self.0 {
            Place::Memory { bytes, .. } => Box::pin(stream::iter(std::iter::once(Ok(bytes.clone())))),
            Place::File { .. } => {
                let spool = Arc::clone(self);
                Box::pin(stream::unfold(Some((spool, 0_u64)), |state| async move {
                    let (spool, offset) = state?;
                    let reader = Arc::clone(&spool);
                    let piece = tokio::task::spawn_blocking(move || reader.piece(offset)).await;
                    match piece {
                        Ok(Ok(piece)) if piece.is_empty() => None,
                        Ok(Ok(piece)) => {
                            let next = offset + piece.len() as u64;
                            Some((Ok(piece), Some((spool, next))))
                        }
                        Ok(Err(error)) => Some((Err(spool.failure(error)), None)),
                        Err(error) => Some((Err(spool.failure(io::Error::other(error))), None)),
                    }
                }))
            }
        }
    }

    fn piece(&self, offset: u64) -> io::Result<Bytes> {
        match &self.0 {
            Place::Memory { bytes, .. } => Ok(bytes.slice(usize::try_from(offset).unwrap_or(bytes.len())..)),
            Place::File { file, size, .. } => {
                let length = usize::try_from((size - offset).min(PIECE as u64)).unwrap_or(PIECE);
                let mut piece = vec![0; length];
                read_at(file, &mut piece, offset)?;
                Ok(piece.into())
            }
        }
    }

    fn failure(&self, error: io::Error) -> ContentError {
        let folder = match &self.0 {
            Place::Memory { .. } => Path::new(""),
            Place::File { folder, .. } => folder,
        };
        ContentError::file(
            format!("cannot read back a temporary file in {}", folder.display()),
            error,
        )
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Memory { bytes, .. } => write!(f, "Spool({} bytes in memory)", bytes.len()),
            Place::File { size, folder, .. } => write!(f, "Spool({size} bytes in {})", folder.display()),
        }
    }
}

/// A share of the memory for spools, given back when it is dropped.
#[derive(Debug, Default)]
struct Share(usize);

impl Share {
    /// Takes more, if there is any.
    fn grow(&mut self, bytes: usize) -> bool {
        let before = IN_MEMORY.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MEMORY_LIMIT {
            IN_MEMORY.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.0 += bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        IN_MEMORY.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Takes the bytes of a [`Spool`].
#[derive(Debug)]
pub struct SpoolWriter {
    folder: PathBuf,
    memory: Vec<u8>,
    share: Share,
    file: Option<File>,
    size: u64,
}

impl SpoolWriter {
    /// Starts an empty spool whose temporary file, should it need one, lies in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            memory: Vec::new(),
            share: Share::default(),
            file: None,
            size: 0,
        }
    }

    /// Ends writing.
    #[must_use]
    pub fn finish(self) -> Spool {
        Spool(match self.file {
            Some(file) => Place::File {
                file,
                size: self.size,
                folder: self.folder,
            },
            None => Place::Memory {
                bytes: self.memory.into(),
                _share: self.share,
            },
        })
    }

    /// Says what a failed write means to the user.
    #[must_use]
    pub fn failure(folder: &Path, error: io::Error) -> ContentError {
        ContentError::file(format!("cannot write a temporary file in {}", folder.display()), error)
            .hint("name a folder with enough room: --temp-dir DIR, or TMPDIR")
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && !self.share.grow(bytes.len()) {
            let mut file = tempfile::tempfile_in(&self.folder)?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.share = Share::default();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::verify::collect;

    async fn round_trip(length: usize) {
        let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        let folder = tempfile::tempdir().expect("folder");
        let mut writer = SpoolWriter::new(folder.path());
        for piece in bytes.chunks(100_000) {
            writer.write_all(piece).expect("write");
        }
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("list").count(),
            0,
            "the file has no name"
        );
        let spool = Arc::new(writer.finish());
        assert!(length <= MEMORY_LIMIT || matches!(spool.0, Place::File { .. }));
        for _ in 0..2 {
            assert_eq!(collect(spool.open(), 0).await.expect("read"), bytes);
        }
    }

    #[tokio::test]
    async fn small_and_large_come_back_as_written() {
        round_trip(1000).await;
        round_trip(MEMORY_LIMIT + 1).await;
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let mut writer = SpoolWriter::new(Path::new("/does/not/exist"));
        assert!(writer.write_all(&vec![0; MEMORY_LIMIT + 1]).is_err());
    }
}
