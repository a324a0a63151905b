//! A hand that moves over the words of a statement.

use super::name::Name;
use crate::sql::{Token, TokenKind};

/// From where to where something stands in a statement, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The words of a statement, or of a part of it, and a place among them. Comments are not among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
}

impl<'t> Words<'t> {
    /// Stands before the first word.
    pub(super) fn new(tokens: &'t [Token<'t>]) -> Self {
        Self { tokens, at: 0 }
    }

    /// All words of this part, those gone by included.
    pub(super) fn all(&self) -> &'t [Token<'t>] {
        self.tokens
    }

    /// The words still ahead, as a part of their own.
    pub(super) fn rest(&self) -> Self {
        Self::new(&self.tokens[self.at..])
    }

    /// How many words have gone by.
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<Token<'t>> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    /// Goes past one word.
    pub(super) fn take(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Whether the next is this key word.
    pub(super) fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    /// Whether the next are these key words.
    pub(super) fn are(&self, words: &[&str]) -> bool {
        let is = |(ahead, word): (usize, &&str)| self.peek_at(ahead).is_some_and(|token| token.is(word));
        words.iter().enumerate().all(is)
    }

    /// Whether the next is one of these key words.
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Goes past the key words if all of them are next.
    pub(super) fn accept(&mut self, words: &[&str]) -> bool {
        let are = self.are(words);
        if are {
            self.at += words.len();
        }
        are
    }

    /// Goes past one of the key words if it is next.
    pub(super) fn accept_any(&mut self, words: &[&str]) -> bool {
        let is = self.is_any(words);
        self.at += usize::from(is);
        is
    }

    pub(super) fn is_sign(&self, sign: char) -> bool {
        self.peek().is_some_and(|token| token.is_sign(sign))
    }

    pub(super) fn accept_sign(&mut self, sign: char) -> bool {
        let is = self.is_sign(sign);
        self.at += usize::from(is);
        is
    }

    /// Goes past a name, with the schema before it.
    pub(super) fn name(&mut self) -> Option<Name> {
        Name::read(self)
    }

    /// Goes past what is in parentheses, if they are next, and returns it.
    pub(super) fn parentheses(&mut self) -> Option<Self> {
        if !self.accept_sign('(') {
            return None;
        }
        let start = self.at;
        let mut depth = 1;
        while let Some(token) = self.take() {
            depth += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
            if depth == 0 {
                return Some(Self::new(&self.tokens[start..self.at - 1]));
            }
        }
        Some(Self::new(&self.tokens[start..]))
    }

    /// Goes past one word, or past a pair of parentheses with all that is in it.
    pub(super) fn step(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        if self.parentheses().is_none() {
            self.at += 1;
        }
        Some(token)
    }

    /// Goes to the end of this item of a list, past the comma, and returns the item.
    pub(super) fn item(&mut self) -> Option<Self> {
        self.peek()?;
        let start = self.at;
        while let Some(token) = self.step() {
            if token.is_sign(',') {
                return Some(Self::new(&self.tokens[start..self.at - 1]));
            }
        }
        Some(Self::new(&self.tokens[start..]))
    }

    /// Goes right before these key words, outside parentheses; stays where it is if they are not ahead.
    pub(super) fn find(&mut self, words: &[&str]) -> bool {
        let mut ahead = *self;
        while ahead.peek().is_some() {
            if ahead.are(words) {
                *self = ahead;
                return true;
            }
            ahead.step();
        }
        false
    }

    /// Whether these key words are ahead, outside parentheses.
    pub(super) fn has(&self, words: &[&str]) -> bool {
        let mut ahead = *self;
        ahead.find(words)
    }

    /// Whether one of the key words is ahead, at any depth.
    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        let ahead = &self.tokens[self.at..];
        ahead.iter().any(|token| words.iter().any(|word| token.is(word)))
    }

    /// From a mark to the word before this place.
    pub(super) fn since(&self, mark: usize) -> Span {
        span(&self.tokens[mark.min(self.tokens.len())..self.at])
    }

    /// The next words, as many as there are of them.
    pub(super) fn next_span(&self, count: usize) -> Span {
        let end = (self.at + count).min(self.tokens.len());
        span(&self.tokens[self.at.min(end)..end])
    }

    /// The words ahead as one line, blanks where there were blanks.
    pub(super) fn line(&self) -> String {
        line(&self.tokens[self.at..])
    }
}

fn span(tokens: &[Token<'_>]) -> Span {
    let start = tokens.first().map_or(0, |token| token.offset);
    let end = tokens.last().map_or(start, |token| token.offset + token.text.len());
    Span { start, end }
}

/// Words as one line: without comments and line ends, blanks where there were blanks.
pub(super) fn line(tokens: &[Token<'_>]) -> String {
    let mut line = String::new();
    let mut end = None;
    for token in tokens {
        if end.is_some_and(|end| end < token.offset) {
            line.push(' ');
        }
        line.push_str(token.text);
        end = Some(token.offset + token.text.len());
    }
    line.trim_end_matches(';').trim_end().to_owned()
}

/// Whether a token may be part of a name.
pub(super) fn names(token: &Token<'_>) -> bool {
    // MySQL's double quotes hold a name where ANSI_QUOTES is set.
    matches!(token.kind, TokenKind::Word | TokenKind::Name)
        || token.kind == TokenKind::Text && token.text.starts_with('"')
}
