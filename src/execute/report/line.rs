//! A line of a log, without what the terminal and the log's keeper added to it.

use super::{Executed, ToolError};

/// More of one line of text is not looked at: no tool says more in a line that matters.
const LONGEST_LINE: usize = 64 * 1024;

/// A name, version or description longer than this is cut: Flyway's own table holds fewer.
pub(super) const LONGEST_NAME: usize = 1000;

/// What is kept of a message.
pub(super) const LONGEST_MESSAGE: usize = 4000;

/// What is kept of a statement: enough to find it, in a record of limited size.
pub(super) const LONGEST_STATEMENT: usize = 1000;

/// How many migrations of one run are kept.
pub(super) const MOST_MIGRATIONS: usize = 10_000;

/// How many warnings are kept.
pub(super) const MOST_WARNINGS: usize = 20;

/// How many lines a message may have: a statement it quotes may be a whole script.
pub(super) const MOST_MESSAGE_LINES: usize = 200;

/// The text of a line: without escape sequences, control characters and a keeper's prefix.
pub(super) fn plain(line: &str) -> String {
    let text = printable(line, LONGEST_LINE);
    without_prefix(text.trim_end()).to_owned()
}

/// A text without what the log's keeper put before it.
pub(super) fn without_prefix(text: &str) -> &str {
    // The keeper's time, and that of the tool.
    without_time(without_time(without_service(text)))
}

