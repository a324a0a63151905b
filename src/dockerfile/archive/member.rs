//! The members of a tar file, one after another, their contents kept where they can be read again.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::content::tree::headers::{self, EntryKind, Headers};
use crate::content::tree::unpack::limit;
use crate::dockerfile::context::Unfit;
use crate::oci::Attributes;
use crate::recipe::{FileContent, ImagePath, Special, Stored};

/// Longest path of a member: Linux opens none that is longer.
const LONGEST: usize = 4096;
/// What the names and attributes of all members of a tar file may take of the memory: those of 300,000 files.
const NAMES_LIMIT: usize = 128 * 1024 * 1024;
/// What a member takes of the memory besides its names and attributes.
const PER_MEMBER: usize = 256;
/// Contents up to this size stay in memory, as long as there are few of them: a small archive needs no temporary file.
const SMALL: u64 = 64 * 1024;
/// What all contents that stay in memory may have.
const ALL_SMALL: u64 = 1024 * 1024;

/// A member of a tar file.
#[derive(Debug)]
pub(in crate::dockerfile) struct Member {
    /// The components of its path: no `.` and no `..`, which at the root stays there. None for the root itself.
    pub(in crate::dockerfile) parts: Vec<String>,
    /// What it is.
    pub(in crate::dockerfile) content: MemberContent,
    /// Its mode and owner.
    pub(in crate::dockerfile) attributes: Attributes,
    /// Its extended attributes.
    pub(in crate::dockerfile) extended: BTreeMap<String, Vec<u8>>,
}

/// What a member is.
#[derive(Debug)]
pub(in crate::dockerfile) enum MemberContent {
    /// A file, a symbolic link, a device or a pipe.
    File(FileContent),
    /// A directory.
    Directory,
    /// Another name of an earlier member.
    HardLink(String),
    /// What cannot be in an image.
    Unfit(Unfit),
}

/// Where contents stay.
#[derive(Debug)]
pub(in crate::dockerfile) enum Contents {
    /// In the tar file itself, of that many bytes.
    InPlace(Arc<File>, u64),
    /// In one temporary file without a name in a folder, made when it is needed.
    Copied(Copied),
}

/// Contents in a temporary file.
#[derive(Debug)]
pub(in crate::dockerfile) struct Copied {
    folder: PathBuf,
    file: Option<Arc<File>>,
    size: u64,
    in_memory: u64,
}

impl Contents {
    /// Contents that are copied to a temporary file in `folder`.
    pub(in crate::dockerfile) fn copied(folder: &Path) -> Self {
        Self::Copied(Copied {
            folder: folder.to_owned(),
            file: None,
            size: 0,
            in_memory: 0,
        })
    }

    fn keep<R: Read>(&mut self, headers: &mut Headers<R>, entry: &headers::Entry) -> io::Result<Stored> {
        match self {
            Self::InPlace(file, length) => {
                if entry.offset.checked_add(entry.size).is_none_or(|end| end > *length) {
                    return Err(ends_early());
                }
                Ok(Stored::Part {
                    file: Arc::clone(file),
                    offset: entry.offset,
                    size: entry.size,
                })
            }
            Self::Copied(copied) => copied.keep(headers, entry),
        }
    }
}

impl Copied {
    fn keep<R: Read>(&mut self, headers: &mut Headers<R>, entry: &headers::Entry) -> io::Result<Stored> {
        if entry.size <= SMALL && self.in_memory + entry.size <= ALL_SMALL {
            let mut bytes = Vec::new();
            headers.content(entry, &mut bytes)?;
            self.in_memory += entry.size;
            return Ok(Stored::Memory(bytes.into()));
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(
                self.file
                    .insert(Arc::new(tempfile::tempfile_in(&self.folder).map_err(unwritable)?)),
            ),
        };
        let offset = self.size;
        headers.content(entry, Writing(&file))?;
        self.size += entry.size;
        Ok(Stored::Part {
            file,
            offset,
            size: entry.size,
        })
    }
}

/// A temporary file whose failures can be told from those of what is copied to it.
struct Writing<'a>(&'a File);

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwritable)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritable)
    }
}

/// A temporary file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write a temporary file")]
pub(in crate::dockerfile) struct Unwritable(#[source] io::Error);

fn unwritable(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Unwritable(error))
}

/// Reads the members of a tar file.
#[derive(Debug)]
pub(in crate::dockerfile) struct Members<R> {
    headers: Headers<R>,
    contents: Contents,
    names: usize,
}

impl<R: Read> Members<R> {
    /// The members that `headers` walk over.
    pub(in crate::dockerfile) fn new(headers: Headers<R>, contents: Contents) -> Self {
        Self {
            headers,
            contents,
            names: 0,
        }
    }

