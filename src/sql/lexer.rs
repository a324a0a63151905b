//! The lexer beneath tokens and statements: it goes on wherever a piece of the text ended.
//!
//! Short things (words, numbers, signs, what begins a longer one) wait until they are whole; long ones (texts, comments, data) are handed
//! over in parts, so that nothing has to be kept.

use super::Dialect;
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
    Copy,
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

    /// Where the word ends that reaches to `at` at least.
    #[inline]
    fn word_end(&self, rest: &[u8], at: usize) -> usize {
        // A dollar belongs to the word, unless it ends the statement: `END$$`.
        let with_dollar = !self.delimiter.as_ref().is_some_and(|delimiter| delimiter[0] == b'$');
        let within = |byte: &u8| syntax::WITHIN_WORD[usize::from(*byte)] || (with_dollar && *byte == b'$');
        rest[at..]
            .iter()
            .position(|byte| !within(byte))
            .map_or(rest.len(), |length| at + length)
    }

    fn word_like(&mut self, kind: Kind, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        let mut length = self.word_end(rest, 1);
        if kind == Kind::Number && rest.get(length) == Some(&b'.') {
            // `1.5`, but not `1..5`.
            match rest.get(length + 1) {
                Some(byte) if byte.is_ascii_digit() => length = self.word_end(rest, length + 1),
                None if !is_last => return None,
                _ => {}
            }
        }
        if length == rest.len() && !is_last {
            if length < LONGEST_KEY_WORD {
                return None;
            }
            return self.begun(kind, length, false, State::Tail { kind });
        }
        Some(Lexeme {
            kind,
            length,
            begins: true,
            ends: true,
        })
    }

    fn word(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        if rest[0] == 0xef {
            // A byte order mark is a blank wherever it stands between words.
            if rest.starts_with(b"\xef\xbb\xbf") {
                return Some(Lexeme {
                    kind: Kind::Blank,
                    length: 3,
                    begins: true,
                    ends: true,
                });
            }
            if !is_last && b"\xef\xbb\xbf".starts_with(rest) {
                return None;
            }
        }
        let lexeme = self.word_like(Kind::Word, rest, is_last)?;
        if lexeme.length == 1 {
            let (escapes, quote) = match (rest[0].to_ascii_lowercase(), self.syntax) {
                (b'e', syntax) if syntax.escape_texts => (true, 1),
                (b'n', syntax) => (syntax.escapes, 1),
                (b'b' | b'x', _) => (false, 1),
                (b'u', syntax) if syntax.unicode_texts && rest.get(1) == Some(&b'&') => (false, 2),
                _ => (false, 0),
            };
            if quote > 0 {
                match rest.get(quote) {
                    Some(b'\'') => return self.quote(Kind::Text, rest, quote + 1, (b'\'', escapes, true), is_last),
                    Some(b'"') if quote == 2 => {
                        return self.quote(Kind::Name, rest, quote + 1, (b'"', false, true), is_last);
                    }
                    None if !is_last => return None,
                    _ => {}
                }
            }
        }
        if self.copy != Copy::Other {
            let word = &rest[..lexeme.length];
            self.copy = match self.copy {
                Copy::Start if word.eq_ignore_ascii_case(b"copy") => Copy::Copy,
                Copy::Start | Copy::Other => Copy::Other,
                Copy::Copy | Copy::From if word.eq_ignore_ascii_case(b"from") => Copy::From,
                Copy::From if word.eq_ignore_ascii_case(b"stdin") => Copy::Stdin,
                Copy::Stdin => Copy::Stdin,
                Copy::Copy | Copy::From => Copy::Copy,
            };
        }
        Some(lexeme)
    }

    fn quote(&mut self, kind: Kind, rest: &[u8], from: usize, how: (u8, bool, bool), is_last: bool) -> Option<Lexeme> {
        if self.copy == Copy::Start {
            self.copy = Copy::Other;
        }
        let (length, ends) = quoted(rest, from, how, is_last);
        let (quote, escapes, doubles) = how;
        self.begun(
            kind,
            length,
            ends,
            State::Quoted {
                kind,
                quote,
                escapes,
                doubles,
            },
        )
    }

    fn dollar(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        let sign = Some(Lexeme {
            kind: Kind::Sign,
            length: 1,
            begins: true,
            ends: true,
        });
        // Where `DELIMITER $$` was set, dollars are no quotes.
        if self.delimiter.as_ref().is_some_and(|delimiter| delimiter[0] == b'$') {
            return sign;
        }
        let within =
            |(at, byte): (usize, &u8)| syntax::WITHIN_WORD[usize::from(*byte)] && (at > 0 || !byte.is_ascii_digit());
        let name = rest[1..]
            .iter()
            .enumerate()
            .take(LONGEST_TAG)
            .take_while(|each| within(*each))
            .count();
        let tag = name + 2;
        match rest.get(tag - 1) {
            _ if name == LONGEST_TAG => sign,
            Some(b'$') => {
                let (length, ends) = until_tag(rest, tag, &rest[..tag], is_last);
                self.begun(
                    Kind::Text,
                    length,
                    ends,
                    State::Dollars {
                        tag: rest[..tag].into(),
                    },
                )
            }
            None if !is_last => None,
            _ => sign,
        }
    }

    fn dash(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        let sign = Some(Lexeme {
            kind: Kind::Sign,
            length: 1,
            begins: true,
            ends: true,
        });
        match (rest.get(1), rest.get(2)) {
            (Some(b'-'), _) if !self.syntax.dashes_need_blank => self.line_comment(rest),
            (Some(b'-'), Some(byte)) if *byte <= b' ' || *byte == 0x7f => self.line_comment(rest),
            (Some(b'-'), Some(_)) => sign,
            (Some(b'-') | None, None) if !is_last => None,
            (Some(b'-'), None) => self.line_comment(rest),
            _ => sign,
        }
    }

    fn line_comment(&mut self, rest: &[u8]) -> Option<Lexeme> {
        let length = self.line_end(rest);
        self.begun(Kind::Comment, length, length < rest.len(), State::LineComment)
    }

    fn line_end(&self, rest: &[u8]) -> usize {
        let end = match self.syntax.carriage_return_ends_line {
            true => rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')),
            false => rest.iter().position(|byte| *byte == b'\n'),
        };
        end.unwrap_or(rest.len())
    }

    fn slash(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        if rest.get(1) != Some(&b'*') {
            if rest.len() == 1 && !is_last {
                return None;
            }
            return Some(Lexeme {
                kind: Kind::Sign,
                length: 1,
                begins: true,
                ends: true,
            });
        }
        if self.syntax.directives {
            match directive(rest, self.syntax) {
                Some(length) if length < rest.len() || is_last => {
                    self.in_directive = true;
                    self.copy = Copy::Other;
                    return Some(Lexeme {
                        kind: Kind::Directive,
                        length,
                        begins: true,
                        ends: true,
                    });
                }
                None if rest.len() >= 4 || is_last => {}
                _ => return None,
            }
        }
        let (length, depth) = block_comment(rest, 2, 1, self.syntax.nests, is_last);
        self.begun(Kind::Comment, length, depth == 0, State::BlockComment { depth })
    }

    /// The data of a `COPY`, up to and with the line that ends it.
    fn data(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
        let begins = matches!(self.state, State::BeforeData);
        let mut in_line = !matches!(self.state, State::Data);
        let mut at = 0;
        loop {
            if in_line {
                match rest[at..].iter().position(|byte| *byte == b'\n') {
                    Some(length) => at += length + 1,
                    None => {
                        self.state = State::DataLine;
                        let length = rest.len();
                        return Some(Lexeme {
                            kind: Kind::Data,
                            length,
                            begins,
                            ends: false,
                        });
                    }
                }
            }
            let line = &rest[at..];
            let ending = [&b"\\.\n"[..], b"\\.\r\n"]
                .into_iter()
                .find(|ending| line.starts_with(ending));
            if let Some(ending) = ending {
                self.state = State::Plain;
                return Some(Lexeme {
                    kind: Kind::Data,
                    length: at + ending.len(),
                    begins,
                    ends: true,
                });
            }
            if is_last && matches!(line, b"\\." | b"\\.\r") {
                self.state = State::Plain;
                return Some(Lexeme {
                    kind: Kind::Data,
                    length: rest.len(),
                    begins,
                    ends: true,
                });
            }
            if b"\\.\n".starts_with(line) || b"\\.\r\n".starts_with(line) {
                self.state = State::Data;
                let length = if is_last { rest.len() } else { at };
                return (length > 0).then_some(Lexeme {
                    kind: Kind::Data,
                    length,
                    begins,
                    ends: false,
                });
            }
            in_line = true;
        }
    }
}

