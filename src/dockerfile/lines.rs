//! Lines of a Dockerfile: directives at the top, comments out, continued lines joined, and places kept.

use super::error::Problem;
use super::instruction::{Position, Word};

/// What is wrong, and where; the file's name and lines are added where they are known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) position: Position,
    pub(super) problem: Problem,
}

impl Problem {
    /// The problem at a place.
    pub(super) fn here(self, position: Position) -> Fault {
        Fault {
            position,
            problem: self,
        }
    }
}

/// An instruction on one line, and where each part of it stood.
#[derive(Debug)]
pub(super) struct Logical {
    /// The text, continued lines joined as they are.
    pub(super) text: String,
    /// Where the text of each line begins, in bytes of the joined text.
    pieces: Vec<usize>,
    /// Bytes of the joined text whose places in the file are known: each line's first, and one every now and then.
    marks: Vec<(usize, Position)>,
}

/// Bytes between two whose places are kept, so that no place takes long to find in a line that never ends.
const MARK_DISTANCE: usize = 1024;

impl Logical {
    /// Where a byte of the text stood.
    pub(super) fn position(&self, offset: usize) -> Position {
        let at = self.marks.partition_point(|(start, _)| *start <= offset);
        let Some((start, position)) = self.marks.get(at.saturating_sub(1)) else {
            return Position { line: 1, column: 1 };
        };
        let before = self.text.get(*start..offset).unwrap_or_default();
        Position {
            line: position.line,
            column: position.column + before.chars().count(),
        }
    }

    /// Adds the text of a line that stands at a place.
    fn push(&mut self, text: &str, mut position: Position) {
        let start = self.text.len();
        self.pieces.push(start);
        self.marks.push((start, position));
        let mut marked = 0;
        for (at, _) in text.char_indices() {
            if at - marked >= MARK_DISTANCE {
                self.marks.push((start + at, position));
                marked = at;
            }
            position.column += 1;
        }
        self.text.push_str(text);
    }

    /// A word that begins at a byte of the text.
    pub(super) fn word(&self, text: impl Into<String>, offset: usize) -> Word {
        Word {
            text: text.into(),
            position: self.position(offset),
        }
    }

    /// A problem at a byte of the text.
    pub(super) fn fault(&self, offset: usize, problem: Problem) -> Fault {
        problem.here(self.position(offset))
    }

    /// The text from a byte on, for people: one blank where lines were joined at blanks.
    pub(super) fn told(&self, from: usize) -> String {
        let mut told = String::new();
        for (at, start) in self.pieces.iter().enumerate() {
            let end = self.pieces.get(at + 1).copied().unwrap_or(self.text.len());
            let Some(piece) = self.text.get((*start).max(from)..end) else {
                continue;
            };
            if told.is_empty() {
                told.push_str(piece);
            } else if told.ends_with(char::is_whitespace) || piece.starts_with(char::is_whitespace) {
                told.truncate(told.trim_end().len());
                told.push(' ');
                told.push_str(piece.trim_start());
            } else {
                told.push_str(piece);
            }
        }
        told.trim().to_owned()
    }
}

/// The lines that are still to be read.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    /// Each with what ends it.
    lines: Vec<&'a str>,
    next: usize,
    /// The escape character.
    pub(super) escape: char,
    /// The lines at which something is odd, and what.
    pub(super) oddities: Vec<(usize, String)>,
}

impl<'a> Lines<'a> {
    /// Begins to read, with the directives at the top.
    pub(super) fn open(text: &'a str) -> Result<Self, Fault> {
        let mut lines = Self::of(text, '\\');
        lines.directives()?;
        Ok(lines)
    }

    /// Begins to read a text without directives.
    pub(super) fn of(text: &'a str, escape: char) -> Self {
        Self {
            lines: text.split_inclusive('\n').collect(),
            next: 0,
            escape,
            oddities: Vec::new(),
        }
    }

