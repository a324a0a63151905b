//! What a migration tool did, in a few lines for people.

use super::{Executed, Report, ToolError};

/// How many migrations are named.
const NAMED: usize = 10;

/// How long a message may be within a line.
const LONGEST_LINE: usize = 300;

/// What ran, and a line that says what failed.
#[must_use]
pub fn summary(report: &Report) -> Vec<String> {
    let mut lines = executed(report);
    lines.extend(report.error.as_ref().map(error_line));
    lines
}

/// A line that says how much ran, and one for each migration (but the many).
#[must_use]
pub fn executed(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let tool = &report.tool;
    match (report.executed.len(), &report.error) {
        (0, Some(_)) => {}
        (0, None) => lines.push(match &report.target {
            Some(version) => format!("{tool} had nothing to apply, at version {}", one_line(version)),
            None => format!("{tool} had nothing to apply"),
        }),
        (count, _) => {
            let noun = if count == 1 { "migration" } else { "migrations" };
            let way = way(report).map(|way| format!(", {way}")).unwrap_or_default();
            lines.push(format!("{tool} applied {count} {noun}{way}"));
        }
    }
    lines.extend(
        report
            .executed
            .iter()
            .take(NAMED)
            .map(|one| format!("  {}", executed_line(one))),
    );
    if report.executed.len() > NAMED {
        lines.push(format!("  and {} more", report.executed.len() - NAMED));
    }
    lines
}

/// From which version to which, where that is known.
fn way(report: &Report) -> Option<String> {
    let target = one_line(report.target.as_deref()?);
    Some(match &report.initial {
        Some(initial) => format!("{} → {target}", one_line(initial)),
        None => format!("now at version {target}"),
    })
}

fn executed_line(one: &Executed) -> String {
    let version = one.version.as_deref().map(one_line);
    let description = one_line(&one.description);
    let mut line = match version {
        Some(version) if description.is_empty() => version,
        Some(version) => format!("{version} {description}"),
        None => description,
    };
    if let Some(milliseconds) = one.milliseconds {
        line.push_str(&format!(" ({milliseconds} ms)"));
    }
    line
}

/// What failed, and where, in one line.
#[must_use]
pub fn error_line(error: &ToolError) -> String {
    let mut line = "failed".to_owned();
    if let Some(script) = &error.script {
        let file = script.rsplit(['/', '\\']).next().unwrap_or(script);
        line.push_str(&format!(" in {}", one_line(file)));
    }
    if let Some(number) = error.line {
        line.push_str(&format!(" line {number}"));
    }
    match (&error.sql_state, &error.error_code) {
        (Some(state), Some(code)) if code.starts_with(|c: char| c.is_ascii_digit()) => {
            line.push_str(&format!(" (SQLSTATE {}, error {})", one_line(state), one_line(code)));
        }
        (Some(state), _) => line.push_str(&format!(" (SQLSTATE {})", one_line(state))),
        (None, Some(code)) => line.push_str(&format!(" ({})", one_line(code))),
        (None, None) => {}
    }
    let message = one_line(&error.message);
    if !message.is_empty() {
        line.push_str(&format!(": {message}"));
    }
    line
}

/// A text on one line, without characters that a terminal would obey, and not too long.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    super::line::cut(&words.join(" "), LONGEST_LINE)
}
