//! The command against a registry in this process: one file per command or property.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up is to panic")]

mod auth;
mod bad_base;
mod bad_input;
mod base;
mod build;
mod cache;
mod check;
mod copy;
mod counts;
mod creation;
mod credentials;
#[cfg(all(feature = "daemon", unix))]
mod daemon;
mod determinism;
mod dockerfile;
#[cfg(feature = "aws")]
mod ecr;
mod ecr_errors;
mod fake;
mod faults;
#[cfg(feature = "aws")]
mod function;
mod inspect;
mod kaniko;
mod login;
mod manifest;
mod memory;
mod mount;
mod pace;
mod profiles;
mod progress;
mod provenance;
mod push;
mod referrers;
mod results;
mod rules;
#[cfg(feature = "daemon")]
mod run;
#[cfg(all(feature = "aws", unix))]
mod run_ecs;
mod secrets;
mod support;
mod tag;
mod tags;
mod targets;
mod transport;
mod tree;
#[cfg(not(feature = "aws"))]
mod without_aws;
#[cfg(not(feature = "daemon"))]
mod without_daemon;
