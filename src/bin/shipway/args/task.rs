//! Runs on ECS: `shipway run`, `status`, `logs`, `stop` and `history`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser as Text;
use clap::{Args, ValueEnum};

use super::span::Span;

/// Where runs are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReachOptions {
    /// Cluster of ECS, by name or ARN [default: ENV_CLUSTER]
    #[arg(long, value_name = "NAME", value_parser = Text::new(), help_heading = "Where it runs", conflicts_with = "via_lambda")]
    pub(crate) cluster: Option<String>,
    /// Through the function of this name, which knows the cluster
    #[arg(long, value_name = "NAME", value_parser = Text::new(), help_heading = "Where it runs")]
    pub(crate) via_lambda: Option<String>,
    /// Region of both [default: the ARN's, AWS_REGION, the profile's, the image's registry's]
    #[arg(long, value_name = "NAME", value_parser = Text::new(), help_heading = "Where it runs")]
    pub(crate) region: Option<String>,
    /// Family of task definitions [default: flyway]
    #[arg(long, value_name = "NAME", value_parser = Text::new(), help_heading = "Where it runs")]
    pub(crate) family: Option<String>,
    /// Container whose end is the run's [default: the only essential one]
    #[arg(long, value_name = "NAME", value_parser = Text::new(), help_heading = "Where it runs")]
    pub(crate) container: Option<String>,
    /// Table of DynamoDB that keeps runs and lets one at a time, or none [default: SHIPWAY_TABLE]
    #[arg(long, value_name = "TABLE", value_parser = Text::new(), help_heading = "Where it runs", conflicts_with = "via_lambda")]
    pub(crate) lock: Option<String>,
}

impl ReachOptions {
    /// Those that were given, each after a space, for another command about the same run.
    pub(crate) fn whereabouts(&self) -> String {
        let given = [
            ("--cluster", &self.cluster),
            ("--via-lambda", &self.via_lambda),
            ("--region", &self.region),
            ("--family", &self.family),
            ("--container", &self.container),
            ("--lock", &self.lock),
        ];
        let given = given.iter().filter_map(|(flag, value)| Some((flag, value.as_deref()?)));
        given.map(|(flag, value)| format!(" {flag} {value}")).collect()
    }
}

/// What a task is reached by, and runs on, in its cluster.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlaceOptions {
    /// Subnets, best of several zones [default: ENV_SUBNET]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', help_heading = "Where it runs")]
    pub(crate) subnet: Vec<String>,
    /// Security groups [default: ENV_SECURITY_GROUP]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', help_heading = "Where it runs")]
    pub(crate) security_group: Vec<String>,
    /// Give the task a public address
    #[arg(long, help_heading = "Where it runs")]
    pub(crate) assign_public_ip: bool,
    /// Capacity provider, instead of the launch type FARGATE
    #[arg(long, value_name = "NAME", value_parser = Text::new(), help_heading = "Where it runs")]
    pub(crate) capacity_provider: Option<String>,
}

/// What is done with a task that is not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AtLimit {
    /// It goes on.
    Leave,
    /// It is stopped.
    Stop,
}

/// What is done with a task when we are interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AtInterrupt {
    /// It goes on; a second interrupt stops it.
    Detach,
    /// It is stopped.
    Stop,
}

/// Which lines of its log are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowLogs {
    /// All, as they come.
    Follow,
    /// The last ones, if it does not succeed.
    OnFailure,
    /// None.
    None,
}

/// What is looked into after a run that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Diagnose {
    /// The state of all migrations.
    Info,
    /// What validation says.
    Validate,
    /// Nothing.
    None,
}

/// Whether the history is repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Repair {
    /// It is left as it is.
    Never,
    /// The row of the one migration that failed is removed, where nothing else would be changed.
    FailedOnly,
}

/// What a run on ECS is given besides.
#[derive(Debug, Args)]
pub(crate) struct TaskOptions {
    /// Image to run; a tag is resolved to its digest first [default: SHIPWAY_IMAGE]
    #[arg(long, value_name = "REF", value_parser = Text::new(), help_heading = "What runs", conflicts_with = "docker")]
    pub(crate) image: Option<String>,
    /// File of an earlier build that names the image: --dotenv, --metadata-file or --image-name-with-digest-file
    #[arg(long, value_name = "FILE", help_heading = "What runs", conflicts_with_all = ["docker", "image"])]
    pub(crate) image_from: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reach: ReachOptions,
    /// Revision of the task definition to start from [default: the newest]
    #[arg(long, value_name = "N", help_heading = "Where it runs")]
    pub(crate) revision: Option<u32>,
    /// Run the revision as it is, with the image it names
    #[arg(long, help_heading = "Where it runs", conflicts_with_all = ["image", "image_from"])]
    pub(crate) no_register: bool,
    #[command(flatten)]
    pub(crate) place: PlaceOptions,
    /// CPU units, instead of the task definition's
    #[arg(long, value_name = "UNITS", value_parser = Text::new(), help_heading = "What it is given")]
    pub(crate) cpu: Option<String>,
    /// Tag of the task; repeatable
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What it is given")]
    pub(crate) tag: Vec<String>,

