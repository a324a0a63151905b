//! The lines that findings point at, for whoever shows them: a piece of each, read in one pass over the files that have findings.

use std::collections::BTreeMap;
use std::io;

use super::secret::shows_secret;
use super::{Family, Finding, Place};
use crate::migrations::encoding::{Decoder, Encoding};
use crate::migrations::reading::Encoded;
use crate::migrations::set::MigrationSet;

/// How many characters before its place are kept of a line: a line may be a whole file.
const BEFORE: u64 = 120;
/// How many characters from its place on are kept.
const FROM: u64 = 240;
/// Rules whose findings are secrets, though they are of another family.
const ABOUT_SECRETS: [&str; 1] = ["R021"];
/// How much of a file is read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Its text, without the end of the line.
    pub text: String,
    /// The column of its first character, from one.
    pub column: u64,
    /// Whether the line goes on behind it.
    pub is_cut: bool,
}

/// The pieces of lines that findings point at.
#[derive(Debug, Clone, Default)]
pub struct Excerpts(BTreeMap<(String, u64, u64), Excerpt>);

impl Excerpts {
    /// Reads the files that findings are about, once each. A file that cannot be read any more has no excerpts.
    #[must_use]
    pub fn read<'a>(set: &MigrationSet, findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut wanted: BTreeMap<&str, Vec<Wanted>> = BTreeMap::new();
        for finding in findings.into_iter().filter(|finding| may_be_shown(finding)) {
            let place = &finding.place;
            wanted.entry(&place.path).or_default().push(Wanted::of(place));
        }
        let mut all = Self::default();
        let readings = set.inventory.readings().unwrap_or_default();
        for (entry, reading) in set.inventory.entries().iter().zip(&readings) {
            let Some(wanted) = wanted.remove(entry.shown.as_str()) else {
                continue;
            };
            let encoding = match reading.encoding {
                Encoded::Known(encoding) => encoding,
                Encoded::Guessed | Encoded::Unknown => Encoding::Utf8,
            };
            let mut lines = Lines::new(wanted);
            let read = entry
                .content
                .open()
                .and_then(|mut file| lines.read(&mut file, encoding));
            if read.is_ok() {
                all.add(&entry.shown, lines);
            }
        }
        all
    }

    /// The piece of a line at a place.
    #[must_use]
    pub fn at(&self, place: &Place) -> Option<&Excerpt> {
        self.0.get(&(place.path.clone(), place.line, place.column))
    }

    /// The same for a text at hand.
    #[must_use]
    pub fn of_text<'a>(path: &str, text: &str, findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let of_path = findings
            .into_iter()
            .filter(|finding| finding.place.path == path && may_be_shown(finding));
        let mut lines = Lines::new(of_path.map(|finding| Wanted::of(&finding.place)).collect());
        lines.take(text);
        let mut all = Self::default();
        all.add(path, lines);
        all
    }

    fn add(&mut self, path: &str, lines: Lines) {
        let shown = lines.wanted.into_iter().filter(|wanted| !shows_secret(&wanted.text));
        let entry = |wanted: Wanted| {
            let excerpt = Excerpt {
                text: wanted.text.trim_end_matches('\r').to_owned(),
                column: wanted.first,
                is_cut: wanted.is_cut,
            };
            ((path.to_owned(), wanted.line, wanted.column), excerpt)
        };
        self.0.extend(shown.map(entry));
    }
}

/// Whether what a finding points at is no secret, and somewhere.
fn may_be_shown(finding: &Finding) -> bool {
    finding.place.line > 0 && finding.rule.family != Family::Secrets && !ABOUT_SECRETS.contains(&finding.rule.code)
}

/// A piece of a line that is wanted.
#[derive(Debug)]
struct Wanted {
    line: u64,
    column: u64,
    /// The column its piece begins at.
    first: u64,
    text: String,
    is_cut: bool,
}

impl Wanted {
    fn of(place: &Place) -> Self {
        Self {
            line: place.line,
            column: place.column,
            first: place.column.saturating_sub(BEFORE).max(1),
            text: String::new(),
            is_cut: false,
        }
    }

    fn end(&self) -> u64 {
        self.column.max(1) + FROM
    }
}

/// Picks pieces of lines out of a text that comes in pieces.
struct Lines {
    /// In the order of their lines.
    wanted: Vec<Wanted>,
    /// The first of them whose line has not ended.
    next: usize,
    line: u64,
    column: u64,
}

