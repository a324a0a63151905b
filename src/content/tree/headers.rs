//! The headers of a tar file, one after another, without the contents.
//!
//! The `tar` crate's iterator holds long names and extended headers in memory whatever their size; a base image is
//! not trusted that far, so the blocks are walked here and only the fields are left to the crate.

use crate::oci::Attributes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use tar::{EntryType, Header};

/// Size of a tar block.
const BLOCK: u64 = 512;
/// Longest extended header. Paths are at most 4 KiB on Linux; extended attributes in the same header have 64 KiB each.
const EXTENSION_LIMIT: u64 = 1024 * 1024;

/// What an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file, a device or a pipe.
    File,
    /// Another name of a file.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A directory.
    Directory,
}

/// What begins the records of extended attributes in a pax header.
const EXTENDED_ATTRIBUTE: &[u8] = b"SCHILY.xattr.";

/// An entry of a tar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path, normalised.
    pub(crate) path: String,
    /// Its path, as written.
    pub(crate) name: Vec<u8>,
    /// What kind of entry its header says it is.
    pub(crate) kind_byte: u8,
    /// What it makes.
    pub(crate) kind: EntryKind,
    /// Where a link points, as written.
    pub(crate) link: String,
    /// Where its content starts in the tar file.
    pub(crate) offset: u64,
    /// Length of its content.
    pub(crate) size: u64,
    /// Its mode and owner.
    pub(crate) attributes: Attributes,
    /// The numbers of a device.
    pub(crate) device: (u32, u32),
    /// Whether its content is only the pieces of a file that has holes.
    pub(crate) is_sparse: bool,
    /// Its extended attributes.
    pub(crate) extended: BTreeMap<String, Vec<u8>>,
}

/// Fields that make no sense are as if they were not there.
fn attributes(header: &Header, extension: &Extension) -> Attributes {
    let plain = Attributes::PLAIN;
    Attributes {
        mode: header.mode().map_or(plain.mode, |mode| mode & 0o7777),
        uid: extension.uid.or_else(|| header.uid().ok()).unwrap_or(plain.uid),
        gid: extension.gid.or_else(|| header.gid().ok()).unwrap_or(plain.gid),
    }
}

/// Walks over the headers of a tar file.
#[derive(Debug)]
pub(crate) struct Headers<R> {
    reader: R,
    skip: fn(&mut R, u64) -> io::Result<()>,
    position: u64,
    next: u64,
}

impl<R: Read> Headers<R> {
    /// Reads over the contents.
    pub(crate) fn streaming(reader: R) -> Self {
        Self {
            reader,
            skip: |reader, amount| {
                if io::copy(&mut reader.take(amount), &mut io::sink())? == amount {
                    Ok(())
                } else {
                    Err(ends_early())
                }
            },
            position: 0,
            next: 0,
        }
    }
}

impl<R: Read + Seek> Headers<R> {
    /// Seeks over the contents; whether they are there is not seen.
    pub(crate) fn seeking(reader: R) -> Self {
        Self {
            reader,
            skip: |reader, amount| {
                let amount = i64::try_from(amount).map_err(|_| malformed("an entry is too long"))?;
                reader.seek(SeekFrom::Current(amount)).map(|_| ())
            },
            position: 0,
            next: 0,
        }
    }
}

/// What extended headers say about the entry after them.
#[derive(Debug, Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    is_sparse: bool,
    extended: BTreeMap<String, Vec<u8>>,
}

impl<R: Read> Headers<R> {
    /// Writes the content of the entry that came last.
    ///
    /// # Errors
    /// When the reader or the writer fails, or the tar file ends before the content does.
    pub(crate) fn content(&mut self, entry: &Entry, mut to: impl Write) -> io::Result<()> {
        (self.skip)(&mut self.reader, entry.offset.saturating_sub(self.position))?;
        self.position = entry.offset;
        let copied = io::copy(&mut self.reader.by_ref().take(entry.size), &mut to)?;
        self.position += copied;
        if copied == entry.size {
            Ok(())
        } else {
            Err(ends_early())
        }
    }