/// A line without escape sequences and control characters but tabs, and not much longer than so many bytes.
pub(super) fn printable(line: &str, most_bytes: usize) -> String {
    let mut text = String::with_capacity(line.len().min(most_bytes));
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if text.len() >= most_bytes {
            break;
        }
        match character {
            '\u{1b}' => match characters.next() {
                // CSI: parameters, then one letter or the like.
                Some('[') => while characters.next().is_some_and(|each| !('@'..='~').contains(&each)) {},
                // OSC: up to BEL or ST.
                Some(']') => {
                    while let Some(each) = characters.next() {
                        if each == '\u{7}' || (each == '\u{1b}' && characters.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => text.push('\t'),
            each if each.is_control() => {}
            each => text.push(each),
        }
    }
    text
}

/// Without `service-1  | `, which `docker compose logs` puts before each line.
fn without_service(text: &str) -> &str {
    let Some((name, rest)) = text.split_once('|') else {
        return text;
    };
    let name = name.trim_end_matches(' ');
    let is_name =
        !name.is_empty() && name.len() <= 100 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !is_name {
        return text;
    }
    rest.strip_prefix(' ').unwrap_or(rest)
}

/// Without a date and time at its beginning, as `docker logs -t`, Go's logger and Liquibase write them, and a level and logger after it.
fn without_time(text: &str) -> &str {
    let Some((rest, is_in_brackets)) = after_time(text) else {
        return text;
    };
    if !is_in_brackets {
        return rest;
    }
    // `[time] LEVEL [logger] text`
    let Some((level, behind)) = rest.split_once(' ') else {
        return rest;
    };
    if level.is_empty() || !level.chars().all(|c| c.is_ascii_uppercase()) {
        return rest;
    }
    let logger = behind.strip_prefix('[').and_then(|text| text.split_once("] "));
    logger.map_or(rest, |(_, text)| text)
}

/// What stands behind a date and time, and whether these stand in brackets.
fn after_time(text: &str) -> Option<(&str, bool)> {
    let (text, is_in_brackets) = match text.strip_prefix('[') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let date = text.get(..10)?;
    let shape = |pattern: &str, text: &str| {
        text.len() == pattern.len()
            && text.chars().zip(pattern.chars()).all(|(c, p)| match p {
                '0' => c.is_ascii_digit(),
                _ => c == p,
            })
    };
    if !shape("0000-00-00", date) && !shape("0000/00/00", date) {
        return None;
    }
    let rest = text.get(10..)?;
    let rest = rest.strip_prefix(['T', ' '])?;
    if !shape("00:00:00", rest.get(..8)?) {
        return None;
    }
    let rest = rest.get(8..)?;
    let end = rest.find([' ', ']']).unwrap_or(rest.len());
    let (zone, rest) = rest.split_at(end);
    if !zone.chars().all(|c| c.is_ascii_digit() || ".,:+-Z".contains(c)) {
        return None;
    }
    let rest = match is_in_brackets {
        true => rest.strip_prefix(']')?,
        false => rest,
    };
    Some((rest.strip_prefix(' ').unwrap_or(rest), is_in_brackets))
}

/// The beginning of a text, no longer than that many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// Adds a warning, unless there are enough of them, or it is there.
pub(super) fn warn(warnings: &mut Vec<String>, text: &str) {
    let text = cut(text.trim(), LONGEST_NAME);
    if warnings.len() < MOST_WARNINGS && !text.is_empty() && !warnings.contains(&text) {
        warnings.push(text);
    }
}

/// Adds a migration, unless there are too many.
pub(super) fn note(migrations: &mut Vec<Executed>, migration: Executed) {
    if migrations.len() < MOST_MIGRATIONS {
        migrations.push(migration);
    }
}

/// The message, and what of it tells of the database.
pub(super) fn tool_error(message: &str) -> ToolError {
    let (sql_state, error_code) = super::database::codes(message);
    ToolError {
        message: cut(message.trim(), LONGEST_MESSAGE),
        sql_state,
        error_code,
        ..ToolError::default()
    }
}

/// Version and description of a file such as `0001_create_orders.sql`.
pub(super) fn of_file(name: &str) -> Executed {
    let file = name.rsplit('/').next().unwrap_or(name);
    let digits = file.len() - file.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (version, rest) = file.split_at(digits);
    let rest = rest.strip_suffix(".sql").unwrap_or(rest);
    Executed {
        version: (!version.is_empty()).then(|| cut(version, LONGEST_NAME)),
        description: cut(rest.trim_start_matches('_').replace('_', " ").trim(), LONGEST_NAME),
        script: Some(cut(name, LONGEST_NAME)),
        milliseconds: None,
    }
}

/// Milliseconds of a duration as Go writes it, such as `1m2.5s` or `300.7µs`.
pub(super) fn go_milliseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let units: [(&str, f64); 7] = [
            ("ms", 1.0),
            ("µs", 0.001),
            ("μs", 0.001),
            ("ns", 0.000_001),
            ("h", 3_600_000.0),
            ("m", 60_000.0),
            ("s", 1000.0),
        ];
        let (unit, factor) = units.iter().find(|(unit, _)| behind.starts_with(unit))?;
        total += number * factor;
        rest = &behind[unit.len()..];
    }
    // A cast of a number that does not fit gives the largest.
    Some(total.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keepers_of_logs_add_is_taken_away() {
        for (line, text) in [
            ("a\u{1b}[1;31mred\u{1b}[0m\r", "ared"),
            ("\u{1b}]0;title\u{7}x\u{1b}]8;;y\u{1b}\\z", "xz"),
            ("2026-11-23T05:10:55.123456789Z OK   1.sql", "OK   1.sql"),
            ("2026/11/23 05:10:55 OK   1.sql", "OK   1.sql"),
            ("flyway-1  | 2026-11-23T05:10:55+01:00 Database: x", "Database: x"),
            (
                "[2026-11-23 05:08:17] INFO [liquibase.ui] Running Changeset: a",
                "Running Changeset: a",
            ),
            ("[2026-11-23 05:08:17] what else", "what else"),
            ("| 1 | x |", "| 1 | x |"),
            ("2026-11-23", "2026-11-23"),
            ("2026-11-23 noon", "2026-11-23 noon"),
            ("ü2026-11-2ü", "ü2026-11-2ü"),
            ("  -- ok (1ms)  ", "  -- ok (1ms)"),
            ("\u{1b}[", ""),
            ("\u{1b}", ""),
        ] {
            assert_eq!(plain(line), text, "{line:?}");
        }
        assert!(plain(&"ü".repeat(LONGEST_LINE)).len() <= LONGEST_LINE + 1);
    }

    #[test]
    fn durations_of_go_are_read() {
        for (text, milliseconds) in [
            ("300.774µs", Some(0)),
            ("1.6ms", Some(2)),
            ("1m2.5s", Some(62_500)),
            ("1h0m0s", Some(3_600_000)),
            ("", None),
            ("1", None),
            ("x", None),
            ("1.2.3s", None),
        ] {
            assert_eq!(go_milliseconds(text), milliseconds, "{text}");
        }
    }

    #[test]
    fn a_file_tells_version_and_description() {
        let read = of_file("db/00002_b_c.sql");
        assert_eq!(read.version.as_deref(), Some("00002"));
        assert_eq!(read.description, "b c");
        assert_eq!(of_file("x.sql").version, None);
    }
}
