//! `shipway run`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::global::seconds;
#[cfg(feature = "aws")]
use super::task::TaskOptions;

/// When the image is got from its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PullWhen {
    /// When the daemon does not have it.
    Missing,
    /// Each time.
    Always,
    /// Never.
    Never,
}

/// Run an image once and tell how it ended
///
/// Runs it as a task of ECS (--cluster, or --via-lambda), or on the local Docker daemon (--docker). Waits until its program has
/// ended, and shows what it writes as it comes. Standard output is the program's own; with --format json it is one JSON object,
/// and what the program writes goes to standard error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway run --via-lambda migrations --image-from shipway.env
  shipway run --cluster migrations --subnet subnet-1,subnet-2 --security-group sg-1 --lock migrations-runs --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:1.4
  shipway run --docker registry.example.com/orders:1.4 --network host --env-file database.env
  shipway run --docker registry.example.com/orders:1.4 --env FLYWAY_PASSWORD -- info
  shipway run --docker registry.example.com/orders:1.4 --database postgres      a rehearsal")]
pub(crate) struct RunArguments {
    /// Run it on the local Docker daemon: an image it has, or one of a registry [default: SHIPWAY_IMAGE]
    #[arg(long, value_name = "REF", num_args = 0..=1, help_heading = "What runs", conflicts_with_all = ["cluster", "via_lambda"])]
    pub(crate) docker: Option<Option<String>>,
    /// How a task of ECS is run.
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) task: TaskOptions,
    /// When the daemon pulls the image [default: missing]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "What runs")]
    pub(crate) pull: Option<PullWhen>,
    /// Arguments for the image's program, in the place of its own
    #[arg(value_name = "ARGS", last = true, help_heading = "What runs")]
    pub(crate) arguments: Vec<String>,
    /// Another program than the image's: a JSON list, or one word
    #[arg(long, value_name = "WORDS", help_heading = "What runs")]
    pub(crate) entrypoint: Option<String>,

    /// Environment variable, or the name of one that is set here; repeatable
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "What it is given")]
    pub(crate) env: Vec<String>,
    /// File with a variable in each line, nothing quoted; repeatable
    #[arg(long, value_name = "FILE", help_heading = "What it is given")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Network of the daemon it is in, or host, or none
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "What it is given")]
    pub(crate) network: Option<String>,
    /// Folder, file or volume it sees; repeatable
    #[arg(long, value_name = "SOURCE:PATH[:ro]", help_heading = "What it is given")]
    pub(crate) volume: Vec<String>,
    /// User, by name or number
    #[arg(long, value_name = "USER", help_heading = "What it is given")]
    pub(crate) user: Option<String>,
    /// Working directory
    #[arg(long, value_name = "PATH", help_heading = "What it is given")]
    pub(crate) workdir: Option<String>,
    /// Memory it may use, such as 512m; of a task, instead of its definition's
    #[arg(long, value_name = "SIZE", help_heading = "What it is given")]
    pub(crate) memory: Option<String>,

    /// Start only when this server accepts connections; repeatable
    #[arg(long, value_name = "HOST:PORT", help_heading = "When it starts and ends")]
    pub(crate) wait_for: Vec<String>,
    /// How long to wait for each of them [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "When it starts and ends")]
    pub(crate) wait_timeout: Option<f64>,
    /// How long its program may take to end after Ctrl-C, before it is killed [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "When it starts and ends")]
    pub(crate) stop_timeout: Option<f64>,

    /// Rehearse: run against an empty database that is made for it, and removed: mysql, mariadb or postgres
    #[arg(long, value_name = "NAME", help_heading = "Rehearsal")]
    pub(crate) database: Option<String>,
    /// Image of that database [default: mysql:8.4, mariadb:11 or postgres:17]
    #[arg(long, value_name = "REF", requires = "database", value_parser = NonEmptyStringValueParser::new(), help_heading = "Rehearsal")]
    pub(crate) database_image: Option<String>,
    /// How long it may take until it answers [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Rehearsal")]
    pub(crate) database_timeout: Option<f64>,
}
