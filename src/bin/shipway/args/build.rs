//! `shipway build`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CheckOptions, DockerfileArguments, InputArguments, KanikoArguments};

/// Which family of media types the image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageFormat {
    /// The base's.
    Auto,
    /// OCI.
    Oci,
    /// Docker.
    Docker,
}

/// Build an image from a folder of migrations or a Dockerfile, and push or write it
///
/// What the flags leave open comes from the environment (SHIPWAY_…), then from shipway.toml. Prints
/// `repository@sha256:…` for each repository the image was pushed to, or else the image's digest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway build --push                                 what shipway.toml says
  shipway build -t registry.example.com/orders:1.4 --push
  shipway build --base scratch --output oci:out        no registry, no network
  shipway build --push --digest-file digest --dotenv shipway.env
  shipway build -f db-migrations/Dockerfile -c . -d registry.example.com/orders:1.5")]
pub(crate) struct BuildArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    /// Image to build on: a registry reference, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME, or scratch
    #[arg(long, value_name = "REF", help_heading = "What goes in")]
    pub(crate) base: Option<String>,
    /// Platform to build for, or "all"; repeatable [default: linux/amd64]
    #[arg(long, value_name = "OS/ARCH", help_heading = "What goes in")]
    pub(crate) platform: Vec<String>,

    #[command(flatten)]
    pub(crate) dockerfile: DockerfileArguments,

    #[command(flatten)]
    pub(crate) check: CheckOptions,
    /// Check nothing but secrets
    #[arg(long, help_heading = "What is checked")]
    pub(crate) no_check: bool,

    /// Name of the image, or tag in the project's repository; repeatable, replaces the project's tags
    #[arg(short, long, value_name = "TAG", help_heading = "Where it goes")]
    pub(crate) tag: Vec<String>,
    /// Push to the repositories of the tags
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) push: bool,
    /// The same as --tag REF --push; repeatable
    #[arg(short, long, value_name = "REF", help_heading = "Where it goes")]
    pub(crate) destination: Vec<String>,
    /// Write the image: oci:DIR, oci-archive:FILE, docker-archive:FILE or docker-daemon[:NAME]; repeatable
    #[arg(short, long, value_name = "TARGET", help_heading = "Where it goes")]
    pub(crate) output: Vec<String>,
    /// Write nothing; say what would come out
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) dry_run: bool,
    /// Move tags that must not move, this once
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) move_tags: bool,

    /// Create repositories of Amazon ECR that are missing, as [repository] in shipway.toml says
    #[cfg(feature = "aws")]
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) create_repository: bool,
    /// Wait until Amazon ECR has scanned the image; findings of --fail-on-severity fail
    #[cfg(feature = "aws")]
    #[arg(long, help_heading = "Where it goes")]
    pub(crate) wait_for_scan: bool,
    /// Least severity that fails: critical, high, medium, low, informational, undefined, or none [default: high]
    #[cfg(feature = "aws")]
    #[arg(
        long,
        value_name = "SEVERITY",
        requires = "wait_for_scan",
        help_heading = "Where it goes"
    )]
    pub(crate) fail_on_severity: Option<String>,
    /// How long to wait for the scan
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0, value_parser = super::global::seconds, help_heading = "Where it goes")]
    pub(crate) scan_timeout: f64,

    /// Label of the image; repeatable
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What it says of itself")]
    pub(crate) label: Vec<String>,
    /// Annotation of the manifests; repeatable
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What it says of itself")]
    pub(crate) annotation: Vec<String>,
    /// Media types [default: auto, those of the base]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What it says of itself")]
    pub(crate) image_format: Option<ImageFormat>,
    /// Version the image states [default: the highest version of the migrations]
    #[arg(long, value_name = "VERSION", help_heading = "What it says of itself")]
    pub(crate) image_version: Option<String>,

    /// Write the digest to a file
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) digest_file: Option<PathBuf>,
    /// Write what buildx calls metadata, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) metadata_file: Option<PathBuf>,
    /// Write repository@digest, one line for each repository
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) image_refs: Option<PathBuf>,
    /// Write SHIPWAY_IMAGE, SHIPWAY_DIGEST and SHIPWAY_TAGS for a GitLab dotenv report
    #[arg(long, value_name = "FILE", help_heading = "Results, written after success")]
    pub(crate) dotenv: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) kaniko: KanikoArguments,
}
