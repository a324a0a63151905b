//! The lexer beneath tokens and statements: it goes on wherever a piece of the text ended.
//!
//! Short things (words, numbers, signs, what begins a longer one) wait until they are whole; long ones (texts, comments, data) are handed
//! over in parts, so that nothing has to be kept.

mod long;
mod word;

use super::Dialect;
use super::scan::{block_comment, is_within_word, prefix, quoted, until_tag};
use super::syntax::{self, Class, Syntax};

/// A longer word is no key word and is handed over in parts.
const LONGEST_KEY_WORD: usize = 64;
/// A longer tag of a text in dollars is none: PostgreSQL's names end at 63 bytes.
const LONGEST_TAG: usize = 256;

/// What a lexeme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    Word,
    Name,
    Text,
    Number,
    Sign,
    Comment,
    /// What begins or ends a comment whose content MySQL runs.
    Directive,
    Data,
    /// What `DELIMITER` set to end a statement.
    Delimiter,
}

/// A piece of the text, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexeme {
    pub(super) kind: Kind,
    /// In bytes, never zero.
    pub(super) length: usize,
    /// Whether it begins here; if not, it is a further part.
    pub(super) begins: bool,
    /// Whether it ends here.
    pub(super) ends: bool,
}

/// What the last lexeme left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    Quote,
    Comment,
    /// A comment whose content MySQL runs.
    Directive,
    Data,
}

#[derive(Debug)]
enum State {
    Plain,
    Quoted {
        kind: Kind,
        quote: u8,
        escapes: bool,
        doubles: bool,
    },
    Dollars {
        tag: Box<[u8]>,
    },
    LineComment,
    BlockComment {
        depth: u64,
    },
    /// The rest of a word or number.
    Tail {
        kind: Kind,
    },
    /// The rest of the line that ends in the semicolon of a `COPY`.
    BeforeData,
    Data,
    /// Within a line of data.
    DataLine,
}

/// How much of `COPY … FROM STDIN` has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copy {
    Start,
    Other,
    Begun,
    From,
    Stdin,
}

#[derive(Debug)]
pub(super) struct Lexer {
    syntax: &'static Syntax,
    state: State,
    copy: Copy,
    /// Within a comment whose content MySQL runs.
    in_directive: bool,
    delimiter: Option<Box<[u8]>>,
}