fn is_within_word(byte: u8) -> bool {
    syntax::WITHIN_WORD[usize::from(byte)]
}

/// The length of the word before a quote, if it is of one letter: `E'…'`, `U&'…'`.
fn prefix(before: &[u8]) -> usize {
    let length = match before {
        [.., _, b'&'] => 2,
        _ => 1,
    };
    let Some((word, letter)) = before.len().checked_sub(length).map(|at| before.split_at(at)) else {
        return 0;
    };
    let is_alone = !word.last().is_some_and(|byte| is_within_word(*byte));
    if is_alone && letter[0].is_ascii_alphabetic() {
        length
    } else {
        0
    }
}

/// Where a quoted text ends, given the quote and whether backslashes escape and quotes are doubled; or how far it certainly reaches.
#[inline]
fn quoted(rest: &[u8], from: usize, (quote, escapes, doubles): (u8, bool, bool), is_last: bool) -> (usize, bool) {
    let mut at = from;
    loop {
        let found = rest[at..]
            .iter()
            .position(|byte| *byte == quote || (escapes && *byte == b'\\'));
        let Some(found) = found else { return (rest.len(), false) };
        at += found;
        match rest.get(at + 1) {
            None if !is_last && (doubles || rest[at] != quote) => return (at, false),
            None => return (rest.len(), rest[at] == quote),
            Some(_) if rest[at] != quote => at += 2,
            Some(next) if doubles && *next == quote => at += 2,
            Some(_) => return (at + 1, true),
        }
    }
}

