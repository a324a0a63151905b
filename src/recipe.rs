//! What to add to a base image and what to change in its config, as an ordered list of steps.
//!
//! A recipe is the waist of the program: runner profiles and Dockerfiles make recipes, one builder applies them.

use std::path::PathBuf;
use std::time::SystemTime;

mod path;
mod scan;

pub use path::{ImagePath, PathError};
pub use scan::{READABLE, ScanError, scan, single};

/// Steps, applied in order.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// The steps.
    pub steps: Vec<Step>,
    /// What is known of the bases this recipe is usually applied to.
    pub known_base: Option<KnownBase>,
}

/// One change to an image.
#[derive(Debug, Clone)]
pub enum Step {
    /// Adds files.
    Files(Vec<File>),
    /// Sets an environment variable.
    Environment {
        /// Name.
        name: String,
        /// Value.
        value: String,
        /// Whether a value of the base stays.
        unless_set: bool,
    },
    /// Sets the working directory.
    WorkingDirectory(ImagePath),
    /// Sets the user, by name or number, with an optional group.
    User(String),
    /// Sets the program that is started.
    Entrypoint {
        /// Program and first arguments.
        arguments: Vec<String>,
        /// Whether an entrypoint of the base stays.
        unless_set: bool,
    },
    /// Sets the arguments the program gets by default.
    Command(Vec<String>),
    /// Sets a label or, with no value, removes one of the base.
    Label {
        /// Name.
        key: String,
        /// Value.
        value: Option<String>,
    },
}

/// A file, link or directory to add.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it goes in the image.
    pub path: ImagePath,
    /// What it is.
    pub content: FileContent,
}

/// What is at a path.
#[derive(Debug, Clone)]
pub enum FileContent {
    /// A file of this machine.
    Local {
        /// Where it is.
        path: PathBuf,
        /// Its length in bytes when it was found.
        size: u64,
        /// When it was last written, when it was found.
        modified: Option<SystemTime>,
        /// Whether it is a program: git's only other mode.
        executable: bool,
    },
    /// A symbolic link.
    Link {
        /// What it points to, as written.
        to: String,
        /// Where the link is on this machine.
        path: PathBuf,
    },
    /// An empty directory.
    Directory,
}

/// What a profile knows of the bases made for it, so that nothing has to be read to place files in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBase {
    /// The base is one of them if this program, by its name or its path in the directory, is all its entrypoint says,
    /// and the directory is its working directory.
    pub program: String,
    /// In such a base this is a directory, and all directories below are plain: mode 0755, of root, no links.
    pub directory: ImagePath,
}

impl Recipe {
    /// All files of all steps.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.steps.iter().flat_map(|step| match step {
            Step::Files(files) => files.as_slice(),
            _ => &[],
        })
    }
}
