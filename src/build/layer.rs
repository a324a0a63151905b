//! Tar bytes of the new layers: the same for the same files, on every machine.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tar::EntryType;

use super::{BuildError, OWN_LAYER_FROM};
use crate::content::compress::LayerWriter;
use crate::content::spool::Spool;
use crate::oci::Digest;
use crate::recipe::{Entry, FileContent, ImagePath, Special};

/// Mode of extended headers, which no reader looks at.
const PLAIN: u32 = 0o644;
/// Most files that are layers of their own. Docker mounts 127 layers at most (the overlay driver's limit), and a base
/// has its own: this leaves more than half of them to it, and to images built on this one.
const MOST_OWN_LAYERS: usize = 40;
/// The largest number the owner's fields of a header hold: seven octal digits.
const OCTAL_LIMIT: u64 = 0o7_777_777;
/// Size of the pieces files are read in.
const PIECE: usize = 128 * 1024;

/// The entries of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayerPlan {
    /// The entries, sorted by path.
    pub entries: Vec<Entry>,
    /// Whether it is the layer of an instruction, which the history tells of.
    pub of_instruction: bool,
    /// Whether it begins with the manifest of the migrations.
    pub has_manifest: bool,
}

/// A layer, and what it holds.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Digest of the compressed bytes.
    pub digest: Digest,
    /// Digest of the tar bytes.
    pub diff_id: Digest,
    /// Number of compressed bytes.
    pub size: u64,
    /// The compressed bytes.
    pub spool: Arc<Spool>,
    /// The paths of its files and links.
    pub files: Vec<ImagePath>,
    /// Whether it is the layer of an instruction.
    pub of_instruction: bool,
    /// Whether it begins with the manifest of the migrations.
    pub has_manifest: bool,
}

/// Divides entries into layers: each large file alone, as far as layers are left, all the rest in the last.
pub(super) fn plan(entries: &[Entry]) -> Vec<LayerPlan> {
    let mut large: Vec<&Entry> = entries.iter().filter(|entry| entry.size() >= OWN_LAYER_FROM).collect();
    // The largest gain most. Entries are sorted by path, and of equal size the first ones stay first.
    large.sort_by_key(|entry| Reverse(entry.size()));
    large.truncate(MOST_OWN_LAYERS);
    let large: BTreeSet<&ImagePath> = large.iter().map(|entry| &entry.path).collect();
    let is_large = |entry: &&Entry| large.contains(&entry.path);
    let mut plans: Vec<LayerPlan> = entries
        .iter()
        .filter(is_large)
        .map(|large| LayerPlan {
            entries: entries
                .iter()
                .filter(|entry| entry.path == large.path || (entry.is_directory() && large.path.is_within(&entry.path)))
                .cloned()
                .collect(),
            of_instruction: false,
            has_manifest: false,
        })
        .collect();
    let rest: Vec<Entry> = entries.iter().filter(|entry| !is_large(entry)).cloned().collect();
    let is_told_already = |entry: &Entry| {
        entry.is_directory()
            && plans
                .iter()
                .any(|plan| plan.entries.iter().any(|told| told.path == entry.path))
    };
    if !rest.iter().all(is_told_already) {
        plans.push(LayerPlan {
            entries: rest,
            of_instruction: false,
            has_manifest: false,
        });
    }
    plans
}

impl LayerPlan {
    /// Packs the layer. Blocks: meant for a thread of its own. `file_time` is in seconds since the epoch.
    pub(super) fn pack(&self, file_time: u64, temp_folder: &Path) -> Result<Layer, BuildError> {
        let spool = |source| BuildError::Spool {
            folder: temp_folder.to_owned(),
            source,
        };
        let mut writer = TarWriter {
            output: LayerWriter::new(temp_folder),
            file_time,
            folder: temp_folder.to_owned(),
            piece: vec![0; PIECE],
        };
        for entry in &self.entries {
            writer.append(entry)?;
        }
        // Two empty blocks end a tar file.
        writer.output.write_all(&[0; 1024]).map_err(spool)?;
        let packed = writer.output.finish().map_err(spool)?;
        Ok(Layer {
            digest: packed.digest,
            diff_id: packed.diff_id,
            size: packed.size,
            spool: Arc::new(packed.spool),
            files: self
                .entries
                .iter()
                .filter(|entry| !entry.is_directory())
                .map(|entry| entry.path.clone())
                .collect(),
            of_instruction: self.of_instruction,
            has_manifest: self.has_manifest,
        })
    }
}

struct TarWriter {
    output: LayerWriter,
    file_time: u64,
    folder: PathBuf,
    piece: Vec<u8>,
}

