//! `shipway run`.

#[cfg(feature = "daemon")]
mod docker;
#[cfg(feature = "aws")]
mod task;

use shipway::execute::{Failure, Status};

use crate::args::{GlobalArguments, RunArguments};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit};
use crate::printer::Printer;

/// Runs an image once.
pub(crate) async fn run(
    arguments: &RunArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    #[cfg(feature = "aws")]
    if arguments.docker.is_none() && task::run(arguments, global, environment, printer).await? {
        return Ok(());
    }
    #[cfg(feature = "daemon")]
    return docker::run(arguments, global, environment, printer).await;
    #[cfg(not(feature = "daemon"))]
    Err(
        CommandError::usage("this shipway was built without the feature daemon, which --docker needs")
            .hint("run it on ECS: --cluster NAME, or --via-lambda NAME")
            .into(),
    )
}

/// How the process ends, by what became of a run.
pub(crate) fn exit(status: Status) -> Exit {
    match status {
        Status::Succeeded => Exit::Done,
        Status::Failed | Status::OutOfMemory | Status::Infrastructure | Status::Stopped | Status::DigestMismatch => {
            Exit::Unsuccessful
        }
        Status::StartFailed => Exit::NotStarted,
        Status::Running | Status::TimedOut | Status::Unknown => Exit::Unknown,
        Status::Busy => Exit::Refused,
        Status::NoCapacity | Status::Unreachable => Exit::Temporary,
        Status::Interrupted => Exit::Interrupted,
    }
}

/// The end of the command: an error, unless it succeeded.
pub(crate) fn judge(status: Status, failure: Failure) -> anyhow::Result<()> {
    if status == Status::Succeeded {
        return Ok(());
    }
    let mut error = CommandError::new(exit(status), failure.message).hints(failure.hints);
    if let Some(cause) = failure.cause {
        error = error.because(cause);
    }
    Err(error.into())
}
