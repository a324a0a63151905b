//! Layers as tar files: written entry by entry for bases, read entry by entry for assertions.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

/// A layer of a base image, written entry by entry.
pub(crate) struct Tarball {
    builder: Builder<Vec<u8>>,
}

impl Tarball {
    /// No entries yet.
    pub(crate) fn new() -> Self {
        Self {
            builder: Builder::new(Vec::new()),
        }
    }

    /// A directory of root.
    pub(crate) fn directory(self, path: &str, mode: u32) -> Self {
        self.directory_of(path, mode, 0)
    }

    /// A directory of the given user and group.
    pub(crate) fn directory_of(mut self, path: &str, mode: u32, owner: u64) -> Self {
        let mut header = header(EntryType::Directory, mode, 0);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_cksum();
        let path = format!("{path}/");
        self.builder.append_data(&mut header, path, std::io::empty()).unwrap();
        self
    }

    /// A file with mode 0644.
    pub(crate) fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        let mut header = header(EntryType::Regular, 0o644, bytes.len() as u64);
        self.builder.append_data(&mut header, path, bytes).unwrap();
        self
    }

    /// A symbolic link.
    pub(crate) fn symlink(mut self, path: &str, target: &str) -> Self {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.builder.append_link(&mut header, path, target).unwrap();
        self
    }

    /// The mark that removes what lower layers have at `path`.
    pub(crate) fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let separator = if folder.is_empty() { "" } else { "/" };
        self.file(&format!("{folder}{separator}.wh.{name}"), b"")
    }

    /// The mark that hides all that lower layers have below `path`.
    pub(crate) fn opaque(self, path: &str) -> Self {
        self.file(&format!("{path}/.wh..wh..opq"), b"")
    }

    /// The tar file.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.builder.into_inner().unwrap()
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header
}

/// Compresses as an ordinary image builder would.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Decompresses all members.
pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// One entry of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The path without leading `./` and trailing `/`.
    pub(crate) path: String,
    /// The type.
    pub(crate) kind: EntryType,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The user.
    pub(crate) uid: u64,
    /// The group.
    pub(crate) gid: u64,
    /// The user's and group's names, which are to be empty.
    pub(crate) names: String,
    /// Seconds since the epoch.
    pub(crate) mtime: u64,
    /// The target of a link.
    pub(crate) link: Option<String>,
    /// The content of a file.
    pub(crate) content: Vec<u8>,
}

/// Reads all entries of a tar file.
pub(crate) fn entries(tar: &[u8]) -> Vec<Entry> {
    let mut archive = tar::Archive::new(tar);
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.trim_start_matches("./").trim_end_matches('/').to_owned();
        let link = entry.link_name_bytes();
        let link = link.map(|link| String::from_utf8_lossy(&link).into_owned());
        let header = entry.header().clone();
        let names = [header.username_bytes(), header.groupname_bytes()];
        let names = names.into_iter().flatten().flatten().copied().collect();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        found.push(Entry {
            path,
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            uid: header.uid().unwrap(),
            gid: header.gid().unwrap(),
            names: String::from_utf8(names).unwrap(),
            mtime: header.mtime().unwrap(),
            link,
            content,
        });
    }
    found
}
