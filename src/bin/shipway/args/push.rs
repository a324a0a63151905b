//! `shipway push`.

use clap::Args;

use super::CopyOptions;

/// Push an image built earlier, from a layout, an archive or the Docker daemon, to one or more repositories
///
/// The same as `shipway copy`, with several targets. Prints `repository@sha256:…` for each repository.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway push oci:out registry.example.com/orders:1.4
  shipway push oci:out registry.example.com/orders:1.4 registry.example.com/production/orders:1.4
  shipway push oci:out registry.example.com/orders:1.4 -t current --digest-file digest")]
pub(crate) struct PushArguments {
    /// oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE or docker-daemon:NAME
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// REPOSITORY[:TAG]; without a tag, the source's
    #[arg(value_name = "REF", required = true)]
    pub(crate) targets: Vec<String>,
    #[command(flatten)]
    pub(crate) options: CopyOptions,
}
