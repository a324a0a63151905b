//! Liquibase: changelogs and their changesets, in the order in which they run.
//!
//! A changeset is its id, its author and the path of its changelog, as that was included: a file that moves runs again.

use std::collections::BTreeSet;

use super::flyway::name::strip_suffix;
use super::inventory::Inventory;
use super::tool::Tool;

pub mod config;
mod document;
mod json;
mod path;
mod sql;
mod walk;
mod xml;
mod yaml;

#[cfg(test)]
mod tests;

pub use config::LiquibaseConfig;

/// Where its profile puts changelogs.
pub const FOLDER: &str = "/liquibase/changelog";

/// A part of a script that is SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The line it starts in, from one.
    pub line: u64,
}

/// A changeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changeset {
    /// Its id.
    pub id: String,
    /// Its author.
    pub author: String,
    /// The path that is part of its identity: that of its changelog, or a logical one.
    pub path: String,
    /// The file it is in, as a place in the inventory.
    pub entry: usize,
    /// The line it begins in, from one.
    pub line: u64,
    /// The SHA-256 digest of its own text, whatever its ends of lines.
    pub sha256: [u8; 32],
    /// Size of its text in bytes.
    pub size_bytes: u64,
    /// Whether it runs again when it changes.
    pub runs_on_change: bool,
    /// Whether it runs every time.
    pub runs_always: bool,
    /// Whether it runs in a transaction.
    pub transactional: bool,
    /// In which contexts it runs, as written.
    pub contexts: Option<String>,
    /// Its labels, as written.
    pub labels: Option<String>,
    /// Its SQL, where it is in a file of SQL.
    pub sql: Option<Span>,
}

impl Changeset {
    /// What makes it the same changeset in another set.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}::{}::{}", self.path, self.id, self.author)
    }
}

/// What is wrong with a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as a place in the inventory; none for what is in no file.
    pub entry: Option<usize>,
    /// The line, from one; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<&'static str>,
}

/// What a set of changelogs comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changelog {
    /// The changesets, in the order in which they run.
    pub changesets: Vec<Changeset>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The files that were read or named, as places in the inventory.
    pub used: BTreeSet<usize>,
    /// Changelogs that nobody includes, as places in the inventory.
    pub unused: Vec<usize>,
}

impl Changelog {
    /// Reads the changelogs of a folder, from the one the configuration names. Reads files; nothing for another tool.
    #[must_use]
    pub fn read(inventory: &Inventory) -> Self {
        match inventory.tool() {
            Tool::Liquibase(config) => walk::read(inventory, config),
            _ => Self::default(),
        }
    }
}

/// Names of changelogs to start from, without their endings, the usual ones first.
const ROOTS: [&str; 8] = [
    "changelog",
    "db.changelog-master",
    "db.changelog-root",
    "changelog-master",
    "changelog-root",
    "db.changelog",
    "master",
    "root",
];

/// The changelog to start from among paths below the folder of scripts, if its name says so, or it is the only one in the folder.
#[must_use]
pub fn root_by_name<'a>(paths: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let stem = |path: &str| {
        let endings = [".xml", ".yaml", ".yml", ".json", ".sql"];
        endings
            .iter()
            .find_map(|ending| Some(strip_suffix(path, ending)?.to_owned()))
    };
    let top: Vec<(&str, String)> = paths
        .filter(|path| !path.contains('/'))
        .filter_map(|path| Some((path, stem(path)?)))
        .collect();
    if let [(only, _)] = top.as_slice() {
        return Some(only);
    }
    ROOTS.iter().find_map(|root| {
        let mut named = top.iter().filter(|(_, stem)| stem == root);
        // Two of one name are a riddle.
        match (named.next(), named.next()) {
            (Some((path, _)), None) => Some(*path),
            _ => None,
        }
    })
}
