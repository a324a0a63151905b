//! The promises of `shipway`, kept against real parts: Debian's `docker-registry`, a Docker engine, skopeo and umoci, and
//! emulators of AWS.
//!
//! `ci/test.sh` starts the parts and runs all of this; to run it alone: `ci/real.sh cargo test --test real -- --include-ignored`.
//! What needs a Docker engine stands in `docker`, and what needs an emulator in `aws`, so that the rest can run without.

mod archive;
#[cfg(feature = "aws")]
mod aws;
mod clones;
mod docker;
mod interrupted;
mod layout;
mod memory;
mod parts;
mod project;
mod registry;
mod view;