impl Lexer {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            syntax: syntax::of(dialect),
            state: State::Plain,
            copy: if syntax::of(dialect).copies {
                Copy::Start
            } else {
                Copy::Other
            },
            in_directive: false,
            delimiter: None,
        }
    }

    /// The next statement begins.
    pub(super) fn restart(&mut self) {
        self.copy = if self.syntax.copies { Copy::Start } else { Copy::Other };
    }

    /// What ends a statement from now on; nothing for the semicolon.
    pub(super) fn set_delimiter(&mut self, delimiter: Option<Box<[u8]>>) {
        self.delimiter = delimiter;
    }

    pub(super) fn has_delimiter(&self) -> bool {
        self.delimiter.is_some()
    }

    /// Whether the lines after the semicolon just seen are data.
    pub(super) fn expects_data(&self) -> bool {
        matches!(self.state, State::BeforeData)
    }

    pub(super) fn open(&self) -> Option<Open> {
        match self.state {
            State::Quoted { .. } | State::Dollars { .. } => Some(Open::Quote),
            State::BlockComment { .. } => Some(Open::Comment),
            State::BeforeData | State::Data | State::DataLine => Some(Open::Data),
            State::Plain | State::LineComment | State::Tail { .. } if self.in_directive => Some(Open::Directive),
            State::Plain | State::LineComment | State::Tail { .. } => None,
        }
    }

    /// The lexeme `rest` begins with; none if that takes more bytes, of which there are none when `is_last`.
    #[inline]
    pub(super) fn next(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        if rest.is_empty() {
            return None;
        }
        if matches!(self.state, State::Plain) {
            return self.begin(rest, is_last);
        }
        self.go_on(rest, is_last)
    }

    /// How much of `rest`, where a lexeme begins, is words, numbers, blanks and signs that end nothing and begin nothing else. For who
    /// does not want to know what they are.
    #[inline]
    pub(super) fn skip(&self, rest: &[u8]) -> usize {
        if !matches!(self.state, State::Plain) || self.copy != Copy::Other || self.delimiter.is_some() {
            return 0;
        }
        let stop = rest.iter().position(|byte| syntax::STOPS[usize::from(*byte)]);
        let skipped = &rest[..stop.unwrap_or(rest.len())];
        // What the next byte may belong to is left: the letter before a quote, the word with a dollar in it.
        let left = match stop.map(|stop| rest[stop]) {
            Some(b'\'' | b'"') => prefix(skipped),
            Some(b'$' | 0xef) | None => skipped
                .iter()
                .rev()
                .take_while(|byte| **byte == b'&' || is_within_word(**byte))
                .count(),
            Some(_) => 0,
        };
        skipped.len() - left
    }

    fn go_on(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        match &self.state {
            State::Plain => self.begin(rest, is_last),
            &State::Quoted {
                kind,
                quote,
                escapes,
                doubles,
            } => {
                let (length, ends) = quoted(rest, 0, (quote, escapes, doubles), is_last);
                self.part(kind, length, ends)
            }
            State::Dollars { tag } => {
                let (length, ends) = until_tag(rest, 0, tag, is_last);
                self.part(Kind::Text, length, ends)
            }
            State::LineComment => {
                let length = self.line_end(rest);
                if length == 0 {
                    self.state = State::Plain;
                    return self.begin(rest, is_last);
                }
                self.part(Kind::Comment, length, length < rest.len())
            }
            &State::BlockComment { depth } => {
                let (length, depth) = block_comment(rest, 0, depth, self.syntax.nests, is_last);
                if depth > 0 {
                    self.state = State::BlockComment { depth };
                }
                self.part(Kind::Comment, length, depth == 0)
            }
            &State::Tail { kind } => {
                let length = self.word_end(rest, 0);
                if length == 0 {
                    self.state = State::Plain;
                    return self.begin(rest, is_last);
                }
                self.part(kind, length, length < rest.len())
            }
            State::BeforeData | State::Data | State::DataLine => self.data(rest, is_last),
        }
    }

    /// A further part of what was begun.
    fn part(&mut self, kind: Kind, length: usize, ends: bool) -> Option<Lexeme> {
        if ends {
            self.state = State::Plain;
        }
        (length > 0).then_some(Lexeme {
            kind,
            length,
            begins: false,
            ends,
        })
    }

    /// A lexeme that is begun here and goes on in `state` unless it `ends`.
    fn begun(&mut self, kind: Kind, length: usize, ends: bool, state: State) -> Option<Lexeme> {
        if !ends {
            self.state = state;
        }
        Some(Lexeme {
            kind,
            length,
            begins: true,
            ends,
        })
    }

    #[inline]
    fn begin(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        let whole = |kind, length| {
            Some(Lexeme {
                kind,
                length,
                begins: true,
                ends: true,
            })
        };
        if let Some(delimiter) = &self.delimiter {
            if rest.starts_with(delimiter) {
                self.copy = Copy::Other;
                return whole(Kind::Delimiter, delimiter.len());
            }
            if !is_last && delimiter.starts_with(rest) {
                return None;
            }
        }
        match self.syntax.classes[usize::from(rest[0])] {
            Class::Blank => {
                let length = rest
                    .iter()
                    .position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b);
                whole(Kind::Blank, length.unwrap_or(rest.len()))
            }
            Class::Word => self.word(rest, is_last),
            Class::Digit => self.word_like(Kind::Number, rest, is_last),
            Class::Quote => self.quote(Kind::Text, rest, 1, (b'\'', self.syntax.escapes, true), is_last),
            Class::DoubleQuote => {
                let kind = if self.syntax.double_quotes_text {
                    Kind::Text
                } else {
                    Kind::Name
                };
                self.quote(kind, rest, 1, (b'"', self.syntax.escapes, true), is_last)
            }
            Class::Backtick => self.quote(Kind::Name, rest, 1, (b'`', false, true), is_last),
            Class::Bracket => self.quote(Kind::Name, rest, 1, (b']', false, false), is_last),
            Class::Dollar => self.dollar(rest, is_last),
            Class::Dash => self.dash(rest, is_last),
            Class::Hash => self.line_comment(rest),
            Class::Slash => self.slash(rest, is_last),
            Class::Star if self.in_directive => match rest.get(1) {
                Some(b'/') => {
                    self.in_directive = false;
                    whole(Kind::Directive, 2)
                }
                None if !is_last => None,
                _ => whole(Kind::Sign, 1),
            },
            Class::Semicolon => {
                if self.copy == Copy::Stdin && self.delimiter.is_none() {
                    self.state = State::BeforeData;
                }
                self.copy = Copy::Other;
                whole(Kind::Sign, 1)
            }
            Class::Star | Class::Sign => {
                if self.copy == Copy::Start {
                    self.copy = Copy::Other;
                }
                whole(Kind::Sign, 1)
            }
        }
    }
}
