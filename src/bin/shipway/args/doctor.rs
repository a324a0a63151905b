//! `shipway doctor`.

use clap::Args;

#[cfg(feature = "aws")]
use super::task::{PlaceOptions, ReachOptions};

/// What the help shows.
#[cfg(not(feature = "aws"))]
const EXAMPLES: &str = "Examples:
  shipway doctor                                       the repository of shipway.toml
  shipway doctor registry.example.com/orders-migrations";
/// What the help shows.
#[cfg(feature = "aws")]
const EXAMPLES: &str = "Examples:
  shipway doctor                                       the repository and the runs of shipway.toml
  shipway doctor registry.example.com/orders-migrations
  shipway doctor --via-lambda migrations
  shipway doctor --cluster migrations --subnet subnet-1,subnet-2 --lock migrations-runs";

/// Tell what would fail, without side effects
///
/// Looks at logins, registry, repository and base as a build with --push would use them, and writes nothing anywhere.
/// Prints one line for each thing it looked at. The exit status is 0 only if all of it would work as far as that can be
/// known without trying.
#[cfg_attr(
    feature = "aws",
    doc = "",
    doc = "Where it is said where runs are, by flags, ENV_CLUSTER or [run] in shipway.toml, it looks at what a run needs there as well: cluster, task definition, network, log and table; or the function, which looks at them itself."
)]
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) reach: ReachOptions,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) place: PlaceOptions,
}
