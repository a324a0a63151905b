//! From changelog to changelog, as they include each other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

use super::config::LiquibaseConfig;
use super::document::{Document, PartKind, Unreadable};
use super::path::{join, normal, parent};
use super::{Changelog, Changeset, Problem, json, sql, xml, yaml};
use crate::migrations::flyway::name::strip_suffix;
use crate::migrations::inventory::{Entry, Inventory};

/// The longest changelog that is read whole: one of a few megabytes is a dump already.
const DOCUMENT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// As much as tells whether a file is a changelog.
const HEAD_BYTES: u64 = 4096;
/// How much of a script is read at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// Changelogs that include each other, deeper than any project has them.
const DEEPEST: usize = 64;
/// Changelogs that are read in all, those that are included twice counted twice.
const CHANGELOGS_LIMIT: usize = 100_000;

struct Walk<'a> {
    entries: &'a [Entry],
    by_path: BTreeMap<&'a str, usize>,
    folders: Vec<&'a str>,
    /// The changelogs on the way to the current one.
    way: Vec<usize>,
    read: usize,
    /// What is read in a file depends on nothing else.
    documents: BTreeMap<usize, Result<Option<Document>, Unreadable>>,
    found: Changelog,
    mentions: BTreeSet<String>,
}

/// What a changelog was included with.
struct Included {
    entry: usize,
    /// The path it was included by.
    path: String,
    /// The path its changesets get, unless they or it say another.
    logical_path: Option<String>,
    /// The same for a plain script. Liquibase gives it the one of the changelog that includes it, when that is included itself.
    plain_path: Option<String>,
    /// Whether it is one of all files of a folder: those that are no changelogs are passed over then.
    is_any: bool,
}

pub(super) fn read(inventory: &Inventory, config: &LiquibaseConfig) -> Changelog {
    let entries = inventory.entries();
    let mut walk = Walk {
        entries,
        by_path: entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.image_path.as_str(), at))
            .collect(),
        folders: config.folders(),
        way: Vec::new(),
        read: 0,
        documents: BTreeMap::new(),
        found: Changelog::default(),
        mentions: BTreeSet::new(),
    };
    let by_name = super::root_by_name(entries.iter().map(|entry| entry.path.as_str()));
    let root = config.changelog.as_deref().or(by_name);
    match root {
        None if entries.is_empty() => {}
        None => walk.problem(
            None,
            0,
            "it is not said which changelog Liquibase starts from".to_owned(),
            None,
        ),
        Some(root) => match walk.find(root) {
            Some(entry) => {
                let path = walk.referenced(root);
                walk.include(Included {
                    entry,
                    path,
                    logical_path: None,
                    plain_path: None,
                    is_any: false,
                });
                walk.find_unused();
            }
            None => {
                let message = format!("the changelog {root} that Liquibase starts from is not there");
                walk.problem(None, 0, message, Some("name it by its path in the folder of scripts"));
            }
        },
    }
    walk.found
}

