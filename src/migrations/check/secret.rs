//! Secrets in configuration files, environment variables and labels. A finding names the place, never the secret.

use std::collections::BTreeSet;
use std::fmt;

mod config;
mod key;
mod value;

use value::{has_password, is_literal};

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

/// A rule that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A key that holds a secret has a value, in a configuration file.
    SecretKey,
    /// An address holds a password.
    PasswordInUrl,
    /// A variable or a label whose name says that it is a secret has a value.
    SecretInImage,
}

impl Rule {
    /// The name it is documented under.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SecretKey => "S001",
            Self::PasswordInUrl => "S002",
            Self::SecretInImage => "S004",
        }
    }
}

/// A secret that was found. It holds everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file; `ENV` and `LABEL` for what is in the image's config.
    pub path: String,
    /// The line, from one; one for what has no lines.
    pub line: usize,
    /// The key.
    pub key: String,
    /// The rule.
    pub rule: Rule,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, path, line, key) = (self.rule.code(), &self.path, self.line, &self.key);
        match (self.rule, path.as_str()) {
            (Rule::PasswordInUrl, "ENV" | "LABEL") => {
                write!(f, "{code}: {path} {key} holds an address with a password")
            }
            (Rule::PasswordInUrl, _) => write!(f, "{code}: {path}:{line}: {key} holds an address with a password"),
            (_, "ENV" | "LABEL") => write!(f, "{code}: {path} {key} holds a secret"),
            _ => write!(f, "{code}: {path}:{line}: {key} holds a secret"),
        }
    }
}

impl Finding {
    /// Whether it is among the secrets that are allowed, each a path and a key.
    #[must_use]
    pub fn is_allowed(&self, allowed: &BTreeSet<(String, String)>) -> bool {
        let bare = |path: &str| path.trim_start_matches("./").trim_start_matches('/').to_owned();
        allowed
            .iter()
            .any(|(path, key)| *key == self.key && bare(path) == bare(&self.path))
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
            TextKind::Variable => entry("ENV", text, &mut findings),
            TextKind::Label => entry("LABEL", text, &mut findings),
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

fn config(file: NamedText<'_>, findings: &mut Vec<Finding>) {
    for entry in config::entries(file.name, file.value) {
        let is_secret = key::is_secret(&entry.path) && is_literal(&entry.value)
            || key::is_sql(&entry.path) && value::sets_password(&entry.value);
        let rule = if is_secret {
            Rule::SecretKey
        } else if has_password(&entry.value) {
            Rule::PasswordInUrl
        } else {
            continue;
        };
        findings.push(Finding {
            path: file.name.to_owned(),
            line: entry.line,
            key: entry.path.join("."),
            rule,
        });
    }
}

fn entry(path: &str, text: NamedText<'_>, findings: &mut Vec<Finding>) {
    let rule = if key::names_secret(text.name) && is_literal(text.value) && !value::is_switch(text.value) {
        Rule::SecretInImage
    } else if has_password(text.value) {
        Rule::PasswordInUrl
    } else {
        return;
    };
    findings.push(Finding {
        path: path.to_owned(),
        line: 1,
        key: text.name.to_owned(),
        rule,
    });
}

#[cfg(test)]
mod tests;
