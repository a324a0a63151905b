//! Runs, and the lock that lets one at a time, in a table of DynamoDB.
//!
//! One table for all families and clusters, with three kinds of items:
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | a run, and what came of it | `family#FAMILY#CLUSTER` | `TIME#RUN#ATTEMPT` |
//! | where the newest attempt of a run is | `run#RUN` | `latest` |
//! | the lock | `lock#FAMILY#CLUSTER` | `lock` |
//!
//! Runs go away by themselves (the table's time to live is `expires_at`); a lock never does: it is let go by who holds it, or taken over
//! by who knows that the holder's task has ended.

mod facts;
mod item;
mod lock;
mod runs;
mod size;
mod table;
mod words;

pub use facts::TableFacts;
pub use lock::{CLAIM_SECONDS, Claim, Holder, Lock};

use crate::aws::Services;
use table::Table;

/// A table with runs and locks.
#[derive(Debug, Clone)]
pub struct Store {
    table: Table,
}

impl Store {
    /// The table of this name, or ARN. It is not asked yet.
    #[must_use]
    pub fn new(services: &Services, table: &str) -> Self {
        Self {
            table: Table::new(services, table),
        }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.table.name()
    }
}
