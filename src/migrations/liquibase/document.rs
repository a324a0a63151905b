//! A changelog, whatever it is written in.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Span;

/// What is in a changelog, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// The path its changesets have in the place of its own.
    pub(super) logical_path: Option<String>,
    /// Whether it is a script without the form of a changelog.
    pub(super) is_plain: bool,
    /// Its parts.
    pub(super) parts: Vec<Part>,
    /// Paths of other files: scripts, data.
    pub(super) mentions: Vec<String>,
}

/// A part of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The line it begins in, from one.
    pub(super) line: u64,
    /// What it is.
    pub(super) kind: PartKind,
}

/// What a part of a changelog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PartKind {
    /// A changeset.
    Changeset(RawChangeset),
    /// Another changelog.
    Include {
        file: String,
        is_relative: bool,
        may_be_missing: bool,
        logical_path: Option<String>,
    },
    /// All changelogs of a folder.
    IncludeAll {
        folder: String,
        is_relative: bool,
        may_be_missing: bool,
        ending: Option<String>,
        logical_path: Option<String>,
    },
    /// What cannot be understood.
    Wrong(String),
}

/// A changeset as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RawChangeset {
    pub(super) id: String,
    pub(super) author: String,
    pub(super) logical_path: Option<String>,
    pub(super) runs_on_change: bool,
    pub(super) runs_always: bool,
    pub(super) out_of_transaction: bool,
    pub(super) contexts: Option<String>,
    pub(super) labels: Option<String>,
    pub(super) sha256: [u8; 32],
    pub(super) size_bytes: u64,
    pub(super) sql: Option<Span>,
}

/// Why a changelog cannot be read: a line, 0 if it is not known, and what is wrong.
pub(super) type Unreadable = (u64, String);

/// The digest of a text, whatever its ends of lines and the blanks around it.
pub(super) fn digest(text: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for line in text.trim().lines() {
        hasher.update(line);
        hasher.update(b"\n");
    }
    hasher.finalize().into()
}

/// The line of a place in a text, from one.
pub(super) fn line_at(text: &str, at: usize) -> u64 {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1
}

impl Document {
    /// Adds an element of the list of a changelog in YAML or JSON.
    pub(super) fn add(&mut self, item: &Value, line: u64) {
        let Value::Object(item) = item else {
            return self.wrong(line, "this is no changeset and no include");
        };
        for (key, value) in item {
            let text = |name: &str| text(value.get(name));
            let is = |name: &str| text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
            match key.as_str() {
                "logicalFilePath" => self.logical_path = self::text(Some(value)),
                "changeSet" => {
                    let (Some(id), Some(author)) = (text("id"), text("author")) else {
                        self.wrong(line, "a changeset without id and author");
                        continue;
                    };
                    mentions(value, &mut self.mentions);
                    let canonical = value.to_string();
                    let raw = RawChangeset {
                        id,
                        author,
                        logical_path: text("logicalFilePath"),
                        runs_on_change: is("runOnChange"),
                        runs_always: is("runAlways"),
                        out_of_transaction: text("runInTransaction")
                            .is_some_and(|text| text.eq_ignore_ascii_case("false")),
                        contexts: text("contextFilter").or_else(|| text("context")),
                        labels: text("labels"),
                        sha256: digest(&canonical),
                        size_bytes: canonical.len() as u64,
                        sql: None,
                    };
                    self.parts.push(Part {
                        line,
                        kind: PartKind::Changeset(raw),
                    });
                }
                "include" => match text("file") {
                    Some(file) => self.parts.push(Part {
                        line,
                        kind: PartKind::Include {
                            file,
                            is_relative: is("relativeToChangelogFile"),
                            may_be_missing: text("errorIfMissing")
                                .is_some_and(|text| text.eq_ignore_ascii_case("false")),
                            logical_path: text("logicalFilePath"),
                        },
                    }),
                    None => self.wrong(line, "an include without file"),
                },
                "includeAll" => match text("path") {
                    Some(folder) => self.parts.push(Part {
                        line,
                        kind: PartKind::IncludeAll {
                            folder,
                            is_relative: is("relativeToChangelogFile"),
                            may_be_missing: text("errorIfMissingOrEmpty")
                                .is_some_and(|text| text.eq_ignore_ascii_case("false")),
                            ending: text("endsWithFilter"),
                            logical_path: text("logicalFilePath"),
                        },
                    }),
                    None => self.wrong(line, "an includeAll without path"),
                },
                _ => {}
            }
        }
    }

    pub(super) fn wrong(&mut self, line: u64, message: &str) {
        self.parts.push(Part {
            line,
            kind: PartKind::Wrong(message.to_owned()),
        });
    }
}

/// A value as text, if it is a simple one.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// Paths of files that changes read.
fn mentions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if matches!(key.as_str(), "path" | "file") => found.push(text.clone()),
                    value => mentions(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| mentions(value, found)),
        _ => {}
    }
}
