//! Runs where a cluster is: what is asked for, what is known of one, and whoever can be asked.
//!
//! Two places answer, in the same words: ECS itself, and the function that stands before it. The words are those of the function's
//! events and answers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Failure, Report, RunId, Status};
use crate::content::Result;

/// A run that is to be started, unless it is there already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// What it is called; whoever is asked makes a name up where there is none.
    pub run_id: Option<RunId>,
    /// The first attempt that may be made: one more than the last one that found no capacity.
    pub attempt: Option<u32>,
    /// The image, `repository@sha256:…`; the one of the task definition where there is none.
    pub image: Option<String>,
    /// The family of task definitions.
    pub family: Option<String>,
    /// The container that is watched, and whose image it is.
    pub container: Option<String>,
    /// The revision to start from, instead of the newest.
    pub revision: Option<u32>,
    /// Start that revision as it is: no new one is registered.
    pub no_register: bool,
    /// Arguments of the image's program, instead of the task definition's.
    pub command: Option<Vec<String>>,
    /// Variables, besides the task definition's.
    pub environment: BTreeMap<String, String>,
    /// CPU units, instead of the task definition's.
    pub cpu: Option<String>,
    /// Memory in MiB, instead of the task definition's.
    pub memory: Option<String>,
    /// Tags of the task.
    pub tags: BTreeMap<String, String>,
    /// Run once more, although a run of that name has succeeded.
    pub rerun: bool,
    /// Who wants it, for the record.
    pub requested_by: Option<String>,
    /// The commit, for the record.
    pub git: Git,
    /// What a second task of the same run is for, such as `diagnose`: it takes no lock, and is not recorded.
    pub purpose: Option<String>,
}

/// A commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Git {
    /// Its id.
    pub sha: Option<String>,
    /// The branch or tag.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
}

/// Which run is meant, and what is to be told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// The run.
    pub run_id: Option<RunId>,
    /// Its task, where it is known: saves a search.
    pub task_arn: Option<String>,
    /// The container that is watched; only needed where the task definition does not say.
    pub container: Option<String>,
    /// Where the last look at the log ended; the log's start where there is none.
    pub logs_token: Option<String>,
    /// How many lines of the log at most; 0 for none.
    pub limit: u32,
}

/// What is known of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// What it is called.
    pub run_id: Option<RunId>,
    /// Which attempt it is, from one; 0 where none was made.
    pub attempt: u32,
    /// Whether it was there before it was asked for.
    pub reused: bool,
    /// How it is, or how it ended.
    pub status: Status,
    /// Whether nothing more is to come: it has ended, is recorded, and its log was read to the end.
    pub done: bool,
    /// What its program ended with.
    pub exit_code: Option<i64>,
    /// The image it runs, as its task definition names it.
    pub image: Option<String>,
    /// Whether ECS says that it pulled that digest; `None` where ECS says nothing.
    pub digest_verified: Option<bool>,
    /// What ECS says that it pulled.
    pub pulled_digest: Option<String>,
    /// Its task.
    pub task_arn: Option<String>,
    /// The revision it runs, such as `flyway:43`.
    pub task_definition: Option<String>,
    /// The cluster.
    pub cluster: Option<String>,
    /// The container that is watched.
    pub container: Option<String>,
    /// Where the task is, in the words of ECS.
    pub last_status: Option<String>,
    /// Why the task stopped, as a code.
    pub stop_code: Option<String>,
    /// Why the task stopped, in the words of ECS.
    pub stopped_reason: Option<String>,
    /// The times ECS took note of.
    pub times: Times,
    /// What it wrote.
    pub logs: Logs,
    /// What the migration tool says it did.
    pub report: Option<Report>,
    /// Why it is not a success.
    pub failure: Option<Failure>,
    /// What ECS answered, word for word: `tasks` and `failures` of the article's function.
    #[serde(skip)]
    pub answered: Answered,
}

/// Times in seconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// The task was made.
    pub created_at: Option<f64>,
    /// Its image began to be pulled.
    pub pull_started_at: Option<f64>,
    /// Its image was there.
    pub pull_stopped_at: Option<f64>,
    /// It ran.
    pub started_at: Option<f64>,
    /// Its containers, or it, had stopped.
    pub stopped_at: Option<f64>,
}

/// A piece of a log, and where it lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {
    /// The log group.
    pub group: Option<String>,
    /// The stream in it.
    pub stream: Option<String>,
    /// The region both are in.
    pub region: Option<String>,
    /// Where to go on reading.
    pub next_token: Option<String>,
    /// The lines.
    pub events: Vec<LogEvent>,
    /// Whether everything up to now was read.
    pub is_at_end: bool,
    /// With `done`: whether the log was read to its end.
    pub complete: bool,
    /// Why it cannot be read; the run goes on, and ends, all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A line of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// When it was written, in milliseconds since the epoch.
    #[serde(rename = "t")]
    pub time: i64,
    /// What was written.
    #[serde(rename = "m")]
    pub message: String,
}

/// What ECS answered, word for word.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answered {
    /// The tasks.
    pub tasks: Vec<Value>,
    /// Why there are none.
    pub failures: Vec<Value>,
}

/// Which runs are told of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// This run alone.
    pub run_id: Option<RunId>,
    /// The family of task definitions.
    pub family: Option<String>,
    /// How many at most, from the newest on.
    pub limit: u32,
}

/// What is kept of a run: who started what, what became of it, and how long it took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What it is called.
    pub run_id: Option<RunId>,
    /// Which attempt it was.
    pub attempt: u32,
    /// The family of task definitions.
    pub family: String,
    /// The cluster, by its name.
    pub environment: String,
    /// How it is, or how it ended.
    pub status: Status,
    /// What its program ended with.
    pub exit_code: Option<i64>,
    /// The image, `repository@sha256:…`.
    pub image: Option<String>,
    /// Its task.
    pub task_arn: Option<String>,
    /// The revision of the task definition, such as `flyway:43`.
    pub task_definition: Option<String>,
    /// Arguments of the image's program, where they were given.
    pub command: Option<Vec<String>>,
    /// Tells its variables from others; empty where it was given none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variables: String,
    /// Who wanted it.
    pub requested_by: Option<String>,
    /// The commit.
    pub git: Git,
    /// When it was asked for, in milliseconds since the epoch.
    pub started_at: i64,
    /// When it had ended.
    pub ended_at: Option<i64>,
    /// How long its program ran, in milliseconds.
    pub run_milliseconds: Option<u64>,
    /// Why ECS stopped the task, as a code.
    pub stop_code: Option<String>,
    /// What the migration tool says it did.
    pub report: Option<Report>,
    /// Why it is not a success, in one line.
    pub error: Option<String>,
    /// The version of the task it was recorded from.
    pub task_version: Option<i64>,
}

/// Whoever starts and watches runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Starts a run, or finds it: one that runs, or has succeeded, is not started again. Returns as soon as ECS has taken it on.
    ///
    /// That another run is in progress, or that there is no capacity, is a status of the answer and not an error.
    async fn start(&self, order: &Order) -> Result<View>;

    /// Says how a run is, and what it wrote. Whoever first sees how it ended records that, and lets the next run go.
    async fn look(&self, look: &Look) -> Result<View>;

    /// Has a run stopped, for a reason that ECS keeps.
    async fn stop(&self, look: &Look, reason: &str) -> Result<View>;

    /// What became of earlier runs, from the newest on.
    async fn history(&self, past: &Past) -> Result<Vec<Record>>;
}
