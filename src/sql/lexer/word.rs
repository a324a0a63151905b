//! Words and numbers, and the texts that begin with a letter.

use super::{Copy, Kind, LONGEST_KEY_WORD, Lexeme, Lexer, State};
use crate::sql::syntax;

impl Lexer {
    /// Where the word ends that reaches to `at` at least.
    #[inline]
    pub(super) fn word_end(&self, rest: &[u8], at: usize) -> usize {
        // A dollar belongs to the word, unless it ends the statement: `END$$`.
        let with_dollar = self.delimiter.as_ref().is_none_or(|delimiter| delimiter[0] != b'$');
        let within = |byte: &u8| syntax::WITHIN_WORD[usize::from(*byte)] || (with_dollar && *byte == b'$');
        rest[at..]
            .iter()
            .position(|byte| !within(byte))
            .map_or(rest.len(), |length| at + length)
    }

    pub(super) fn word_like(&mut self, kind: Kind, rest: &[u8], is_last: bool) -> Option<Lexeme> {
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

    pub(super) fn word(&mut self, rest: &[u8], is_last: bool) -> Option<Lexeme> {
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
                Copy::Start if word.eq_ignore_ascii_case(b"copy") => Copy::Begun,
                Copy::Start | Copy::Other => Copy::Other,
                Copy::Begun | Copy::From if word.eq_ignore_ascii_case(b"from") => Copy::From,
                Copy::From if word.eq_ignore_ascii_case(b"stdin") => Copy::Stdin,
                Copy::Stdin => Copy::Stdin,
                Copy::Begun | Copy::From => Copy::Begun,
            };
        }
        Some(lexeme)
    }
}
