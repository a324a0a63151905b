//! The folder of a layout: what it is, making one, sharing it with other processes, and taking it back.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::content::format::output::{TEMPORARY, write_new};
use crate::content::format::{BLOBS, INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT};
use crate::content::{ContentError, Kind, MANIFEST_LIMIT, Result};
use crate::oci::Digest;

/// How often is looked again where another process may have made or taken back a layout between two steps.
const RACES_LIMIT: usize = 20;

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or an empty folder.
    Nothing,
    /// A layout.
    Layout,
}

/// Looks at a path that is to be written to. Blocks.
pub(super) fn look_to_write(folder: &Path) -> Result<Found> {
    look(folder).map_err(|error| match error.kind() {
        Kind::Usage if folder.is_dir() => error.hint("name another folder; it may be new, empty, or a layout"),
        _ => error,
    })
}

/// Looks at a path. Blocks.
pub(super) fn look(folder: &Path) -> Result<Found> {
    let path = folder.display();
    let cannot = |error| ContentError::file(format!("cannot read folder {path}"), error);
    match fs::metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(cannot(error)),
        Ok(metadata) if !metadata.is_dir() => {
            return Err(
                ContentError::new(Kind::Usage, format!("{path} is a file, and an OCI layout is a folder"))
                    .hint(format!("name a folder, or oci-archive:{path} for a single file")),
            );
        }
        Ok(_) => {}
    }
    for _ in 0..RACES_LIMIT {
        match read_small(&folder.join(LAYOUT_FILE)) {
            Ok(bytes) => return check_version(&bytes, folder).map(|()| Found::Layout),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(ContentError::file(
                    format!("cannot read {LAYOUT_FILE} in {path}"),
                    error,
                ));
            }
        }
        match has_files(folder) {
            Ok(true) => {}
            Ok(false) => return Ok(Found::Nothing),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(cannot(error)),
        }
        // Either it is no layout, or another process has made one between the two looks.
    }
    Err(ContentError::new(Kind::Usage, format!("{path} is not an OCI layout"))
        .because(format!("it is not empty and has no file {LAYOUT_FILE}")))
}

/// Whether there is anything in a folder but what another run is just writing.
fn has_files(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !entry?.file_name().to_string_lossy().starts_with(TEMPORARY) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_version(bytes: &[u8], folder: &Path) -> Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }
    let wrong = || {
        ContentError::new(
            Kind::Invalid,
            format!("cannot read {LAYOUT_FILE} in {}", folder.display()),
        )
    };
    let marker: Marker = serde_json::from_slice(bytes).map_err(|error| wrong().because(error))?;
    if marker.image_layout_version.starts_with("1.") {
        Ok(())
    } else {
        Err(wrong().because(format!(
            "its version is {:?}, and only 1.x is known",
            marker.image_layout_version
        )))
    }
}

/// Reads `index.json`, of at most [`MANIFEST_LIMIT`] bytes; `None` when there is none. Blocks.
pub(super) fn read_index(folder: &Path) -> Result<Option<Vec<u8>>> {
    match read_small(&folder.join(INDEX_FILE)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ContentError::file(
            format!("cannot read {INDEX_FILE} in {}", folder.display()),
            error,
        )),
    }
}

/// Reads a file of at most [`MANIFEST_LIMIT`] bytes. Blocks.
pub(super) fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MANIFEST_LIMIT {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than {MANIFEST_LIMIT} bytes"),
        ));
    }
    fs::read(path)
}

/// Whether a file of this length is there. Blocks.
pub(super) fn holds(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == size)
}

/// What a run created, in its order, to be taken back unless it ends well.
#[derive(Debug, Default)]
pub(super) struct Footprint {
    created: Vec<PathBuf>,
    is_closed: bool,
    /// Files made for blobs whose writer has not taken them yet.
    pub(super) unclaimed: HashMap<Digest, NamedTempFile>,
}

impl Footprint {
    /// Makes what a layout lacks, and waits until no other process changes it; until the value is dropped none will.
    /// Blocks.
    pub(super) fn prepare(&mut self, folder: &Path) -> io::Result<File> {
        if self.is_closed {
            return Err(io::Error::other("it was given up"));
        }
        let mut tries = 0..RACES_LIMIT;
        loop {
            match self.try_prepare(folder) {
                // Another process that was given up has just taken the folder back.
                Err(error) if error.kind() == ErrorKind::NotFound && tries.next().is_some() => {}
                other => return other,
            }
        }
    }

    fn try_prepare(&mut self, folder: &Path) -> io::Result<File> {
        self.folder(folder)?;
        let marker = folder.join(LAYOUT_FILE);
        let lock = loop {
            if !marker.exists() && write_new(&marker, LAYOUT_TEXT.as_bytes())? {
                self.created.push(marker.clone());
            }
            let lock = lock(&marker)?;
            if is_at(&lock, &marker)? {
                break lock;
            }
        };
        self.folder(&folder.join(BLOBS))?;
        Ok(lock)
    }

    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.folder(parent)?;
        }
        match fs::create_dir(folder) {
            Ok(()) => self.created.push(folder.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Keeps what was created.
    pub(super) fn keep(&mut self) {
        self.created.clear();
    }

    /// Removes what was created, except where another process has put something since. Blocks, but for nobody.
    pub(super) fn remove(&mut self, folder: &Path) {
        self.is_closed = true;
        self.unclaimed.clear();
        let marker = folder.join(LAYOUT_FILE);
        let lock = File::open(&marker).ok();
        if let Some(lock) = &lock {
            let is_busy = matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock));
            if is_busy || !is_at(lock, &marker).unwrap_or_default() {
                return;
            }
        }
        for path in std::mem::take(&mut self.created).into_iter().rev() {
            // What lies in the folder may be touched only under its lock.
            if lock.is_none() && path != folder && path.starts_with(folder) {
                continue;
            }
            // Folders go only when they are empty, and the marker only when nothing needs it.
            let _ = if path != marker {
                fs::remove_dir(&path)
            } else if folder.join(BLOBS).exists() || folder.join(INDEX_FILE).exists() {
                Ok(())
            } else {
                fs::remove_file(&path)
            };
        }
    }
}

/// Waits for the lock of a layout. Blocks.
fn lock(marker: &Path) -> io::Result<File> {
    // Locks of network file systems want a file open for writing; a read-only layout may still be up to date.
    let opened = OpenOptions::new().read(true).write(true).open(marker);
    let file = opened.or_else(|_| File::open(marker))?;
    match file.lock() {
        // Some file systems have no locks. The files are still written whole.
        Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

/// Whether the file is still the one at the path. A run that was given up may have removed it meanwhile, and another
/// made a new one.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let own = file.metadata()?;
    Ok(fs::metadata(path).is_ok_and(|other| (other.dev(), other.ino()) == (own.dev(), own.ino())))
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    // An open file cannot be replaced there.
    path.try_exists()
}
