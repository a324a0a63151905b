//! A folder of this machine, looked into as it is asked about.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::problem::{ContextError, Unfit};
use crate::dockerfile::tree::Listed;
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath};

/// A folder. Nothing is followed: a link is a link, and nothing lies below one.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at a path; a link to one is followed, since it was named.
    pub(super) fn open(path: &Path) -> Result<Self, ContextError> {
        let root = path.canonicalize().map_err(|source| match source.kind() {
            ErrorKind::NotFound => ContextError::Missing { path: path.to_owned() },
            _ => unreadable(path, source),
        })?;
        let metadata = fs::metadata(&root).map_err(|source| unreadable(path, source))?;
        if !metadata.is_dir() {
            return Err(ContextError::NotAFolder { path: path.to_owned() });
        }
        Ok(Self { root })
    }

    /// What lies at a path.
    pub(super) fn get(&self, path: &ImagePath) -> Result<Option<Entry>, ContextError> {
        let Some((place, metadata)) = self.look(path)? else {
            return Ok(None);
        };
        entry(path.clone(), place, &metadata).map(Some)
    }

    /// What lies in a directory, sorted by name.
    pub(super) fn list(&self, path: &ImagePath) -> Result<Vec<Listed>, ContextError> {
        let Some((folder, metadata)) = self.look(path)? else {
            return Ok(Vec::new());
        };
        if !metadata.is_dir() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for found in fs::read_dir(&folder).map_err(|source| unreadable(&folder, source))? {
            let found = found.map_err(|source| unreadable(&folder, source))?;
            let name = found.file_name();
            let shown = name.to_string_lossy().into_owned();
            let entry = match name.to_str().map(|name| path.join(name)) {
                None => Err(unfit(path, &shown, Unfit::Name)),
                Some(Err(error)) => Err(unfit(path, &shown, Unfit::Path(error))),
                // The metadata is that of a link, not of what it names.
                Some(Ok(below)) => match found.metadata() {
                    Ok(metadata) => entry(below, found.path(), &metadata),
                    // Gone since the folder was read: as if it had never been there.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => Err(unreadable(&found.path(), error)),
                },
            };
            all.push(Listed {
                name: shown,
                entry: entry.map_err(Into::into),
            });
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Where a path is on this machine, and what is there. Below a link, a file or nothing there is nothing.
    fn look(&self, path: &ImagePath) -> Result<Option<(PathBuf, Metadata)>, ContextError> {
        let mut place = self.root.clone();
        let mut metadata = metadata_at(&place)?;
        for part in path.relative().split('/').filter(|part| !part.is_empty()) {
            if !metadata.as_ref().is_some_and(Metadata::is_dir) {
                return Ok(None);
            }
            place.push(part);
            metadata = metadata_at(&place)?;
        }
        Ok(metadata.map(|metadata| (place, metadata)))
    }
}

fn metadata_at(place: &Path) -> Result<Option<Metadata>, ContextError> {
    match fs::symlink_metadata(place) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) => match error.kind() {
            // No file has such a name.
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Ok(None),
            _ => Err(unreadable(place, error)),
        },
    }
}

fn entry(path: ImagePath, place: PathBuf, metadata: &Metadata) -> Result<Entry, ContextError> {
    let mode = mode(metadata);
    let kind = metadata.file_type();
    let content = if kind.is_dir() {
        FileContent::Directory
    } else if kind.is_symlink() {
        let to = fs::read_link(&place).map_err(|source| unreadable(&place, source))?;
        match to.to_str() {
            Some(to) => FileContent::Link {
                to: to.to_owned(),
                path: place,
            },
            None => return Err(ContextError::unfit(path.relative(), Unfit::Target)),
        }
    } else if kind.is_file() {
        FileContent::Local {
            path: place,
            size: metadata.len(),
            modified: metadata.modified().ok(),
            executable: mode & 0o111 != 0,
        }
    } else {
        return Err(ContextError::unfit(path.relative(), Unfit::Special));
    };
    Ok(Entry::new(path, content, Attributes::of_root(mode)))
}

fn unfit(directory: &ImagePath, name: &str, why: Unfit) -> ContextError {
    let path = super::joined(directory, name);
    ContextError::unfit(&path, why)
}

fn unreadable(path: &Path, source: io::Error) -> ContextError {
    ContextError::Read {
        path: path.to_owned(),
        source,
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(metadata: &Metadata) -> u32 {
    if metadata.is_dir() { 0o755 } else { 0o644 }
}
