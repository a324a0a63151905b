//! `shipway inspect`.

use clap::Args;

/// Show what an image holds: migrations, platforms, layers, config, labels, and the files shipway added
///
/// Reads manifests and configs; of the layers, those shipway added, and all of them where the image does not list its migrations.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway inspect registry.example.com/orders:current
  shipway inspect oci:out --format json")]
pub(crate) struct InspectArguments {
    /// A registry reference, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE or docker-daemon:NAME
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// Look for migrations in the layers, however large, where the image does not list them
    #[arg(long)]
    pub(crate) migrations: bool,
    /// Only this platform
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
}
