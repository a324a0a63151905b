//! The list of scripts: what each is, and one digest for them all.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::flyway::name::{self, Kind, Reason};
use super::measurement::{Measurement, Measuring};
use super::set_digest::{SetDigest, hexadecimal};
use super::version::Version;

/// How much of a file is read at once: large enough that a usual script is one read, small enough to stay in the
/// processor's cache while it is hashed.
const BUFFER_BYTES: usize = 64 * 1024;

/// Which rules give file names a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// Flyway's.
    Flyway,
    /// None: every file is [`Kind::Other`].
    None,
}

/// One file of the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path within the folder of scripts, with `/` between names.
    pub path: String,
    /// Where the file lies on disk.
    pub location: PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// The files below a folder of scripts, classified by name, in the order they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    entries: Vec<Entry>,
}

/// How many files there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field is the number of files of the kind it is named after"
)]
pub struct Counts {
    pub versioned: usize,
    pub repeatable: usize,
    pub baseline: usize,
    pub undo: usize,
    pub callback: usize,
    pub script_config: usize,
    pub ignored: usize,
    pub other: usize,
}

/// Why an inventory could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A file could not be read.
    #[error("cannot read {}", location.display())]
    Read {
        /// The file.
        location: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl InventoryError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                vec!["make the file readable for the user that builds".to_owned()]
            }
            Self::Read { .. } => Vec::new(),
        }
    }
}

impl Inventory {
    /// Classifies files by their names alone; reads none of them.
    ///
    /// Each is given by its path within the folder of scripts (with `/`) and its place on disk.
    #[must_use]
    pub fn of_names(convention: Convention, files: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let entry = |(path, location): (String, PathBuf)| Entry {
            kind: match convention {
                Convention::Flyway => classify_path(&path),
                Convention::None => Kind::Other,
            },
            path,
            location,
        };
        Self {
            entries: files.into_iter().map(entry).collect(),
        }
    }

    /// The files, in the order they were given.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The highest version of a versioned or baseline migration.
    #[must_use]
    pub fn highest_version(&self) -> Option<&Version> {
        let versions = self.entries.iter().filter_map(|entry| match &entry.kind {
            Kind::Versioned { version, .. } | Kind::Baseline { version, .. } => Some(version),
            _ => None,
        });
        // Two spellings of one version in one set are an error of their own; the text that sorts first is taken, so
        // that the answer does not depend on the order of the files.
        versions.max_by(|a, b| a.cmp(b).then_with(|| b.to_string().cmp(&a.to_string())))
    }

    /// How many files there are of each kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in &self.entries {
            *match entry.kind {
                Kind::Versioned { .. } => &mut counts.versioned,
                Kind::Repeatable { .. } => &mut counts.repeatable,
                Kind::Baseline { .. } => &mut counts.baseline,
                Kind::Undo { .. } => &mut counts.undo,
                Kind::Callback { .. } => &mut counts.callback,
                Kind::ScriptConfig => &mut counts.script_config,
                Kind::Ignored { .. } => &mut counts.ignored,
                Kind::Other => &mut counts.other,
            } += 1;
        }
        counts
    }

    /// Reads every file once, in constant memory; one measurement per entry, in their order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn measure(&self) -> Result<Vec<Measurement>, InventoryError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let measured = self.entries.iter().map(|entry| {
            measure(entry, &mut buffer).map_err(|source| InventoryError::Read {
                location: entry.location.clone(),
                source,
            })
        });
        measured.collect()
    }

    /// Reads every file and returns the digest of the set.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn set_digest(&self) -> Result<SetDigest, InventoryError> {
        Ok(self.set_digest_of(&self.measure()?))
    }

    /// Returns the digest of the set, given one measurement per entry in their order.
    ///
    /// It is the SHA-256 of the sorted lines `kind NUL key NUL checksum NUL sha256 LF`. The key of a versioned script is
    /// its version, of a repeatable one its description, of a callback its event, of any other file its path: so a
    /// script that only moves to another folder leaves the digest as it is, as it leaves Flyway.
    ///
    /// # Panics
    /// There are not as many measurements as entries.
    #[must_use]
    pub fn set_digest_of(&self, measurements: &[Measurement]) -> SetDigest {
        assert_eq!(self.entries.len(), measurements.len(), "one measurement per entry");
        let mut lines: Vec<String> = self
            .entries
            .iter()
            .zip(measurements)
            .map(|(entry, of)| line(entry, of))
            .collect();
        lines.sort_unstable();
        let mut hasher = Sha256::new();
        for line in lines {
            hasher.update(line);
        }
        SetDigest::new(hasher.finalize().into())
    }
}

