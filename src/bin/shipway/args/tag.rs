//! `shipway tag`.

use clap::Args;

/// Give an image that is in a registry, or a layout, more tags
///
/// Looks all tags up before the first write, and writes nothing where they name the image already. Prints
/// `repository@sha256:…`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway tag registry.example.com/orders:1.4 current
  shipway tag registry.example.com/orders:1.4 stable 1.4-final --format json")]
pub(crate) struct TagArguments {
    /// A registry reference, by tag or digest, or oci:DIR[:TAG]
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// Tags in the same repository
    #[arg(value_name = "TAG", required = true)]
    pub(crate) tags: Vec<String>,
    /// Fail unless the image has this digest
    #[arg(long, value_name = "sha256:…")]
    pub(crate) require_digest: Option<String>,
    /// Move tags that must not move, this once
    #[arg(long)]
    pub(crate) move_tags: bool,
}
