//! What to add to a base image and what to change in its config, as an ordered list of steps.
//!
//! A recipe is the waist of the program: runner profiles and Dockerfiles make recipes, one builder applies them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::oci::Attributes;

mod known_base;
mod path;
mod scan;
mod stored;

pub use known_base::KnownBase;
pub use path::{ImagePath, PathError};
pub use scan::{READABLE, ScanError, scan, single};
pub use stored::{Store, Stored, StoredReader};

/// Steps, applied in order.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// The steps.
    pub steps: Vec<Step>,
    /// What is known of the bases this recipe is usually applied to.
    pub known_base: Option<KnownBase>,
}

/// One step towards an image.
#[derive(Debug, Clone)]
pub enum Step {
    /// Adds files, wherever their paths lead in the base. All such steps together are one layer.
    Files(Vec<File>),
    /// Changes the config.
    Change(Change),
    /// An instruction of a Dockerfile: it says itself what the history tells of it, and its files are a layer.
    Instruction {
        /// The instruction, for the history; empty for what goes without saying.
        text: String,
        /// What its layer holds; empty where it makes none.
        entries: Vec<Entry>,
        /// What it changes in the config.
        changes: Vec<Change>,
    },
}

/// A change of an image's config.
#[derive(Debug, Clone)]
pub enum Change {
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
    /// Adds ports the program listens on, such as `8080/tcp`.
    Expose(Vec<String>),
    /// Adds directories that are volumes.
    Volumes(Vec<String>),
    /// Sets how the program's health is found out, as the config says it.
    Healthcheck(serde_json::Value),
    /// Sets the program that runs commands in shell form.
    Shell(Vec<String>),
    /// Sets the signal that stops the program.
    StopSignal(String),
    /// Adds an instruction for images built on this one.
    OnBuild(String),
    /// Removes the base's instructions for images built on it: they have been executed.
    NoOnBuild,
    /// Sets who made the image.
    Author(String),
}

/// A file, link or directory to add.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it goes in the image.
    pub path: ImagePath,
    /// What it is.
    pub content: FileContent,
}

/// A file of a layer, as it will be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path. No link is on the way.
    pub path: ImagePath,
    /// What it is.
    pub content: FileContent,
    /// Its mode and owner.
    pub attributes: Attributes,
    /// Extended attributes, by their names (`security.capability`).
    pub extended: BTreeMap<String, Vec<u8>>,
}

impl Entry {
    /// An entry without extended attributes.
    #[must_use]
    pub fn new(path: ImagePath, content: FileContent, attributes: Attributes) -> Self {
        Self {
            path,
            content,
            attributes,
            extended: BTreeMap::new(),
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self.content, FileContent::Directory)
    }

    /// Length of its content in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.content {
            FileContent::Local { size, .. } => *size,
            FileContent::Stored(stored) => stored.size(),
            FileContent::Link { .. } | FileContent::HardLink(_) | FileContent::Special(_) | FileContent::Directory => 0,
        }
    }
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A file whose bytes were read already.
    Stored(Stored),
    /// A symbolic link.
    Link {
        /// What it points to, as written.
        to: String,
        /// Where the link is on this machine; empty if it is not from here.
        path: PathBuf,
    },
    /// Another name of a file of the same layer.
    HardLink(ImagePath),
    /// Neither file, link nor directory.
    Special(Special),
    /// An empty directory.
    Directory,
}

/// What a layer may hold besides files, links and directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A character device.
    Character {
        /// Which driver.
        major: u32,
        /// Which device of the driver.
        minor: u32,
    },
    /// A block device.
    Block {
        /// Which driver.
        major: u32,
        /// Which device of the driver.
        minor: u32,
    },
    /// A named pipe.
    Pipe,
}

impl Recipe {
    /// All files of all steps.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.steps.iter().flat_map(|step| match step {
            Step::Files(files) => files.as_slice(),
            Step::Change(_) | Step::Instruction { .. } => &[],
        })
    }

    /// All changes of the config, in their order.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.steps.iter().flat_map(|step| match step {
            Step::Files(_) => &[],
            Step::Change(change) => std::slice::from_ref(change),
            Step::Instruction { changes, .. } => changes.as_slice(),
        })
    }
}