    /// Name of the run: the same name is the same run, which is found and not started again [default: made of the pipeline's]
    #[arg(long, value_name = "NAME", help_heading = "When it starts and ends")]
    pub(crate) run_id: Option<String>,
    /// Run once more, although this run has succeeded
    #[arg(long, help_heading = "When it starts and ends")]
    pub(crate) rerun: bool,
    /// Do not wait for its end
    #[arg(long, help_heading = "When it starts and ends")]
    pub(crate) detach: bool,
    /// How long is waited for its end: `--timeout`, which means something else elsewhere.
    #[arg(skip)]
    pub(crate) limit: Option<Span>,
    /// How long it may take to be running; then it is stopped [default: 5m]
    #[arg(long, value_name = "TIME", help_heading = "When it starts and ends")]
    pub(crate) start_timeout: Option<Span>,
    /// What becomes of it at the end of --timeout
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "leave",
        help_heading = "When it starts and ends"
    )]
    pub(crate) on_timeout: AtLimit,
    /// What becomes of it at Ctrl-C or SIGTERM
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "detach",
        help_heading = "When it starts and ends"
    )]
    pub(crate) on_interrupt: AtInterrupt,
    /// How often ECS is asked how it is [default: 5s]
    #[arg(long, value_name = "TIME", help_heading = "When it starts and ends")]
    pub(crate) poll: Option<Span>,
    /// How long to wait for another run to end [default: 0, which is refused with exit status 4]
    #[arg(long, value_name = "TIME", help_heading = "When it starts and ends")]
    pub(crate) wait_for_lock: Option<Span>,
    /// Say what would be started, and start nothing
    #[arg(long, help_heading = "When it starts and ends", conflicts_with = "docker")]
    pub(crate) dry_run: bool,

    /// Lines of its log that are shown
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        default_value = "follow",
        help_heading = "What is told"
    )]
    pub(crate) logs: ShowLogs,
    /// How many of the last lines are shown after a failure, and kept in the JSON
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "What is told")]
    pub(crate) tail: usize,
    /// Run Flyway's info or validate after a failure, and show what it says
    #[arg(
        long,
        value_enum,
        value_name = "COMMAND",
        default_value = "none",
        help_heading = "After a failure"
    )]
    pub(crate) diagnose: Diagnose,
    /// Run Flyway's repair after a failure, where it would remove one failed row and nothing else, and then migrate again
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value = "never",
        help_heading = "After a failure"
    )]
    pub(crate) repair: Repair,

    /// Write variables for later jobs
    #[arg(long, value_name = "FILE", help_heading = "What is told")]
    pub(crate) dotenv: Option<PathBuf>,
    /// Write what became of it as JSON
    #[arg(long, value_name = "FILE", help_heading = "What is told")]
    pub(crate) receipt: Option<PathBuf>,
    /// Write the migrations as a JUnit report
    #[arg(long, value_name = "FILE", help_heading = "What is told")]
    pub(crate) junit: Option<PathBuf>,
}

/// Tell how a run is, or how it ended
///
/// The exit status is the one `shipway run` would have ended with; a run that is not over is 0.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway status gl-7-123-0a1b2c3d4e5f-migrate --via-lambda migrations")]
pub(crate) struct StatusArguments {
    /// The run
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: String,
    #[command(flatten)]
    pub(crate) reach: ReachOptions,
}

/// Show what a run wrote
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway logs gl-7-123-0a1b2c3d4e5f-migrate --cluster migrations --follow")]
pub(crate) struct LogsArguments {
    /// The run
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: String,
    #[command(flatten)]
    pub(crate) reach: ReachOptions,
    /// Go on until the run is over
    #[arg(long, help_heading = "What is told")]
    pub(crate) follow: bool,
}

/// Stop a run
///
/// Its program is asked to end, and killed after the time its task definition grants. A migration that is killed may be done in part.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway stop gl-7-123-0a1b2c3d4e5f-migrate --cluster migrations")]
pub(crate) struct StopArguments {
    /// The run
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: String,
    #[command(flatten)]
    pub(crate) reach: ReachOptions,
    /// Why, for the record
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "cancelled with shipway stop",
        help_heading = "What is told"
    )]
    pub(crate) reason: String,
}

/// Show what became of earlier runs, and how long they took
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway history --via-lambda migrations
  shipway history --cluster migrations --lock migrations-runs --limit 50 --format json")]
pub(crate) struct HistoryArguments {
    /// This run alone
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: Option<String>,
    #[command(flatten)]
    pub(crate) reach: ReachOptions,
    /// How many, from the newest on
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "What is told")]
    pub(crate) limit: u32,
}
