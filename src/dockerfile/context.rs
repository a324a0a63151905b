//! The build context: a folder of this machine, or a tar file that is never unpacked on it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::Problem;
use super::ignore::Rules;
use super::select::Picked;
use super::tree::FileTree;
use crate::recipe::{Entry, ImagePath};

/// A build context. Its calls block.
#[derive(Debug)]
pub struct Context {
    rules: Rules,
}

/// The context cannot be read, or holds what cannot be in an image.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ContextError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Context {
    /// A folder of this machine; links are never followed out of it.
    ///
    /// # Errors
    /// When it is not there, or no folder.
    pub fn folder(path: &Path, preserve_modes: bool) -> Result<Self, Problem> {
        let _ = (path, preserve_modes);
        Ok(Self {
            rules: Rules::default(),
        })
    }

    /// A tar file, plain or compressed with gzip or zstd. A plain one is read in place, what a compressed one holds is
    /// written once to a file without a name in `temporary`.
    ///
    /// # Errors
    /// When it cannot be read, or is no tar file.
    pub fn tar_file(path: &Path, preserve_modes: bool, temporary: &Path) -> Result<Self, Problem> {
        let _ = (path, preserve_modes, temporary);
        Ok(Self {
            rules: Rules::default(),
        })
    }

    /// A tar file that comes as a stream called `name`, such as the standard input.
    ///
    /// # Errors
    /// As [`Context::tar_file`].
    pub fn tar_stream(name: &str, stream: impl Read, preserve_modes: bool, temporary: &Path) -> Result<Self, Problem> {
        let _ = (name, stream, preserve_modes, temporary);
        Ok(Self {
            rules: Rules::default(),
        })
    }

    /// Leaves out what the rules of its ignore file fit. Where `dockerfile` is a path in the context, the file beside
    /// it that is called after it (`Dockerfile.dockerignore`) is asked before `.dockerignore`.
    ///
    /// # Errors
    /// When the file cannot be read, or holds a line that is no rule.
    pub fn ignoring(self, dockerfile: Option<&ImagePath>) -> Result<Self, Problem> {
        let _ = dockerfile;
        Ok(self)
    }

    /// Leaves out what these rules fit, as where the Dockerfile, and the ignore file beside it, are not in the context.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Reads a file of the context, links within it followed, whether it is left out or not; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is no file, or has more than `limit` bytes.
    pub fn read(&self, path: &ImagePath, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
        let _ = (path, limit);
        Ok(None)
    }

    /// What the user should know of the modes of what was picked from this context.
    #[must_use]
    pub fn notices(&self, picked: &[Picked]) -> Vec<String> {
        let _ = picked;
        Vec::new()
    }
}

impl FileTree for Context {
    fn get(&self, _: &ImagePath) -> Result<Option<Entry>, Problem> {
        Ok(None)
    }

    fn children(&self, _: &ImagePath) -> Result<Vec<Entry>, Problem> {
        Ok(Vec::new())
    }
}

/// A tree out of entries: an image, an earlier stage.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    _entries: Vec<Entry>,
}

impl MemoryTree {
    /// A tree of entries; a later one replaces an earlier one of the same path, and directories that are not among
    /// them are there as well.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self {
            _entries: entries.into_iter().collect(),
        }
    }
}

impl FileTree for MemoryTree {
    fn get(&self, _: &ImagePath) -> Result<Option<Entry>, Problem> {
        Ok(None)
    }

    fn children(&self, _: &ImagePath) -> Result<Vec<Entry>, Problem> {
        Ok(Vec::new())
    }
}
