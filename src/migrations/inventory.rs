//! The list of scripts: what each is, and one digest for them all.

use std::io;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::content::Content;
use super::examine::Examined;
use super::flyway::config::FlywayConfig;
use super::flyway::location::Locations;
use super::flyway::name::{Kind, Naming, Reason};
use super::liquibase::Changelog;
use super::measurement::Measurement;
use super::revision::{self, Direction};
use super::set_digest::{SetDigest, hexadecimal};
use super::tool::Tool;
use super::version::Version;

/// A file that may be a script.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The path below the folder of scripts, with `/` between names.
    pub path: String,
    /// The absolute path in the image.
    pub image_path: String,
    /// The path as its user knows it, for messages.
    pub shown: String,
    /// Its bytes.
    pub content: Content,
}

impl Listed {
    /// A file in memory, at a path below `/flyway/sql`.
    #[must_use]
    pub fn in_memory(path: &str, bytes: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            image_path: format!("/flyway/sql/{path}"),
            shown: path.to_owned(),
            content: Content::Bytes(bytes.into()),
        }
    }
}

/// One file of the inventory.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The path within its location, with `/` between names.
    pub path: String,
    /// The absolute path in the image.
    pub image_path: String,
    /// The path as its user knows it, for messages.
    pub shown: String,
    /// Its bytes.
    pub content: Content,
    /// What it is.
    pub kind: Kind,
    /// Whether an interpreter runs it, and not the database.
    pub program: bool,
}

/// The files below the folders of scripts, classified by name, in the order they were given.
#[derive(Debug, Clone)]
pub struct Inventory {
    tool: Tool,
    entries: Vec<Entry>,
    /// Read when somebody asks for it.
    changelog: OnceLock<Arc<Changelog>>,
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
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
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
    #[must_use]
    pub fn of(tool: Tool, files: impl IntoIterator<Item = Listed>) -> Self {
        let flyway = match &tool {
            Tool::Flyway(config) => Some(Flyway::of(config)),
            _ => None,
        };
        let entry = |file: Listed| {
            let (path, kind, program) = match &flyway {
                Some(flyway) => flyway.classify(&file),
                None => {
                    let path = revision::path_below(&tool, &file);
                    (Some(path.to_owned()), revision::classify(&tool, path), false)
                }
            };
            Entry {
                path: path.unwrap_or(file.path),
                kind,
                program,
                image_path: file.image_path,
                shown: file.shown,
                content: file.content,
            }
        };
        let entries = files.into_iter().map(entry).collect();
        Self {
            tool,
            entries,
            changelog: OnceLock::new(),
        }
    }

    /// The changesets of Liquibase, none for another tool. Reads the changelogs the first time.
    #[must_use]
    pub fn changelog(&self) -> &Changelog {
        self.changelog.get_or_init(|| Arc::new(Changelog::read(self)))
    }

    /// The tool whose rules gave the names their meaning.
    #[must_use]
    pub fn tool(&self) -> &Tool {
        &self.tool
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
                Kind::Revision { direction, .. } => match direction {
                    Direction::Up => &mut counts.versioned,
                    Direction::Down => &mut counts.undo,
                },
                Kind::ScriptConfig => &mut counts.script_config,
                Kind::Ignored { .. } => &mut counts.ignored,
                Kind::Other => &mut counts.other,
            } += 1;
        }
        counts
    }

    /// Returns the digest of the set, given what reading each entry told, in their order.
    ///
    /// It is the SHA-256 of the sorted lines `kind NUL key NUL checksum NUL sha256 LF`. The key of a versioned script is
    /// its version, of a repeatable one its description, of a callback its event, of any other file its path: so a
    /// script that only moves to another folder leaves the digest as it is, as it leaves Flyway.
    ///
    /// # Panics
    /// There are not as many results as entries.
    #[must_use]
    pub fn set_digest(&self, examined: &[Examined]) -> SetDigest {
        assert_eq!(self.entries.len(), examined.len(), "one result per entry");
        let mut lines: Vec<String> = self
            .entries
            .iter()
            .zip(examined)
            .map(|(entry, of)| line(entry, &of.measurement))
            .collect();
        lines.sort_unstable();
        let mut hasher = Sha256::new();
        for line in lines {
            hasher.update(line);
        }
        SetDigest::new(hasher.finalize().into())
    }
}

/// Flyway's rules under a configuration.
struct Flyway {
    naming: Naming,
    locations: Locations,
    /// None if callbacks lie where migrations do.
    callback_locations: Option<Locations>,
}

impl Flyway {
    fn of(config: &FlywayConfig) -> Self {
        let locations = |texts: &[String]| Locations::of(texts, &config.working_directory);
        Self {
            naming: Naming::of(config),
            locations: locations(&config.locations),
            callback_locations: (!config.callback_locations.is_empty()).then(|| locations(&config.callback_locations)),
        }
    }

