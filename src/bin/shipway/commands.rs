//! The commands.

mod build;
mod check;
mod copy;
mod diff;
mod doctor;
mod inspect;
#[cfg(feature = "aws")]
mod lambda;
mod loads;
mod origin;
mod push;
#[cfg(any(feature = "aws", feature = "daemon"))]
mod run;
#[cfg(feature = "aws")]
mod runs;
mod sets;
mod tag;

use std::time::Duration;

use anyhow::Context as _;

use crate::args::{Arguments, Command};
use crate::environment::Environment;
use crate::interrupt::until_interrupted;
use crate::printer::Printer;

/// How long the end waits for threads that are still reading a file when everything else is over.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Runs a command to its end.
pub(crate) fn run(arguments: Arguments, environment: &Environment, printer: &Printer) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let result = runtime.block_on(async {
        match &arguments.command {
            // A container must not outlive us, and a task is not given up half way: this one handles signals itself.
            #[cfg(any(feature = "aws", feature = "daemon"))]
            Command::Run(run) => run::run(run, &arguments.global, environment, printer).await,
            _ => until_interrupted(dispatch(&arguments, environment, printer)).await,
        }
    });
    // Drops what still runs, and with it every file that is not complete.
    runtime.shutdown_timeout(LAST_WAIT);
    result
}

/// Runs a command that may be dropped in the middle.
async fn dispatch(arguments: &Arguments, environment: &Environment, printer: &Printer) -> anyhow::Result<()> {
    match &arguments.command {
        Command::Check(check) => check::run(check, &arguments.global, environment, printer).await,
        Command::Build(build) => build::run(build, &arguments.global, environment, printer).await,
        Command::Copy(copy) => copy::run(copy, &arguments.global, environment, printer).await,
        Command::Push(push) => push::run(push, &arguments.global, environment, printer).await,
        Command::Tag(tag) => tag::run(tag, &arguments.global, environment, printer).await,
        Command::Doctor(doctor) => doctor::run(doctor, &arguments.global, environment, printer).await,
        Command::Diff(diff) => diff::run(diff, &arguments.global, environment, printer).await,
        #[cfg(feature = "aws")]
        Command::Lambda(_) => lambda::run(&arguments.global, environment, printer).await,
        Command::Inspect(inspect) => inspect::run(inspect, &arguments.global, environment, printer).await,
        #[cfg(feature = "aws")]
        Command::Status(status) => runs::status(status, &arguments.global, environment, printer).await,
        #[cfg(feature = "aws")]
        Command::Logs(logs) => runs::logs(logs, &arguments.global, environment, printer).await,
        #[cfg(feature = "aws")]
        Command::Stop(stop) => runs::stop(stop, &arguments.global, environment, printer).await,
        #[cfg(feature = "aws")]
        Command::History(history) => runs::history(history, &arguments.global, environment, printer).await,
        #[cfg(any(feature = "aws", feature = "daemon"))]
        Command::Run(_) => unreachable!("it is not dropped in the middle"),
    }
}
