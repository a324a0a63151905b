//! A part of a file, read without moving the file's position, so that several readers do not disturb each other.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::stream;

use crate::content::verify::collect;
use crate::content::{BlobStream, ContentError, Kind, Result};

/// Size of the pieces a region is streamed in.
const PIECE: u64 = 256 * 1024;

/// Bytes within a file.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// The file.
    pub(super) file: Arc<File>,
    /// Where the bytes start.
    pub(super) offset: u64,
    /// How many there are.
    pub(super) size: u64,
}

impl Region {
    /// Streams the bytes; `what` is named in errors.
    pub(super) fn stream(&self, what: &str) -> BlobStream {
        let start = Some((self.clone(), 0, what.to_owned()));
        Box::pin(stream::unfold(start, |state| async move {
            let (region, position, what) = state?;
            if position == region.size {
                return None;
            }
            let reader = region.clone();
            let piece = tokio::task::spawn_blocking(move || reader.piece(position)).await;
            match piece.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok(piece) => {
                    let next = position + piece.len() as u64;
                    Some((Ok(piece), Some((region, next, what))))
                }
                Err(error) => Some((Err(ContentError::file(format!("cannot read {what}"), error)), None)),
            }
        }))
    }

    /// Reads all of it, if it has no more than `limit` bytes.
    ///
    /// # Errors
    /// When it is longer, or cannot be read.
    pub(super) async fn read(&self, what: &str, limit: u64) -> Result<Bytes> {
        self.check_limit(what, limit)?;
        collect(self.stream(what), self.size).await
    }

    fn check_limit(&self, what: &str, limit: u64) -> Result<()> {
        if self.size <= limit {
            return Ok(());
        }
        let why = format!("it has {} bytes, and {limit} is the limit for what it is", self.size);
        Err(ContentError::new(Kind::Invalid, format!("cannot read {what}")).because(why))
    }

    fn piece(&self, position: u64) -> io::Result<Bytes> {
        let length = (self.size - position).min(PIECE);
        let mut piece = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let mut filled = 0;
        while filled < piece.len() {
            match read_at(&self.file, &mut piece[filled..], self.offset + position + filled as u64) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(piece.into())
    }
}

/// Reads a region in a thread of its own; fails once nobody waits for the result any more.
#[derive(Debug)]
pub(super) struct RegionReader {
    region: Region,
    position: u64,
    abandoned: Abandoned,
}

impl RegionReader {
    /// Starts at the region's beginning.
    pub(super) fn new(region: Region, abandoned: Abandoned) -> Self {
        Self {
            region,
            position: 0,
            abandoned,
        }
    }
}

impl Read for RegionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.abandoned.0.load(Ordering::Relaxed) {
            return Err(io::Error::other("it was given up"));
        }
        let left = self.region.size.saturating_sub(self.position);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_at(
            &self.region.file,
            &mut buffer[..length],
            self.region.offset + self.position,
        )?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for RegionReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.region.size.checked_add_signed(by),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Whether the future that waits for a thread is gone: a thread cannot be cancelled, only told.
#[derive(Debug, Clone, Default)]
pub(super) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    /// Says so when the returned value is dropped, as it is with the future that holds it.
    pub(super) fn on_drop(&self) -> impl Drop + use<> {
        struct Guard(Abandoned);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.0.store(true, Ordering::Relaxed);
            }
        }
        Guard(self.clone())
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
