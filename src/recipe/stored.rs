//! Bytes of a file that are kept by this program.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

/// Up to this size a file may stay in memory: scripts and lists of users have some kilobytes.
const SMALL: u64 = 64 * 1024;
/// What one store holds in memory, so that the whole program stays small.
const MEMORY_LIMIT: u64 = 4 * 1024 * 1024;

/// Bytes in memory, or within a temporary file.
#[derive(Debug, Clone)]
pub enum Stored {
    /// In memory.
    Memory(Bytes),
    /// Within a file that nobody changes.
    Part {
        /// The file.
        file: Arc<File>,
        /// Where the bytes start.
        offset: u64,
        /// How many there are.
        size: u64,
    },
}

impl PartialEq for Stored {
    /// Whether they are the same bytes at the same place: what lies in files is not compared.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(one), Self::Memory(other)) => one == other,
            (
                Self::Part { file, offset, size },
                Self::Part {
                    file: other,
                    offset: at,
                    size: length,
                },
            ) => Arc::ptr_eq(file, other) && (offset, size) == (at, length),
            _ => false,
        }
    }
}

impl Eq for Stored {}

impl Stored {
    /// How many bytes there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Part { size, .. } => *size,
        }
    }

    /// Reads them from the start; several readers do not disturb each other.
    #[must_use]
    pub fn reader(&self) -> StoredReader {
        StoredReader {
            stored: self.clone(),
            position: 0,
        }
    }
}

/// Keeps the bytes of files: small ones in memory while there are few, the others in one temporary file without a name.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    memory_left: u64,
    file: Option<(Arc<File>, u64)>,
}

impl Store {
    /// Keeps what does not stay in memory in a file of `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            memory_left: MEMORY_LIMIT,
            file: None,
        }
    }

    /// Keeps the next `size` bytes of a reader.
    ///
    /// # Errors
    /// When the reader fails or ends early, or the file cannot be written.
    pub fn keep(&mut self, reader: &mut dyn Read, size: u64) -> io::Result<Stored> {
        let mut reader = reader.take(size);
        if size <= SMALL.min(self.memory_left) {
            let mut bytes = Vec::new();
            if reader.read_to_end(&mut bytes)? as u64 != size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.memory_left -= size;
            return Ok(Stored::Memory(bytes.into()));
        }
        if self.file.is_none() {
            self.file = Some((Arc::new(tempfile::tempfile_in(&self.folder)?), 0));
        }
        let Some((file, end)) = &mut self.file else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let offset = *end;
        if io::copy(&mut reader, &mut file.as_ref())? != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *end += size;
        Ok(Stored::Part {
            file: Arc::clone(file),
            offset,
            size,
        })
    }
}

/// Reads stored bytes.
#[derive(Debug)]
pub struct StoredReader {
    stored: Stored,
    position: u64,
}

impl Read for StoredReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.stored.size() - self.position;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..most];
        let read = match &self.stored {
            Stored::Memory(bytes) => {
                let start = usize::try_from(self.position).unwrap_or(bytes.len());
                buffer.copy_from_slice(&bytes[start..start + most]);
                most
            }
            Stored::Part { file, offset, .. } => read_at(file, buffer, offset + self.position)?,
        };
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Without reading at a position the file's own is moved: readers must not overlap.
#[cfg(not(unix))]
fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(buffer)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_kept_comes_back_from_memory_and_from_the_file() {
        let folder = tempfile::tempdir().expect("folder");
        let mut store = Store::new(folder.path());
        let large = vec![7; 100_000];
        let kept: Vec<Stored> = [&b"small"[..], &large, &large]
            .into_iter()
            .map(|bytes| store.keep(&mut &*bytes, bytes.len() as u64).expect("kept"))
            .collect();
        assert!(matches!(kept[0], Stored::Memory(_)) && matches!(kept[2], Stored::Part { offset: 100_000, .. }));
        for (kept, bytes) in kept.iter().zip([&b"small"[..], &large, &large]) {
            let mut read = Vec::new();
            kept.reader().read_to_end(&mut read).expect("read");
            assert_eq!(read, bytes);
        }
        assert!(store.keep(&mut &b"short"[..], 6).is_err());
    }

    #[test]
    fn a_part_is_read_and_nothing_beside_it() {
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(b"before-inside-behind").expect("written");
        let part = Stored::Part {
            file: Arc::new(file),
            offset: 7,
            size: 6,
        };
        for stored in [part, Stored::Memory(Bytes::from_static(b"inside"))] {
            let mut text = String::new();
            stored.reader().read_to_string(&mut text).expect("read");
            assert_eq!(text, "inside");
        }
    }
}