fn classify_path(path: &str) -> Kind {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    if folders.split('/').any(|folder| folder.starts_with('.')) {
        return Kind::Ignored {
            reason: Reason::HiddenFolder,
        };
    }
    name::classify(file)
}

fn measure(entry: &Entry, buffer: &mut [u8]) -> io::Result<Measurement> {
    let mut file = File::open(&entry.location)?;
    let mut measuring = Measuring::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(measuring.finish()),
            Ok(count) => measuring.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn line(entry: &Entry, of: &Measurement) -> String {
    let described = |event: &str, description: &str| match description {
        "" => event.to_owned(),
        description => format!("{event}__{description}"),
    };
    let (kind, key, counted) = match &entry.kind {
        Kind::Versioned { version, .. } => ("versioned", version.canonical(), true),
        Kind::Repeatable { description } => ("repeatable", description.clone(), true),
        Kind::Baseline { version, .. } => ("baseline", version.canonical(), true),
        Kind::Undo { version, .. } => ("undo", version.canonical(), true),
        Kind::Callback { event, description } => ("callback", described(event, description), true),
        Kind::ScriptConfig => ("script_conf", entry.path.clone(), false),
        Kind::Ignored { .. } | Kind::Other => ("other", entry.path.clone(), false),
    };
    let checksum = of.checksum.filter(|_| counted).map(|checksum| checksum.to_string());
    let checksum = checksum.unwrap_or_default();
    format!("{kind}\0{key}\0{checksum}\0{}\n", hexadecimal(&of.sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(convention: Convention, paths: &[&str]) -> Inventory {
        Inventory::of_names(
            convention,
            paths.iter().map(|path| ((*path).to_owned(), PathBuf::from(path))),
        )
    }

    fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Inventory) {
        let folder = tempfile::tempdir().unwrap();
        let listed: Vec<_> = files
            .iter()
            .map(|(path, bytes)| {
                let location = folder.path().join(path);
                std::fs::create_dir_all(location.parent().unwrap()).unwrap();
                std::fs::write(&location, bytes).unwrap();
                ((*path).to_owned(), location)
            })
            .collect();
        (folder, Inventory::of_names(Convention::Flyway, listed))
    }

    #[test]
    fn counts_by_name_without_reading() {
        let inventory = names(
            Convention::Flyway,
            &[
                "V2__b.sql",
                "V10__c.sql",
                "a/V3__d.sql",
                "R__v.sql",
                "B9__s.sql",
                "U10__c.sql",
                "U99__c.sql",
                "afterMigrate.sql",
                "V2__b.sql.conf",
                "README.md",
                ".git/V99__x.sql",
                "a/.b/c/V98__x.sql",
            ],
        );
        let expected = Counts {
            versioned: 3,
            repeatable: 1,
            baseline: 1,
            undo: 2,
            callback: 1,
            script_config: 1,
            ignored: 3,
            other: 0,
        };
        assert_eq!(inventory.counts(), expected);
        assert_eq!(inventory.highest_version().unwrap().to_string(), "10");
        assert_eq!(inventory.entries()[2].path, "a/V3__d.sql");
    }

    #[test]
    fn a_hidden_file_is_not_a_hidden_folder() {
        let inventory = names(Convention::Flyway, &[".V1__a.sql", "x/V1__a.sql"]);
        assert_eq!(inventory.entries()[0].kind, Kind::Ignored { reason: Reason::Prefix });
        assert!(matches!(inventory.entries()[1].kind, Kind::Versioned { .. }));
    }

    #[test]
    fn the_highest_version_does_not_depend_on_the_order() {
        for paths in [["V01__a.sql", "V1__a.sql"], ["V1__a.sql", "V01__a.sql"]] {
            assert_eq!(
                names(Convention::Flyway, &paths).highest_version().unwrap().to_string(),
                "01"
            );
        }
        assert_eq!(names(Convention::Flyway, &["R__a.sql"]).highest_version(), None);
        assert_eq!(names(Convention::None, &["V1__a.sql"]).highest_version(), None);
    }

    #[test]
    fn the_digest_is_that_of_the_sorted_lines() {
        let (_folder, inventory) = folder(&[
            ("V1_0__a.sql", b"SELECT 1;\r\n"),
            ("R__my_views.sql", b""),
            ("afterMigrate__x.sql", b"\xff"),
            ("V1_0__a.sql.conf", b""),
            ("README.md", b""),
        ]);
        let empty = hexadecimal(&Sha256::digest(b""));
        let lines = [
            format!(
                "callback\0afterMigrate__x\0\0{}\n",
                hexadecimal(&Sha256::digest(b"\xff"))
            ),
            format!("other\0README.md\0\0{empty}\n"),
            format!("repeatable\0my views\x000\0{empty}\n"),
            format!("script_conf\0V1_0__a.sql.conf\0\0{empty}\n"),
            format!(
                "versioned\x001\x0078787420\0{}\n",
                hexadecimal(&Sha256::digest(b"SELECT 1;\r\n"))
            ),
        ];
        let digest = inventory.set_digest().unwrap();
        assert_eq!(digest.to_string(), hexadecimal(&Sha256::digest(lines.concat())));
        assert_eq!(digest.short(), digest.to_string()[..12]);
        assert_eq!(digest.short().len(), 12);
    }

    #[test]
    fn order_and_folders_of_scripts_do_not_count_but_bytes_do() {
        let digest = |files: &[(&str, &[u8])]| folder(files).1.set_digest_with(files);
        let first = digest(&[("V1__a.sql", b"x"), ("V2__b.sql", b"y")]);
        assert_eq!(first, digest(&[("new/V2__b.sql", b"y"), ("V1__a.sql", b"x")]));
        assert_ne!(first, digest(&[("V1__a.sql", b"x\n"), ("V2__b.sql", b"y")]));
        assert_ne!(first, digest(&[("V1__a.sql", b"x"), ("V3__b.sql", b"y")]));
    }

    impl Inventory {
        /// The digest from measurements made without reading files.
        fn set_digest_with(&self, files: &[(&str, &[u8])]) -> SetDigest {
            let measured = files.iter().map(|(_, bytes)| {
                let mut measuring = Measuring::new();
                bytes.chunks(1).for_each(|piece| measuring.update(piece));
                measuring.finish()
            });
            self.set_digest_of(&measured.collect::<Vec<_>>())
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let inventory = names(Convention::Flyway, &["/nowhere/V1__a.sql"]);
        let error = inventory.set_digest().unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nowhere/V1__a.sql");
        assert!(error.hints().is_empty());
    }

    #[test]
    fn large_files_are_read_in_pieces() {
        let bytes = vec![b'a'; BUFFER_BYTES * 2 + 7];
        let (_folder, inventory) = folder(&[("V1__a.sql", &bytes)]);
        let measured = inventory.measure().unwrap();
        assert_eq!(measured[0].size_bytes, bytes.len() as u64);
        assert_eq!(
            measured[0].checksum,
            Some(super::super::checksum::checksum(&bytes).unwrap())
        );
        assert_eq!(measured[0].sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    }
}