impl Lines {
    fn new(mut wanted: Vec<Wanted>) -> Self {
        wanted.sort_by_key(|wanted| (wanted.line, wanted.column));
        wanted.dedup_by_key(|wanted| (wanted.line, wanted.column));
        Self {
            wanted,
            next: 0,
            line: 1,
            column: 1,
        }
    }

    fn read(&mut self, file: &mut dyn io::Read, encoding: Encoding) -> io::Result<()> {
        let mut decoder = Decoder::new(encoding);
        let mut buffer = vec![0; BUFFER_BYTES];
        while self.next < self.wanted.len() {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => self.take(decoder.decode(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take(&mut self, mut text: &str) {
        while let Some(line) = self.wanted.get(self.next).map(|wanted| wanted.line) {
            let end = text.find('\n');
            if self.line == line {
                self.take_part(&text[..end.unwrap_or(text.len())]);
            }
            let Some(end) = end else { return };
            text = &text[end + 1..];
            while self
                .wanted
                .get(self.next)
                .is_some_and(|wanted| wanted.line <= self.line)
            {
                self.next += 1;
            }
            self.line += 1;
            self.column = 1;
        }
    }

    /// Takes a part of a line that is wanted.
    fn take_part(&mut self, part: &str) {
        let of_line = self.wanted[self.next..].iter_mut();
        let of_line = of_line.take_while(|wanted| wanted.line == self.line);
        let count = part.chars().count() as u64;
        for wanted in of_line {
            let skipped = wanted.first.saturating_sub(self.column);
            let taken = wanted.end().saturating_sub(self.column.max(wanted.first));
            let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
            wanted
                .text
                .extend(part.chars().skip(number(skipped)).take(number(taken)));
            wanted.is_cut |= self.column + count > wanted.end();
        }
        self.column += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: &str, line: u64, column: u64) -> Finding {
        let place = Place {
            line,
            column,
            ..Place::file("a.sql")
        };
        Finding::new(code, place, "something")
    }

    /// Catches a line that is lost at the end of a piece, and a column that is counted in bytes.
    #[test]
    fn pieces_of_lines_are_the_same_whatever_the_pieces_of_the_text() {
        let long = "ä".repeat(1000);
        let text = format!("first\r\n{long}END{long}\n\nlast");
        let findings = [
            finding("R010", 1, 3),
            finding("R010", 2, 1001),
            finding("R011", 2, 5),
            finding("R010", 3, 1),
            finding("R010", 4, 0),
            finding("R010", 9, 1),
        ];
        let whole = Excerpts::of_text("a.sql", &text, &findings);
        let text_at = |index: usize| whole.at(&findings[index].place).map(|excerpt| excerpt.text.as_str());
        assert_eq!(text_at(0), Some("first"));
        let cut = whole.at(&findings[1].place).unwrap();
        assert_eq!((cut.column, cut.is_cut), (1001 - BEFORE, true));
        assert!(cut.text.contains("äENDä"));
        assert_eq!(cut.text.chars().count() as u64, BEFORE + FROM);
        assert_eq!(whole.at(&findings[2].place).unwrap().column, 1);
        assert_eq!(text_at(3), Some(""));
        assert_eq!(text_at(4), Some("last"));
        for size in [1, 2, 7, 500] {
            let wanted = findings.iter().map(|finding| Wanted::of(&finding.place)).collect();
            let mut lines = Lines::new(wanted);
            let characters: Vec<char> = text.chars().collect();
            for piece in characters.chunks(size) {
                lines.take(&piece.iter().collect::<String>());
            }
            let mut pieces = Excerpts::default();
            pieces.add("a.sql", lines);
            for finding in &findings[..5] {
                assert_eq!(
                    pieces.at(&finding.place),
                    whole.at(&finding.place),
                    "in pieces of {size}"
                );
            }
        }
    }

    /// Catches a password that is quoted because something else is wrong in its line.
    #[test]
    fn what_shows_a_secret_is_not_quoted() {
        let text = "CREATE USER x IDENTIFIED BY 'canary';\nGRANT ALL ON *.* TO x;\n";
        let findings = [finding("R020", 1, 1), finding("R021", 1, 15), finding("R020", 2, 1)];
        let excerpts = Excerpts::of_text("a.sql", text, &findings);
        assert_eq!(excerpts.at(&findings[0].place), None);
        assert_eq!(excerpts.at(&findings[1].place), None);
        assert!(excerpts.at(&findings[2].place).is_some());
        assert!(!format!("{excerpts:?}").contains("canary"));
    }
}
