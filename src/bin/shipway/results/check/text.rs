//! Findings as a person reads them, each with the line it is about.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};

use shipway::migrations::check::{Family, Finding, Level};

use super::{CheckResult, Lines, drift_text};

/// How much of a file is read for a line of it.
const MOST_READ: u64 = 64 * 1024 * 1024;
/// How much of a line is shown.
const WIDTH: usize = 100;

impl CheckResult<'_> {
    /// The findings, and what they amount to.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = self.findings_text()?;
        let report = self.report;
        let of = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        write!(text, "{}", of(report.migrations, "migration"))?;
        if let Some(version) = &report.highest_version {
            write!(text, " up to version {version}")?;
        }
        let counts = [
            (report.count(Level::Error), "error"),
            (report.count(Level::Warning), "warning"),
            (report.count(Level::Info), "note"),
        ];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| of(*count, name))
            .collect();
        match counts.is_empty() {
            true => write!(text, ": nothing was found")?,
            false => write!(text, ": {}", counts.join(", "))?,
        }
        if !report.allowed.is_empty() {
            write!(text, ", {} allowed by comments", report.allowed.len())?;
        }
        writeln!(text, "\n{}", drift_text(&report.drift))?;
        Ok(text)
    }

    /// The findings alone.
    pub(crate) fn findings_text(&self) -> Result<String, std::fmt::Error> {
        let mut lines = Lines::of(self.set);
        let mut text = String::new();
        for finding in &self.report.findings {
            let level = if finding.level == Level::Info {
                "note"
            } else {
                finding.level.name()
            };
            writeln!(text, "{level}[{}]: {}", finding.rule.code, finding.message)?;
            let place = &finding.place;
            match (place.line, place.column) {
                _ if place.path.is_empty() => {}
                (0, _) => writeln!(text, "  --> {}", place.path)?,
                (line, 0) => writeln!(text, "  --> {}:{line}", place.path)?,
                (line, column) => writeln!(text, "  --> {}:{line}:{column}", place.path)?,
            }
            if let Some(line) = lines.line(finding) {
                excerpt(finding, &line, &mut text)?;
            }
            if let Some(help) = &finding.help {
                writeln!(text, "  help: {help}")?;
            }
            writeln!(text)?;
        }
        Ok(text)
    }
}

/// The line, with marks below what is meant.
fn excerpt(finding: &Finding, line: &str, text: &mut String) -> std::fmt::Result {
    let number = finding.place.line.to_string();
    let column = usize::try_from(finding.place.column).unwrap_or_default();
    let before = column.saturating_sub(1);
    let all: Vec<char> = line.chars().collect();
    // A long line is shown around the place.
    let start = if before > WIDTH / 2 { before - WIDTH / 4 } else { 0 };
    let shown: String = all.iter().skip(start).take(WIDTH).map(|one| visible(*one)).collect();
    let (left, right) = (
        if start > 0 { "…" } else { "" },
        if all.len() > start + WIDTH { "…" } else { "" },
    );
    writeln!(text, "{number:>5} | {left}{shown}{right}")?;
    if column == 0 || before > all.len() {
        return Ok(());
    }
    let space: String = all
        .iter()
        .skip(start)
        .take(before - start)
        .map(|one| blank(*one))
        .collect();
    let room = (start + WIDTH).min(all.len()).saturating_sub(before).max(1);
    let width = usize::try_from(finding.place.width).unwrap_or(1).clamp(1, room);
    let pad = " ".repeat(left.chars().count());
    writeln!(text, "{:>5} | {pad}{space}{}", "", "^".repeat(width))
}

/// What is shown in the place of a character that would move the cursor or change colours.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        other if other.is_control() => '\u{fffd}',
        other => other,
    }
}

/// Room as wide as a character: those of East Asia take two columns.
fn blank(character: char) -> &'static str {
    match u32::from(character) {
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => "  ",
        _ => " ",
    }
}

impl<'a> Lines<'a> {
    pub(super) fn of(set: &'a shipway::migrations::MigrationSet) -> Self {
        Self {
            set,
            known: std::collections::HashMap::new(),
        }
    }

    /// The line a finding is about; never that of a secret.
    pub(super) fn line(&mut self, finding: &Finding) -> Option<String> {
        let place = &finding.place;
        // R021 is about passwords in scripts.
        if finding.rule.family == Family::Secrets || finding.rule.code == "R021" || place.line == 0 {
            return None;
        }
        let number = usize::try_from(place.line).ok()?;
        if !self.known.contains_key(&place.path) {
            let entry = self
                .set
                .inventory
                .entries()
                .iter()
                .find(|entry| entry.shown == place.path)?;
            let reader = BufReader::new(entry.content.open().ok()?.take(MOST_READ));
            let mut lines = Vec::new();
            for line in reader.split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&line).into_owned();
                lines.push(text.trim_end_matches('\r').trim_start_matches('\u{feff}').to_owned());
            }
            // One file at a time: findings are sorted by file.
            self.known.clear();
            self.known.insert(place.path.clone(), lines);
        }
        self.known.get(&place.path)?.get(number - 1).cloned()
    }
}

#[cfg(test)]
mod tests {
    use shipway::migrations::check::Place;

    use super::*;

    fn shown(line: &str, column: u64, width: u64) -> String {
        let place = Place {
            path: "a.sql".to_owned(),
            line: 3,
            column,
            width,
        };
        let mut text = String::new();
        excerpt(&Finding::new("R001", place, "x"), line, &mut text).expect("text");
        text
    }

    #[test]
    fn marks_stand_below_what_is_meant() {
        assert_eq!(
            shown("DROP TABLE a;", 6, 5),
            "    3 | DROP TABLE a;\n      |      ^^^^^\n"
        );
        assert_eq!(shown("\tDROP 表 x;", 9, 1), "    3 |  DROP 表 x;\n      |          ^\n");
        assert_eq!(shown("x", 9, 1), "    3 | x\n");
        assert_eq!(
            shown("a\u{1b}[31mb", 1, 99),
            "    3 | a\u{fffd}[31mb\n      | ^^^^^^^\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}DROP{}", "x".repeat(500), "y".repeat(500));
        let text = shown(&line, 501, 4);
        let (first, second) = text.split_once('\n').expect("two lines");
        assert!(first.chars().count() < 120 && first.contains("DROP"), "{text}");
        let at = first.chars().position(|one| one == 'D').expect("mark");
        assert_eq!(second.chars().position(|one| one == '^'), Some(at));
    }
}
