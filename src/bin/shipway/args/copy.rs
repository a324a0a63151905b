//! `shipway copy`, and the flags it shares with `shipway push`.

use std::path::PathBuf;

use clap::Args;

/// Copy an image between registries, layouts and archives; its digest stays
///
/// Copies all platforms, byte by byte, and sends only what the target lacks: a copy that broke is simply run again. All
/// target tags are looked up before the first write. Prints `repository@sha256:…`, or the digest where the target is no
/// registry.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway copy registry.example.com/orders:1.4 registry.example.com/production/orders
  shipway copy registry.example.com/orders:1.4 registry.example.com/production/orders:1.4 -t current
  shipway copy registry.example.com/orders:1.4 oci:out --platform linux/amd64
  shipway copy registry.example.com/orders:1.4 registry.example.com/production/orders --referrers --dry-run")]
pub(crate) struct CopyArguments {
    /// A registry reference, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE or docker-daemon:NAME
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// REPOSITORY[:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or docker-daemon[:NAME]; without a tag, the source's
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) options: CopyOptions,
}

/// What is copied, and how.
#[derive(Debug, Args)]
pub(crate) struct CopyOptions {
    /// Only this platform, or "all"; repeatable [default: all]
    #[arg(long, value_name = "OS/ARCH", help_heading = "What is copied")]
    pub(crate) platform: Vec<String>,
    /// Also what speaks of the image: signatures, attestations, bills of materials
    #[arg(long, help_heading = "What is copied")]
    pub(crate) referrers: bool,
    /// Image a docker-archive or docker-daemon image was built on: its layers are not packed and sent again
    #[arg(long, value_name = "REF", help_heading = "What is copied")]
    pub(crate) base: Option<String>,
    /// Fail unless the source has this digest
    #[arg(long, value_name = "sha256:…", help_heading = "What is copied")]
    pub(crate) require_digest: Option<String>,

    /// One more tag at the target; repeatable
    #[arg(short, long, value_name = "TAG", help_heading = "Where it goes")]
    pub(crate) tag: Vec<String>,
    /// Create repositories of Amazon ECR that are missing, as [repository] in shipway.toml says
    #[cfg(feature = "aws")]
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) create_repository: bool,
    /// Write nothing; say what would be done
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) dry_run: bool,
    /// Move tags that must not move, this once
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) move_tags: bool,

    /// Write the digest to a file
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) digest_file: Option<PathBuf>,
    /// Write repository@digest, one line for each repository
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) image_refs: Option<PathBuf>,
    /// Write SHIPWAY_IMAGE, SHIPWAY_DIGEST and SHIPWAY_TAGS for a GitLab dotenv report
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) dotenv: Option<PathBuf>,
}
