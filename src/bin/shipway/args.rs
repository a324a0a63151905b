//! What the user may type: declarations, nothing else.

mod build;
mod copy;
mod doctor;
mod global;
mod inspect;
mod push;
#[cfg(feature = "daemon")]
mod run;
mod tag;

use clap::{Parser, Subcommand};

pub(crate) use build::{BuildArguments, ImageFormat};
pub(crate) use copy::{CopyArguments, CopyOptions};
pub(crate) use doctor::DoctorArguments;
pub(crate) use global::{Format, GlobalArguments};
pub(crate) use inspect::InspectArguments;
pub(crate) use push::PushArguments;
#[cfg(feature = "daemon")]
pub(crate) use run::{PullWhen, RunArguments};
pub(crate) use tag::TagArguments;

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

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(Box<BuildArguments>),
    Push(Box<PushArguments>),
    Copy(Box<CopyArguments>),
    Tag(TagArguments),
    Inspect(InspectArguments),
    #[cfg(feature = "daemon")]
    Run(Box<RunArguments>),
    Doctor(DoctorArguments),
}
