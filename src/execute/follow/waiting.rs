//! How long a run is waited for, and what is done then.

use std::time::Duration;

/// What is done when nobody waits any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// The task is left alone.
    Leave,
    /// The task is stopped.
    Stop,
}

/// How long is waited, and for what.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// For the end.
    pub limit: Duration,
    /// For the task to run; with capacity, and with its image pulled.
    pub start_limit: Duration,
    /// For another run to end.
    pub lock_limit: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// What is done at the end of the limit.
    pub at_limit: Parting,
    /// What is done when we are interrupted.
    pub at_interrupt: Parting,
    /// Whether anybody wants to read what it writes.
    pub wants_logs: bool,
    /// How many of the last lines are kept.
    pub tail: usize,
    /// The flags by which another command finds the run, each after a space: for what is said to people.
    pub whereabouts: String,
}