    /// The next entry; `None` at the end of the tar file.
    ///
    /// # Errors
    /// When the reader fails, or what it yields is no tar file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut extension = Extension::default();
        while let Some(header) = self.header()? {
            let size = content_size(&header)?;
            match header.entry_type() {
                EntryType::GNULongName => extension.path = Some(until_nul(self.extension(size)?)),
                EntryType::GNULongLink => extension.link = Some(until_nul(self.extension(size)?)),
                EntryType::XHeader => parse_pax(&self.extension(size)?, &mut extension)?,
                // Global headers carry comments (`git archive`); labels name a tape.
                EntryType::XGlobalHeader => self.advance(size)?,
                other if other.as_byte() == b'V' => self.advance(size)?,
                _ => return self.entry(&header, extension, size).map(Some),
            }
        }
        Ok(None)
    }

    /// Reads the content of the entry that came last, once, with `read`, which need not read all of it.
    ///
    /// # Errors
    /// When `read` fails.
    pub(crate) fn with_content<T>(
        &mut self,
        entry: &Entry,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut content = self.reader.by_ref().take(entry.size);
        let done = read(&mut content)?;
        self.position += entry.size - content.limit();
        Ok(done)
    }

    fn entry(&mut self, header: &Header, extension: Extension, size: u64) -> io::Result<Entry> {
        let attributes = attributes(header, &extension);
        let path = extension.path.map_or_else(|| header.path_bytes(), Cow::Owned);
        let kind = match header.entry_type() {
            EntryType::Directory => EntryKind::Directory,
            EntryType::Symlink => EntryKind::Symlink,
            EntryType::Link => EntryKind::HardLink,
            // Before POSIX a directory was a file whose name ends in a slash.
            EntryType::Regular if path.ends_with(b"/") => EntryKind::Directory,
            _ => EntryKind::File,
        };
        let link = extension.link.map(Cow::Owned).or_else(|| header.link_name_bytes());
        if header.entry_type().is_gnu_sparse() {
            self.sparse_map(header)?;
        }
        // Only files have content; some writers state the size of the file a hard link names.
        let size = match kind {
            EntryKind::File if has_content(header.entry_type()) => extension.size.unwrap_or(size),
            _ => 0,
        };
        let entry = Entry {
            path: normalised(&path),
            kind,
            link: String::from_utf8_lossy(&link.unwrap_or_default()).into_owned(),
            offset: self.next,
            size,
            attributes,
            name: path.into_owned(),
            kind_byte: header.entry_type().as_byte(),
            device: (
                header.device_major().ok().flatten().unwrap_or_default(),
                header.device_minor().ok().flatten().unwrap_or_default(),
            ),
            is_sparse: extension.is_sparse || header.entry_type().is_gnu_sparse(),
            extended: extension.extended,
        };
        self.advance(size)?;
        Ok(entry)
    }

    /// Reads over the blocks in which old GNU tar lists the pieces of a sparse file.
    fn sparse_map(&mut self, header: &Header) -> io::Result<()> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while more {
            let mut block = tar::GnuExtSparseHeader::new();
            if !self.block(block.as_mut_bytes())? {
                return Err(ends_early());
            }
            more = block.is_extended();
        }
        Ok(())
    }

    fn header(&mut self) -> io::Result<Option<Header>> {
        (self.skip)(&mut self.reader, self.next - self.position)?;
        self.position = self.next;
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? || header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let bytes = header.as_bytes();
        // The checksum field itself counts as eight spaces.
        let rest = bytes[..148].iter().chain(&bytes[156..]);
        let sum = rest.fold(8 * u32::from(b' '), |sum, byte| sum + u32::from(*byte));
        if header.cksum().ok() == Some(sum) {
            Ok(Some(header))
        } else {
            Err(malformed(
                "it is not a tar file, or damaged: a header's checksum is wrong",
            ))
        }
    }

    /// Reads a block; `false` when there is none.
    fn block(&mut self, block: &mut [u8; 512]) -> io::Result<bool> {
        let mut filled = 0;
        while filled < block.len() {
            match self.reader.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(ends_early()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.position += BLOCK;
        self.next = self.position;
        Ok(true)
    }

    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > EXTENSION_LIMIT {
            return Err(malformed("an extended header is longer than a megabyte"));
        }
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(size).read_to_end(&mut bytes)? as u64;
        if read < size {
            return Err(ends_early());
        }
        self.advance(size)?;
        self.position += size;
        Ok(bytes)
    }

    /// Moves the place of the next header behind `size` bytes of content.
    fn advance(&mut self, size: u64) -> io::Result<()> {
        let padded = size.checked_next_multiple_of(BLOCK);
        self.next = padded
            .and_then(|padded| self.next.checked_add(padded))
            .ok_or_else(|| malformed("an entry is too long"))?;
        Ok(())
    }
}

/// The size field; blank, as some writers leave it for what has no content, it means none.
fn content_size(header: &Header) -> io::Result<u64> {
    let is_blank = header.as_old().size.iter().all(|byte| matches!(byte, 0 | b' '));
    if is_blank {
        return Ok(0);
    }
    header
        .entry_size()
        .map_err(|_| malformed("a header's size is no number"))
}

fn has_content(kind: EntryType) -> bool {
    !(kind.is_character_special() || kind.is_block_special() || kind.is_fifo())
}

