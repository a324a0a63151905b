//! How far something reaches: the loops that most bytes go through.

use super::syntax::{self, Syntax};

pub(super) fn is_within_word(byte: u8) -> bool {
    syntax::WITHIN_WORD[usize::from(byte)]
}

/// The length of the word before a quote, if it is of one letter: `E'…'`, `U&'…'`.
pub(super) fn prefix(before: &[u8]) -> usize {
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
pub(super) fn quoted(
    rest: &[u8],
    from: usize,
    (quote, escapes, doubles): (u8, bool, bool),
    is_last: bool,
) -> (usize, bool) {
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

pub(super) fn until_tag(rest: &[u8], from: usize, tag: &[u8], is_last: bool) -> (usize, bool) {
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
pub(super) fn block_comment(rest: &[u8], from: usize, mut depth: u64, nests: bool, is_last: bool) -> (usize, u64) {
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
pub(super) fn directive(rest: &[u8], syntax: &Syntax) -> Option<usize> {
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
