//! goose: `VERSION_name.sql`, with annotations that say what leads up and what leads back.
//!
//! Unlike the others, goose's command refuses a whole folder for one name that it does not understand.

use super::directive::{Directives, Line};
use super::flyway::name::Kind;
use super::revision::{Direction, digits, ignored, step};

/// Where its profile puts scripts.
pub const FOLDER: &str = "/migrations";

/// The longest line goose reads.
const LONGEST_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// What goose makes of a name.
#[must_use]
pub fn classify(name: &str) -> Kind {
    let stem = name.strip_suffix(".sql").or_else(|| name.strip_suffix(".go"));
    let Some(stem) = stem else {
        return ignored("its name ends neither in .sql nor in .go");
    };
    if name.ends_with("_test.go") {
        return ignored("it is a test");
    }
    let Some((number, description)) = stem.split_once('_') else {
        return ignored("no underscore follows its number");
    };
    let version = number.strip_prefix('+').unwrap_or(number);
    if version.is_empty() || digits(version) != version {
        return ignored("what stands before its first underscore is not a number");
    }
    match version.parse::<i64>() {
        Ok(0) => ignored("goose counts from one"),
        Ok(version) => step(version.to_string(), description, Direction::Up),
        Err(_) => ignored("its number does not fit into 64 bits"),
    }
}

/// Where a script is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Up,
    UpStatement,
    /// Behind a statement without a line; goose takes the next line for its end, and drops it.
    UpEmpty,
    Down,
    DownStatement,
}

/// What the lines of a script said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    state: State,
    /// Whether lines wait for the end of their statement; those that are blank wait, too, but are not missed.
    waits: bool,
    /// The line where a statement that has not ended yet begins.
    open: Option<u64>,
    /// Whether goose has refused the script; it says one thing only.
    is_over: bool,
}

impl Lines {
    /// Whether no further line matters.
    pub(super) fn is_done(&self) -> bool {
        self.is_over
    }

    pub(super) fn line(&mut self, line: &Line<'_>, said: &mut Directives) {
        if self.is_over {
            return;
        }
        if line.bytes > LONGEST_LINE_BYTES {
            return self.refuse(line.number, "goose reads no line of more than 4 MiB", said);
        }
        let trimmed = line.text.trim();
        if trimmed.starts_with("--") && line.text.contains("+goose") {
            return self.annotation(line, said);
        }
        let is_comment = trimmed.starts_with("--");
        if self.state == State::Start {
            if !trimmed.is_empty() && !is_comment {
                self.refuse(
                    line.number,
                    "goose wants nothing but comments before \"-- +goose Up\"",
                    said,
                );
            }
            return;
        }
        if !self.waits && (is_comment || line.text.is_empty()) {
            return;
        }
        match self.state {
            State::Up => self.waits = true,
            State::UpStatement => {
                self.waits = true;
                return;
            }
            State::UpEmpty => {
                self.state = State::Up;
                return;
            }
            State::Start | State::Down | State::DownStatement => return,
        }
        if !trimmed.is_empty() {
            self.open.get_or_insert(line.number);
        }
        if line.ends_with_semicolon() {
            self.waits = false;
            self.open = None;
        }
    }

    fn annotation(&mut self, line: &Line<'_>, said: &mut Directives) {
        if line.text.starts_with([' ', '\t']) {
            return self.refuse(line.number, "goose wants no blanks before \"-- +goose\"", said);
        }
        let words = line.text.replace("--", "").replacen("+goose", "", 1);
        match (words.trim().to_ascii_lowercase().as_str(), self.state) {
            ("up", State::Start) => self.state = State::Up,
            ("up", _) => self.refuse(line.number, "goose wants one \"-- +goose Up\" only", said),
            ("down", State::Up | State::UpEmpty) => match self.open {
                Some(open) => self.refuse(
                    open,
                    "a statement before \"-- +goose Down\" does not end with a semicolon",
                    said,
                ),
                None => {
                    self.state = State::Down;
                    said.down = Some(line.number);
                }
            },
            ("down", _) => self.refuse(
                line.number,
                "goose wants one \"-- +goose Down\", after \"-- +goose Up\"",
                said,
            ),
            ("statementbegin", State::Up | State::UpEmpty) => {
                self.state = State::UpStatement;
                self.open = Some(line.number);
            }
            ("statementbegin", State::Down) => {
                self.state = State::DownStatement;
                self.open = Some(line.number);
            }
            ("statementbegin", _) => self.refuse(
                line.number,
                "goose wants \"-- +goose StatementBegin\" in a part, and not in another",
                said,
            ),
            ("statementend", State::UpStatement) => {
                self.state = if self.waits { State::Up } else { State::UpEmpty };
                (self.open, self.waits) = (None, false);
            }
            ("statementend", State::DownStatement) => {
                self.state = State::Down;
                self.open = None;
            }
            ("statementend", _) => {
                self.refuse(
                    line.number,
                    "there is no \"-- +goose StatementBegin\" that this could end",
                    said,
                );
            }
            ("no transaction", _) => said.transaction = Some(false),
            ("envsub on" | "envsub off", _) => {}
            _ => self.refuse(line.number, "goose does not know this annotation", said),
        }
    }

    fn refuse(&mut self, line: u64, why: &'static str, said: &mut Directives) {
        self.is_over = true;
        said.refuse(line, why);
    }

    pub(super) fn finish(self, said: &mut Directives) {
        said.transaction.get_or_insert(true);
        if self.is_over {
            return;
        }
        match (self.state, self.open) {
            (State::Start, _) => said.refuse(0, "goose wants the line \"-- +goose Up\" in it"),
            (State::UpStatement | State::DownStatement, Some(open)) => {
                said.refuse(open, "\"-- +goose StatementBegin\" without \"-- +goose StatementEnd\"");
            }
            (State::Up, Some(open)) => said.refuse(open, "the last statement does not end with a semicolon"),
            _ => {}
        }
    }
}