/// Reads the records of a pax header: `LENGTH KEY=VALUE\n`, where the length counts itself.
fn parse_pax(mut bytes: &[u8], extension: &mut Extension) -> io::Result<()> {
    let wrong = || malformed("an extended header is damaged");
    while bytes.first().is_some_and(|byte| *byte != 0) {
        let space = bytes.iter().position(|byte| *byte == b' ').ok_or_else(wrong)?;
        let length = std::str::from_utf8(&bytes[..space])
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok());
        let length = length
            .filter(|length| *length > space + 1 && *length <= bytes.len())
            .ok_or_else(wrong)?;
        let record = bytes[space + 1..length].strip_suffix(b"\n").ok_or_else(wrong)?;
        bytes = &bytes[length..];
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let value = &record[equals + 1..];
        let number = || std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
        let key = &record[..equals];
        extension.is_sparse |= key.starts_with(b"GNU.sparse.");
        match key {
            b"path" | b"GNU.sparse.name" => extension.path = Some(value.to_vec()),
            b"linkpath" => extension.link = Some(value.to_vec()),
            b"size" => extension.size = Some(number().ok_or_else(wrong)?),
            b"uid" => extension.uid = number(),
            b"gid" => extension.gid = number(),
            _ => {
                if let Some(name) = key.strip_prefix(EXTENDED_ATTRIBUTE) {
                    let name = String::from_utf8_lossy(name).into_owned();
                    extension.extended.insert(name, value.to_vec());
                }
            }
        }
    }
    Ok(())
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

/// The path an unpacker would write to: without `.`, empty parts and leading slashes, `..` taken back but never beyond
/// the root.
pub(crate) fn normalised(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn ends_early() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the tar file ends in the middle of an entry")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> io::Result<Vec<Entry>> {
        let mut headers = Headers::streaming(bytes);
        let mut sought = Headers::seeking(io::Cursor::new(bytes));
        let mut entries = Vec::new();
        while let Some(entry) = headers.next()? {
            assert_eq!(sought.next().expect("seek").as_ref(), Some(&entry));
            entries.push(entry);
        }
        Ok(entries)
    }

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header
    }

    #[test]
    fn long_names_links_and_contents_are_walked_over() {
        let long = format!("{}/file", "d".repeat(300));
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append_data(&mut Header::new_gnu(), &long, &b""[..])
            .expect("entry");
        let mut file = header(EntryType::Regular, 700);
        builder.append_data(&mut file, "a/b", &[7; 700][..]).expect("entry");
        let mut link = header(EntryType::Symlink, 0);
        builder.append_link(&mut link, "l", "../x").expect("entry");
        builder
            .append_pax_extensions([("path", "new\nline".as_bytes())])
            .expect("pax");
        builder
            .append_data(&mut header(EntryType::Directory, 0), "short", &b""[..])
            .expect("entry");
        let bytes = builder.into_inner().expect("tar");

        let entries = walk(&bytes).expect("entries");
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, [long.as_str(), "a/b", "l", "new\nline"]);
        let start = usize::try_from(entries[1].offset).expect("offset");
        assert_eq!(bytes[start..start + 700], [7; 700]);
        assert_eq!(
            (entries[2].kind, entries[2].link.as_str()),
            (EntryKind::Symlink, "../x")
        );
        assert_eq!(entries[3].kind, EntryKind::Directory);
    }

    #[test]
    fn paths_never_leave_the_root() {
        for (path, expected) in [
            ("./a/", "a"),
            ("/a", "a"),
            ("a/../b", "b"),
            ("../../etc/x", "etc/x"),
            ("./", ""),
            ("a//b/./c", "a/b/c"),
        ] {
            assert_eq!(normalised(path.as_bytes()), expected);
        }
    }

    #[test]
    fn what_is_no_tar_file_is_an_error() {
        assert_eq!(walk(&[1; 512]).expect_err("garbage").kind(), ErrorKind::InvalidData);
        assert_eq!(walk(&[1; 100]).expect_err("short").kind(), ErrorKind::UnexpectedEof);
        assert_eq!(walk(&[]).expect("empty").len(), 0);
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append_data(&mut header(EntryType::Regular, 700), "a", &[7; 700][..])
            .expect("entry");
        let bytes = builder.into_inner().expect("tar");
        let mut headers = Headers::streaming(&bytes[..900]);
        headers.next().expect("first");
        assert_eq!(headers.next().expect_err("cut").kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_endless_name_is_refused_before_it_is_read() {
        let mut long = header(EntryType::GNULongName, u64::from(u32::MAX));
        long.set_path("././@LongLink").expect("path");
        long.set_cksum();
        let error = walk(long.as_bytes()).expect_err("endless");
        assert!(error.to_string().contains("longer than a megabyte"), "{error}");
    }
}
