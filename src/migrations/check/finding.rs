//! One thing that is wrong, and where.

use std::fmt;

use super::rule::{Level, Rule};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The file as its user knows it; for what is in no file, `ENV`, `LABEL` or the name of an image.
    pub path: String,
    /// The line, from one; 0 for the file as a whole.
    pub line: u64,
    /// The column in characters, from one; 0 for the line as a whole.
    pub column: u64,
    /// How many characters are meant; 0 if that is not known.
    pub width: u64,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for number in [self.line, self.column].into_iter().take_while(|number| *number > 0) {
            write!(f, ":{number}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong. It never holds a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How bad it is: the rule's level, unless the circumstances or the project say otherwise.
    pub level: Level,
    /// Where.
    pub place: Place,
    /// What, in a phrase without a full stop: `the prefix "v" is written with a small letter`.
    pub message: String,
    /// What to do about it, if there is more to say than the rule's page does.
    pub help: Option<String>,
    /// The key, for what is in a configuration: what `--allow-secret PATH:KEY` names.
    pub key: Option<String>,
    /// The table it is about, in lower case, if it does not count where that table is new.
    pub table: Option<String>,
    /// Why it is allowed, where a comment in the file says so.
    pub allowed: Option<String>,
}

impl Finding {
    /// A finding at the level of its rule.
    ///
    /// # Panics
    /// There is no such rule: a mistake in the program.
    #[must_use]
    pub fn new(code: &str, place: Place, message: impl Into<String>) -> Self {
        let rule = Rule::of_code(code);
        #[expect(
            clippy::expect_used,
            reason = "every code is written out in this program, and tested"
        )]
        let rule = rule.expect("a rule with this code");
        Self {
            rule,
            level: rule.level,
            place,
            message: message.into(),
            help: None,
            key: None,
            table: None,
            allowed: None,
        }
    }

    /// The same with words on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same about a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same at another level.
    #[must_use]
    pub fn at(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}

impl fmt::Display for Finding {
    /// One line, without the help: `R010: sql/V2__x.sql:3:1: an index is made while writers wait`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule, place, message, ..
        } = self;
        match place.path.as_str() {
            "ENV" | "LABEL" => write!(f, "{}: {} {message}", rule.code, place.path),
            _ => write!(f, "{}: {place}: {message}", rule.code),
        }
    }
}
