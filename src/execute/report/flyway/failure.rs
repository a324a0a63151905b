//! The lines in which Flyway tells what failed.

use crate::execute::report::ToolError;
use crate::execute::report::line::{LONGEST_MESSAGE, LONGEST_NAME, LONGEST_STATEMENT, MOST_MESSAGE_LINES, cut};

/// What Flyway writes where it does not want to show the statement.
const HIDDEN_STATEMENT: &str = "Run Flyway with -X";

/// What it advertises behind an error, and nothing of it after that.
const ADVICE: &str = "Need more flexibility";

/// The first error that is told, and the lines of it so far.
#[derive(Debug, Default)]
pub(super) struct Block {
    lines: Vec<String>,
    is_ended: bool,
}

impl Block {
    /// Takes a line; says whether it belongs to the error.
    pub(super) fn line(&mut self, text: &str) -> bool {
        if let Some(message) = text.strip_prefix("ERROR: ") {
            if self.lines.is_empty() {
                self.lines.push(message.to_owned());
                return true;
            }
            self.is_ended = true;
            return true;
        }
        if self.lines.is_empty() || self.is_ended {
            return false;
        }
        let ends = ["Caused by: ", "DEBUG: ", "\tat ", ADVICE];
        let is_end = text.is_empty() || ends.iter().any(|start| text.starts_with(start));
        if is_end || self.lines.len() >= MOST_MESSAGE_LINES {
            self.is_ended = true;
            return false;
        }
        self.lines.push(text.to_owned());
        true
    }

    /// Whether the error is one that only Flyway writes; `None` where there is no error.
    pub(super) fn is_flyways(&self) -> Option<bool> {
        let first = self.lines.first()?;
        let starts = [
            "Validate failed",
            "Unable to obtain connection from database",
            "Failed to execute script",
        ];
        Some(
            starts.iter().any(|start| first.starts_with(start))
                || self.lines.iter().any(|line| line.starts_with("SQL State  : ")),
        )
    }

    /// Whether a script could not be read, so that nothing of it was run.
    pub(super) fn is_unparsed(&self) -> bool {
        self.lines.first().is_some_and(|first| first.starts_with(UNPARSED))
    }

    /// What the lines say.
    pub(super) fn error(&self) -> Option<ToolError> {
        (!self.lines.is_empty()).then(|| of_message(self.lines.iter().map(String::as_str)))
    }
}

/// What the lines of a message say.
pub(super) fn of_message<'a>(lines: impl Iterator<Item = &'a str>) -> ToolError {
    let mut error = ToolError::default();
    let mut head = Vec::new();
    let mut message: Vec<&str> = Vec::new();
    let mut statement: Vec<&str> = Vec::new();
    let mut field = "";
    for line in lines.take(MOST_MESSAGE_LINES) {
        if line.len() > 4 && line.chars().all(|c| c == '-') {
            continue;
        }
        let told = line
            .split_once(": ")
            .map(|(name, value)| (name.trim_end(), value.trim()));
        match told {
            Some((name @ "SQL State", value)) => {
                field = name;
                error.sql_state = (value != "null").then(|| cut(value, LONGEST_NAME));
            }
            Some((name @ "Error Code", value)) => {
                field = name;
                // PostgreSQL's driver has no numbers.
                error.error_code = (value != "0").then(|| cut(value, LONGEST_NAME));
            }
            Some((name @ "Message", value)) if line.starts_with("Message    : ") => {
                field = name;
                message.push(without_connection(value));
            }
            Some((name @ "Location", value)) => {
                field = name;
                error.script = Some(cut(location(value), LONGEST_NAME));
            }
            Some((name @ "Line", value)) if !field.is_empty() => {
                field = name;
                error.line = value.parse().ok();
            }
            Some((name @ "Statement", value)) if !field.is_empty() => {
                field = name;
                statement.push(value);
            }
            _ => match field {
                "Message" => message.push(line),
                "Statement" => statement.push(line),
                "" => head.push(line),
                _ => {}
            },
        }
    }
    head.retain(|line| !line.starts_with(ADVICE) && *line != "Unexpected error");
    let is_hidden = statement
        .first()
        .is_none_or(|first| first.starts_with(HIDDEN_STATEMENT));
    if !is_hidden {
        error.statement = Some(cut(statement.join("\n").trim(), LONGEST_STATEMENT));
    }
    // What the database says; that some script failed is told by the script's name.
    let said = if message.is_empty() {
        head.join("\n")
    } else {
        message.join("\n")
    };
    if let Some((script, line)) = place(&said).filter(|_| error.script.is_none()) {
        error.script = Some(cut(script, LONGEST_NAME));
        error.line = line;
    }
    let said = match said.split_once(" for more information. ") {
        Some((_, why)) if said.starts_with(UNPARSED) && !why.is_empty() => why.to_owned(),
        _ => said,
    };
    if said.starts_with("Validate failed") && error.error_code.is_none() {
        error.error_code = Some("VALIDATE_ERROR".to_owned());
    }
    error.message = cut(said.trim(), LONGEST_MESSAGE);
    error
}

/// The path in `sql/V2__x.sql (/flyway/sql/V2__x.sql)`: the second is the whole one.
fn location(value: &str) -> &str {
    let whole = value.strip_suffix(')').and_then(|text| text.split_once(" ("));
    whole.map_or(value, |(_, path)| path)
}

/// Without `(conn=8) `, in which MariaDB's driver counts connections.
pub(in crate::execute::report) fn without_connection(message: &str) -> &str {
    let rest = message.strip_prefix("(conn=").and_then(|rest| rest.split_once(") "));
    rest.filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit()))
        .map_or(message, |(_, rest)| rest)
}

/// Script and line in `Unable to parse statement in sql/V2__x.sql at line 1 col 1. …`.
fn place(message: &str) -> Option<(&str, Option<u64>)> {
    let rest = message.strip_prefix(UNPARSED)?;
    let (script, rest) = rest.split_once(" at line ")?;
    let line = rest.split(' ').next().unwrap_or_default();
    Some((script, line.parse().ok()))
}

/// How Flyway begins when it cannot read a script.
const UNPARSED: &str = "Unable to parse statement in ";
