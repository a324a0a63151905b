//! What the user may type: declarations, nothing else.

mod build;
mod check;
mod copy;
mod diff;
mod dockerfile;
mod doctor;
mod global;
mod inputs;
mod inspect;
mod kaniko;
#[cfg(feature = "aws")]
mod lambda;
mod push;
#[cfg(any(feature = "aws", feature = "daemon"))]
mod run;
mod span;
mod tag;
#[cfg(feature = "aws")]
mod task;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

pub(crate) use build::{BuildArguments, ImageFormat};
pub(crate) use check::CheckArguments;
pub(crate) use copy::{CopyArguments, CopyOptions};
pub(crate) use diff::DiffArguments;
pub(crate) use dockerfile::{DockerfileArguments, Engine};
pub(crate) use doctor::DoctorArguments;
pub(crate) use global::{Format, GlobalArguments};
pub(crate) use inputs::{CheckOptions, InputArguments};
pub(crate) use inspect::InspectArguments;
pub(crate) use kaniko::{KanikoArguments, Verbosity, switch, words};
#[cfg(feature = "aws")]
pub(crate) use lambda::LambdaArguments;
pub(crate) use push::PushArguments;
#[cfg(feature = "daemon")]
pub(crate) use run::PullWhen;
#[cfg(any(feature = "aws", feature = "daemon"))]
pub(crate) use run::RunArguments;
#[cfg(feature = "aws")]
pub(crate) use span::Span;
pub(crate) use tag::TagArguments;
#[cfg(feature = "aws")]
pub(crate) use task::{
    AtInterrupt, AtLimit, Diagnose, HistoryArguments, LogsArguments, PlaceOptions, ReachOptions, Repair, ShowLogs,
    StatusArguments, StopArguments,
};

/// Turn a folder of database migrations into a container image, and push it to a registry.
///
/// shipway needs files and HTTPS: no Docker daemon, no root, no unpacked root file system.
#[derive(Debug, Parser)]
#[command(
    name = "shipway",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 done, 1 failed, 2 usage or configuration, 3 findings, 4 refused, 5 it ran and did not succeed, 6 it never started, 7 gave up waiting or outcome unknown, 8 failed for now, 130/143 interrupted."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
}

impl Arguments {
    /// Reads the words of a command line, under whichever name the program was started.
    pub(crate) fn read(given: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let words = words(given);
        #[cfg(feature = "aws")]
        let words = lambda::words(words);
        let mut arguments = Self::try_parse_from(words)?;
        if let Command::Build(build) = &arguments.command {
            let (kaniko, global) = (&build.kaniko, &mut arguments.global);
            global.verbose |= kaniko.verbosity == Some(Verbosity::Trace);
            global.quiet |= kaniko.verbosity == Some(Verbosity::Warn);
            let tries = kaniko.push_retry.max(kaniko.image_download_retry);
            global.retry = global.retry.max(tries.unwrap_or_default());
        }
        #[cfg(feature = "aws")]
        if let Command::Run(run) = &mut arguments.command
            && run.docker.is_none()
        {
            run.task.limit = arguments.global.timeout.take();
        }
        Ok(arguments)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(Box<CheckArguments>),
    Build(Box<BuildArguments>),
    Push(Box<PushArguments>),
    Copy(Box<CopyArguments>),
    Tag(TagArguments),
    Inspect(InspectArguments),
    Diff(Box<DiffArguments>),
    #[cfg(any(feature = "aws", feature = "daemon"))]
    Run(Box<RunArguments>),
    #[cfg(feature = "aws")]
    Status(StatusArguments),
    #[cfg(feature = "aws")]
    Logs(LogsArguments),
    #[cfg(feature = "aws")]
    Stop(StopArguments),
    #[cfg(feature = "aws")]
    History(HistoryArguments),
    Doctor(Box<DoctorArguments>),
    #[cfg(feature = "aws")]
    Lambda(LambdaArguments),
}
