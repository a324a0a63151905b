//! What may be long: texts, comments and data.

use super::{Copy, Kind, LONGEST_TAG, Lexeme, Lexer, State};
use crate::sql::scan::{block_comment, directive, quoted, until_tag};
use crate::sql::syntax;

impl Lexer {
    pub(super) fn quote(
        &mut self,
        kind: Kind,
        rest: &[u8],
        from: usize,
        how: (u8, bool, bool),
        is_last: bool,
    ) -> Option<Lexeme> {
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

    pub(super) fn dollar(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
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

    pub(super) fn dash(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
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

    pub(super) fn line_comment(&mut self, rest: &[u8]) -> Option<Lexeme> {
        let length = self.line_end(rest);
        self.begun(Kind::Comment, length, length < rest.len(), State::LineComment)
    }

    pub(super) fn line_end(&self, rest: &[u8]) -> usize {
        let end = match self.syntax.carriage_return_ends_line {
            true => rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')),
            false => rest.iter().position(|byte| *byte == b'\n'),
        };
        end.unwrap_or(rest.len())
    }

    pub(super) fn slash(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
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
    pub(super) fn data(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
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
