//! Statements out of a script, piece by piece.

use super::Dialect;

/// How much of a statement is kept for whoever looks at it: the longest statement a person wrote is far below, a dump's `INSERT` or the
/// data of a `COPY` may be the whole file.
pub const KEPT_BYTES: usize = 1024 * 1024;

/// A statement, with the blanks, the comments and the end sign that belong to it.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Its text, from `start`; cut at [`KEPT_BYTES`].
    pub text: &'a str,
    /// Where it begins in the script, in bytes: right after the statement before, blanks and comments before it included.
    pub start: u64,
    /// Where the next begins.
    pub end: u64,
    /// The line `start` is in, from one.
    pub line: u64,
    /// The characters before `start` in its line, plus one.
    pub column: u64,
    /// Whether there is nothing in it but blanks and comments.
    pub is_blank: bool,
}

/// What is wrong with the text of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// A text, a name in quotes or a text in dollars does not end.
    OpenQuote,
    /// A comment does not end.
    OpenComment,
    /// A parenthesis is not closed.
    OpenParenthesis,
    /// A block (`BEGIN`, `CASE`) does not end.
    OpenBlock,
    /// The data of a `COPY` does not end with `\.`.
    OpenCopy,
    /// `DELIMITER` was set and not set back.
    DelimiterNotRestored,
}

/// A problem and its place: where what does not end begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The line, from one.
    pub line: u64,
    /// The column, in characters, from one.
    pub column: u64,
}

/// Splits a script that comes in pieces, in constant memory.
#[derive(Debug)]
pub struct Splitter {
    dialect: Dialect,
}

impl Splitter {
    /// Starts a script.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect }
    }

    /// Adds text, and hands over every statement that ends in it. Pieces may end anywhere, also within a character.
    pub fn update(&mut self, piece: &[u8], mut statement: impl FnMut(Statement<'_>)) {
        let _ = (self.dialect, piece, &mut statement);
    }

    /// Ends the script: hands over the last statement, and returns what is wrong.
    pub fn finish(self, mut statement: impl FnMut(Statement<'_>)) -> Vec<Problem> {
        let _ = &mut statement;
        Vec::new()
    }
}
