//! Patterns of `${v#p}` and its kin: `*` and `?`, and a backslash that takes their meaning away.

use crate::dockerfile::error::Problem;

/// A pattern, character by character.
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// This character.
    One(char),
    /// Any one character of a line.
    Any,
    /// Any characters of a line, or none.
    Many,
}

impl Pattern {
    /// Reads a pattern. The backslash escapes whatever the Dockerfile's own escape character is.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let piece = match character {
                // Two stars are as good as one.
                '*' if pieces.last() == Some(&Piece::Many) => continue,
                '*' => Piece::Many,
                '?' => Piece::Any,
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '?' | '\\' | '}' | '/')) => Piece::One(escaped),
                    Some(other) => {
                        return Err(Problem::syntax_with(
                            format!("\\{other} in the pattern {text:?} means nothing"),
                            "what can be escaped in a pattern is * ? \\ } and /",
                        ));
                    }
                    None => {
                        return Err(Problem::syntax(format!(
                            "the pattern {text:?} ends with a \\ that escapes nothing"
                        )));
                    }
                },
                other => Piece::One(other),
            };
            pieces.push(piece);
        }
        Ok(Self(pieces))
    }

    /// Turns it round, to match from the end.
    pub(super) fn reverse(&mut self) {
        self.0.reverse();
    }

    /// How many characters match at the beginning: as many as can, or as few. `spend` is told the steps taken.
    pub(super) fn matches(
        &self,
        characters: &[char],
        is_longest: bool,
        spend: &mut dyn FnMut(usize) -> Result<(), Problem>,
    ) -> Result<Option<usize>, Problem> {
        let end = self.0.len();
        // Which pieces may come next; one entry more stands for the end of the pattern.
        let mut states = vec![false; end + 1];
        states[0] = true;
        self.pass_stars(&mut states);
        let mut found = None;
        for count in 0..=characters.len() {
            if states[end] {
                found = Some(count);
                if !is_longest {
                    break;
                }
            }
            let Some(character) = characters.get(count) else {
                break;
            };
            spend(end + 1)?;
            let mut next = vec![false; end + 1];
            for (at, piece) in self.0.iter().enumerate().filter(|(at, _)| states[*at]) {
                match piece {
                    Piece::One(wanted) if wanted == character => next[at + 1] = true,
                    Piece::Any if *character != '\n' => next[at + 1] = true,
                    Piece::Many if *character != '\n' => next[at] = true,
                    _ => {}
                }
            }
            self.pass_stars(&mut next);
            if !next.contains(&true) {
                break;
            }
            states = next;
        }
        Ok(found)
    }

    /// A star may stand for nothing.
    fn pass_stars(&self, states: &mut [bool]) {
        for (at, piece) in self.0.iter().enumerate() {
            if states[at] && *piece == Piece::Many {
                states[at + 1] = true;
            }
        }
    }
}