    /// Reads `# name=value` lines as long as nothing else came.
    fn directives(&mut self) -> Result<(), Fault> {
        let mut seen = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let Some((name, value)) = directive(line) else {
                break;
            };
            let name = name.to_ascii_lowercase();
            if !["syntax", "escape", "check"].contains(&name.as_str()) {
                break;
            }
            let column = line.chars().take_while(|character| !character.is_alphabetic()).count() + 1;
            let here = Position { line: at + 1, column };
            if seen.contains(&name) {
                return Err(
                    Problem::syntax_with(format!("the directive {name} stands here twice"), "take one away").here(here),
                );
            }
            if name == "escape" {
                self.escape = match value {
                    "\\" => '\\',
                    "`" => '`',
                    other => {
                        return Err(Problem::syntax_with(
                            format!("{other:?} cannot be the escape character"),
                            "it is \\ or `",
                        )
                        .here(here));
                    }
                };
            }
            seen.push(name);
        }
        Ok(())
    }

    /// The next instruction; `None` at the end.
    pub(super) fn next_instruction(&mut self) -> Option<Logical> {
        let mut logical = Logical {
            text: String::new(),
            pieces: Vec::new(),
            marks: Vec::new(),
        };
        let mut is_odd = false;
        while let Some(line) = self.lines.get(self.next) {
            self.next += 1;
            let is_first = logical.pieces.is_empty();
            let line = line.trim_end_matches(['\r', '\n']);
            let content = line.trim_start();
            if content.starts_with('#') {
                continue;
            }
            if content.is_empty() {
                is_odd |= !is_first;
                continue;
            }
            // The blanks before an instruction are nobody's, those of a line that goes on are part of it.
            let (kept, column) = if is_first {
                (content, line.chars().count() - content.chars().count() + 1)
            } else {
                (line, 1)
            };
            let (kept, goes_on) = match self.without_continuation(kept) {
                Some(kept) => (kept, true),
                None => (kept, false),
            };
            let position = Position {
                line: self.next,
                column,
            };
            logical.push(kept, position);
            if !goes_on {
                break;
            }
        }
        if is_odd && let Some((_, position)) = logical.marks.first() {
            self.oddities.push((
                position.line,
                "an empty line stands inside of this instruction, which Docker wants to make an error".to_owned(),
            ));
        }
        // Nothing but escape characters, up to the end.
        (!logical.text.trim().is_empty()).then_some(logical)
    }

    /// The lines up to one that is `end`, of whose beginning tabs may be taken off; `None` if there is no such line.
    pub(super) fn until(&mut self, end: &str, without_tabs: bool) -> Option<String> {
        let mut text = String::new();
        while let Some(line) = self.lines.get(self.next) {
            self.next += 1;
            let line = if without_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if line.trim_end_matches(['\r', '\n']) == end {
                return Some(text);
            }
            text.push_str(line);
        }
        None
    }

    /// Where the last line is.
    pub(super) fn last(&self) -> Position {
        Position {
            line: self.lines.len().max(1),
            column: 1,
        }
    }

    /// The line without the escape character at its end, if it ends with one that is not escaped itself.
    fn without_continuation<'l>(&self, line: &'l str) -> Option<&'l str> {
        let line = line.trim_end_matches([' ', '\t']);
        line.strip_suffix(self.escape)
            .filter(|rest| !rest.ends_with(self.escape))
    }
}

