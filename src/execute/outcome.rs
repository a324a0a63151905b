//! What happened to an image that was to run once.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Engine, Table};

/// How a run is, or how it ended, in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is on its way, or runs.
    Running,
    /// It ran, and its program ended with 0.
    Succeeded,
    /// It ran, and its program ended with another status.
    Failed,
    /// It ran, and was killed because it used all the memory it may use.
    OutOfMemory,
    /// What it ran on went away under it.
    Infrastructure,
    /// Somebody stopped it.
    Stopped,
    /// What ran was another image than the one that was asked for.
    DigestMismatch,
    /// It never started: no image, no such program, a database that does not come up.
    StartFailed,
    /// Whoever started it stopped it.
    Interrupted,
    /// Nobody waited for its end.
    TimedOut,
    /// It started, and how it ended cannot be told.
    #[default]
    Unknown,
    /// Another run is in progress, so it was not started.
    Busy,
    /// There was nothing to run it on, for now.
    NoCapacity,
    /// What was to run it could not be reached, and nothing was started.
    Unreachable,
}

impl Status {
    /// The word of the JSON form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::OutOfMemory => "out_of_memory",
            Self::Infrastructure => "infrastructure",
            Self::Stopped => "stopped",
            Self::DigestMismatch => "digest_mismatch",
            Self::StartFailed => "start_failed",
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timed_out",
            Self::Unknown => "unknown",
            Self::Busy => "busy",
            Self::NoCapacity => "no_capacity",
            Self::Unreachable => "unreachable",
        }
    }
}

/// How soon a run is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Its program is asked to end, and has some time for it.
    Gently,
    /// Its program is killed.
    AtOnce,
}

/// One of the two streams a program writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Bytes that the program wrote, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it wrote them.
    pub stream: Stream,
    /// The bytes.
    pub bytes: Bytes,
}

/// How long each part took; what was not reached took no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Getting the image.
    pub pull: Duration,
    /// Getting ready: the database, what was waited for, making the container.
    pub prepare: Duration,
    /// The image's own program.
    pub run: Duration,
    /// Everything, with tidying up.
    pub total: Duration,
}

/// Why something did not go as it should, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// What could not be done.
    pub message: String,
    /// Why.
    pub cause: Option<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure whose cause is not known, or is the message itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause: None,
            hints: Vec::new(),
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What the database of a rehearsal says was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// It was not asked: nothing ran, or it was interrupted.
    NotAsked,
    /// It has no history table of Flyway's.
    Missing,
    /// The tables, one for each schema that has one.
    Tables(Vec<Table>),
    /// It could not be asked.
    Unreadable(String),
}

/// A run against a database that was made for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// Which database.
    pub engine: Engine,
    /// Its image.
    pub image: String,
    /// Its container.
    pub container: Option<String>,
    /// How long it took until it answered.
    pub ready: Option<Duration>,
    /// What it says was done to it.
    pub history: History,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// In one word.
    pub status: Status,
    /// The status the image's own program ended with, where it is known.
    pub exit_code: Option<i64>,
    /// The image, as it was named.
    pub image: String,
    /// The image that ran: the digest of its config.
    pub image_id: Option<String>,
    /// The image that ran, as a registry knows it: `repository@digest`.
    pub digest: Option<String>,
    /// The container it ran in.
    pub container: Option<String>,
    /// How long it took.
    pub timings: Timings,
    /// The database, where one was made for it.
    pub rehearsal: Option<Rehearsal>,
    /// Containers and networks that were made and could not be removed.
    pub left_behind: Vec<String>,
    /// Why it is not a success.
    pub failure: Option<Failure>,
}
