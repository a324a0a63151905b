//! golang-migrate: `1/u create_users (11.4ms)`.
//!
//! Which migration failed is told with `-verbose` only; else the number stands in its table, marked as dirty.

use super::line::{LONGEST_NAME, LONGEST_STATEMENT, MOST_MESSAGE_LINES, cut, go_milliseconds, note, tool_error};
use super::{Executed, Report, ToolError};

/// How errors begin that nothing else writes so.
const KNOWN: [&str; 3] = [
    "Dirty database version ",
    "failed to open database: ",
    "failed to open source, ",
];

/// What has been read of golang-migrate so far.
#[derive(Debug, Default)]
pub(super) struct GolangMigrate {
    is_there: bool,
    executed: Vec<Executed>,
    /// With `-verbose`: what it began.
    begun: Option<String>,
    error: Vec<String>,
    is_ended: bool,
}

impl GolangMigrate {
    /// Takes a line; says whether it is golang-migrate's.
    pub(super) fn line(&mut self, text: &str) -> bool {
        let finished = text.strip_prefix("Finished ");
        if let Some((executed, file)) = step(finished.unwrap_or(text)) {
            if finished.is_some() || self.executed.last().is_none_or(|last| last.version != executed.version) {
                note(&mut self.executed, executed);
            }
            self.begun = self.begun.take().filter(|begun| *begun != file);
            self.is_there = true;
            return true;
        }
        if let Some((version, rest)) = text
            .strip_prefix("Read and execute ")
            .and_then(|label| label.split_once('/'))
        {
            let (direction, name) = rest.split_once(' ').unwrap_or(("", rest));
            self.begun = Some(file(version, direction, name));
            self.is_there = true;
            return true;
        }
        if text == "no change" {
            self.is_there = true;
            return true;
        }
        if let Some(message) = text.strip_prefix("error: ") {
            let is_known = KNOWN.iter().any(|start| message.starts_with(start)) || at_line(message).is_some();
            self.is_there |= is_known;
            if self.error.is_empty() {
                self.error.push(message.to_owned());
            } else {
                self.is_ended = true;
            }
            return self.is_there;
        }
        let is_more = !self.error.is_empty() && !self.is_ended && self.error.len() < MOST_MESSAGE_LINES;
        if is_more {
            self.error.push(text.to_owned());
        }
        is_more && self.is_there
    }

    /// What it did, if it was there.
    pub(super) fn finish(self) -> Option<Report> {
        if !self.is_there {
            return None;
        }
        let error = (!self.error.is_empty()).then(|| ToolError {
            script: self.begun,
            ..error(&self.error.join("\n"))
        });
        Some(Report {
            tool: "golang-migrate".to_owned(),
            tool_version: None,
            initial: None,
            target: self.executed.last().and_then(|last| last.version.clone()),
            executed: self.executed,
            warnings: Vec::new(),
            error,
        })
    }
}

/// How the file's name begins that golang-migrate calls `3/u name`; what it ends in is up to the database.
fn file(version: &str, direction: &str, name: &str) -> String {
    let way = if direction == "d" { "down" } else { "up" };
    cut(&format!("{version}_{name}.{way}"), LONGEST_NAME)
}

/// A migration in `1/u create_users (11.4ms)`, or `1/u create_users (read 1ms and ran 2ms)`, and how its file's name begins.
fn step(text: &str) -> Option<(Executed, String)> {
    let (version, rest) = text.split_once('/')?;
    let (direction, rest) = rest.split_once(' ')?;
    let is_step = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit()) && matches!(direction, "u" | "d");
    let (name, times) = rest.rsplit_once(" (").filter(|_| is_step)?;
    let times = times.strip_suffix(')')?;
    let ran = times.rsplit_once("ran ").map_or(times, |(_, ran)| ran);
    let milliseconds = go_milliseconds(ran)?;
    let mut description = name.replace('_', " ");
    if direction == "d" {
        description.push_str(" (down)");
    }
    let executed = Executed {
        version: Some(cut(version, LONGEST_NAME)),
        description: cut(&description, LONGEST_NAME),
        script: None,
        milliseconds: Some(milliseconds),
    };
    Some((executed, file(version, direction, name)))
}

/// Where ` in line 2: ` begins and ends, between what the database says and the script, and the number: 0 where it is not known.
fn at_line(message: &str) -> Option<(usize, usize, u64)> {
    const WORDS: &str = " in line ";
    message.match_indices(WORDS).find_map(|(at, _)| {
        let start = at + WORDS.len();
        let (number, _) = message[start..].split_once(": ")?;
        let line = number.parse().ok()?;
        Some((at, start + number.len() + 2, line))
    })
}

/// `migration failed: … (column 13) in line 2: <script> (details: pq: …)`
fn error(text: &str) -> ToolError {
    let Some((start, end, line)) = at_line(text) else {
        return tool_error(text);
    };
    let (said, rest) = (&text[..start], &text[end..]);
    let (script, details) = rest.rsplit_once(" (details: ").unwrap_or((rest, ""));
    let details = details.trim().strip_suffix(')').unwrap_or(details);
    let said = said.strip_prefix("migration failed: ").unwrap_or(said);
    let said = said.rsplit_once(" (column ").map_or(said, |(said, _)| said);
    let from_details = tool_error(details);
    // MySQL's driver is quoted in the details alone.
    let is_empty = said.trim() == "migration failed" && !details.is_empty();
    let error = tool_error(if is_empty { details } else { said });
    ToolError {
        line: Some(line).filter(|line| *line > 0),
        sql_state: error.sql_state.clone().or(from_details.sql_state),
        error_code: error.error_code.clone().or(from_details.error_code),
        statement: Some(cut(script.trim(), LONGEST_STATEMENT)).filter(|script| !script.is_empty()),
        ..error
    }
}
