//! The promises of `shipway build`, kept against real parts: Debian's `docker-registry`, a Docker engine, skopeo and umoci.
//!
//! `ci/test.sh` starts the parts and runs all of this; to run it alone: `ci/real.sh cargo test --test real -- --include-ignored`.
//! What needs a Docker engine stands in `docker`, so that the rest can run where none can start.

mod archive;
mod clones;
mod copy;
mod docker;
mod interrupted;
mod memory;
mod parts;
mod project;
mod registry;
mod view;
