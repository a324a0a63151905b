//! The mail about a run that did not succeed.

use std::fmt::Write as _;

use super::super::report::summary::summary;
use super::super::{Record, Status, View};
use super::console;

/// Longest subject (SNS Publish: 100 characters of ASCII, in one line).
const LONGEST_SUBJECT: usize = 100;
/// How many of the last lines of the log are in it.
const LINES: usize = 20;
/// Longest line of the log in it: what comes behind it is seldom read in a mail, and a message may have 256 KB.
const LONGEST_LINE: usize = 1000;

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail {
    /// Its subject, as Amazon SNS takes it.
    pub(super) subject: String,
    /// What it says.
    pub(super) text: String,
}

/// Writes the mail: what happened, why, what to do next, and where to look.
pub(super) fn write(name: &str, view: &View, record: &Record) -> Mail {
    let happened = happened(record);
    let place = format!("{} on {}", record.family, record.environment);
    let subject = format!("{name}: {place}: {happened}");
    let mut text = format!("{place}: {happened}.\n");
    for line in reasons(view, record) {
        write_line(&mut text, &format!("  {line}"));
    }
    write_line(&mut text, "");
    for (what, value) in facts(record) {
        write_line(&mut text, &format!("{what:<11}{value}"));
    }
    let events = &view.logs.events;
    let last = &events[events.len().saturating_sub(LINES)..];
    if !last.is_empty() {
        write_line(&mut text, "\nThe last lines of its log:");
        for event in last {
            write_line(&mut text, &format!("  | {}", shown(&event.message)));
        }
    }
    write_line(&mut text, "\nWhat to do next:");
    for hint in hints(view, record) {
        write_line(&mut text, &format!("  - {hint}"));
    }
    let region = record.task_arn.as_deref().and_then(|arn| arn.split(':').nth(3));
    let log_region = view.logs.region.as_deref().or(region);
    let log = match (log_region, &view.logs.group, &view.logs.stream) {
        (Some(region), Some(group), Some(stream)) => Some(console::log(region, group, stream)),
        _ => None,
    };
    for address in [record.task_arn.as_deref().and_then(console::task), log]
        .into_iter()
        .flatten()
    {
        write_line(&mut text, &format!("\n{address}"));
    }
    Mail {
        subject: plain(&subject),
        text,
    }
}

fn write_line(text: &mut String, line: &str) {
    // A string takes all that is written to it.
    let _ = writeln!(text, "{line}");
}

/// What happened, in a few words.
fn happened(record: &Record) -> String {
    match (record.status, record.exit_code) {
        (Status::Failed, Some(code)) => format!("the migration failed (exit status {code})"),
        (Status::Failed, None) => "the migration failed".to_owned(),
        (Status::OutOfMemory, _) => "the migration ran out of memory".to_owned(),
        (Status::StartFailed, _) => "the migration did not start".to_owned(),
        (Status::Stopped | Status::Interrupted, _) => "the migration was stopped".to_owned(),
        (Status::Infrastructure, _) => "what the migration ran on went away".to_owned(),
        (Status::DigestMismatch, _) => "another image ran than the one that was asked for".to_owned(),
        _ => "it is not known how the migration ended".to_owned(),
    }
}

/// Why, from what is known best to what says least.
fn reasons(view: &View, record: &Record) -> Vec<String> {
    let report = view.report.as_ref().or(record.report.as_ref());
    let mut reasons = report.map(summary).unwrap_or_default();
    match (&view.failure, &record.error) {
        (Some(failure), _) => reasons.push(shown(&failure.to_string())),
        (None, Some(error)) => reasons.push(shown(error)),
        (None, None) => {}
    }
    if let Some(reason) = &view.stopped_reason {
        let code = view.stop_code.as_deref().unwrap_or("no code");
        reasons.push(format!("ECS says: {} ({code})", shown(reason)));
    }
    reasons
}

/// What is known of the run.
fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let commit = match (&record.git.sha, &record.git.reference) {
        (Some(sha), Some(reference)) => Some(format!("{sha} ({reference})")),
        (sha, reference) => sha.clone().or_else(|| reference.clone()),
    };
    let time = |milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok();
    let seconds = record.run_milliseconds.map(|milliseconds| milliseconds as f64 / 1000.0);
    let run = record.run_id.as_ref().map(|id| match record.attempt {
        0 | 1 => id.to_string(),
        attempt => format!("{id}, attempt {attempt}"),
    });
    [
        ("run", run),
        ("image", record.image.clone()),
        ("command", record.command.as_ref().map(|words| words.join(" "))),
        ("definition", record.task_definition.clone()),
        ("wanted by", record.requested_by.clone()),
        ("commit", commit),
        ("began", time(record.started_at).map(|time| time.to_string())),
        ("ran for", seconds.map(|seconds| format!("{seconds:.1} s"))),
    ]
    .into_iter()
    .filter_map(|(what, value)| Some((what, shown(&value?))))
    .collect()
}

/// What to do next: what is known of this failure, or what its class needs.
fn hints(view: &View, record: &Record) -> Vec<String> {
    let mut hints = view
        .failure
        .as_ref()
        .map(|failure| failure.hints.clone())
        .unwrap_or_default();
    if hints.is_empty() {
        hints.push(usual_hint(record.status).to_owned());
    }
    if let Some(id) = record.run_id.as_ref().filter(|_| view.run_id.is_some()) {
        hints.push(format!("all of it: shipway status {id}, shipway logs {id}"));
    }
    hints.iter().map(|hint| shown(hint)).collect()
}

fn usual_hint(status: Status) -> &'static str {
    match status {
        Status::Failed => {
            "mend the script it names, and ship again; where the database cannot undo DDL (MySQL, MariaDB, Oracle) undo by hand what the script had done before `repair`"
        }
        Status::OutOfMemory => "give the task definition more memory, and see what the script had done",
        Status::StartFailed => {
            "see whether the image, the secret and the log group are there, and whether the execution role may read them: shipway doctor"
        }
        Status::Infrastructure => {
            "run it again; see first what the script had done where the database cannot undo DDL. Migrations do not belong on FARGATE_SPOT"
        }
        Status::Stopped | Status::Interrupted => {
            "ask who stopped it, and see what the script had done before it is run again"
        }
        Status::DigestMismatch => "see who registers revisions of the task definition besides shipway",
        _ => "look at the task and at its log before it is run again",
    }
}

/// A text of a program as one line of a mail, without colours and other control characters.
fn shown(text: &str) -> String {
    let is_fit = |c: &char| *c == '\t' || !c.is_control();
    let mut line: String = without_colours(text)
        .replace(['\r', '\n'], " ")
        .chars()
        .filter(is_fit)
        .take(LONGEST_LINE + 1)
        .collect();
    if line.chars().count() > LONGEST_LINE {
        line.pop();
        line.push('…');
    }
    line.trim_end().to_owned()
}

/// A text without escape sequences: ESC, `[`, parameters, and the letter that ends them (ECMA-48, CSI).
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !matches!(c, ' '..='?'));
        plain.push_str(end.and_then(|end| piece.get(end + 1..)).unwrap_or_default());
    }
    plain
}

/// A subject as Amazon SNS takes it.
fn plain(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let text: String = text.chars().map(fit).collect();
    // It must begin with a letter, a digit or a sign.
    let text = text.trim_start();
    match text.char_indices().nth(LONGEST_SUBJECT) {
        None => text.to_owned(),
        Some(_) => {
            let cut: String = text.chars().take(LONGEST_SUBJECT - 3).collect();
            format!("{cut}...")
        }
    }
}

#[cfg(test)]
mod tests;
