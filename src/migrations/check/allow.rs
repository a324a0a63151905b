//! Comments that allow a rule: for a statement or for a file, with a reason.
//!
//! `-- shipway:allow R010 reason` before, in, or behind a statement on its last line; `-- shipway:allow-file R010 reason` before the first
//! statement. Those of squawk and Atlas are honoured as well.

mod comment;
mod foreign;

use std::collections::BTreeMap;

use super::finding::{Finding, Place};
use crate::sql::{Statement, Token, TokenKind};
use comment::{Allowance, Codes, Fault, Reach};

/// A place in a script: line and column.
type Point = (u64, u64);

/// What the comments of one script allow.
#[derive(Debug)]
pub struct Allowances {
    /// The script as its user knows it.
    path: String,
    file: Vec<Allowance>,
    /// From the start of a statement to the start of the next.
    statements: Vec<(Point, Option<Point>, Allowance)>,
    /// Where the statement before begins.
    previous: Option<Point>,
    /// Comments that allow nothing: where, and why.
    faults: Vec<(Place, Fault)>,
}

/// What is allowed for a whole file: a reason for each rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileAllowances {
    reasons: BTreeMap<&'static str, String>,
}

impl Allowances {
    /// Starts a script.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            file: Vec::new(),
            statements: Vec::new(),
            previous: None,
            faults: Vec::new(),
        }
    }

    /// Whether a statement may hold a comment that allows something: without one, [`Allowances::statement`] is content with no tokens.
    #[must_use]
    pub fn wants(text: &str) -> bool {
        comment::may_allow(text)
    }

    /// Reads the comments of the next statement; also of one that is nothing but comments.
    pub fn statement(&mut self, statement: &Statement<'_>, tokens: &[Token<'_>]) {
        let start = (statement.line, statement.column);
        // Whose end was not known yet reached up to here.
        for (_, end, _) in self.statements.iter_mut().rev().take_while(|(_, end, _)| end.is_none()) {
            *end = Some(start);
        }
        let first = tokens.iter().position(|token| token.kind != TokenKind::Comment);
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == TokenKind::Comment {
                let is_leading = first.is_none_or(|first| at < first);
                self.comment(statement, token, is_leading);
            }
        }
        if !statement.is_blank {
            self.previous = Some(start);
        }
    }

    fn comment(&mut self, statement: &Statement<'_>, token: &Token<'_>, is_leading: bool) {
        // Nearly all comments say nothing of this kind.
        if !comment::may_allow(token.text) {
            return;
        }
        let before = &statement.text[..token.offset];
        let is_first = self.previous.is_none() && is_leading;
        let is_header = is_first && stands_apart(&statement.text[token.offset + token.text.len()..]);
        let (allowances, faults) = comment::read(token.text, is_header);
        let place = place(&self.path, statement, token);
        for fault in faults {
            self.faults.push((place.clone(), fault));
        }
        for allowance in allowances {
            let start = (statement.line, statement.column);
            match allowance.reach {
                Reach::File if is_first => self.file.push(allowance),
                Reach::File => self.faults.push((place.clone(), Fault::FileTooLate)),
                // On the line the statement before ended in, it is about that one.
                Reach::Statement if is_leading && !before.contains('\n') && self.previous.is_some() => {
                    let from = self.previous.unwrap_or(start);
                    self.statements.push((from, Some(start), allowance));
                }
                Reach::Statement if statement.is_blank => self.faults.push((place.clone(), Fault::NoStatement)),
                Reach::Statement => self.statements.push((start, None, allowance)),
            }
        }
    }

    /// Marks what is allowed among the findings of this script, and adds what is wrong with the comments themselves. Returns what is
    /// allowed for the file, for what is found elsewhere.
    pub fn apply(self, findings: &mut Vec<Finding>) -> FileAllowances {
        let mut unused = Vec::new();
        for (place, fault) in self.faults {
            let mut helped = false;
            if let Fault::NoReason(code) = &fault {
                let near = |finding: &&mut Finding| finding.rule.code == *code;
                for finding in findings.iter_mut().filter(near) {
                    let said = format!(
                        "the comment in line {} does not allow it: it gives no reason",
                        place.line
                    );
                    finding.help = Some(match finding.help.take() {
                        Some(help) => format!("{said}; {help}"),
                        None => said,
                    });
                    helped = true;
                }
            }
            if !helped {
                unused.push(Finding::new("C014", place, fault.message()).help(fault.help()));
            }
        }
        for finding in findings.iter_mut() {
            let at = (finding.place.line, finding.place.column);
            let covers = |(from, to, _): &&(Point, Option<Point>, Allowance)| {
                *from <= at && to.is_none_or(|to| at < to) && finding.place.line > 0
            };
            let of_statement = self.statements.iter().filter(covers).map(|(_, _, allowance)| allowance);
            let mut all = of_statement.chain(&self.file);
            finding.allowed = all
                .find(|allowance| allowance.codes.hold(finding.rule))
                .map(|allowance| allowance.reason.clone());
        }
        findings.append(&mut unused);
        let mut reasons = BTreeMap::new();
        for allowance in self.file {
            if let Codes::Named(codes) = allowance.codes {
                for code in codes {
                    reasons.entry(code).or_insert_with(|| allowance.reason.clone());
                }
            }
        }
        FileAllowances { reasons }
    }
}

impl FileAllowances {
    /// Marks a finding about the file, if its rule is allowed for the file.
    pub fn apply(&self, finding: &mut Finding) {
        if finding.allowed.is_none() && comment::is_allowable(finding.rule) {
            finding.allowed = self.reasons.get(finding.rule.code).cloned();
        }
    }
}

fn place(path: &str, statement: &Statement<'_>, token: &Token<'_>) -> Place {
    let before = &statement.text[..token.offset];
    let lines = before.bytes().filter(|byte| *byte == b'\n').count() as u64;
    let column = match before.rfind('\n') {
        Some(at) => before[at + 1..].chars().count() as u64 + 1,
        None => before.chars().count() as u64 + statement.column,
    };
    let first = token.text.lines().next().unwrap_or_default();
    Place {
        path: path.to_owned(),
        line: statement.line + lines,
        column,
        width: first.chars().count() as u64,
    }
}

/// Whether an empty line follows: Atlas takes a comment that stands apart as one for the file.
fn stands_apart(after: &str) -> bool {
    let mut lines = after.split('\n').map(str::trim);
    let own = lines.next().unwrap_or_default();
    own.is_empty() && lines.find(|line| !line.starts_with("--")).is_some_and(str::is_empty)
}

#[cfg(test)]
mod tests;