impl TarWriter {
    fn append(&mut self, entry: &Entry) -> Result<(), BuildError> {
        let path = entry.path.relative();
        match &entry.content {
            FileContent::Directory => self.header(&format!("{path}/"), EntryType::Directory, entry, None),
            FileContent::Link { to, .. } => self.header(path, EntryType::Symlink, entry, Some(to)),
            FileContent::HardLink(to) => self.header(path, EntryType::Link, entry, Some(to.relative())),
            FileContent::Special(Special::Pipe) => self.header(path, EntryType::Fifo, entry, None),
            FileContent::Special(Special::Character { .. }) => self.header(path, EntryType::Char, entry, None),
            FileContent::Special(Special::Block { .. }) => self.header(path, EntryType::Block, entry, None),
            FileContent::Stored(stored) => {
                self.header(path, EntryType::Regular, entry, None)?;
                let copied = io::copy(&mut stored.reader(), &mut self.output);
                let copied = copied.map_err(|source| self.failure(source))?;
                if copied != stored.size() {
                    return Err(self.failure(io::ErrorKind::UnexpectedEof.into()));
                }
                self.pad(copied)
            }
            FileContent::Local {
                path: local,
                size,
                modified,
                ..
            } => {
                let mut file = fs::File::open(local).map_err(|source| BuildError::Read {
                    path: local.clone(),
                    source,
                })?;
                let changed = |metadata: io::Result<fs::Metadata>| {
                    metadata.map_or(true, |now| now.len() != *size || now.modified().ok() != *modified)
                };
                if changed(file.metadata()) {
                    return Err(BuildError::Changed { path: local.clone() });
                }
                self.header(path, EntryType::Regular, entry, None)?;
                self.copy(&mut file, local, *size)?;
                if changed(file.metadata()) {
                    return Err(BuildError::Changed { path: local.clone() });
                }
                Ok(())
            }
        }
    }