    /// The next member, its name as written beside it; `None` at the end.
    ///
    /// # Errors
    /// When the tar file cannot be read, or is none, or the temporary file cannot be written.
    pub(in crate::dockerfile) fn next(&mut self) -> io::Result<Option<(String, Member)>> {
        let Some(entry) = self.headers.next()? else {
            return Ok(None);
        };
        let extended: usize = entry
            .extended
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        // The name is kept up to three times.
        self.names += PER_MEMBER + 3 * entry.name.len() + entry.link.len() + extended;
        if self.names > NAMES_LIMIT {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "it has too many entries to be unpacked",
            ));
        }
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let (parts, unfit) = parts(&entry.name);
        let content = match unfit {
            Some(why) => MemberContent::Unfit(why),
            None => self.content(&entry)?,
        };
        let member = Member {
            parts,
            content,
            attributes: entry.attributes,
            extended: entry.extended,
        };
        Ok(Some((name, member)))
    }

    fn content(&mut self, entry: &headers::Entry) -> io::Result<MemberContent> {
        let (major, minor) = entry.device;
        let special = |special| Ok(MemberContent::File(FileContent::Special(special)));
        if entry.is_sparse {
            return Ok(MemberContent::Unfit(Unfit::Sparse));
        }
        match (entry.kind, entry.kind_byte) {
            (EntryKind::Directory, _) => Ok(MemberContent::Directory),
            (EntryKind::Symlink | EntryKind::HardLink, _) if entry.link.contains(['\u{fffd}', '\0']) => {
                Ok(MemberContent::Unfit(Unfit::Target))
            }
            (EntryKind::Symlink | EntryKind::HardLink, _) if entry.link.len() > LONGEST => {
                Ok(MemberContent::Unfit(Unfit::Long))
            }
            (EntryKind::Symlink, _) => Ok(MemberContent::File(FileContent::Link {
                to: entry.link.clone(),
                path: PathBuf::new(),
            })),
            (EntryKind::HardLink, _) => Ok(MemberContent::HardLink(entry.link.clone())),
            (EntryKind::File, 0 | b'0') => {
                let stored = self.contents.keep(&mut self.headers, entry)?;
                Ok(MemberContent::File(FileContent::Stored(stored)))
            }
            (EntryKind::File, b'3') => special(Special::Character { major, minor }),
            (EntryKind::File, b'4') => special(Special::Block { major, minor }),
            (EntryKind::File, b'6') => special(Special::Pipe),
            (EntryKind::File, other) => Ok(MemberContent::Unfit(Unfit::Kind(char::from(other)))),
        }
    }
}

/// The components of a path. If one cannot be in an image it is the last, and why it cannot comes with them.
fn parts(name: &[u8]) -> (Vec<String>, Option<Unfit>) {
    if name.len() > LONGEST {
        let start: String = String::from_utf8_lossy(name)
            .chars()
            .filter(|c| *c != '/')
            .take(40)
            .collect();
        let unfit = (!start.is_empty()).then_some(Unfit::Long);
        return (unfit.iter().map(|_| start.clone()).collect(), unfit);
    }
    let mut parts: Vec<String> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => match std::str::from_utf8(part) {
                Err(_) => {
                    parts.push(String::from_utf8_lossy(part).into_owned());
                    return (parts, Some(Unfit::Name));
                }
                Ok(part) => {
                    parts.push(part.to_owned());
                    if let Err(error) = ImagePath::default().join(part) {
                        return (parts, Some(Unfit::Path(error)));
                    }
                }
            },
        }
    }
    (parts, None)
}

/// Counts what is read.
#[derive(Debug)]
pub(in crate::dockerfile) struct Counted<R> {
    reader: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// Counts what is read of `reader`, and tells it to whoever has the counter.
    pub(in crate::dockerfile) fn new(reader: R) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        let counted = Self {
            reader,
            count: Rc::clone(&count),
        };
        (counted, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Fails when more was unpacked than the compressed bytes read so far may become.
#[derive(Debug)]
pub(in crate::dockerfile) struct Measured<R> {
    reader: R,
    compressed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R> Measured<R> {
    /// Measures what `reader` unpacks.
    pub(in crate::dockerfile) fn new(reader: R, compressed: Rc<Cell<u64>>) -> Self {
        Self {
            reader,
            compressed,
            unpacked: 0,
        }
    }
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.unpacked += read as u64;
        if self.unpacked > limit(self.compressed.get()) {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "it unpacks to far more than it has, like a decompression bomb",
            ));
        }
        Ok(read)
    }
}

fn ends_early() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the tar file ends in the middle of an entry")
}
