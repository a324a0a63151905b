//! The files in an archive, found in one pass over its headers.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::region::{Abandoned, Region, RegionReader};
use crate::content::spool::SpoolWriter;
use crate::content::tree::headers::{EntryKind, Headers, normalised};
use crate::content::tree::unpack::{is_malformed, limit, unpack};
use crate::content::{ContentError, Kind, Result};
use crate::oci::media_type::Compression;

/// Most files in an archive. An image has a few for each layer, of which there are at most some hundred.
const MEMBERS_LIMIT: usize = 100_000;
/// Most links from one file of an archive to another; `docker save` makes one.
const LINKS_LIMIT: usize = 8;
/// Size of the pieces a compressed archive is unpacked in.
const PIECE: usize = 256 * 1024;

#[derive(Debug)]
enum Member {
    Bytes {
        offset: u64,
        size: u64,
    },
    /// Another member, which old versions of `docker save` wrote once for several layers.
    Link(String),
}

/// The files in an archive.
#[derive(Debug)]
pub(super) struct Members {
    path: PathBuf,
    /// What the place is called, where the file is only a copy of it.
    name: Option<String>,
    file: Arc<File>,
    by_name: HashMap<String, Member>,
}

impl Members {
    /// Opens an archive. One that is compressed is unpacked into a file without a name in `temporary`, or refused
    /// where there is no such folder. Blocks.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such file, [`Kind::Invalid`] when it is not a tar file or cut short.
    pub(super) fn open(path: &Path, temporary: Option<&Path>, abandoned: &Abandoned) -> Result<Self> {
        let what = || format!("cannot read archive {}", path.display());
        let cannot = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => ContentError::new(Kind::NotFound, what()).because("there is no such file"),
            _ if is_malformed(&error) => ContentError::new(Kind::Invalid, what()).because(error),
            _ => ContentError::file(what(), error),
        };
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            return Err(ContentError::new(Kind::Usage, what())
                .because("it is a folder")
                .hint(format!("name a layout folder as oci:{}", path.display())));
        }
        let whole = Region {
            file: Arc::new(file),
            offset: 0,
            size: metadata.len(),
        };
        let reader = RegionReader::new(whole.clone(), abandoned.clone());
        let (compression, unpacked) = unpack(reader, limit(whole.size)).map_err(cannot)?;
        let whole = match (compression, temporary) {
            (Compression::None, _) => whole,
            (_, Some(temporary)) => spool(unpacked, temporary, cannot)?,
            (_, None) => return Err(ContentError::new(Kind::Invalid, what()).because("it is compressed")),
        };
        let by_name = index(&whole, abandoned).map_err(cannot)?;
        Ok(Self {
            path: path.to_owned(),
            name: None,
            file: whole.file,
            by_name,
        })
    }

    /// The same archive, which is called `name`.
    pub(super) fn called(self, name: String) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    /// The path of the archive.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The place for people.
    pub(super) fn place(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("archive {}", self.path.display()),
        }
    }

    /// The bytes of a file in the archive.
    pub(super) fn get(&self, name: &str) -> Option<Region> {
        let mut name = normalised(name.as_bytes());
        for _ in 0..=LINKS_LIMIT {
            match self.by_name.get(&name)? {
                Member::Link(target) => name.clone_from(target),
                Member::Bytes { offset, size } => {
                    return Some(Region {
                        file: Arc::clone(&self.file),
                        offset: *offset,
                        size: *size,
                    });
                }
            }
        }
        None
    }

    /// The same, where it must be there.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn require(&self, name: &str) -> Result<Region> {
        self.get(name)
            .ok_or_else(|| ContentError::new(Kind::NotFound, format!("{} has no file {name}", self.place())))
    }
}

fn spool(mut unpacked: impl Read, temporary: &Path, cannot: impl Fn(io::Error) -> ContentError) -> Result<Region> {
    let full = |error| SpoolWriter::failure(temporary, error);
    let mut file = tempfile::tempfile_in(temporary).map_err(full)?;
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let read = match unpacked.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.map_err(&cannot)?,
        };
        if read == 0 {
            break;
        }
        file.write_all(&piece[..read]).map_err(full)?;
        size += read as u64;
    }
    Ok(Region {
        file: Arc::new(file),
        offset: 0,
        size,
    })
}

fn index(whole: &Region, abandoned: &Abandoned) -> io::Result<HashMap<String, Member>> {
    let mut headers = Headers::seeking(RegionReader::new(whole.clone(), abandoned.clone()));
    let mut by_name = HashMap::new();
    while let Some(entry) = headers.next()? {
        // Seeking over contents does not notice that they are missing.
        if entry.offset.checked_add(entry.size).is_none_or(|end| end > whole.size) {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                format!("it ends in the middle of {}", entry.path),
            ));
        }
        let member = match entry.kind {
            EntryKind::Directory => continue,
            EntryKind::File => Member::Bytes {
                offset: entry.offset,
                size: entry.size,
            },
            EntryKind::HardLink => Member::Link(normalised(entry.link.as_bytes())),
            EntryKind::Symlink => {
                let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                Member::Link(normalised(format!("{folder}/{}", entry.link).as_bytes()))
            }
        };
        by_name.insert(entry.path, member);
        if by_name.len() > MEMBERS_LIMIT {
            let why = format!("it holds more than {MEMBERS_LIMIT} files, which no image does");
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        }
    }
    Ok(by_name)
}
