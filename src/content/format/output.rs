//! Files that appear whole or not at all.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt as _;

use crate::content::verify::verified;
use crate::content::{Blob, BlobStream, ContentError, Kind, Origin, Result};

/// What the names of files begin with until they are complete.
pub(crate) const TEMPORARY: &str = ".shipway-";
/// Most bytes that wait in memory to be written.
const WAITING_LIMIT: usize = 512 * 1024;

/// A file that is being written under a temporary name, which goes when the value is dropped.
#[derive(Debug)]
pub(crate) struct Output {
    // Before the path, so that the file is closed when it is removed.
    file: tokio::fs::File,
    path: TempPath,
    folder: PathBuf,
}

impl Output {
    /// Starts a file in `folder`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(crate) async fn create(folder: &Path) -> Result<Self> {
        let folder = folder.to_owned();
        let place = folder.clone();
        let created = tokio::task::spawn_blocking(move || temporary(&place)).await;
        let created = created.unwrap_or_else(|error| Err(io::Error::other(error)));
        Ok(Self::new(
            created.map_err(|error| cannot_write(&folder, error))?,
            &folder,
        ))
    }

    /// Starts with a file that was made by [`temporary`].
    pub(crate) fn new(file: NamedTempFile, folder: &Path) -> Self {
        let (file, path) = file.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(WAITING_LIMIT);
        Self {
            file,
            path,
            folder: folder.to_owned(),
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes).await;
        written.map_err(|error| cannot_write(&self.folder, error))
    }

    /// Adds a blob, verified.
    ///
    /// # Errors
    /// When it cannot be read or written, or is not what its descriptor says.
    pub(crate) async fn write_blob(&mut self, blob: &Blob, place: &str) -> Result<()> {
        let mut stream = open(blob, place).await?;
        while let Some(piece) = stream.next().await {
            self.write(&piece?).await?;
        }
        Ok(())
    }

    /// Ends the file, still under its temporary name.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub(crate) async fn finish(mut self) -> Result<TempPath> {
        let flushed = self.file.flush().await;
        flushed.map_err(|error| cannot_write(&self.folder, error))?;
        Ok(self.path)
    }
}

/// Streams a blob, verified once: a source does it itself.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn open(blob: &Blob, place: &str) -> Result<BlobStream> {
    let stream = blob.open().await?;
    Ok(match blob.origin {
        Origin::Source(_) => stream,
        Origin::Bytes(_) | Origin::Spool(_) => verified(stream, &blob.descriptor, place),
    })
}

/// Creates a file with the mode any new file gets, rather than a secret one's. Blocks.
pub(crate) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The temporary name says nothing to whoever reads the error.
    builder.tempfile_in(folder).map_err(|error| error.kind().into())
}

/// Writes a small file whole, over one of that name if there is one. Blocks.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fill(path, bytes)?.persist(path).map(|_| ()).map_err(Into::into)
}

/// The same, and the bytes are on the disk before the name is: a crash leaves the old file or the new one. Blocks.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = fill(path, bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(Into::into)
}

/// Writes a small file whole unless there is one of that name; tells whether it did. Blocks.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    match fill(path, bytes)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn fill(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = temporary(path.parent().unwrap_or(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Says what a failed write in a place the user named means.
pub(crate) fn cannot_write(path: &Path, error: io::Error) -> ContentError {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "name a folder you may write to",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, or name a folder on another disk",
        ErrorKind::NotFound => "create the folder, or name one that exists",
        _ => return ContentError::file(format!("cannot write in {}", path.display()), error),
    };
    ContentError::file(format!("cannot write in {}", path.display()), error).hint(hint)
}

/// A task of our own that did not end, which only a panic or the program's end brings about.
pub(crate) fn unfinished(what: &str, error: tokio::task::JoinError) -> ContentError {
    ContentError::new(Kind::Other, what).because(error)
}