    /// The path of a file within its location, what it is, and whether an interpreter runs it.
    fn classify(&self, file: &Listed) -> (Option<String>, Kind, bool) {
        let name = file.image_path.rsplit('/').next().unwrap_or_default();
        let (kind, program) = self.naming.classify(name);
        let ignored = |reason| Kind::Ignored { reason };
        let is_callback = matches!(kind, Kind::Callback { .. });
        let of_migrations = self.locations.find(&file.image_path);
        let of_callbacks = self
            .callback_locations
            .as_ref()
            .map(|locations| locations.find(&file.image_path));
        let (found, missing) = match (is_callback, of_callbacks) {
            (true, Some(found)) if of_migrations.is_some() => (found, Reason::OutsideCallbacks),
            (true, Some(found)) => (found, Reason::Outside),
            // The configuration of a callback lies beside it.
            (false, Some(found)) if kind == Kind::ScriptConfig => (of_migrations.or(found), Reason::Outside),
            _ => (of_migrations, Reason::Outside),
        };
        match found {
            None => (None, ignored(missing), false),
            Some((path, true)) => (Some(path.to_owned()), ignored(Reason::HiddenFolder), false),
            Some((path, false)) => (Some(path.to_owned()), kind, program),
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
        Kind::Revision { version, direction, .. } => match direction {
            Direction::Up => ("versioned", version.clone(), false),
            Direction::Down => ("undo", version.clone(), false),
        },
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
    use crate::migrations::examine::examine;
    use crate::sql::Dialect;

    fn names(tool: Tool, paths: &[&str]) -> Inventory {
        Inventory::of(tool, paths.iter().map(|path| Listed::in_memory(path, b"")))
    }

    fn folder(files: &[(&str, &[u8])]) -> Inventory {
        let listed = files.iter().map(|(path, bytes)| Listed::in_memory(path, bytes));
        Inventory::of(Tool::flyway(), listed)
    }

    fn digest_of(inventory: &Inventory) -> SetDigest {
        inventory.set_digest(&examine(inventory, Dialect::Unknown).unwrap())
    }

    #[test]
    fn counts_by_name_without_reading() {
        let inventory = names(
            Tool::flyway(),
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
        let inventory = names(Tool::flyway(), &[".V1__a.sql", "x/V1__a.sql"]);
        assert_eq!(inventory.entries()[0].kind, Kind::Ignored { reason: Reason::Prefix });
        assert!(matches!(inventory.entries()[1].kind, Kind::Versioned { .. }));
    }

    #[test]
    fn the_highest_version_does_not_depend_on_the_order() {
        for paths in [["V01__a.sql", "V1__a.sql"], ["V1__a.sql", "V01__a.sql"]] {
            assert_eq!(
                names(Tool::flyway(), &paths).highest_version().unwrap().to_string(),
                "01"
            );
        }
        assert_eq!(names(Tool::flyway(), &["R__a.sql"]).highest_version(), None);
        assert_eq!(names(Tool::Unknown, &["V1__a.sql"]).highest_version(), None);
    }

    #[test]
    fn the_digest_is_that_of_the_sorted_lines() {
        let inventory = folder(&[
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
        let digest = digest_of(&inventory);
        assert_eq!(digest.to_string(), hexadecimal(&Sha256::digest(lines.concat())));
        assert_eq!(digest.short(), digest.to_string()[..12]);
        assert_eq!(digest.short().len(), 12);
    }

    #[test]
    fn order_and_folders_of_scripts_do_not_count_but_bytes_do() {
        let digest = |files: &[(&str, &[u8])]| digest_of(&folder(files));
        let first = digest(&[("V1__a.sql", b"x"), ("V2__b.sql", b"y")]);
        assert_eq!(first, digest(&[("new/V2__b.sql", b"y"), ("V1__a.sql", b"x")]));
        assert_ne!(first, digest(&[("V1__a.sql", b"x\n"), ("V2__b.sql", b"y")]));
        assert_ne!(first, digest(&[("V1__a.sql", b"x"), ("V3__b.sql", b"y")]));
    }

    #[test]
    fn a_missing_file_is_named() {
        let listed = Listed {
            content: Content::File("/nowhere/V1__a.sql".into()),
            ..Listed::in_memory("sql/V1__a.sql", b"")
        };
        let error = examine(&Inventory::of(Tool::flyway(), [listed]), Dialect::Unknown).unwrap_err();
        assert_eq!(error.to_string(), "cannot read sql/V1__a.sql");
        assert!(error.hints().is_empty());
    }

    #[test]
    fn large_files_are_read_in_pieces() {
        let bytes = vec![b'a'; 200_007];
        let inventory = folder(&[("V1__a.sql", &bytes)]);
        let examined = examine(&inventory, Dialect::Unknown).unwrap();
        let measured = &examined[0].measurement;
        assert_eq!(measured.size_bytes, bytes.len() as u64);
        assert_eq!(
            measured.checksum,
            Some(super::super::checksum::checksum(&bytes).unwrap())
        );
        assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    }
}
