//! `shipway diff`.

use clap::{Args, ValueEnum};

use super::InputArguments;

/// How a difference is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people.
    Text,
    /// For a comment on a merge request.
    Markdown,
}

/// Show how two sets of migrations differ, and what will run next time
///
/// Each side is an image (a registry reference, oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME), a tag of the project's
/// repository, a folder, or a git revision.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway diff current                                 the working tree against the image under this tag
  shipway diff v1.4 v1.5
  shipway diff origin/main . --patch
  shipway diff oci:before oci:after --exit-code")]
pub(crate) struct DiffArguments {
    /// The set that was shipped
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,
    /// The set that is to be shipped
    #[arg(value_name = "AFTER", default_value = ".")]
    pub(crate) after: String,
    /// Show the lines that changed
    #[arg(short, long)]
    pub(crate) patch: bool,
    /// Exit with status 3 when something that was shipped has changed
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// How the text looks
    #[arg(long, value_enum, value_name = "STYLE", default_value = "text")]
    pub(crate) style: DiffFormat,
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
}
