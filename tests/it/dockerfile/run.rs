//! `RUN`, which nothing here can do.

use super::{build, built, project};

/// Catches a `RUN` that is passed over, or refused without a word on what to do instead.
#[test]
fn a_needed_run_is_refused_at_once_with_the_two_ways_out() {
    let project = project(
        "FROM registry.invalid/base:1\n\nCOPY a.txt /\nRUN apt-get update \\\n    && apt-get install -y curl\n",
    )
    .file("a.txt", "a\n");
    // At once: the base, which is nowhere, is not asked for.
    let outcome = build(&project, &["--dry-run"])
        .exited(2)
        .says(&["Dockerfile:4:1", "RUN", "base image", "--engine docker"])
        .hints();
    assert!(!outcome.stderr.contains("registry.invalid"), "{outcome:#?}");
}

/// Catches a `RUN` in a stage that the target is built on, or copies from, that is not seen.
#[test]
fn a_run_in_a_stage_that_is_needed_is_refused() {
    let text = "FROM scratch AS tools\nRUN make\nFROM scratch\nCOPY --from=tools /tool /\n";
    build(&project(text), &["--dry-run"])
        .exited(2)
        .says(&["Dockerfile:2:1"])
        .hints();
    let text = "FROM scratch AS tools\nRUN make\nFROM tools AS next\nENV A=1\nFROM next\nENV B=1\n";
    build(&project(text), &["--dry-run"])
        .exited(2)
        .says(&["Dockerfile:2:1"])
        .hints();
}

/// Catches a `RUN` that is refused although nobody needs its stage.
#[test]
fn a_run_in_a_stage_that_is_not_needed_does_not_matter() {
    let text = "FROM registry.invalid/builder:1 AS builder\nRUN make\nFROM scratch AS one\nCOPY a.txt /one\nFROM builder AS tests\nRUN make test\nFROM one\nCOPY a.txt /two\n";
    let project = project(text).file("a.txt", "a\n");
    let root = built(&project, &[]);
    assert_eq!(root.only().text("one"), "a\n");
    assert_eq!(root.only().text("two"), "a\n");
    build(&project, &["--dry-run", "--target", "tests"])
        .exited(2)
        .says(&["Dockerfile:6:1"]);
}

/// Catches a trigger of the base that would run something, and is passed over or told without its text.
#[test]
fn a_run_that_the_base_triggers_is_refused() {
    let registry = crate::support::registry::FakeRegistry::open();
    // Its config has ONBUILD RUN true.
    registry.seed("runner", "13", &crate::support::base::Base::flyway().image());
    let from = registry.reference("runner:13");
    build(&project(&format!("FROM {from}\nENV A=1\n")), &["--dry-run"])
        .exited(2)
        .says(&["Dockerfile:1:", "RUN true"])
        .hints();
}
