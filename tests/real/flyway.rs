//! What is said of migrations here, and what Flyway itself makes of them.
//!
//! The Flyway is that of `ci/flyway.lock`. It starts in one or two seconds, so that many files are put to it at once.

mod config;
mod content;
mod drift;
mod name;
mod project;
mod report;
