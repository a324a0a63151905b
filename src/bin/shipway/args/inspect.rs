//! `shipway inspect`.

use clap::Args;

/// Show what an image holds: platforms, layers, config, labels, and the files shipway added
///
/// Reads manifests and configs; of the layers, only those shipway added.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway inspect registry.example.com/orders:current
  shipway inspect oci:out --format json")]
pub(crate) struct InspectArguments {
    /// A registry reference, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE or docker-daemon:NAME
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// Only this platform
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
}
