//! dbmate: `VERSION_name.sql`, with one part that leads up and one that leads back.
//!
//! A version is its digits: `001` is another one than `1`. Files run in the order of their names as texts.

use super::directive::{Directives, Line};
use super::flyway::name::Kind;
use super::revision::{Direction, digits, ignored, step};

/// Where dbmate's image looks for scripts.
pub const FOLDER: &str = "/db/migrations";

/// What dbmate makes of a name.
#[must_use]
pub fn classify(name: &str) -> Kind {
    let Some(stem) = name.strip_suffix(".sql") else {
        return ignored("its name does not end in .sql");
    };
    match digits(stem) {
        "" => ignored("its name does not begin with a digit"),
        version => step(version, &stem[version.len()..], Direction::Up),
    }
}

/// What the lines of a script said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    up: Option<u64>,
    /// The first part that leads back behind the one that leads up. One before it is a comment to dbmate.
    down: Option<u64>,
    /// The first part that is one too many.
    extra: Option<u64>,
    /// The first statement before all parts.
    early: Option<u64>,
}

impl Lines {
    pub(super) fn line(&mut self, line: &Line<'_>, said: &mut Directives) {
        if let Some(options) = block(line.text, "migrate:up") {
            if self.up.is_none() {
                self.up = Some(line.number);
                said.transaction = Some(
                    !options
                        .split_ascii_whitespace()
                        .any(|option| option == "transaction:false"),
                );
            } else {
                self.extra.get_or_insert(line.number);
            }
        } else if block(line.text, "migrate:down").is_some() {
            match (self.up, self.down) {
                (None, _) => {}
                (Some(_), None) => self.down = Some(line.number),
                (Some(_), Some(_)) => _ = self.extra.get_or_insert(line.number),
            }
        } else if self.up.is_none() && !is_blank_or_comment(line.text) {
            self.early.get_or_insert(line.number);
        }
    }

    pub(super) fn finish(self, said: &mut Directives) {
        said.down = self.down;
        match (self.up, self.down) {
            (None, _) => said.refuse(0, "dbmate wants the line \"-- migrate:up\" in it"),
            (Some(_), None) => {
                said.refuse(
                    0,
                    "dbmate wants the line \"-- migrate:down\" in it, even with nothing behind it",
                );
            }
            (Some(_), Some(_)) => match (self.early, self.extra) {
                (Some(early), _) => {
                    said.refuse(early, "dbmate wants nothing but comments before \"-- migrate:up\"");
                }
                (None, Some(extra)) => {
                    said.refuse(
                        extra,
                        "dbmate wants one \"-- migrate:up\" and one \"-- migrate:down\" only",
                    );
                }
                (None, None) => {}
            },
        }
    }
}

/// What stands behind the words that begin a part.
fn block<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    let rest = line.strip_prefix("--")?.trim_ascii_start().strip_prefix(words)?;
    (rest.is_empty() || rest.starts_with(|next: char| next.is_ascii_whitespace())).then_some(rest)
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_ascii_start();
    line.is_empty() || line.starts_with("--")
}
