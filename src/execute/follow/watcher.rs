//! Who watches a run, and what is seen of it.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::execute::lines::Lines;
use crate::execute::{Piece, Stop, View};
use crate::progress::Progress;

/// Who watches.
pub struct Watcher<'a> {
    /// Is told what happens.
    pub progress: &'a dyn Progress,
    /// Gets what the task writes, line by line.
    pub output: Option<mpsc::Sender<Piece>>,
    /// Says that we are interrupted.
    pub interrupt: watch::Receiver<Option<Stop>>,
    /// How long a second interrupt is waited for after the first one.
    pub linger: &'a (dyn Fn() -> Duration + Sync),
    /// Makes lines fit to be shown.
    pub lines: Lines,
}

/// What was seen of a run.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// What is known last.
    pub view: View,
    /// The last lines it wrote.
    pub tail: Vec<String>,
    /// How many lines it wrote.
    pub lines: u64,
    /// Whether we were interrupted.
    pub is_interrupted: bool,
    /// How long all of it took.
    pub total: Duration,
}
