//! Running an image once: what it is given, and what happened.
//!
//! Most of it is values. `daemon` runs an image on the local Docker engine; [`Runs`] is whoever starts and watches tasks of ECS.

mod database;
#[cfg(feature = "aws")]
mod function;
mod history;
#[cfg(feature = "aws")]
pub mod lambda;
mod outcome;
pub mod report;
mod run_id;
mod runs;
#[cfg(feature = "aws")]
pub mod serve;
#[cfg(feature = "aws")]
pub mod store;
mod task;
mod variables;
mod verdict;

pub use database::{Address, Engine, UnknownEngine};
pub use history::{Row, Table};
pub use outcome::{Failure, History, Outcome, Piece, Rehearsal, Status, Stop, Stream, Timings};
pub use report::Report;
pub use run_id::{RunId, RunIdError};
pub use runs::{Answered, Git, LogEvent, Logs, Look, Order, Past, Record, Runs, Times, View};
pub use task::{Container, Tag, Task};
pub use variables::{LineError, VariableError, Variables};
pub use verdict::{Ending, verdict};
