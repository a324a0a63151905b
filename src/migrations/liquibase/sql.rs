//! Changelogs in SQL: formatted ones, whose comments say what is a changeset, and plain ones, which are one changeset.

use super::Span;
use super::document::{Document, Part, PartKind, RawChangeset, digest};

/// Whether the text begins as a formatted changelog does.
pub(super) fn is_formatted(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    first.is_some_and(|line| header(line).is_some())
}

/// What stands behind `--liquibase formatted sql`.
fn header(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("--")?.trim_start();
    let rest = word(rest, "liquibase")?.trim_start();
    let rest = word(rest, "formatted")?;
    rest.starts_with(|next: char| next.is_whitespace()).then_some(rest)
}

/// What follows a word, whatever its case.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// Reads a formatted changelog.
pub(super) fn read(text: &str) -> Document {
    let mut document = Document::default();
    // The changeset that has begun, with the place where its line and where its SQL begins.
    let mut open: Option<(RawChangeset, u64, usize, usize)> = None;
    let mut offset = 0;
    let mut number = 0;
    let mut ignored = Ignored::No;
    let mut has_header = false;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        number += 1;
        if ignored.passes_over(line) {
            continue;
        }
        if !has_header {
            let Some(attributes) = header(line.trim_start_matches('\u{feff}')) else {
                continue;
            };
            has_header = true;
            document.logical_path = attribute(attributes, "logicalFilePath");
            continue;
        }
        match changeset(line) {
            None => {}
            Some(Err(why)) => document.wrong(number, why),
            Some(Ok(raw)) => {
                if let Some(earlier) = open.take() {
                    document.parts.push(close(earlier, text, start));
                }
                open = Some((raw, number, start, offset));
            }
        }
    }
    if let Some(last) = open {
        document.parts.push(close(last, text, text.len()));
    }
    document
}

/// A plain script: one changeset.
pub(super) fn plain(sha256: [u8; 32], size_bytes: u64) -> Document {
    let raw = RawChangeset {
        id: "raw".to_owned(),
        author: "includeAll".to_owned(),
        sha256,
        size_bytes,
        ..RawChangeset::default()
    };
    let part = Part {
        line: 1,
        kind: PartKind::Changeset(raw),
    };
    Document {
        is_plain: true,
        parts: vec![part],
        ..Document::default()
    }
}

fn close((mut raw, line, start, sql): (RawChangeset, u64, usize, usize), text: &str, end: usize) -> Part {
    let own = &text[start..end];
    raw.sha256 = digest(own);
    raw.size_bytes = own.len() as u64;
    raw.sql = Some(Span {
        start: sql,
        end,
        line: line + 1,
    });
    Part {
        line,
        kind: PartKind::Changeset(raw),
    }
}

/// The changeset that a line begins, if it begins one.
fn changeset(line: &str) -> Option<Result<RawChangeset, &'static str>> {
    const FORM: &str = "a changeset is begun with --changeset AUTHOR:ID";
    let rest = line.trim_start().strip_prefix("--")?.trim_start();
    let rest = word(rest, "changeset")?;
    if !rest.starts_with(|next: char| next.is_whitespace()) {
        // Liquibase takes this for a mistake, too.
        return Some(Err(FORM));
    }
    let rest = rest.trim();
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let (author, rest) = match quoted {
        Some((author, rest)) => match rest.trim_start().strip_prefix(':') {
            Some(rest) => (author, rest),
            None => return Some(Err(FORM)),
        },
        None => match rest.split_once(':') {
            Some(found) => found,
            None => return Some(Err(FORM)),
        },
    };
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let (id, attributes) = match quoted {
        Some(found) => found,
        None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
    };
    if id.is_empty() || author.is_empty() {
        return Some(Err(FORM));
    }
    let is = |name: &str, value: &str| attribute(attributes, name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    Some(Ok(RawChangeset {
        id: id.to_owned(),
        author: author.to_owned(),
        logical_path: attribute(attributes, "logicalFilePath"),
        runs_on_change: is("runOnChange", "true"),
        runs_always: is("runAlways", "true"),
        out_of_transaction: is("runInTransaction", "false"),
        contexts: attribute(attributes, "contextFilter").or_else(|| attribute(attributes, "context")),
        labels: attribute(attributes, "labels"),
        ..RawChangeset::default()
    }))
}

/// The value of an attribute, with or without quotes.
fn attribute(text: &str, name: &str) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let at = small.rfind(&format!("{}:", name.to_ascii_lowercase()))?;
    let value = &text[at + name.len() + 1..];
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => value.split_whitespace().next().unwrap_or_default(),
    };
    (!value.is_empty()).then(|| value.to_owned())
}

/// Lines that are passed over: `--ignoreLines:start` to `--ignoreLines:end`, or a number of them.
enum Ignored {
    No,
    UntilEnd,
    Lines(u64),
}

impl Ignored {
    fn passes_over(&mut self, line: &str) -> bool {
        let directive = line
            .trim()
            .strip_prefix("--")
            .and_then(|rest| word(rest.trim_start(), "ignorelines:"));
        match self {
            Self::UntilEnd => {
                if directive.is_some_and(|rest| rest.eq_ignore_ascii_case("end")) {
                    *self = Self::No;
                }
                true
            }
            Self::Lines(count) => {
                *count -= 1;
                if *count == 0 {
                    *self = Self::No;
                }
                true
            }
            Self::No => {
                let Some(rest) = directive else { return false };
                if rest.eq_ignore_ascii_case("start") {
                    *self = Self::UntilEnd;
                } else if let Some(count) = rest.parse().ok().filter(|count| *count > 0) {
                    *self = Self::Lines(count);
                }
                true
            }
        }
    }
}
