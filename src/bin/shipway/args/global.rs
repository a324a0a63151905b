//! Flags every command has.

use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "aws")]
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::span::Span;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people and scripts.
    Text,
    /// One JSON object.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct GlobalArguments {
    /// How the result is printed on standard output
    #[arg(long, global = true, value_enum, default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
    /// Print errors and the result only
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print more: every blob, every manifest
    #[arg(short, long, global = true, help_heading = "Output", conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// No bars, even on a terminal
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) no_progress: bool,

    /// The project file [default: shipway.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Project")]
    pub(crate) project_file: Option<PathBuf>,
    /// Folder for temporary files [default: TMPDIR, or the system's]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Project")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// Neither read nor write the cache
    #[arg(long, global = true, help_heading = "Project")]
    pub(crate) no_cache: bool,

    /// User at the registries that are pushed to
    #[arg(
        long,
        global = true,
        value_name = "USER",
        help_heading = "Registries",
        requires = "password_stdin"
    )]
    pub(crate) username: Option<String>,
    /// Read the user's password from standard input
    #[arg(long, global = true, help_heading = "Registries", requires = "username")]
    pub(crate) password_stdin: bool,
    /// Talk plain HTTP to this registry
    #[arg(long, global = true, value_name = "HOST", help_heading = "Registries")]
    pub(crate) plain_http: Vec<String>,
    /// Trust the authorities in a PEM file for this registry
    #[arg(long, global = true, value_name = "HOST=FILE", help_heading = "Registries")]
    pub(crate) registry_certificate: Vec<String>,
    /// Show a client certificate, both files PEM, to this registry
    #[arg(long, global = true, value_name = "HOST=CERT,KEY", help_heading = "Registries")]
    pub(crate) registry_client_cert: Vec<String>,
    /// Read from a mirror (host, with an optional path prefix) before this registry
    #[arg(long, global = true, value_name = "HOST=MIRROR", help_heading = "Registries")]
    pub(crate) registry_mirror: Vec<String>,
    /// Reach this registry at another address; image names stay
    #[arg(long, global = true, value_name = "HOST=URL", help_heading = "Registries")]
    pub(crate) registry_endpoint: Vec<String>,
    /// Profile of AWS's config files to log in to Amazon ECR with
    #[cfg(feature = "aws")]
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) aws_profile: Option<String>,
    /// Role to take on at AWS, or to trade a token for
    #[cfg(feature = "aws")]
    #[arg(long, global = true, value_name = "ARN", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) aws_role_arn: Option<String>,
    /// Variable that holds a token to trade for the role [default: SHIPWAY_ID_TOKEN, then AWS_ID_TOKEN]
    #[cfg(feature = "aws")]
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS", conflicts_with = "aws_profile")]
    pub(crate) aws_web_identity_token_env: Option<String>,

    /// Tries after the first when a request fails for now
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 6,
        help_heading = "Registries"
    )]
    pub(crate) retry: u32,
    /// Wait before the second try; doubles from there
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0.5, value_parser = seconds, help_heading = "Registries")]
    pub(crate) retry_delay: f64,
    /// Give a request up when neither side moves a byte for this long [default: 60]; a run on ECS: how long to wait for its end [default: 30m]
    #[arg(long, global = true, value_name = "TIME", value_parser = some_time, help_heading = "Registries")]
    pub(crate) timeout: Option<Span>,
}

/// How long a request may stall where nobody says so.
const STALL: Span = Span::seconds(60);

impl GlobalArguments {
    /// How long a request may stall.
    pub(crate) fn stall(&self) -> Duration {
        self.timeout.unwrap_or(STALL).0
    }
}

fn some_time(text: &str) -> Result<Span, String> {
    match text.parse::<Span>()? {
        Span(Duration::ZERO) => Err("a length of time above 0".to_owned()),
        span => Ok(span),
    }
}

/// A day: waiting longer is never meant, and a `Duration` has its own limit far above.
const MOST_SECONDS: f64 = 86_400.0;

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= MOST_SECONDS => Ok(value),
        _ => Err(format!("a number of seconds above 0 and up to {MOST_SECONDS}")),
    }
}
