//! Running an image once: what it is given, and what happened.
//!
//! Values only. Where an image runs is the affair of the adapter that runs it: `daemon` on the local Docker engine.

mod database;
mod history;
mod outcome;
mod variables;
mod verdict;

pub use database::{Address, Engine, UnknownEngine};
pub use history::{Row, Table};
pub use outcome::{Failure, History, Outcome, Piece, Rehearsal, Status, Stop, Stream, Timings};
pub use variables::{LineError, VariableError, Variables};
pub use verdict::{Ending, verdict};
