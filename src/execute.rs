//! Running an image once: what it is given, and what happened.
//!
//! Most of it is values. `daemon` runs an image on the local Docker engine; [`Runs`] is whoever starts and watches tasks of ECS.

mod database;
#[cfg(feature = "aws")]
pub mod direct;
#[cfg(feature = "aws")]
pub mod ecs;
pub mod ending;
mod finding;
pub mod follow;
#[cfg(feature = "aws")]
mod function;
pub mod given;
mod history;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod lines;
#[cfg(feature = "aws")]
pub mod logs;
mod outcome;
pub mod pin;
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
#[cfg(feature = "aws")]
pub use direct::{Direct, Guard, Place, Plan};
pub use finding::{Finding, Health};
pub use follow::{Followed, Parting, Waiting, Watcher, begin, follow};
pub use history::{Row, Table};
#[cfg(feature = "aws")]
pub use lambda::Function;
pub use lines::{Lines, Tail};
pub use outcome::{Failure, History, Outcome, Piece, Rehearsal, Status, Stop, Stream, Timings};
pub use report::Report;
pub use run_id::{RunId, RunIdError};
pub use runs::{Answered, Git, LogEvent, Logs, Look, Order, Past, Record, Runs, Times, View};
#[cfg(feature = "aws")]
pub use store::Store;
pub use task::{Container, Tag, Task};
pub use variables::{LineError, VariableError, Variables};
pub use verdict::{Ending, verdict};
