//! The lines for people.

use std::fmt::Write as _;

use shipway::migrations::check::{Drift, Excerpt, Finding, Level};

use super::{CheckResult, one_line};

/// How much of a line is shown, in columns of a terminal: with the number before it, it fits into a wide one.
const WIDTH: usize = 100;
/// How much of a long line is shown before its place.
const BEFORE: usize = 40;
/// How far a tab goes at most.
const TAB: usize = 4;

/// Letters of a terminal's colours.
#[derive(Clone, Copy)]
struct Colours(bool);

impl Colours {
    fn paint(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn level(self, level: Level) -> String {
        let code = match level {
            Level::Error => "31;1",
            Level::Warning => "33;1",
            Level::Info | Level::Off => "36;1",
        };
        self.paint(code, level.name())
    }
}

pub(super) fn text(result: &CheckResult<'_>, has_colours: bool) -> String {
    let colours = Colours(has_colours);
    let mut text = String::new();
    let mut path: Option<&str> = None;
    for finding in &result.report.findings {
        // An empty line stands between files.
        if path.is_some_and(|path| path != finding.place.path) {
            text.push('\n');
        }
        path = Some(&finding.place.path);
        add_finding(&mut text, finding, result.excerpts.at(&finding.place), colours);
    }
    if path.is_some() {
        text.push('\n');
    }
    for line in summary(result) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn add_finding(text: &mut String, finding: &Finding, excerpt: Option<&Excerpt>, colours: Colours) {
    let place = match finding.place.path.as_str() {
        "" => "the image".to_owned(),
        _ => one_line(&finding.place.to_string()),
    };
    let (level, code) = (colours.level(finding.level), finding.rule.code);
    // Writing to a text does not fail.
    let _ = writeln!(text, "{place}: {level} {code}: {}", one_line(&finding.message));
    if let Some(excerpt) = excerpt {
        let number = finding.place.line.to_string();
        let (line, marks) = quoted(excerpt, finding.place.column, finding.place.width);
        let bar = colours.paint("34;1", "|");
        let _ = writeln!(text, "  {number:>4} {bar} {line}");
        if let Some(marks) = marks {
            let _ = writeln!(text, "       {bar} {}", colours.paint("31;1", &marks));
        }
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(text, "       {} {}", colours.paint("36;1", "="), one_line(help));
    }
}

/// A character as it is shown, with the columns it takes.
struct Cell {
    text: String,
    width: usize,
}

/// The part of a line around a place, and the marks below the place.
fn quoted(excerpt: &Excerpt, column: u64, width: u64) -> (String, Option<String>) {
    let mut at = 0;
    let cells: Vec<Cell> = excerpt
        .text
        .chars()
        .map(|character| {
            let cell = cell(character, at);
            at += cell.width;
            cell
        })
        .collect();
    let index = usize::try_from(column.saturating_sub(excerpt.column)).unwrap_or(usize::MAX);
    let index = index.min(cells.len());
    let widths = |cells: &[Cell]| cells.iter().map(|cell| cell.width).sum::<usize>();
    // A long line is cut so that the place is seen.
    let mut first = 0;
    if widths(&cells) > WIDTH && widths(&cells[..index]) > BEFORE {
        first = (0..index)
            .rev()
            .find(|first| widths(&cells[*first..index]) >= BEFORE)
            .unwrap_or(0);
    }
    let mut last = first;
    let mut room = WIDTH;
    while let Some(cell) = cells.get(last).filter(|cell| cell.width <= room) {
        room -= cell.width;
        last += 1;
    }
    let shown: String = cells[first..last].iter().map(|cell| cell.text.as_str()).collect();
    let (is_begun, is_cut) = (first > 0 || excerpt.column > 1, last < cells.len() || excerpt.is_cut);
    let dots = |is_there: bool| if is_there { "…" } else { "" };
    let line = format!("{}{}{}", dots(is_begun), shown.trim_end(), dots(is_cut));
    if column == 0 {
        return (line, None);
    }
    let before = widths(&cells[first..index]) + usize::from(is_begun);
    let marked = usize::try_from(width).unwrap_or(usize::MAX).max(1);
    let end = index.saturating_add(marked).min(last);
    let marks = widths(cells.get(index..end).unwrap_or_default()).max(1);
    (line, Some(format!("{}{}", " ".repeat(before), "^".repeat(marks))))
}

/// How a character is shown behind so many columns.
fn cell(character: char, at: usize) -> Cell {
    let width = match character {
        '\t' => TAB - at % TAB,
        _ => width(character),
    };
    let text = match character {
        '\t' => " ".repeat(width),
        // What a terminal would obey, and what turns the direction of the text.
        c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => "\u{fffd}".to_owned(),
        c => c.to_string(),
    };
    Cell { text, width }
}

/// How many columns a terminal gives a character: none for what is put on the one before, two for those of East Asia and emoji.
fn width(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36F
        | 0x483..=0x489
        | 0x591..=0x5BD
        | 0x610..=0x61A
        | 0x64B..=0x65F
        | 0x200B..=0x200D
        | 0x20D0..=0x20FF
        | 0xFE00..=0xFE0F
        | 0xFE20..=0xFE2F
        | 0xFEFF
        | 0x1_F3FB..=0x1_F3FF => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0x33FF
        | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF
        | 0xA000..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1_F300..=0x1_F64F
        | 0x1_F900..=0x1_F9FF
        | 0x2_0000..=0x3_FFFD => 2,
        _ => 1,
    }
}

/// The last lines: how much was found, what is allowed, and what it was compared with.
fn summary(result: &CheckResult<'_>) -> Vec<String> {
    let report = result.report;
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let counts = [
        counted(report.count(Level::Error), "error", "errors"),
        counted(report.count(Level::Warning), "warning", "warnings"),
        counted(report.count(Level::Info), "remark", "remarks"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let counts = match counts.is_empty() {
        true => "nothing found".to_owned(),
        false => counts.join(", "),
    };
    let migrations = counted(report.migrations, "migration", "migrations").unwrap_or("no migrations".to_owned());
    let highest = report.highest_version.as_ref();
    let highest = highest.map_or(String::new(), |version| format!(" up to version {}", one_line(version)));
    let mut lines = vec![format!("{migrations}{highest}: {counts}")];
    for finding in &report.allowed {
        let reason = finding.allowed.as_deref().unwrap_or_default();
        lines.push(format!(
            "allowed: {} at {}: {}",
            finding.rule.code,
            one_line(&finding.place.to_string()),
            one_line(reason)
        ));
    }
    lines.push(one_line(&match &report.drift {
        Drift::Off => "not compared with what was shipped: --against says what that is".to_owned(),
        Drift::Compared { against, identity } => match identity {
            Some(identity) => format!("compared with {against}, {identity}"),
            None => format!("compared with {against}"),
        },
        Drift::First { against } => format!("nothing to compare with: nothing was shipped as {against} yet"),
        Drift::Unchecked { against, reason } => format!("NOT compared with {against}: {reason}"),
    }));
    lines
}
