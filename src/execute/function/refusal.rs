//! Errors of the function: what it cannot do, in the words of Lambda.

use std::error::Error as StdError;

use super::super::{Status, View};
use crate::content::{ContentError, Kind};

/// What a line of a message begins with that says what to do.
const HINT: &str = "hint: ";

/// The types of errors that stand for a kind of failure; the first of a kind is the one that is written.
const KINDS: [(&str, Kind); 9] = [
    ("AccessDenied", Kind::Denied),
    ("InvalidRequest", Kind::Usage),
    ("InvalidRequest", Kind::Invalid),
    ("NotFound", Kind::NotFound),
    ("Refused", Kind::Refused),
    ("Unavailable", Kind::Temporary),
    ("Failed", Kind::Other),
    ("Failed", Kind::File),
    ("Failed", Kind::Incomplete),
];

/// The types of errors that stand for how a run is, where that is to be an error.
const STATUSES: [(&str, Status); 12] = [
    ("Busy", Status::Busy),
    ("CapacityUnavailable", Status::NoCapacity),
    ("MigrationFailed", Status::Failed),
    ("OutOfMemory", Status::OutOfMemory),
    ("StartFailed", Status::StartFailed),
    ("Stopped", Status::Stopped),
    ("Infrastructure", Status::Infrastructure),
    ("DigestMismatch", Status::DigestMismatch),
    ("Interrupted", Status::Interrupted),
    ("TimedOut", Status::TimedOut),
    ("Unreachable", Status::Unreachable),
    ("UnknownOutcome", Status::Unknown),
];

/// How a run is that an error of this type tells of.
pub(crate) fn status_of(error_type: &str) -> Option<Status> {
    let found = STATUSES.iter().find(|(name, _)| *name == error_type);
    found.map(|(_, status)| *status)
}

/// An error of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its type: one word.
    pub(crate) error_type: String,
    /// What it says; the lines after the first say what to do.
    pub(crate) message: String,
}

impl Refusal {
    /// The error that a failure is.
    pub(crate) fn of_error(error: &ContentError) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        let word = KINDS.iter().find(|(_, kind)| *kind == error.kind());
        Self::new(word.map_or("Failed", |(word, _)| word), &text, error.hints())
    }

    /// The error that a run without success is, where that is to be one.
    pub(crate) fn of_view(view: &View) -> Self {
        let word = STATUSES.iter().find(|(_, status)| *status == view.status);
        // What goes well, and is an error all the same, is a task that ECS says it could not place.
        let word = word.map_or("CapacityUnavailable", |(word, _)| word);
        match &view.failure {
            Some(failure) => Self::new(word, &failure.to_string(), &failure.hints),
            None => Self::new(word, &format!("the run is {}", view.status.as_str()), &[]),
        }
    }

    fn new(error_type: &str, text: &str, hints: &[String]) -> Self {
        let mut message = text.replace('\n', " ");
        for hint in hints {
            message.push_str(&format!("\n{HINT}{}", hint.replace('\n', " ")));
        }
        Self {
            error_type: error_type.to_owned(),
            message,
        }
    }

    /// What it says, without what to do.
    pub(crate) fn text(&self) -> String {
        let lines = self.message.lines().filter(|line| !line.starts_with(HINT));
        lines.collect::<Vec<_>>().join(" ")
    }

    /// What to do.
    pub(crate) fn hints(&self) -> Vec<String> {
        let hints = self.message.lines().filter_map(|line| line.strip_prefix(HINT));
        hints.map(str::to_owned).collect()
    }

    /// The kind of failure it stands for; `None` where a function of ours would not say that.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let found = KINDS.iter().find(|(word, _)| *word == self.error_type);
        found.map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Failure;
    use super::*;

    #[test]
    fn a_failure_keeps_its_kind_its_causes_and_its_hints() {
        let error = ContentError::new(Kind::Denied, "cannot start a task")
            .because(ContentError::new(Kind::Other, "no").because("really not"))
            .hint("allow ecs:RunTask");
        let refusal = Refusal::of_error(&error);
        assert_eq!(refusal.error_type, "AccessDenied");
        assert_eq!(
            refusal.message,
            "cannot start a task: no: really not\nhint: allow ecs:RunTask"
        );
        assert_eq!(refusal.kind(), Some(Kind::Denied));
        assert_eq!(refusal.text(), "cannot start a task: no: really not");
        assert_eq!(refusal.hints(), ["allow ecs:RunTask"]);
    }

    #[test]
    fn every_kind_and_every_status_has_its_word() {
        for (word, kind) in KINDS {
            assert_eq!(Refusal::of_error(&ContentError::new(kind, "x")).error_type, word);
            assert_eq!(status_of(word), None, "{word} says one thing");
        }
        for (word, status) in STATUSES {
            let view = View {
                status,
                failure: Some(Failure::new("it did not work").hint("look")),
                ..View::default()
            };
            let refusal = Refusal::of_view(&view);
            assert_eq!((refusal.error_type.as_str(), status_of(word)), (word, Some(status)));
            assert_eq!(refusal.message, "it did not work\nhint: look");
        }
    }
}
