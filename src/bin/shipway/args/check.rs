//! `shipway check`.

use std::path::PathBuf;

use clap::Args;

use super::{CheckOptions, InputArguments};

/// Look for what is wrong with the migrations, without a database
///
/// Names the migration tool would pass over, SQL it would misread, locks that would stop a database in use, secrets, and
/// what became of migrations that were shipped. Nothing is built or pushed. Exits with 3 if a finding is an error, 4 if
/// it is a secret.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway check                                        what shipway.toml says
  shipway check --scripts db/migration --against none
  shipway check --against git:HEAD --format json       what the last commit held counts as shipped
  shipway check --against none --code-quality gl-code-quality-report.json --junit check.xml
  shipway check --explain R010")]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    #[command(flatten)]
    pub(crate) options: CheckOptions,

    /// Write the findings as SARIF 2.1.0
    #[arg(long, value_name = "FILE", help_heading = "Reports, written whatever was found")]
    pub(crate) sarif: Option<PathBuf>,
    /// Write the findings as a GitLab Code Quality report
    #[arg(long, value_name = "FILE", help_heading = "Reports, written whatever was found")]
    pub(crate) code_quality: Option<PathBuf>,
    /// Write the findings as a JUnit report
    #[arg(long, value_name = "FILE", help_heading = "Reports, written whatever was found")]
    pub(crate) junit: Option<PathBuf>,

    /// Print the page of a rule, or with "all" the list of rules, and check nothing
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    pub(crate) explain: Option<String>,
}
