//! A tree of files in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ContextError, Unfit};
use crate::dockerfile::error::Problem;
use crate::dockerfile::tree::{FileTree, Listed};
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath};

/// A tree out of entries: an image, an earlier stage.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    entries: HashMap<ImagePath, Entry>,
    /// The names in each directory.
    names: HashMap<ImagePath, BTreeSet<String>>,
    /// What cannot be in an image, by directory and name.
    unfit: HashMap<ImagePath, BTreeMap<String, Unfit>>,
}

impl MemoryTree {
    /// A tree of entries; a later one replaces an earlier one of the same path, and directories that are not among
    /// them are there as well.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut tree = Self::default();
        for entry in entries {
            tree.add_name(&entry.path);
            tree.entries.insert(entry.path.clone(), entry);
        }
        tree
    }

    /// Adds something that cannot be in an image.
    pub(super) fn add_unfit(&mut self, directory: ImagePath, name: String, why: Unfit) {
        self.add_name(&directory);
        self.unfit.entry(directory).or_default().insert(name, why);
    }

    /// Makes a path known to the directory it lies in, and so on up to the root.
    fn add_name(&mut self, path: &ImagePath) {
        let mut path = path.clone();
        while let Some(parent) = path.parent() {
            let names = self.names.entry(parent.clone()).or_default();
            if !names.insert(path.name().to_owned()) {
                return;
            }
            path = parent;
        }
    }

    fn unfit_at(&self, path: &ImagePath) -> Option<&Unfit> {
        self.unfit.get(&path.parent()?)?.get(path.name())
    }
}

impl FileTree for MemoryTree {
    fn get(&self, path: &ImagePath) -> Result<Option<Entry>, Problem> {
        if let Some(entry) = self.entries.get(path) {
            return Ok(Some(entry.clone()));
        }
        if let Some(why) = self.unfit_at(path) {
            return Err(ContextError::unfit(path.relative(), why.clone()).into());
        }
        let is_directory = path.parent().is_none() || self.names.contains_key(path) || self.unfit.contains_key(path);
        Ok(is_directory.then(|| Entry::new(path.clone(), FileContent::Directory, Attributes::PLAIN)))
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<Entry>, Problem> {
        self.list(path)?.into_iter().map(|listed| listed.entry).collect()
    }

    fn list(&self, path: &ImagePath) -> Result<Vec<Listed>, Problem> {
        let mut all = Vec::new();
        for name in self.names.get(path).into_iter().flatten() {
            let child = path.join(name)?;
            if let Some(entry) = self.get(&child).transpose() {
                all.push(Listed {
                    name: name.clone(),
                    entry,
                });
            }
        }
        for (name, why) in self.unfit.get(path).into_iter().flatten() {
            let below = format!("{path}/{name}");
            all.push(Listed {
                name: name.clone(),
                entry: Err(ContextError::unfit(below.trim_start_matches('/'), why.clone()).into()),
            });
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }
}
