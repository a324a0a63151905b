//! `shipway doctor`.

use clap::Args;

/// Tell what would fail, without side effects
///
/// Looks at logins, registry, repository and base as a build with --push would use them, and writes nothing anywhere.
/// Prints one line for each thing it looked at. The exit status is 0 only if a push would work as far as that can be
/// known without trying.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway doctor                                       the repository of shipway.toml
  shipway doctor registry.example.com/orders-migrations")]
pub(crate) struct DoctorArguments {
    /// Repository to push to, perhaps with a tag [default: the repository of shipway.toml]
    #[arg(value_name = "REF")]
    pub(crate) image: Option<String>,
    /// Take a missing repository of Amazon ECR for one that will be created
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(crate) create_repository: bool,
    /// Expect the rights to wait for scans as well
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(crate) wait_for_scan: bool,
    /// Print the smallest IAM policy that allows the push, as JSON, and look at nothing
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(crate) policy: bool,
}
