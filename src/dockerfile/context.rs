//! The build context: a folder of this machine, or a tar file that is never unpacked on it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::archive::ArchiveError;
use super::error::Problem;
use super::ignore::{FILE_LIMIT, FILE_NAME, Rules};
use super::select::Picked;
use super::select::links::follow;
use super::tree::{FileTree, Listed};
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath};
use folder::Folder;
pub use memory::MemoryTree;
pub use problem::{ContextError, Unfit};

mod folder;
mod memory;
mod problem;
mod tar;

/// The permission bits that are set-id and sticky.
const SPECIAL_BITS: u32 = 0o7000;

/// A build context, without what its ignore file leaves out. Its calls block.
#[derive(Debug)]
pub struct Context {
    place: Place,
    rules: Rules,
    preserve_modes: bool,
    /// The special permission bits that were seen.
    special_bits: Mutex<BTreeMap<ImagePath, u32>>,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    Tar(MemoryTree),
}

impl Context {
    /// A folder of this machine. It is read as it is asked about; links are never followed out of it.
    ///
    /// # Errors
    /// When it is not there, or no folder.
    pub fn folder(path: &Path, preserve_modes: bool) -> Result<Self, Problem> {
        Ok(Self::new(Place::Folder(Folder::open(path)?), preserve_modes))
    }

    /// A tar file, plain or compressed. A plain one is read in place, what a compressed one holds is written once to a
    /// file without a name in `temporary`.
    ///
    /// # Errors
    /// When it cannot be read, or is no tar file.
    pub fn tar_file(path: &Path, preserve_modes: bool, temporary: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let in_place = super::archive::tar_in_place(path);
        let tree = match in_place.map_err(|error| ArchiveError::of(error, &name, temporary))? {
            Some((file, contents)) => tar::in_place(&name, file, contents, temporary)?,
            None => {
                let file = File::open(path).map_err(|error| ArchiveError::of(error, &name, temporary))?;
                tar::stream(&name, file, temporary)?
            }
        };
        Ok(Self::new(Place::Tar(tree), preserve_modes))
    }

    /// A tar file that comes as a stream called `name`, such as the standard input.
    ///
    /// # Errors
    /// As [`Context::tar_file`].
    pub fn tar_stream(name: &str, stream: impl Read, preserve_modes: bool, temporary: &Path) -> Result<Self, Problem> {
        let tree = tar::stream(name, stream, temporary)?;
        Ok(Self::new(Place::Tar(tree), preserve_modes))
    }

    fn new(place: Place, preserve_modes: bool) -> Self {
        Self {
            place,
            rules: Rules::default(),
            preserve_modes,
            special_bits: Mutex::default(),
        }
    }

