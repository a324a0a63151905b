//! The promises of `shipway`, kept against real parts: Debian's `docker-registry`, a Docker engine, skopeo and umoci,
//! emulators of AWS, GitLab's pipelines, and Flyway.
//!
//! `ci/test.sh` starts the parts and runs all of this; to run it alone: `ci/real.sh cargo test --test real -- --include-ignored`.
//! What needs a Docker engine stands in `docker`, what needs an emulator in `aws`, and what needs GitLab's pipelines in `gitlab`, so
//! that the rest can run without.

mod archive;
#[cfg(feature = "aws")]
mod article;
#[cfg(feature = "aws")]
mod aws;
mod clones;
mod copy;
mod docker;
mod dockerfile_parity;
mod flyway;
mod gitlab;
mod interrupted;
mod layout;
mod memory;
#[cfg(feature = "aws")]
mod package;
mod parts;
mod pipeline;
mod project;
mod registry;
mod tools;
mod traffic;
mod view;

/// How `tests/it` starts the program as a function of Lambda.
#[cfg(feature = "aws")]
#[path = "../it/support/function.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "shared with tests/it")]
mod function;
#[cfg(feature = "aws")]
#[path = "../it/support/http.rs"]
#[expect(clippy::unwrap_used, reason = "shared with tests/it")]
mod http;

/// How `tests/docs` reads a page; not all of it is needed here.
#[cfg(any(feature = "aws", feature = "daemon"))]
#[path = "../docs/page.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "shared with tests/docs")]
mod page;
#[cfg(feature = "aws")]
#[path = "../docs/shape.rs"]
#[expect(clippy::unwrap_used, reason = "shared with tests/docs")]
mod shape;
#[cfg(any(feature = "aws", feature = "daemon"))]
#[path = "../docs/transcript.rs"]
#[expect(clippy::unwrap_used, reason = "shared with tests/docs")]
#[cfg_attr(
    not(all(feature = "aws", feature = "daemon")),
    expect(dead_code, reason = "each page needs its feature")
)]
mod transcript;