impl Walk<'_> {
    fn problem(&mut self, entry: Option<usize>, line: u64, message: String, help: Option<&'static str>) {
        self.found.problems.push(Problem {
            entry,
            line,
            message,
            help,
        });
    }

    /// A path as it becomes part of what identifies changesets: below the folder it was found in.
    fn referenced(&self, path: &str) -> String {
        let inside = self
            .folders
            .iter()
            .find_map(|folder| path.strip_prefix(folder)?.strip_prefix('/'));
        normal(inside.unwrap_or(path))
    }

    fn find(&self, path: &str) -> Option<usize> {
        let path = self.referenced(path);
        let place = |folder: &&str| self.by_path.get(join(folder, &path).as_str()).copied();
        self.folders.iter().find_map(place)
    }

    fn include(&mut self, included: Included) {
        let Included { entry, .. } = included;
        self.found.used.insert(entry);
        self.read += 1;
        let shown = self.entries[entry].path.clone();
        if self.read > CHANGELOGS_LIMIT || self.way.len() >= DEEPEST {
            if self.read <= CHANGELOGS_LIMIT + 1 {
                self.problem(
                    Some(entry),
                    0,
                    "too many changelogs include each other".to_owned(),
                    None,
                );
            }
            return;
        }
        let document = match self.documents.get(&entry) {
            Some(document) => document.clone(),
            None => {
                let document = self.document(entry);
                self.documents.insert(entry, document.clone());
                document
            }
        };
        let document = match document {
            Ok(Some(document)) => document,
            Ok(None) if included.is_any => return,
            Ok(None) => {
                let message = format!("Liquibase does not know what kind of changelog {shown} is");
                return self.problem(
                    Some(entry),
                    0,
                    message,
                    Some("it reads .xml, .yaml, .yml, .json and .sql"),
                );
            }
            Err((line, why)) => {
                return self.problem(Some(entry), line, format!("it cannot be read: {why}"), None);
            }
        };
        self.way.push(entry);
        self.mentions.extend(document.mentions.iter().cloned());
        let logical = match document.is_plain {
            true => included.plain_path,
            false => document.logical_path.clone().or(included.logical_path),
        };
        let plain_path = logical.clone().filter(|_| self.way.len() > 1);
        for part in document.parts {
            match part.kind {
                PartKind::Wrong(message) => self.problem(Some(entry), part.line, message, None),
                PartKind::Changeset(raw) => {
                    let path = raw.logical_path.or_else(|| logical.clone());
                    self.found.changesets.push(Changeset {
                        id: raw.id,
                        author: raw.author,
                        path: path.map_or_else(|| included.path.clone(), |path| normal(&path)),
                        entry,
                        line: part.line,
                        sha256: raw.sha256,
                        size_bytes: raw.size_bytes,
                        runs_on_change: raw.runs_on_change,
                        runs_always: raw.runs_always,
                        transactional: !raw.out_of_transaction,
                        contexts: raw.contexts,
                        labels: raw.labels,
                        sql: raw.sql,
                    });
                }
                PartKind::Include {
                    file,
                    is_relative,
                    may_be_missing,
                    logical_path,
                } => {
                    let path = self.target(&file, is_relative, &included.path);
                    match self.find(&path) {
                        Some(target) if self.way.contains(&target) => {
                            let message = match target == entry {
                                true => format!("{shown} includes itself"),
                                false => format!("{file} includes {shown}, which includes it again"),
                            };
                            self.problem(Some(entry), part.line, message, Some("take one of the includes out"));
                        }
                        Some(target) => self.include(Included {
                            entry: target,
                            path: self.referenced(&path),
                            logical_path: logical.clone().or(logical_path),
                            plain_path: plain_path.clone(),
                            is_any: false,
                        }),
                        None if may_be_missing => {}
                        None => {
                            let message = format!("it includes {file}, which is not there");
                            let help =
                                "a path is meant from the top of the folder, unless relativeToChangelogFile is true";
                            self.problem(Some(entry), part.line, message, Some(help));
                        }
                    }
                }
                PartKind::IncludeAll {
                    folder,
                    is_relative,
                    may_be_missing,
                    ending,
                    logical_path,
                } => {
                    let path = self.target(&folder, is_relative, &included.path);
                    let all = self.below(&path, ending.as_deref());
                    if all.is_empty() && !may_be_missing {
                        let message = format!("it includes all of {folder}, where there is nothing");
                        self.problem(Some(entry), part.line, message, None);
                    }
                    for (path, target) in all {
                        if self.way.contains(&target) {
                            let message = format!("it includes all of {folder}, and so {shown} again");
                            let help = "put what is included into a folder of its own";
                            self.problem(Some(entry), part.line, message, Some(help));
                            continue;
                        }
                        self.include(Included {
                            entry: target,
                            path,
                            logical_path: logical.clone().or_else(|| logical_path.clone()),
                            plain_path: plain_path.clone(),
                            is_any: true,
                        });
                    }
                }
            }
        }
        self.way.pop();
    }

    /// The path below the search path that an include means.
    fn target(&self, file: &str, is_relative: bool, from: &str) -> String {
        match is_relative {
            true => join(parent(from), file),
            false => self.referenced(file),
        }
    }

    /// All files below a folder, by the path they are included by.
    fn below(&self, folder: &str, ending: Option<&str>) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        for root in &self.folders {
            let below = format!("{}/", join(root, folder).trim_end_matches('/'));
            for (path, at) in self.by_path.range(below.as_str()..) {
                let Some(rest) = path.strip_prefix(below.as_str()) else {
                    break;
                };
                if ending.is_none_or(|ending| rest.to_lowercase().ends_with(&ending.to_lowercase())) {
                    found.entry(join(folder, rest)).or_insert(*at);
                }
            }
        }
        found
    }

    /// Reads a changelog; none if its name does not end as that of one.
    fn document(&self, at: usize) -> Result<Option<Document>, Unreadable> {
        let entry = &self.entries[at];
        let ends = |ending: &str| strip_suffix(&entry.path, ending).is_some();
        let unreadable = |error: io::Error| (0, error.to_string());
        if ends(".sql") {
            let (head, _) = entry.content.read(HEAD_BYTES).map_err(unreadable)?;
            if !sql::is_formatted(&String::from_utf8_lossy(&head)) {
                let (sha256, size) = hash(entry).map_err(unreadable)?;
                return Ok(Some(sql::plain(sha256, size)));
            }
        }
        let read: fn(&str) -> Result<Document, Unreadable> = match () {
            () if ends(".sql") => |text| Ok(sql::read(text)),
            () if ends(".xml") => xml::read,
            () if ends(".yaml") || ends(".yml") => yaml::read,
            () if ends(".json") => json::read,
            () => return Ok(None),
        };
        let (bytes, is_all) = entry.content.read(DOCUMENT_LIMIT_BYTES).map_err(unreadable)?;
        if !is_all {
            return Err((0, "it is longer than 64 MiB".to_owned()));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| (0, "it is not UTF-8".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        read(text).map(Some)
    }

    /// Finds changelogs that nobody includes, and that no changeset names.
    fn find_unused(&mut self) {
        let names: BTreeSet<String> = self
            .mentions
            .iter()
            .map(|path| file_name(&normal(path)).to_owned())
            .collect();
        for (at, entry) in self.entries.iter().enumerate() {
            let is_used = self.found.used.contains(&at) || names.contains(file_name(&entry.path));
            if !is_used && is_changelog(entry) {
                self.found.unused.push(at);
            }
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file begins as a changelog does.
fn is_changelog(entry: &Entry) -> bool {
    let ends = |ending: &str| strip_suffix(&entry.path, ending).is_some();
    let Ok((head, _)) = entry.content.read(HEAD_BYTES) else {
        return false;
    };
    let head = String::from_utf8_lossy(&head);
    match () {
        () if ends(".sql") => sql::is_formatted(&head),
        () if ends(".xml") || ends(".yaml") || ends(".yml") || ends(".json") => head.contains("databaseChangeLog"),
        () => false,
    }
}

/// Digest and size of a file, ends of lines left as they are.
fn hash(entry: &Entry) -> io::Result<([u8; 32], u64)> {
    let mut hasher = Sha256::new();
    let mut file = entry.content.open()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finalize().into(), size)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