    /// Leaves out what the rules of its ignore file fit. Where `dockerfile` is a path in the context, the file beside
    /// it that is called after it (`Dockerfile.dockerignore`) is asked before `.dockerignore`.
    ///
    /// # Errors
    /// When the file cannot be read, or holds a line that is no rule.
    pub fn ignoring(self, dockerfile: Option<&ImagePath>) -> Result<Self, Problem> {
        let beside = dockerfile.map(|path| format!("{}{FILE_NAME}", path.relative()));
        for name in beside.into_iter().chain([FILE_NAME.to_owned()]) {
            if let Some(bytes) = self.read(&ImagePath::default().join(&name)?, FILE_LIMIT)? {
                let rules = Rules::of_file(&name, &bytes)?;
                return Ok(self.with_rules(rules));
            }
        }
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
        let real = follow(path.relative(), true, |path| link_at(self.raw(path)))?;
        let Some(entry) = self.raw(&real)? else {
            return Ok(None);
        };
        let shown = || PathBuf::from(real.relative());
        let unreadable = |source| ContextError::Read { path: shown(), source };
        let reader: Box<dyn Read> = match &entry.content {
            FileContent::Local { path, .. } => Box::new(File::open(path).map_err(unreadable)?),
            FileContent::Stored(stored) => Box::new(stored.reader()),
            FileContent::HardLink(to) => return self.read(to, limit),
            _ => return Err(ContextError::NotAFile { path: shown() }.into()),
        };
        let mut bytes = Vec::new();
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            return Err(ContextError::Large { path: shown(), limit }.into());
        }
        Ok(Some(bytes))
    }

    /// What the user should know of the modes of what was picked from this context.
    #[must_use]
    pub fn notices(&self, picked: &[Picked]) -> Vec<String> {
        let special_bits = self.special_bits.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notices = Vec::new();
        for picked in picked {
            let path = &picked.entry.path;
            let Some(bits) = special_bits.get(path) else {
                continue;
            };
            let names = [(0o4000, "set-user-id"), (0o2000, "set-group-id"), (0o1000, "sticky")];
            let names: Vec<&str> = names
                .iter()
                .filter(|(bit, _)| bits & bit != 0)
                .map(|(_, name)| *name)
                .collect();
            let (names, path) = (names.join(", "), path.relative());
            notices.push(if self.preserve_modes {
                format!("{path} is {names}, and so it will be in the image")
            } else {
                format!("{path} is {names}, which is not kept: --preserve-modes keeps it, and so does --chmod")
            });
        }
        notices
    }

    /// What lies at a path, left out or not.
    fn raw(&self, path: &ImagePath) -> Result<Option<Entry>, Problem> {
        let entry = match &self.place {
            Place::Folder(folder) => folder.get(path)?,
            Place::Tar(tree) => tree.get(path)?,
        };
        Ok(entry)
    }

    /// What lies in a directory, left out or not.
    fn raw_list(&self, path: &ImagePath) -> Result<Vec<Listed>, Problem> {
        match &self.place {
            Place::Folder(folder) => Ok(folder.list(path)?),
            Place::Tar(tree) => tree.list(path),
        }
    }

    /// An entry as the image has it.
    fn settled(&self, mut entry: Entry) -> Entry {
        let mode = entry.attributes.mode;
        if mode & SPECIAL_BITS != 0 && !matches!(entry.content, FileContent::Link { .. }) {
            let mut special_bits = self.special_bits.lock().unwrap_or_else(PoisonError::into_inner);
            special_bits.insert(entry.path.clone(), mode & SPECIAL_BITS);
        }
        entry.attributes = match (&entry.content, self.preserve_modes) {
            (FileContent::Link { .. }, _) => Attributes::of_root(0o777),
            (_, true) => Attributes::of_root(mode),
            (FileContent::Directory, false) => Attributes::PLAIN,
            (_, false) => Attributes::of_file(mode & 0o111 != 0),
        };
        entry.extended.clear();
        entry
    }

    /// Whether something below a directory that the rules fit is not left out.
    fn is_anything_spared(&self, directory: &ImagePath) -> Result<bool, Problem> {
        let mut left = vec![directory.clone()];
        while let Some(directory) = left.pop() {
            if !self.rules.may_spare_below(directory.relative()) {
                continue;
            }
            let fitting = self.rules.fitting(directory.relative());
            for listed in self.raw_list(&directory)? {
                let path = joined(&directory, &listed.name);
                if !self.rules.fitting_below(&fitting, &path).is_fitting() {
                    return Ok(true);
                }
                left.extend(listed.entry.ok().filter(Entry::is_directory).map(|entry| entry.path));
            }
        }
        Ok(false)
    }
}

impl FileTree for Context {
    fn get(&self, path: &ImagePath) -> Result<Option<Entry>, Problem> {
        let is_left_out = self.rules.fit(path.relative());
        if is_left_out && !self.rules.may_spare_below(path.relative()) {
            return Ok(None);
        }
        let Some(entry) = self.raw(path)? else {
            return Ok(None);
        };
        if is_left_out && !(entry.is_directory() && self.is_anything_spared(path)?) {
            return Ok(None);
        }
        Ok(Some(self.settled(entry)))
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<Entry>, Problem> {
        self.list(path)?.into_iter().map(|listed| listed.entry).collect()
    }

    fn list(&self, path: &ImagePath) -> Result<Vec<Listed>, Problem> {
        let fitting = self.rules.fitting(path.relative());
        if fitting.is_fitting() && !self.rules.may_spare_below(path.relative()) {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for listed in self.raw_list(path)? {
            let below = joined(path, &listed.name);
            if self.rules.fitting_below(&fitting, &below).is_fitting() {
                let directory = listed.entry.as_ref().ok().filter(|entry| entry.is_directory());
                let is_spared = directory
                    .map(|entry| self.is_anything_spared(&entry.path))
                    .transpose()?;
                if is_spared != Some(true) {
                    continue;
                }
            }
            all.push(Listed {
                name: listed.name,
                entry: listed.entry.map(|entry| self.settled(entry)),
            });
        }
        Ok(all)
    }

    fn left_out_by(&self, path: &ImagePath) -> Option<String> {
        let is_there = matches!(self.raw(path), Ok(Some(_)) | Err(_));
        (is_there && self.rules.fit(path.relative())).then(|| self.rules.name().to_owned())
    }
}

/// Where an entry links to.
fn link_at(entry: Result<Option<Entry>, Problem>) -> Result<Option<String>, Problem> {
    Ok(entry?.and_then(|entry| match entry.content {
        FileContent::Link { to, .. } => Some(to),
        _ => None,
    }))
}

fn joined(directory: &ImagePath, name: &str) -> String {
    match directory.relative() {
        "" => name.to_owned(),
        directory => format!("{directory}/{name}"),
    }
}

#[cfg(test)]
mod tests;
