//! What splitting a script gives: its statements, and what is wrong with them.

/// A statement, with the blanks, the comments and the end sign that belong to it.
///
/// What is no statement but a command of a client is one of its own, up to the end of its line: `DELIMITER //` (which counts as blank),
/// `\connect` and `.read`.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Its text, from `start`, without the sign that `DELIMITER` set; cut at [`KEPT_BYTES`](super::split::KEPT_BYTES). What is not UTF-8 is replaced.
    pub text: &'a str,
    /// Where it begins in the script, in bytes: right after the statement before, blanks and comments before it included.
    pub start: u64,
    /// Where the next begins.
    pub end: u64,
    /// The line `start` is in, from one.
    pub line: u64,
    /// The characters before `start` in its line, plus one.
    pub column: u64,
    /// Whether there is nothing in it but blanks, comments and the end sign.
    pub is_blank: bool,
    /// Whether there is a comment in it.
    pub has_comment: bool,
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
