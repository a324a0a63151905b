//! Files as they were at a revision: taken out of the repository, without touching what is checked out.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use gix::bstr::ByteSlice as _;
use gix::objs::tree::EntryKind;

use super::{ProvenanceError, discover, open, told};

/// Most entries that are taken out of a revision: as many scripts as a project may have, ten times over.
const MOST_ENTRIES: usize = 1_000_000;

/// A revision of the repository a folder lies in.
#[derive(Debug)]
pub struct Revision {
    repository: PathBuf,
    root: PathBuf,
    commit: gix::ObjectId,
}

impl Revision {
    /// Finds a revision by what git calls it: a branch, a tag, a commit, `origin/main~2`. `None` where there is no repository, or no such
    /// revision in it.
    ///
    /// # Errors
    /// The repository is damaged or of a kind not supported.
    pub fn find(folder: &Path, name: &str) -> Result<Option<Self>, ProvenanceError> {
        let Some(path) = discover(folder)? else {
            return Ok(None);
        };
        let repository = open(&path).map_err(|error| failure(&path, &error))?;
        // A name that git cannot make sense of is none.
        let commit = repository.rev_parse_single(name).ok().and_then(|id| {
            let commit = id.object().ok()?.peel_to_commit().ok()?;
            Some(commit.id)
        });
        let Some(commit) = commit else { return Ok(None) };
        let root = repository.workdir().unwrap_or(&path).to_owned();
        Ok(Some(Self {
            root: root.canonicalize().unwrap_or(root),
            commit,
            repository: path,
        }))
    }

    /// The commit's id, in hexadecimal digits.
    #[must_use]
    pub fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// The path below the repository's root of a path of this machine; `None` for one outside.
    #[must_use]
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let absolute = std::path::absolute(path).ok()?;
        // The folder above is where the way there ends; what lies in it may not be there any more.
        let mut way = absolute.as_path();
        let mut rest = PathBuf::new();
        let real = loop {
            match way.canonicalize() {
                Ok(real) => break real.join(rest),
                Err(_) => {
                    rest = Path::new(way.file_name()?).join(rest);
                    way = way.parent()?;
                }
            }
        };
        let mut inside = PathBuf::new();
        for component in real.strip_prefix(&self.root).ok()?.components() {
            match component {
                Component::Normal(name) => inside.push(name),
                Component::ParentDir => {
                    inside.pop();
                }
                _ => {}
            }
        }
        Some(inside)
    }

    /// Reads a file; `None` if there is none at this path below the repository's root.
    ///
    /// # Errors
    /// The repository is damaged.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, ProvenanceError> {
        let repository = open(&self.repository).map_err(|error| failure(&self.root, &error))?;
        let read = || -> gix::Result<Option<Vec<u8>>> {
            let tree = repository.find_commit(self.commit)?.tree()?;
            match tree.lookup_entry_by_path(path)? {
                Some(entry) if entry.mode().is_blob() => Ok(Some(entry.object()?.detach().data)),
                _ => Ok(None),
            }
        };
        read().map_err(|error| failure(&self.root, &error))
    }

    /// Writes what lies at a path below the repository's root to the same path below `destination`. Returns whether there was anything.
    ///
    /// # Errors
    /// The repository is damaged, or `destination` cannot be written.
    pub fn check_out(&self, path: &Path, destination: &Path) -> Result<bool, ProvenanceError> {
        let repository = open(&self.repository).map_err(|error| failure(&self.root, &error))?;
        let mut left = MOST_ENTRIES;
        let mut taking = || -> Taken<bool> {
            let tree = repository.find_commit(self.commit)?.tree()?;
            let place = destination.join(path);
            if path.as_os_str().is_empty() {
                write_tree(&tree, &place, &mut left)?;
                return Ok(true);
            }
            let Some(entry) = tree.lookup_entry_by_path(path)? else {
                return Ok(false);
            };
            if let Some(above) = place.parent() {
                fs::create_dir_all(above)?;
            }
            write(&repository, entry.mode().kind(), entry.object_id(), &place, &mut left)?;
            Ok(true)
        };
        taking().map_err(|source| ProvenanceError::Read {
            repository: self.root.clone(),
            source,
        })
    }
}

/// Files taken out, or what went wrong: with the repository, or where they are written.
type Taken<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn failure(repository: &Path, error: &gix::Error) -> ProvenanceError {
    ProvenanceError::Read {
        repository: repository.to_owned(),
        source: told(error).into(),
    }
}

fn write_tree(tree: &gix::Tree<'_>, place: &Path, left: &mut usize) -> Taken<()> {
    fs::create_dir_all(place)?;
    for entry in tree.iter() {
        let entry = entry?;
        // Git refuses such names; a repository made by hand may have them.
        let name = entry.filename().to_path()?;
        if name.components().count() != 1 || !matches!(name.components().next(), Some(Component::Normal(_))) {
            continue;
        }
        write(
            tree.repo,
            entry.mode().kind(),
            entry.object_id(),
            &place.join(name),
            left,
        )?;
    }
    Ok(())
}

fn write(
    repository: &gix::Repository,
    kind: EntryKind,
    id: gix::ObjectId,
    place: &Path,
    left: &mut usize,
) -> Taken<()> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| io::Error::other("the revision holds too many files"))?;
    match kind {
        EntryKind::Tree => write_tree(&repository.find_tree(id)?, place, left)?,
        EntryKind::Blob => fs::write(place, &repository.find_blob(id)?.data)?,
        EntryKind::BlobExecutable => {
            fs::write(place, &repository.find_blob(id)?.data)?;
            make_executable(place)?;
        }
        EntryKind::Link => link(repository.find_blob(id)?.data.to_path()?, place)?,
        // Another repository.
        EntryKind::Commit => {}
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(place: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(place, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_place: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
fn link(target: &Path, place: &Path) -> io::Result<()> {
    fs::write(place, target.to_string_lossy().as_bytes())
}
