//! What one comment says.

use super::foreign;
use crate::migrations::check::rule::{Family, Rule};

/// What a comment reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Statement,
    File,
}

/// The rules a comment allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Codes {
    Named(Vec<&'static str>),
    /// All that squawk or Atlas would look for: risks, but never a password.
    Risks,
}

impl Codes {
    pub(super) fn hold(&self, rule: &Rule) -> bool {
        match self {
            Self::Named(codes) => codes.contains(&rule.code) && is_allowable(rule),
            Self::Risks => rule.family == Family::Risk && rule.code != "R021",
        }
    }
}

/// A comment that allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) reach: Reach,
    pub(super) codes: Codes,
    pub(super) reason: String,
}

/// Why a comment allows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It names no rule.
    NoCode,
    /// There is no such rule.
    Unknown(String),
    /// The rule cannot be allowed by a comment.
    NotAllowable(&'static str),
    /// It says no reason.
    NoReason(&'static str),
    /// It is for the file, and stands behind its first statement.
    FileTooLate,
    /// It stands behind the last statement.
    NoStatement,
}

impl Fault {
    pub(super) fn message(&self) -> String {
        match self {
            Self::NoCode => "the comment names no rule".to_owned(),
            Self::Unknown(code) => format!("there is no rule {code}"),
            Self::NotAllowable(code) => format!("{code} cannot be allowed by a comment"),
            Self::NoReason(code) => format!("the comment allows {code} without a reason, so it does not count"),
            Self::FileTooLate => "a comment for the whole file stands behind a statement".to_owned(),
            Self::NoStatement => "no statement follows the comment".to_owned(),
        }
    }

    pub(super) fn help(&self) -> String {
        match self {
            Self::NoCode | Self::NoReason(_) => {
                "write the rule and why: -- shipway:allow R010 the table has ten rows".to_owned()
            }
            Self::Unknown(code) => match Rule::nearest(code) {
                Some(near) => format!("did you mean {near}?"),
                None => "the rules have a letter and three digits, such as R010".to_owned(),
            },
            Self::NotAllowable(_) => {
                "secrets are admitted by --allow-secret PATH:KEY only; drift by [check] levels in shipway.toml"
                    .to_owned()
            }
            Self::FileTooLate => "put it before the first statement".to_owned(),
            Self::NoStatement => "put it before the statement, or on its last line".to_owned(),
        }
    }
}

/// Whether a comment in a script may allow a rule.
pub(super) fn is_allowable(rule: &Rule) -> bool {
    matches!(rule.family, Family::Names | Family::Content | Family::Risk)
}

/// Whether a comment could allow something: a quick look at all comments.
pub(super) fn may_allow(comment: &str) -> bool {
    ["shipway:", "squawk-ignore", "atlas:nolint"]
        .iter()
        .any(|word| comment.contains(word))
}

/// Reads a comment, line by line. `is_header` says that it stands apart before the first statement.
pub(super) fn read(comment: &str, is_header: bool) -> (Vec<Allowance>, Vec<Fault>) {
    let mut allowances = Vec::new();
    let mut faults = Vec::new();
    for line in comment.lines() {
        let text = line.trim().trim_start_matches(['-', '#', '/', '*', ' ', '\t']);
        let text = text.trim_end_matches("*/").trim();
        if let Some(rest) = text.strip_prefix("shipway:allow-file") {
            own(rest, Reach::File, &mut allowances, &mut faults);
        } else if let Some(rest) = text.strip_prefix("shipway:allow") {
            own(rest, Reach::Statement, &mut allowances, &mut faults);
        } else {
            allowances.extend(foreign::squawk(text));
            allowances.extend(foreign::atlas(text, is_header));
        }
    }
    (allowances, faults)
}

/// What follows `shipway:allow` and `shipway:allow-file`: codes joined by commas, then the reason.
fn own(rest: &str, reach: Reach, allowances: &mut Vec<Allowance>, faults: &mut Vec<Fault>) {
    let mut codes = Vec::new();
    let mut rest = rest.trim_start_matches(':').trim_start();
    let mut expects_code = true;
    while expects_code {
        let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            break;
        }
        let word = word.trim_end_matches(':');
        // The first word is meant as a code whatever it looks like.
        match Rule::of_code(&word.to_ascii_uppercase()) {
            Some(rule) if is_allowable(rule) => codes.push(rule.code),
            Some(rule) => faults.push(Fault::NotAllowable(rule.code)),
            None => faults.push(Fault::Unknown(word.to_owned())),
        }
        let after = after.trim_start();
        expects_code = after.starts_with(',');
        rest = after.trim_start_matches(',').trim_start();
    }
    if codes.is_empty() && faults.is_empty() {
        faults.push(Fault::NoCode);
    }
    let reason = rest.trim_start_matches([':', '-', ' ']).trim();
    if reason.is_empty() {
        faults.extend(codes.into_iter().map(Fault::NoReason));
    } else if !codes.is_empty() {
        allowances.push(Allowance {
            reach,
            codes: Codes::Named(codes),
            reason: reason.to_owned(),
        });
    }
}
