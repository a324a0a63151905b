//! Commands as lists of words or lines for a shell, and what is written like them.

use std::time::Duration;

use serde_json::Value;

use super::words;
use super::{Fault, Statement, duration};
use crate::dockerfile::error::Problem;
use crate::dockerfile::flags::Takes;
use crate::dockerfile::instruction::{Command, Healthcheck, Word};

/// What `HEALTHCHECK` may have before `CMD`.
pub(super) const HEALTHCHECK: [(&str, Takes); 5] = [
    ("interval", Takes::Text),
    ("timeout", Takes::Text),
    ("start-period", Takes::Text),
    ("start-interval", Takes::Text),
    ("retries", Takes::Text),
];

/// The shortest time Docker takes between checks.
const LEAST: Duration = Duration::from_millis(1);

/// The words of a JSON list; `None` if the text is no JSON list at all, and so a line for a shell.
///
/// A list of other things than strings is an error, as in BuildKit.
pub(super) fn words(text: &str) -> Result<Option<Vec<String>>, Problem> {
    let text = text.trim_start();
    if !text.starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<Value>>(text) else {
        return Ok(None);
    };
    let words = values.into_iter().map(|value| match value {
        Value::String(word) => Ok(word),
        other => Err(Problem::syntax_with(
            format!("{other} in the list is not a string"),
            "each word of a JSON list stands between double quotes",
        )),
    });
    words.collect::<Result<_, _>>().map(Some)
}

/// A command that begins at a byte of the text.
pub(super) fn command(statement: &Statement<'_>, start: usize) -> Result<Command, Fault> {
    let text = statement.logical.text[..statement.end].get(start..).unwrap_or_default();
    Ok(
        match words(text).map_err(|problem| statement.logical.fault(start, problem))? {
            Some(words) => Command::Exec(words),
            None => Command::Shell(text.to_owned()),
        },
    )
}

/// The words of a list, or with blanks between them, with their places.
pub(super) fn list(statement: &Statement<'_>) -> Result<Vec<Word>, Fault> {
    let fault = |problem| statement.logical.fault(statement.start, problem);
    let Some(words) = words(statement.rest()).map_err(fault)? else {
        return Ok(words::blank_separated(statement));
    };
    let starts = string_starts(statement.rest());
    Ok(words
        .into_iter()
        .zip(starts)
        .map(|(word, start)| statement.logical.word(word, statement.start + start))
        .collect())
}

/// Where the strings of a JSON list of strings begin, quotes not counted.
fn string_starts(text: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut is_inside = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if is_inside => {
                characters.next();
            }
            '"' => {
                is_inside = !is_inside;
                if is_inside {
                    starts.push(at + 1);
                }
            }
            _ => {}
        }
    }
    starts
}

/// The directories of `VOLUME`.
pub(super) fn volumes(statement: &Statement<'_>) -> Result<Vec<Word>, Fault> {
    let words = statement.some(list(statement)?)?;
    match words.iter().find(|word| word.text.trim().is_empty()) {
        Some(word) => Err(Problem::syntax("a volume cannot be an empty text").here(word.position)),
        None => Ok(words),
    }
}

/// The words of `SHELL`.
pub(super) fn shell(statement: &Statement<'_>) -> Result<Vec<String>, Fault> {
    let fault = |problem| statement.logical.fault(statement.start, problem);
    match words(statement.rest()).map_err(fault)? {
        Some(words) => statement.some(words),
        None => Err(fault(Problem::syntax_with(
            "SHELL takes a JSON list of words",
            "such as: SHELL [\"/bin/bash\", \"-c\"]",
        ))),
    }
}

/// `NONE`, or `CMD` and a command.
pub(super) fn healthcheck(statement: &Statement<'_>) -> Result<Healthcheck, Fault> {
    let rest = statement.whole()?.text;
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (kind, arguments) = rest.split_at(length);
    let arguments = arguments.trim_start();
    if kind.eq_ignore_ascii_case("NONE") {
        if !arguments.is_empty() {
            let start = statement.end - arguments.len();
            return Err(statement
                .logical
                .fault(start, Problem::syntax("HEALTHCHECK NONE takes nothing more")));
        }
        return Ok(Healthcheck::None);
    }
    if !kind.eq_ignore_ascii_case("CMD") {
        return Err(statement.logical.fault(
            statement.start,
            Problem::syntax_with(
                format!("{kind:?} is no kind of check"),
                "the forms are: HEALTHCHECK [--interval=…] CMD command, and HEALTHCHECK NONE",
            ),
        ));
    }
    let command = command(statement, statement.end - arguments.len())?;
    if command == Command::Exec(Vec::new()) || command == Command::Shell(String::new()) {
        return Err(statement.fault(Problem::syntax("HEALTHCHECK CMD names no command")));
    }
    Ok(Healthcheck::Check {
        command,
        interval: time(statement, "interval")?,
        timeout: time(statement, "timeout")?,
        start_period: time(statement, "start-period")?,
        start_interval: time(statement, "start-interval")?,
        retries: retries(statement)?,
    })
}

/// A time; none is as good as zero.
fn time(statement: &Statement<'_>, name: &str) -> Result<Option<Duration>, Fault> {
    let Some(word) = statement
        .flags
        .text(statement.logical, name)
        .filter(|word| !word.text.is_empty())
    else {
        return Ok(None);
    };
    let fault = |message: String, hint: &str| Err(Problem::syntax_with(message, hint).here(word.position));
    match duration::parse(&word.text) {
        None => fault(
            format!("--{name}={}: not a time", word.text),
            "such as 30s, 1m30s or 500ms",
        ),
        Some(duration::Time::Negative) => fault(format!("--{name}={}: below zero", word.text), "at least 1ms"),
        Some(duration::Time::Positive(time)) if time.is_zero() => Ok(None),
        Some(duration::Time::Positive(time)) if time < LEAST => {
            fault(format!("--{name}={}: too short", word.text), "at least 1ms")
        }
        Some(duration::Time::Positive(time)) => Ok(Some(time)),
    }
}

fn retries(statement: &Statement<'_>) -> Result<Option<u32>, Fault> {
    let Some(word) = statement.flags.text(statement.logical, "retries") else {
        return Ok(None);
    };
    if word.text.is_empty() {
        return Ok(None);
    }
    match word.text.parse::<i32>().map(u32::try_from) {
        Ok(Ok(0)) => Ok(None),
        Ok(Ok(count)) => Ok(Some(count)),
        _ => Err(Problem::syntax(format!("--retries={}: not a number of tries", word.text)).here(word.position)),
    }
}
