//! What the lines of a script say to its tool: which part leads up, whether there is a transaction, and why the tool would refuse it.

use super::check::rule::Family;
use super::check::{Finding, Place};
use super::flyway::name::Kind;
use super::inventory::Entry;
use super::revision::Direction;
use super::tool::Tool;
use super::{atlas, dbmate, goose};

/// How much of a line is kept: a directive is far shorter, and the end of a longer statement is looked for in its last bytes.
const KEPT_BYTES: usize = 16 * 1024;

/// What the lines of a script say to its tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// Whether it runs in a transaction; `None` where the tool says nothing about it.
    pub transaction: Option<bool>,
    /// The line where the part begins that leads back.
    pub down: Option<u64>,
    /// Whether it stands for all that came before it on an empty database (Atlas).
    pub is_checkpoint: bool,
    /// Why the tool refuses it: a line, 0 for the file as a whole, and what is wrong there.
    pub refusals: Vec<(u64, &'static str)>,
    /// Whether all of it leads back.
    is_all_down: bool,
}

impl Directives {
    /// Notes why the tool refuses the script.
    pub(super) fn refuse(&mut self, line: u64, why: &'static str) {
        self.refusals.push((line, why));
    }

    /// Whether a line belongs to what leads back, which does not run when an image is released.
    #[must_use]
    pub fn is_down(&self, line: u64) -> bool {
        self.is_all_down || self.down.is_some_and(|down| line >= down)
    }

    /// What is risky counts only where it runs.
    pub fn keep_what_runs(&self, findings: &mut Vec<Finding>) {
        findings.retain(|finding| finding.rule.family != Family::Risk || !self.is_down(finding.place.line));
    }

    /// What is said of the refusals, as findings at places of a file.
    #[must_use]
    pub fn findings(&self, shown: &str) -> Vec<Finding> {
        let finding = |(line, why): &(u64, &'static str)| {
            let place = Place {
                line: *line,
                ..Place::file(shown)
            };
            Finding::new("N010", place, *why)
        };
        self.refusals.iter().map(finding).collect()
    }
}

/// A line of a script.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Its text without its end; of a very long one, the first bytes.
    pub(super) text: &'a str,
    /// Its last bytes, if they are not in the text.
    tail: &'a str,
    /// Its number, from one.
    pub(super) number: u64,
    /// How long it is.
    pub(super) bytes: u64,
}

impl Line<'_> {
    /// Whether the last word before a comment ends a statement.
    pub(super) fn ends_with_semicolon(&self) -> bool {
        let text = if self.tail.is_empty() { self.text } else { self.tail };
        let words = text.split_whitespace().take_while(|word| !word.starts_with("--"));
        words.last().is_some_and(|word| word.ends_with(';'))
    }
}

#[derive(Debug, Clone)]
enum Reader {
    Dbmate(dbmate::Lines),
    Goose(goose::Lines),
    Atlas(atlas::Lines),
    /// Its lines say nothing.
    Nothing,
}

/// Reads the directives of a script that comes in pieces.
#[derive(Debug)]
pub struct DirectiveReader {
    reader: Reader,
    said: Directives,
    /// The line that has begun: its first bytes, and its last.
    head: String,
    tail: String,
    bytes: u64,
    number: u64,
}

impl DirectiveReader {
    /// Starts a script.
    #[must_use]
    pub fn of(tool: &Tool, entry: &Entry) -> Self {
        let reader = match (&entry.kind, tool) {
            _ if entry.path.ends_with(".go") => Reader::Nothing,
            (Kind::Revision { .. }, Tool::Dbmate) => Reader::Dbmate(dbmate::Lines::default()),
            (Kind::Revision { .. }, Tool::Goose) => Reader::Goose(goose::Lines::default()),
            (Kind::Revision { .. }, Tool::Atlas) => Reader::Atlas(atlas::Lines::default()),
            _ => Reader::Nothing,
        };
        let is_all_down = matches!(
            entry.kind,
            Kind::Revision {
                direction: Direction::Down,
                ..
            }
        );
        Self {
            reader,
            said: Directives {
                is_all_down,
                ..Directives::default()
            },
            head: String::new(),
            tail: String::new(),
            bytes: 0,
            number: 1,
        }
    }

    /// Adds text.
    pub fn update(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() && !self.is_done() {
            let Some(end) = rest.find('\n') else {
                return self.keep(rest);
            };
            if self.bytes == 0 {
                self.line(&rest[..end], "", end as u64);
            } else {
                self.keep(&rest[..end]);
                self.end_line();
            }
            self.number += 1;
            rest = &rest[end + 1..];
        }
    }

    /// Ends the script.
    #[must_use]
    pub fn finish(mut self) -> Directives {
        if self.bytes > 0 && !self.is_done() {
            self.end_line();
        }
        match self.reader {
            Reader::Dbmate(lines) => lines.finish(&mut self.said),
            Reader::Goose(lines) => lines.finish(&mut self.said),
            Reader::Atlas(lines) => lines.finish(&mut self.said),
            Reader::Nothing => {}
        }
        self.said
    }

    fn is_done(&self) -> bool {
        match &self.reader {
            Reader::Dbmate(_) => false,
            Reader::Goose(lines) => lines.is_done(),
            Reader::Atlas(lines) => lines.is_done(),
            Reader::Nothing => true,
        }
    }

    fn keep(&mut self, piece: &str) {
        self.bytes += piece.len() as u64;
        if self.head.len() + piece.len() <= KEPT_BYTES && self.tail.is_empty() {
            self.head.push_str(piece);
            return;
        }
        if self.tail.is_empty() {
            self.tail.clone_from(&self.head);
        }
        let from = piece.ceil_char_boundary(piece.len().saturating_sub(KEPT_BYTES));
        self.tail.push_str(&piece[from..]);
        if self.tail.len() > 2 * KEPT_BYTES {
            let from = self.tail.ceil_char_boundary(self.tail.len() - KEPT_BYTES);
            self.tail.drain(..from);
        }
    }

    fn end_line(&mut self) {
        let (head, tail) = (std::mem::take(&mut self.head), std::mem::take(&mut self.tail));
        self.line(&head, &tail, self.bytes);
        self.bytes = 0;
    }

    fn line(&mut self, text: &str, tail: &str, bytes: u64) {
        let without = |text| str::strip_suffix(text, "\r").unwrap_or(text);
        let line = Line {
            text: without(text),
            tail: without(tail),
            number: self.number,
            bytes,
        };
        match &mut self.reader {
            Reader::Dbmate(lines) => lines.line(&line, &mut self.said),
            Reader::Goose(lines) => lines.line(&line, &mut self.said),
            Reader::Atlas(lines) => lines.line(&line, &mut self.said),
            Reader::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests;
