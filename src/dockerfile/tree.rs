//! File trees that files are taken from.

use std::fmt;

use super::error::Problem;
use crate::recipe::{Entry, ImagePath};

/// Files by their paths: the build context, another image, an earlier stage.
///
/// Paths begin at the root of the tree. Symbolic links are entries like others: whoever asks follows them.
pub trait FileTree: fmt::Debug + Send + Sync {
    /// What lies at a path; `None` if nothing does. The root is a directory.
    ///
    /// # Errors
    /// When it cannot be read, or cannot be in an image.
    fn get(&self, path: &ImagePath) -> Result<Option<Entry>, Problem>;

    /// What lies in a directory, sorted by path.
    ///
    /// # Errors
    /// As [`FileTree::get`].
    fn children(&self, path: &ImagePath) -> Result<Vec<Entry>, Problem>;
}
