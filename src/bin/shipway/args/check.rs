//! `shipway check`.

use std::path::PathBuf;

use clap::Args;

use super::{CheckOptions, InputArguments};

/// Check migrations: names, content, risk, secrets, and what became of those that were shipped
///
/// Reads files only; the image shipped last, or a git revision, is what they are compared with. Exit status 3 says that something was
/// found, 4 that it is a secret.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway check                                        what shipway.toml says
  shipway check --against origin/main                  is it fit to be merged?
  shipway check --against registry.example.com/orders:current --code-quality report.json
  shipway check --explain N001")]
pub(crate) struct CheckArguments {
    /// Print the page of a rule
    #[arg(long, value_name = "CODE")]
    pub(crate) explain: Option<String>,
    #[command(flatten)]
    pub(crate) options: CheckOptions,
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    /// Write the findings as SARIF
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) sarif: Option<PathBuf>,
    /// Write the findings as a GitLab Code Quality report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) code_quality: Option<PathBuf>,
    /// Write the findings as JUnit XML
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) junit: Option<PathBuf>,
}
