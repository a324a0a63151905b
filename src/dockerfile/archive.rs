//! Tar archives that `ADD` unpacks: into entries, never onto this machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Unfit;
use super::error::Problem;
use crate::content::tree::headers::Headers;
use crate::content::tree::unpack::is_malformed;
use crate::recipe::{Entry, FileContent, READABLE};
use arrangement::{Arranged, Arrangement};
use member::{Contents, Counted, Measured, Members, Unwritable};

pub(super) mod arrangement;
mod decompress;
pub(super) mod member;

/// An archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error("cannot read {name}")]
    Read {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It is damaged, or unpacks to far too much.
    #[error("cannot unpack {name}")]
    Malformed {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The temporary file for its contents cannot be written.
    #[error("cannot write a temporary file in {folder}")]
    Temporary {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something that cannot be in an image.
    #[error("{name} holds {member:?}, which cannot be in an image")]
    Member {
        /// The archive.
        name: String,
        /// The member, as written.
        member: String,
        /// Why.
        #[source]
        reason: Unfit,
    },
}

impl ArchiveError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => READABLE,
            Self::Read { .. } => return Vec::new(),
            Self::Malformed { .. } => "to add the file as it is, without unpacking it, write COPY",
            Self::Temporary { .. } => "name a folder with enough room: --temp-dir DIR, or TMPDIR",
            Self::Member { reason, .. } => return reason.hints(),
        };
        vec![hint.to_owned()]
    }

    /// What a failure to read means.
    pub(super) fn of(error: io::Error, name: &str, temporary: &Path) -> Self {
        let name = name.to_owned();
        if error.get_ref().is_some_and(|inner| inner.is::<Unwritable>()) {
            return Self::Temporary {
                folder: temporary.to_owned(),
                source: error,
            };
        }
        if is_malformed(&error) {
            Self::Malformed { name, source: error }
        } else {
            Self::Read { name, source: error }
        }
    }
}

/// Unpacks a tar archive, plain or compressed with gzip, bzip2, xz or zstd; `None` if it is no archive, which only its
/// bytes tell.
///
/// The directory it is added to is the root of the entries' paths, and of everything in the archive: as with Docker
/// nothing in it leads out of that directory. Links among the members are followed. The entries come sorted, each
/// directory before what is in it; directories without a member of their own are not among them. A link that lies in
/// the image at one of the paths is unknown here: whoever places the entries follows it.
///
/// Contents are read in place from a plain archive of this machine, and are otherwise written once to a file without a
/// name in `temporary`.
///
/// # Errors
/// When it cannot be read, or holds what cannot be in an image.
pub fn unpack(name: &str, content: &FileContent, temporary: &Path) -> Result<Option<Vec<Entry>>, Problem> {
    let unreadable = |error| ArchiveError::of(error, name, temporary);
    let Some(reader) = open(content).map_err(unreadable)? else {
        return Ok(None);
    };
    if !begins_with_a_member(reader).map_err(unreadable)? {
        return Ok(None);
    }
    let in_place = in_place(content).map_err(unreadable)?;
    let arranged = match in_place {
        Some((file, contents)) => {
            let headers = Headers::seeking(io::BufReader::new(file));
            arrange(Members::new(headers, contents), name, temporary, refuse)?
        }
        None => {
            let Some(reader) = open(content).map_err(unreadable)? else {
                return Ok(None);
            };
            let headers = Headers::streaming(unpacked(reader).map_err(unreadable)?);
            arrange(
                Members::new(headers, Contents::copied(temporary)),
                name,
                temporary,
                refuse,
            )?
        }
    };
    if let Some((directory, member, reason)) = arranged.unfit.into_iter().next() {
        return Err(ArchiveError::Member {
            name: name.to_owned(),
            member: format!("{directory}/{member}"),
            reason,
        }
        .into());
    }
    Ok(Some(arranged.entries))
}

/// What `reader` yields, decompressed, and an error once that is absurdly much.
pub(super) fn unpacked<'a>(reader: impl Read + 'a) -> io::Result<impl Read + 'a> {
    let (reader, count) = Counted::new(reader);
    Ok(Measured::new(decompress::open(reader)?, count))
}

/// Puts all members where they belong. What cannot be in an image is left to `on_unfit`.
pub(super) fn arrange<R: Read>(
    mut members: Members<R>,
    name: &str,
    temporary: &Path,
    on_unfit: fn(&str, &str, &Unfit) -> Result<(), ArchiveError>,
) -> Result<Arranged, ArchiveError> {
    let mut arrangement = Arrangement::default();
    while let Some((written, member)) = members
        .next()
        .map_err(|error| ArchiveError::of(error, name, temporary))?
    {
        if let member::MemberContent::Unfit(reason) = &member.content {
            on_unfit(name, &written, reason)?;
        }
        arrangement.place(member).map_err(|reason| ArchiveError::Member {
            name: name.to_owned(),
            member: written,
            reason,
        })?;
    }
    Ok(arrangement.finish())
}

fn refuse(name: &str, member: &str, reason: &Unfit) -> Result<(), ArchiveError> {
    Err(ArchiveError::Member {
        name: name.to_owned(),
        member: member.to_owned(),
        reason: reason.clone(),
    })
}

/// Whether it is a tar file, compressed or not, that holds anything: Docker copies an empty one like any other file.
fn begins_with_a_member(reader: impl Read) -> io::Result<bool> {
    let first = unpacked(reader).and_then(|reader| Headers::streaming(reader).next());
    match first {
        Ok(first) => Ok(first.is_some()),
        Err(error) if is_malformed(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn open(content: &FileContent) -> io::Result<Option<Box<dyn Read + '_>>> {
    match content {
        FileContent::Local { path, .. } => Ok(Some(Box::new(File::open(path)?))),
        FileContent::Stored(stored) => Ok(Some(Box::new(stored.reader()))),
        _ => Ok(None),
    }
}

/// A plain tar file of this machine.
fn in_place(content: &FileContent) -> io::Result<Option<(File, Contents)>> {
    let FileContent::Local { path, .. } = content else {
        return Ok(None);
    };
    tar_in_place(path)
}

/// A tar file of this machine, if it is a plain one that can be read anywhere.
pub(super) fn tar_in_place(path: &Path) -> io::Result<Option<(File, Contents)>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let is_plain = match Headers::streaming(&file).next() {
        Ok(first) => first.is_some(),
        Err(error) if is_malformed(&error) => false,
        Err(error) => return Err(error),
    };
    if !is_plain {
        return Ok(None);
    }
    // Another file, since copies of one share the position.
    let contents = Contents::InPlace(Arc::new(file), metadata.len());
    Ok(Some((File::open(path)?, contents)))
}

#[cfg(test)]
mod tests;
