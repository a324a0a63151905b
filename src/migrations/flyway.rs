//! Flyway's own rules: what it makes of a file name, and what its configuration says.

pub mod config;
pub mod location;
pub mod name;
pub mod placeholder;
pub mod script_config;
