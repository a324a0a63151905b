//! What is said of a run that we stop to follow.

use super::Waiting;
use crate::content::ContentError;
use crate::execute::{Failure, RunId, Status, View};

/// Why a task was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    StartLimit,
    Limit,
    Interrupt,
}

/// Why a task that we stopped ended: by us, unless it succeeded all the same.
pub(super) fn blame(mut view: View, cause: Option<Cause>, waiting: &Waiting) -> View {
    let Some(cause) = cause else { return view };
    if matches!(view.status, Status::Succeeded | Status::Failed | Status::OutOfMemory)
        && view.stop_code.as_deref() != Some("UserInitiated")
    {
        return view;
    }
    let reason = view.stopped_reason.clone();
    let failure = match cause {
        // It came up while it was told to stop.
        Cause::StartLimit if view.times.started_at.is_some() || view.exit_code.is_some() => {
            view.status = Status::Stopped;
            Failure::new(format!(
                "the task did not run within {} s, and was stopped when it had just begun",
                waiting.start_limit.as_secs_f64()
            ))
            .hint("what it was doing may be done in part: look at the database before the same command is run again")
        }
        Cause::StartLimit => {
            view.status = Status::StartFailed;
            Failure::new(format!("the task did not run within {} s, and was stopped", waiting.start_limit.as_secs_f64()))
                .hint("a longer --start-timeout helps if the image is large; else look at subnets, security groups and the execution role: the task has to reach the registry, the secrets and the log")
        }
        Cause::Limit => {
            view.status = Status::Stopped;
            Failure::new(format!(
                "the task still ran after {} s, and was stopped",
                waiting.limit.as_secs_f64()
            ))
            .hint("what it was doing may be done in part: look at the database before the same command is run again")
        }
        Cause::Interrupt => {
            view.status = Status::Interrupted;
            Failure::new("interrupted: the task was stopped").hint(
                "what it was doing may be done in part: look at the database before the same command is run again",
            )
        }
    };
    view.failure = Some(match reason {
        Some(reason) => failure.because(reason),
        None => failure,
    });
    view
}

/// A task that goes on, as far as we know, without anybody who waits.
pub(super) fn give_up(view: View, cause: Cause, waiting: &Waiting) -> View {
    let task = view.task_arn.clone().unwrap_or_default();
    let (status, message) = match cause {
        Cause::Interrupt => (Status::Interrupted, format!("interrupted: {task} goes on")),
        Cause::Limit => (
            Status::TimedOut,
            format!(
                "{task} still runs after {} s, and is left alone",
                waiting.limit.as_secs_f64()
            ),
        ),
        Cause::StartLimit => (
            Status::Unknown,
            format!(
                "{task} did not run within {} s, and has not stopped since it was told to",
                waiting.start_limit.as_secs_f64()
            ),
        ),
    };
    let mut failure = Failure::new(message);
    if let Some(id) = &view.run_id {
        failure = failure
            .hint(ends(id, waiting))
            .hint(format!("stop it: shipway stop {id}{}", waiting.whereabouts));
    }
    View {
        status,
        failure: Some(failure),
        ..view
    }
}

fn ends(id: &RunId, waiting: &Waiting) -> String {
    let whereabouts = &waiting.whereabouts;
    format!("see how it ends: shipway status {id}{whereabouts}, or the same command again with --run-id {id}")
}

/// A task of which nothing can be seen any more.
pub(super) fn lost(view: View, error: &ContentError, waiting: &Waiting) -> View {
    let mut failure = Failure::new("it is not known how the task ends").because(error.in_one_line());
    for hint in error.hints() {
        failure = failure.hint(hint.clone());
    }
    if let Some(id) = &view.run_id {
        failure = failure.hint(ends(id, waiting));
    }
    View {
        status: Status::Unknown,
        failure: Some(failure),
        ..view
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::execute::follow::Parting;

    /// Catches a migration that was killed told as one that never began.
    #[test]
    fn what_came_up_while_it_was_stopped_has_run() {
        let waiting = Waiting {
            limit: Duration::from_secs(1800),
            start_limit: Duration::from_secs(300),
            lock_limit: Duration::ZERO,
            poll: Duration::from_secs(5),
            at_limit: Parting::Leave,
            at_interrupt: Parting::Leave,
            wants_logs: true,
            tail: 20,
            whereabouts: String::new(),
        };
        let mut view = View {
            status: Status::StartFailed,
            stop_code: Some("UserInitiated".to_owned()),
            done: true,
            ..View::default()
        };
        let never = blame(view.clone(), Some(Cause::StartLimit), &waiting);
        assert_eq!(never.status, Status::StartFailed);
        view.times.started_at = Some(1.0);
        view.exit_code = Some(143);
        let cut_off = blame(view, Some(Cause::StartLimit), &waiting);
        assert_eq!(cut_off.status, Status::Stopped);
        let failure = cut_off.failure.expect("it is none");
        assert!(failure.hints[0].contains("look at the database"), "{failure:?}");
    }
}
