//! Runs and locks in a table, as two programs emulate DynamoDB that share no line: what one of them forgives, the other may not.

mod lock;
mod lossy;
mod runs;
mod table;
