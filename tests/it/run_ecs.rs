//! `shipway run` on ECS and through the function, and the commands about runs.

mod after;
mod attach;
mod commands;
mod doctor;
mod documented;
mod ends;
mod fake;
mod flags;
mod function;
mod limits;
mod lock;
mod logs;
mod pinned;
mod rights;
mod secrets;
mod start;
