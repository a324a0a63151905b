//! The bytes of a script, wherever they are: on disk, in a git revision, in a layer.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// What opens bytes that are neither a file nor in memory.
pub type Open = Arc<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// The bytes of a script, which can be read as often as needed.
#[derive(Clone)]
pub enum Content {
    /// A file of this machine.
    File(PathBuf),
    /// In memory.
    Bytes(Arc<[u8]>),
    /// Elsewhere.
    Other(Open),
}

impl Content {
    /// Opens it for reading from the start.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Other(open) => open()?,
        })
    }

    /// Reads the first bytes, at most `limit`; tells whether that was all.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, limit: u64) -> io::Result<(Vec<u8>, bool)> {
        let mut bytes = Vec::new();
        self.open()?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_all = bytes.len() <= limit;
        bytes.truncate(limit);
        Ok((bytes, is_all))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // A script may hold anything.
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}
