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

    /// What lies in a directory, sorted by name, what cannot be in an image included: it is a problem only for whoever
    /// takes it.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn list(&self, path: &ImagePath) -> Result<Vec<Listed>, Problem> {
        let children = self.children(path)?;
        Ok(children
            .into_iter()
            .map(|entry| Listed {
                name: entry.path.name().to_owned(),
                entry: Ok(entry),
            })
            .collect())
    }

    /// The rules by which a path is left out of the tree, for messages; `None` if it is not.
    fn left_out_by(&self, path: &ImagePath) -> Option<String> {
        let _ = path;
        None
    }
}

/// Something that lies in a directory.
#[derive(Debug)]
pub struct Listed {
    /// Its name, as well as it can be told.
    pub name: String,
    /// What it is, or why it cannot be in an image.
    pub entry: Result<Entry, Problem>,
}
