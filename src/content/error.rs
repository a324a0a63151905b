//! What can go wrong when content is read or written.

use std::error::Error as StdError;
use std::fmt;

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The content, tag or repository is not there.
    NotFound,
    /// Whoever asks is not known, or not allowed to.
    Denied,
    /// The other side's rules forbid it, such as a tag that must not move.
    Refused,
    /// The bytes are not what they claim to be, or what was asked for makes no sense there.
    Invalid,
    /// The request cannot be made with the settings given.
    Usage,
    /// A manifest names something that is not there.
    Incomplete,
    /// The network or the service failed for now; the same may work later.
    Temporary,
    /// A local file could not be read or written.
    File,
    /// Anything else.
    Other,
}

/// A failure: what could not be done, where, and why.
#[derive(Debug)]
pub struct ContentError {
    kind: Kind,
    what: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
}

impl ContentError {
    /// A failure described by `what`, a phrase such as `cannot read tag 1 in layout out`.
    #[must_use]
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            cause: None,
            hints: Vec::new(),
        }
    }

    /// A failure of a local file.
    #[must_use]
    pub fn file(what: impl Into<String>, cause: std::io::Error) -> Self {
        Self::new(Kind::File, what).because(cause)
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds something the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The failure and its causes, for where there is room for one line.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let mut texts = vec![self.to_string()];
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        // Some libraries tell a cause in the words of what it caused.
        texts.dedup();
        texts.join(": ")
    }

    /// Puts a wider phrase before it: this failure becomes the cause, its kind and hints stay.
    #[must_use]
    pub fn within(mut self, what: impl Into<String>) -> Self {
        let hints = std::mem::take(&mut self.hints);
        Self {
            kind: self.kind,
            what: what.into(),
            hints,
            cause: Some(Box::new(self)),
        }
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for ContentError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_phrase_keeps_kind_and_hints() {
        let error = ContentError::new(Kind::Denied, "the password is wrong")
            .hint("log in again")
            .within("cannot push to a.b/c");
        assert_eq!(error.kind(), Kind::Denied);
        assert_eq!(error.hints(), ["log in again"]);
        assert_eq!(error.to_string(), "cannot push to a.b/c");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("the password is wrong")
        );
    }
}
