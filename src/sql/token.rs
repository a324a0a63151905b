//! The words of a statement.

use super::Dialect;
use super::lexer::{Kind, Lexer};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A key word or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A text, with its quotes; also one in dollars.
    Text,
    /// A number.
    Number,
    /// One character that is none of the others.
    Sign,
    /// A comment, with what begins and ends it.
    Comment,
    /// The lines after `COPY … FROM STDIN;`, with the `\.` that ends them and what is left of the first line.
    Data,
}

/// A token of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// As written.
    pub text: &'a str,
    /// Where it begins in the statement, in bytes.
    pub offset: usize,
}

impl Token<'_> {
    /// Whether it is this key word, whatever its case.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    #[must_use]
    pub fn is_sign(&self, sign: char) -> bool {
        self.kind == TokenKind::Sign && self.text.starts_with(sign)
    }
}

/// The tokens of a statement, comments included, white space left out.
///
/// What does not end is one token up to the end. The content of a comment that MySQL runs (`/*!50003 … */`) is code like any other; what
/// begins and ends it is left out.
#[must_use]
pub fn tokens(statement: &str, dialect: Dialect) -> Vec<Token<'_>> {
    // A word or sign and a blank are five bytes or so.
    let mut tokens = Vec::with_capacity(statement.len() / 5 + 1);
    tokens.extend(Tokens::new(statement, dialect));
    tokens
}

/// The tokens of a statement, one after the other, for who needs the first few only.
#[derive(Debug)]
pub struct Tokens<'a> {
    lexer: Lexer,
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Starts at the first.
    #[must_use]
    pub fn new(statement: &'a str, dialect: Dialect) -> Self {
        Self {
            lexer: Lexer::new(dialect),
            text: statement,
            at: 0,
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let offset = self.at;
            let lexeme = self.lexer.next(&self.text.as_bytes()[offset..], true)?;
            self.at += lexeme.length;
            let kind = match lexeme.kind {
                Kind::Blank | Kind::Directive | Kind::Delimiter => continue,
                Kind::Word => TokenKind::Word,
                Kind::Name => TokenKind::Name,
                Kind::Text => TokenKind::Text,
                Kind::Number => TokenKind::Number,
                Kind::Sign => TokenKind::Sign,
                Kind::Comment => TokenKind::Comment,
                Kind::Data => TokenKind::Data,
            };
            let text = &self.text[offset..self.at];
            return Some(Token { kind, text, offset });
        }
    }
}

#[cfg(test)]
mod tests;
