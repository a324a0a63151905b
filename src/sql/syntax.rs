//! What the dialects write differently.

use super::Dialect;

/// What a byte can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Blank,
    Word,
    Digit,
    Quote,
    DoubleQuote,
    Backtick,
    Bracket,
    Dollar,
    Dash,
    Hash,
    Slash,
    Star,
    Semicolon,
    Sign,
}

/// What a dialect writes differently.
#[derive(Debug)]
pub(super) struct Syntax {
    /// What each byte begins.
    pub(super) classes: [Class; 256],
    /// A backslash takes the meaning of the next character in every text.
    pub(super) escapes: bool,
    /// A backslash does so in `E'…'`.
    pub(super) escape_texts: bool,
    /// There is `U&'…'`.
    pub(super) unicode_texts: bool,
    /// `"…"` is a text, not a name.
    pub(super) double_quotes_text: bool,
    /// Comments nest.
    pub(super) nests: bool,
    /// `--` begins a comment only before a blank.
    pub(super) dashes_need_blank: bool,
    /// A comment ends at a carriage return too.
    pub(super) carriage_return_ends_line: bool,
    /// `/*! … */` is code.
    pub(super) directives: bool,
    /// There is `COPY … FROM STDIN`, with data after it.
    pub(super) copies: bool,
}

/// The bytes a word may go on with, but for the dollar.
pub(super) static WITHIN_WORD: [bool; 256] = {
    let mut within = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        within[byte] = character.is_ascii_alphanumeric() || character == b'_' || character >= 0x80;
        byte += 1;
    }
    within
};

/// The bytes at which something may begin or end that a semicolon does not count in.
pub(super) static STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let all = b"'\"`[$-#/*();";
    let mut at = 0;
    while at < all.len() {
        stops[all[at] as usize] = true;
        at += 1;
    }
    // It begins a byte order mark, which is a blank only where no word goes on.
    stops[0xef] = true;
    stops
};

/// The syntax of a dialect.
pub(super) fn of(dialect: Dialect) -> &'static Syntax {
    match dialect {
        Dialect::Postgres => &POSTGRES,
        Dialect::MySql => &MYSQL,
        Dialect::Sqlite => &SQLITE,
        Dialect::Unknown => &UNKNOWN,
    }
}

static POSTGRES: Syntax = Syntax {
    classes: classes(b"$"),
    escapes: false,
    escape_texts: true,
    unicode_texts: true,
    double_quotes_text: false,
    nests: true,
    dashes_need_blank: false,
    carriage_return_ends_line: true,
    directives: false,
    copies: true,
};

static MYSQL: Syntax = Syntax {
    classes: classes(b"`#"),
    escapes: true,
    escape_texts: false,
    unicode_texts: false,
    double_quotes_text: true,
    nests: false,
    dashes_need_blank: true,
    carriage_return_ends_line: false,
    directives: true,
    copies: false,
};

static SQLITE: Syntax = Syntax {
    classes: classes(b"`["),
    escapes: false,
    escape_texts: false,
    unicode_texts: false,
    double_quotes_text: false,
    nests: false,
    dashes_need_blank: false,
    carriage_return_ends_line: false,
    directives: false,
    copies: false,
};

static UNKNOWN: Syntax = Syntax {
    classes: classes(b"`$"),
    escapes: false,
    escape_texts: true,
    unicode_texts: true,
    double_quotes_text: false,
    nests: false,
    dashes_need_blank: false,
    carriage_return_ends_line: false,
    directives: true,
    copies: true,
};

/// The classes of all bytes, given the ones that not every dialect knows.
const fn classes(own: &[u8]) -> [Class; 256] {
    let mut classes = [Class::Sign; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        classes[byte] = match character {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Blank,
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Word,
            b'\'' => Class::Quote,
            b'"' => Class::DoubleQuote,
            b'-' => Class::Dash,
            b'/' => Class::Slash,
            b'*' => Class::Star,
            b';' => Class::Semicolon,
            _ => Class::Sign,
        };
        byte += 1;
    }
    let mut at = 0;
    while at < own.len() {
        classes[own[at] as usize] = match own[at] {
            b'`' => Class::Backtick,
            b'[' => Class::Bracket,
            b'#' => Class::Hash,
            _ => Class::Dollar,
        };
        at += 1;
    }
    classes
}
