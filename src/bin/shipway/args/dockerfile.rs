//! The flags of `shipway build` that are about Dockerfiles.

use clap::{Args, ValueEnum};

/// Who builds a Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// shipway, from files alone.
    Shipway,
    /// A Docker daemon, which can RUN.
    Docker,
}

#[derive(Debug, Args)]
pub(crate) struct DockerfileArguments {
    /// Build this Dockerfile, on this machine or in the context; - reads standard input
    #[arg(short = 'f', long, value_name = "FILE", help_heading = "From a Dockerfile")]
    pub(crate) dockerfile: Option<String>,
    /// What it copies from: a folder, dir://DIR, tar://FILE, or - for a tar archive on standard input [default: .]
    #[arg(short = 'c', long, value_name = "DIR", help_heading = "From a Dockerfile")]
    pub(crate) context: Option<String>,
    /// Stage to build, by name or number [default: the last]
    #[arg(long, value_name = "STAGE", help_heading = "From a Dockerfile")]
    pub(crate) target: Option<String>,
    /// Value of an ARG; without one, the environment's; repeatable
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "From a Dockerfile")]
    pub(crate) build_arg: Vec<String>,
    /// Folder or image that --from and FROM know by a name; repeatable
    #[arg(long, value_name = "NAME=VALUE", help_heading = "From a Dockerfile")]
    pub(crate) build_context: Vec<String>,
    /// Keep the modes of the context's files, as Docker does, instead of 0644 and 0755
    #[arg(long, help_heading = "From a Dockerfile")]
    pub(crate) preserve_modes: bool,
    /// Who builds [default: shipway]
    #[arg(long, value_enum, value_name = "ENGINE", help_heading = "From a Dockerfile")]
    pub(crate) engine: Option<Engine>,
    /// Network of RUN, with --engine docker
    #[arg(long, value_name = "NAME", help_heading = "From a Dockerfile")]
    pub(crate) network: Option<String>,
}