fn until_tag(rest: &[u8], from: usize, tag: &[u8], is_last: bool) -> (usize, bool) {
    let mut at = from;
    while let Some(found) = rest[at..].iter().position(|byte| *byte == b'$') {
        at += found;
        if rest[at..].starts_with(tag) {
            return (at + tag.len(), true);
        }
        if !is_last && tag.starts_with(&rest[at..]) {
            return (at, false);
        }
        at += 1;
    }
    (rest.len(), false)
}

/// Where a comment ends, and how deep it is nested there.
fn block_comment(rest: &[u8], from: usize, mut depth: u64, nests: bool, is_last: bool) -> (usize, u64) {
    let mut at = from;
    while let Some(found) = rest[at..].iter().position(|byte| matches!(byte, b'*' | b'/')) {
        at += found;
        match (rest[at], rest.get(at + 1)) {
            (b'*', Some(b'/')) => {
                at += 2;
                depth -= 1;
                if depth == 0 {
                    return (at, 0);
                }
            }
            (b'/', Some(b'*')) if nests => {
                at += 2;
                depth += 1;
            }
            (_, None) if !is_last => return (at, depth),
            _ => at += 1,
        }
    }
    (rest.len(), depth)
}

/// The length of `/*!`, `/*M!` and the version after it.
fn directive(rest: &[u8], syntax: &Syntax) -> Option<usize> {
    let mark = [&b"/*!"[..], b"/*M!"].into_iter().find(|mark| rest.starts_with(mark))?;
    let digits = rest[mark.len()..]
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // Elsewhere `/*!` may be a comment somebody is fond of.
    let is_one = syntax.escapes || digits > 0 || rest.len() == mark.len();
    is_one.then_some(mark.len() + digits)
}