/// The name and the value of `# name=value`.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let (name, value) = (name.trim_end(), value.trim());
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric());
    (is_name && !value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut lines = Lines::open(text).expect("directives");
        std::iter::from_fn(|| lines.next_instruction())
            .map(|logical| logical.text)
            .collect()
    }

    #[test]
    fn lines_are_joined() {
        for (text, expected) in [
            ("A\nB\n", &["A", "B"][..]),
            ("A\r\nB\r\n", &["A", "B"]),
            ("  A\n\n# c\n  # d\nB", &["A", "B"]),
            ("A \\\n  b\n", &["A   b"]),
            ("A \\\r\n  b\r\n", &["A   b"]),
            ("A \\  \t\n b\n", &["A  b"]),
            ("A \\\n# comment\n   # another\n b\n", &["A  b"]),
            ("A \\\n\n b\n", &["A  b"]),
            ("A \\\\\nB\n", &["A \\\\", "B"]),
            ("A \\", &["A "]),
            ("A \\\n\\\nb", &["A b"]),
            ("\\\nA b\n", &["A b"]),
            ("\\\n", &[]),
            ("\\\n\\\n\n#\n", &[]),
            ("\n \n", &[]),
            ("# escape=`\nA c:\\\nB `\n c\n", &["A c:\\", "B  c"]),
            ("#escape = `  \nB `\n c\n", &["B  c"]),
            ("# Escape=`\r\nB `\r\n c\n", &["B  c"]),
            ("# a comment\n# escape=`\nB `\nC\n", &["B `", "C"]),
            ("\n# escape=`\nB `\nC\n", &["B `", "C"]),
            ("# unknown=x\n# escape=`\nB `\nC\n", &["B `", "C"]),
            (
                "# syntax=docker/dockerfile:1\n# check=skip=all\n# escape=`\nB `\nC\n",
                &["B C"],
            ),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn directives_are_checked() {
        for (text, line, column, expected) in [
            ("# escape=\\\n# escape=\\\n", 2, 3, "twice"),
            ("# syntax=a\n#  syntax=b\n", 2, 4, "twice"),
            ("# escape=/\n", 1, 3, "cannot be the escape character"),
        ] {
            let fault = Lines::open(text).expect_err(text);
            assert!(fault.problem.to_string().contains(expected), "{}", fault.problem);
            assert_eq!(fault.position, Position { line, column }, "{text:?}");
        }
    }

    #[test]
    fn places_are_kept() {
        let mut lines = Lines::of("\n  COPY ä \\\n# c\n\tb\\\n c\n", '\\');
        let logical = lines.next_instruction().expect("instruction");
        assert_eq!(logical.text, "COPY ä \tb c");
        for (word, line, column) in [("COPY", 2, 3), ("ä", 2, 8), ("b", 4, 2), (" c", 5, 1), ("c", 5, 2)] {
            let at = logical.text.rfind(word).expect("word");
            let at = if word == "COPY" { 0 } else { at };
            assert_eq!(logical.position(at), Position { line, column }, "{word}");
        }
        assert_eq!(logical.position(logical.text.len()), Position { line: 5, column: 3 });
        assert_eq!(logical.told(4), "ä b c");
    }

    #[test]
    fn places_in_long_lines_are_kept() {
        let text = format!("A {}z", "ä".repeat(5000));
        let logical = Lines::of(&text, '\\').next_instruction().expect("instruction");
        assert_eq!(logical.position(logical.text.len() - 1).column, 5003);
        assert_eq!(logical.position(2 + 2 * 4000).column, 4003);
        assert_eq!(logical.told(1), text[2..]);
    }

    #[test]
    fn empty_lines_in_an_instruction_are_told() {
        let mut lines = Lines::of("A\n\nB \\\n\n\n c\n", '\\');
        while lines.next_instruction().is_some() {}
        assert_eq!(lines.oddities.len(), 1);
        assert_eq!(lines.oddities[0].0, 3);
    }

    #[test]
    fn a_text_ends_at_its_name() {
        let mut lines = Lines::of("\ta\r\n\tEOF\n EOF\nEOF\nB\n", '\\');
        assert_eq!(lines.until("EOF", false).as_deref(), Some("\ta\r\n\tEOF\n EOF\n"));
        assert_eq!(lines.next_instruction().expect("B").text, "B");
        let mut lines = Lines::of("\t\ta\n\tEOF\n", '\\');
        assert_eq!(lines.until("EOF", true).as_deref(), Some("a\n"));
        let mut lines = Lines::of("a\n", '\\');
        assert_eq!(lines.until("EOF", true), None);
    }
}
