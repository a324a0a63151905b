//! The documentation, held to the command: examples are run, and names are compared with what exists.

// The documentation describes the whole: a build without AWS has fewer flags.
#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up is to panic")]

mod examples;
mod links;
mod names;
mod page;
mod sample;
mod shape;
mod transcript;

/// What `tests/it` shares with this test; not all of it is needed here.
#[path = "../it"]
#[expect(dead_code, unused_imports, reason = "tests/it uses the rest")]
mod it {
    pub(crate) mod support;
}
