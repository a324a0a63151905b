//! Secrets in configuration files, scripts, environment variables and labels. A finding names the place, never the secret.

use std::collections::BTreeSet;

use super::{Finding, Place};

mod config;
mod file;
mod key;
mod scan;
mod token;
mod value;

pub use file::is_configuration;
pub use scan::Scanner;
use value::{has_password, is_literal, is_switch};

/// What a finding in the environment of an image has for a path.
const ENVIRONMENT: &str = "ENV";
/// What a finding in the labels of an image has for a path.
const LABELS: &str = "LABEL";
/// The key of a finding that is about a file as a whole.
const WHOLE_FILE: &str = "file";
/// The way out, for what a migration tool needs to log in.
const WAY_OUT: &str = "in an ECS task definition, `secrets` with `valueFrom` takes it from Secrets Manager";

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// A configuration file; its name is its path.
    Config,
    /// An environment variable of the image.
    Variable,
    /// A label of the image.
    Label,
}

/// A text with a name. Not for printing: it may hold a secret.
#[derive(Clone, Copy)]
pub struct NamedText<'a> {
    /// What it is.
    pub kind: TextKind,
    /// A path or a key.
    pub name: &'a str,
    /// The content of the file, or the value.
    pub value: &'a str,
}

impl Finding {
    /// Whether it is among the secrets that are allowed, each a path and a key.
    #[must_use]
    pub fn is_allowed(&self, allowed: &BTreeSet<(String, String)>) -> bool {
        let bare = |path: &str| path.trim_start_matches("./").trim_start_matches('/').to_owned();
        allowed
            .iter()
            .any(|(path, key)| Some(key) == self.key.as_ref() && bare(path) == bare(&self.place.path))
    }
}

/// Finds secrets, in the order of their places.
///
/// References such as `${DB_PASSWORD}`, empty values, and what only stands for a value (`<password>`, `***`) are none.
pub fn secrets<'a>(texts: impl Iterator<Item = NamedText<'a>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in texts {
        match text.kind {
            TextKind::Config => config(text, &mut findings),
            TextKind::Variable => findings.extend(entry(ENVIRONMENT, text)),
            TextKind::Label => findings.extend(entry(LABELS, text)),
        }
    }
    let place = |finding: &Finding| (finding.place.clone(), finding.key.clone(), finding.rule.code);
    findings.sort_by_cached_key(place);
    findings.dedup();
    findings
}

/// Whether a line of a text shows what nobody should see; such a line is not quoted.
#[must_use]
pub fn shows_secret(line: &str) -> bool {
    value::sets_password(line) || !Scanner::of_text(line).is_empty() || {
        let assigned = line.split_once(['=', ':']);
        let name = |text: &str| text.split_whitespace().next_back().is_some_and(key::ends_as_secret);
        assigned.is_some_and(|(before, value)| name(before) && is_literal(value) && !is_switch(value.trim()))
    }
}

fn config(file: NamedText<'_>, findings: &mut Vec<Finding>) {
    if file::holds_keys(file.name) {
        let finding = Finding::new("S001", Place::file(file.name), "a store of private keys");
        return findings.push(finding.key(WHOLE_FILE).help(WAY_OUT));
    }
    for entry in config::entries(file.name, file.value) {
        let key = entry.path.join(".");
        let is_secret = key::is_secret(&entry.path) && is_literal(&entry.value) && !is_switch(&entry.value)
            || key::is_sql(&entry.path) && value::sets_password(&entry.value);
        let (code, message) = if is_secret {
            ("S001", format!("{key} holds a secret"))
        } else if has_password(&entry.value) {
            ("S002", format!("{key} holds an address with a password"))
        } else if let Some(what) = token::first(&entry.value) {
            ("S003", format!("{key} holds what looks like {what}"))
        } else {
            continue;
        };
        let place = Place {
            line: entry.line as u64,
            ..Place::file(file.name)
        };
        findings.push(Finding::new(code, place, message).help(way_out(&entry.path)).key(key));
    }
    // A key in PEM goes over several lines, and so is no value.
    if let Some(line) = token::private_key(file.value) {
        let place = Place {
            line,
            ..Place::file(file.name)
        };
        let finding = Finding::new("S003", place, "what looks like a private key");
        findings.push(finding.key("S003").help(WAY_OUT));
    }
}

fn entry(place: &str, text: NamedText<'_>) -> Option<Finding> {
    let name = text.name;
    let (code, message) = if key::names_secret(name) && is_literal(text.value) && !is_switch(text.value) {
        ("S004", format!("{name} holds a secret"))
    } else if has_password(text.value) {
        ("S002", format!("{name} holds an address with a password"))
    } else {
        let what = token::first(text.value)?;
        ("S003", format!("{name} holds what looks like {what}"))
    };
    let help = match place {
        LABELS => "a label is read by everybody who may pull the image: leave it out",
        _ => WAY_OUT,
    };
    Some(Finding::new(code, Place::file(place), message).key(name).help(help))
}

/// The way out for a key of a configuration file: the variable that says the same when the image runs, where there is one.
fn way_out(path: &[String]) -> String {
    match key::variable(path) {
        Some(variable) => format!("leave it out, and set {variable} when the image runs: {WAY_OUT}"),
        None => format!("leave it out: {WAY_OUT}"),
    }
}

#[cfg(test)]
mod tests;
