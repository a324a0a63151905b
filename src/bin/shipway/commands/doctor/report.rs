//! What was looked at, and how it is.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::Write as _;

use serde_json::{Value, json};
use shipway::error::Error;
#[cfg(feature = "aws")]
use shipway::execute::Health;

use crate::args::Format;
use crate::failure::hints;
use crate::printer::Printer;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works, and should be looked after.
    Warning,
    /// A push or a run would fail.
    Failed,
    /// It could not be looked at.
    Skipped,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The word, as wide as the widest.
    fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok  ",
            Self::Warning => "warn",
            Self::Failed => "FAIL",
            Self::Skipped => "skip",
        }
    }
}

#[cfg(feature = "aws")]
impl From<Health> for Status {
    fn from(health: Health) -> Self {
        match health {
            Health::Ok => Self::Ok,
            Health::Warning => Self::Warning,
            Health::Failed => Self::Failed,
            Health::Skipped => Self::Skipped,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Check {
    name: Cow<'static, str>,
    status: Status,
    text: String,
    hints: Vec<String>,
}

/// Everything that was looked at.
#[derive(Debug, Default)]
pub(super) struct Report {
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        status: Status,
        text: impl Into<String>,
    ) -> &mut Self {
        self.checks.push(Check {
            name: name.into(),
            status,
            text: text.into(),
            hints: Vec::new(),
        });
        self
    }

    /// Something that failed, in the words of the error.
    pub(super) fn add_error(&mut self, name: &'static str, status: Status, error: impl Into<Error>) {
        let error = error.into();
        self.add(name, status, words(&error));
        for hint in error.hints() {
            self.hint(hint);
        }
    }

    /// The same with an error of the command itself.
    pub(super) fn add_failure(&mut self, name: &'static str, status: Status, error: &anyhow::Error) {
        self.add(name, status, words(error.as_ref()));
        for hint in hints(error) {
            self.hint(hint);
        }
    }

    /// Adds to the last check what to do about it.
    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        let hint = hint.into();
        if let Some(last) = self.checks.last_mut()
            && !last.hints.contains(&hint)
        {
            last.hints.push(hint);
        }
        self
    }

    /// Whether all of it would work, as far as that is known.
    pub(super) fn is_good(&self) -> bool {
        !self.checks.iter().any(|check| check.status == Status::Failed)
    }

    fn text(&self) -> String {
        let width = self
            .checks
            .iter()
            .map(|check| check.name.len())
            .max()
            .unwrap_or_default();
        let mut text = String::new();
        for check in &self.checks {
            let name = format!("{}:", check.name);
            // A string can always be written to.
            let _ = writeln!(
                text,
                "{} {name:<width$} {}",
                check.status.mark(),
                check.text,
                width = width + 1
            );
            for hint in &check.hints {
                let _ = writeln!(text, "     hint: {hint}");
            }
        }
        text
    }

    fn json(&self, policy: Option<Value>) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "name": check.name,
                    "status": check.status.word(),
                    "text": check.text,
                    "hints": check.hints,
                })
            })
            .collect();
        json!({ "ok": self.is_good(), "checks": checks, "policy": policy })
    }

    /// Prints it; `policy` is for JSON only.
    pub(super) fn print(&self, printer: &Printer, policy: Option<Value>) -> anyhow::Result<()> {
        match printer.format() {
            Format::Text => printer.data(&self.text())?,
            Format::Json => printer.data(&format!("{}\n", self.json(policy)))?,
        }
        Ok(())
    }
}

/// An error and its causes on one line.
fn words(error: &(dyn StdError + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut current = error;
    while let Some(cause) = current.source() {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        current = cause;
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_seen_in_the_text_and_in_the_verdict() {
        let mut report = Report::default();
        report.add("login", Status::Ok, "user x");
        report.add("repository", Status::Skipped, "not asked for");
        assert!(report.is_good());
        report
            .add("base", Status::Failed, "it is not there")
            .hint("look")
            .hint("look");
        assert!(!report.is_good());
        assert_eq!(
            report.text(),
            "ok   login:      user x\nskip repository: not asked for\nFAIL base:       it is not there\n     hint: look\n"
        );
        assert_eq!(report.json(None)["checks"][2]["hints"], json!(["look"]));
    }
}