    fn copy(&mut self, file: &mut fs::File, local: &Path, size: u64) -> Result<(), BuildError> {
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let read = file.read(&mut self.piece[..most]).map_err(|source| BuildError::Read {
                path: local.to_owned(),
                source,
            })?;
            if read == 0 {
                return Err(BuildError::Changed { path: local.to_owned() });
            }
            self.output
                .write_all(&self.piece[..read])
                .map_err(|source| self.failure(source))?;
            left -= read as u64;
        }
        self.pad(size)
    }

    fn header(&mut self, path: &str, kind: EntryType, entry: &Entry, link: Option<&str>) -> Result<(), BuildError> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(entry.attributes.mode);
        header.set_mtime(self.file_time);
        header.set_size(entry.size());
        let mut records = Vec::new();
        for (key, id, fits) in [
            ("uid", entry.attributes.uid, entry.attributes.uid <= OCTAL_LIMIT),
            ("gid", entry.attributes.gid, entry.attributes.gid <= OCTAL_LIMIT),
        ] {
            let field = if fits { id } else { 0 };
            match key {
                "uid" => header.set_uid(field),
                _ => header.set_gid(field),
            }
            if !fits {
                records.extend(record(key, id.to_string().as_bytes()));
            }
        }
        if let FileContent::Special(Special::Character { major, minor } | Special::Block { major, minor }) =
            entry.content
        {
            header
                .set_device_major(major)
                .and_then(|()| header.set_device_minor(minor))
                .map_err(|source| self.failure(source))?;
        }
        if !path.is_ascii() || header.set_path(path).is_err() {
            records.extend(record("path", path.as_bytes()));
            header.set_path(fallback(path)).map_err(|source| self.failure(source))?;
        }
        if let Some(link) = link
            && (!link.is_ascii() || header.set_link_name_literal(link).is_err())
        {
            records.extend(record("linkpath", link.as_bytes()));
            header
                .set_link_name_literal("long")
                .map_err(|source| self.failure(source))?;
        }
        for (name, value) in &entry.extended {
            records.extend(record(&format!("SCHILY.xattr.{name}"), value));
        }
        if !records.is_empty() {
            self.extension(&records)?;
        }
        header.set_cksum();
        self.output
            .write_all(header.as_bytes())
            .map_err(|source| self.failure(source))
    }

    /// A PAX header: what the fixed fields of the next entry have no room for (POSIX.1-2001).
    fn extension(&mut self, records: &[u8]) -> Result<(), BuildError> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::XHeader);
        header.set_mode(PLAIN);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.file_time);
        header.set_size(records.len() as u64);
        header
            .set_path("PaxHeaders/next")
            .map_err(|source| self.failure(source))?;
        header.set_cksum();
        self.output
            .write_all(header.as_bytes())
            .and_then(|()| self.output.write_all(records))
            .map_err(|source| self.failure(source))?;
        self.pad(records.len() as u64)
    }

    fn pad(&mut self, size: u64) -> Result<(), BuildError> {
        let rest = usize::try_from(size % 512).unwrap_or_default();
        if rest == 0 {
            return Ok(());
        }
        self.output
            .write_all(&[0; 512][rest..])
            .map_err(|source| self.failure(source))
    }

    fn failure(&self, source: io::Error) -> BuildError {
        BuildError::Spool {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// A name for readers that do not know PAX, none of which is left.
fn fallback(path: &str) -> &'static str {
    if path.ends_with('/') { "long/" } else { "long" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Attributes;

    fn local(folder: &Path, name: &str, bytes: &[u8], executable: bool) -> FileContent {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("file");
        let metadata = fs::metadata(&path).expect("metadata");
        FileContent::Local {
            path,
            size: metadata.len(),
            modified: metadata.modified().ok(),
            executable,
        }
    }

    fn link(to: &str) -> FileContent {
        FileContent::Link {
            to: to.to_owned(),
            path: PathBuf::new(),
        }
    }

    fn entry(path: &str, content: FileContent) -> Entry {
        let attributes = match &content {
            FileContent::Local { executable, .. } => Attributes::of_file(*executable),
            FileContent::Link { .. } => Attributes::of_root(0o777),
            _ => Attributes::PLAIN,
        };
        Entry::new(path.parse().expect(path), content, attributes)
    }

    /// Path, mode, time, content and link.
    type Unpacked = (String, u32, u64, Vec<u8>, Option<String>);

    fn unpack(layer: &Layer) -> Vec<Unpacked> {
        let bytes =
            futures_util::future::FutureExt::now_or_never(crate::content::verify::collect(layer.spool.open(), 0))
                .expect("in memory")
                .expect("bytes");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let mut found = Vec::new();
        for file in archive.entries().expect("tar") {
            let mut file = file.expect("entry");
            let mut content = Vec::new();
            file.read_to_end(&mut content).expect("content");
            let path = String::from_utf8(file.path_bytes().into_owned()).expect("path");
            let link = file
                .link_name_bytes()
                .map(|link| String::from_utf8_lossy(&link).into_owned());
            let header = file.header();
            assert_eq!((header.uid().ok(), header.gid().ok()), (Some(0), Some(0)));
            found.push((
                path,
                header.mode().expect("mode"),
                header.mtime().expect("time"),
                content,
                link,
            ));
        }
        found
    }

    #[test]
    fn entries_come_back_as_they_were_planned() {
        let folder = tempfile::tempdir().expect("folder");
        let long = format!("/{}/ü{}.sql", "d".repeat(150), "x".repeat(200));
        let plan = LayerPlan {
            entries: vec![
                entry("/a", FileContent::Directory),
                entry("/a/run.sh", local(folder.path(), "run.sh", b"#!", true)),
                entry("/a/sql", link("b/ü")),
                entry(&long, local(folder.path(), "long", &[7; 513], false)),
            ],
            of_instruction: false,
            has_manifest: false,
        };
        let found = unpack(&plan.pack(1, folder.path()).expect("pack"));
        assert_eq!(found[0], ("a/".into(), 0o755, 1, vec![], None));
        assert_eq!(found[1], ("a/run.sh".into(), 0o755, 1, b"#!".to_vec(), None));
        assert_eq!(found[2], ("a/sql".into(), 0o777, 1, vec![], Some("b/ü".into())));
        assert_eq!(found[3], (long[1..].into(), 0o644, 1, vec![7; 513], None));
    }

    #[test]
    fn a_file_that_changed_is_noticed() {
        let folder = tempfile::tempdir().expect("folder");
        let content = local(folder.path(), "a", b"1", false);
        fs::write(folder.path().join("a"), b"12").expect("change");
        let plan = LayerPlan {
            entries: vec![entry("/a", content)],
            of_instruction: false,
            has_manifest: false,
        };
        assert!(matches!(plan.pack(1, folder.path()), Err(BuildError::Changed { .. })));
    }

    #[test]
    fn large_files_are_layers_of_their_own() {
        let large = |name: &str| FileContent::Local {
            path: name.into(),
            size: OWN_LAYER_FROM,
            modified: None,
            executable: false,
        };
        let small = link("x");
        let entries = [
            entry("/d", FileContent::Directory),
            entry("/d/large", large("large")),
            entry("/e", FileContent::Directory),
            entry("/e/small", small.clone()),
        ];
        let paths: Vec<Vec<String>> = plan(&entries)
            .iter()
            .map(|plan| plan.entries.iter().map(|entry| entry.path.to_string()).collect())
            .collect();
        assert_eq!(paths, [vec!["/d", "/d/large"], vec!["/d", "/e", "/e/small"]]);
        assert_eq!(plan(&entries[..2]).len(), 1, "no layer with nothing new");
    }

    #[test]
    fn only_the_largest_files_are_layers_of_their_own() {
        let entries: Vec<Entry> = (0..100_u64)
            .map(|number| {
                let content = FileContent::Local {
                    path: PathBuf::new(),
                    size: OWN_LAYER_FROM + number,
                    modified: None,
                    executable: false,
                };
                entry(&format!("/{number:03}"), content)
            })
            .collect();
        let plans = plan(&entries);
        assert_eq!(plans.len(), MOST_OWN_LAYERS + 1);
        assert_eq!(plans[0].entries[0].path.to_string(), "/060");
        let rest = &plans[MOST_OWN_LAYERS].entries;
        assert_eq!(rest.len(), 60);
        assert_eq!(rest[59].path.to_string(), "/059");
    }

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record("path", b"x"), b"9 path=x\n");
        assert_eq!(record("path", b"xy"), b"11 path=xy\n");
        let value = "y".repeat(90);
        let text = record("path", value.as_bytes());
        assert_eq!(
            text.len().to_string().as_bytes(),
            &text[..text.iter().position(|b| *b == b' ').expect("space")]
        );
    }
}
