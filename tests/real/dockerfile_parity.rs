//! The same Dockerfile gives the same image as with Docker and buildah: files, modes, owners, links and config.
//!
//! Each case of the table says whose word counts, what other builders do otherwise, and why. A difference that nobody has given a
//! reason for is a failure, and so is one that is not there any more. What no builder at hand knows is compared with what the
//! Dockerfile reference says.

mod bases;
mod builders;
mod case;
mod cases;
mod context;
mod differences;
mod image;
mod scene;
mod server;
mod verdict;
mod why;

use std::collections::BTreeSet;

use cases::{add, config, copy, ignore, language, modern, owner, stages};
use differences::KNOWN;
use verdict::check;
use why::Why;

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn places() {
    check(&copy::places());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn directories() {
    check(&copy::directories());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn names() {
    check(&copy::names());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn links() {
    check(&copy::links());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn owners() {
    check(&owner::cases());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn archives() {
    check(&add::archives());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn addresses() {
    check(&add::addresses());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn stages_and_images() {
    check(&stages::cases());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn configuration() {
    check(&config::cases());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn working_directories() {
    check(&config::workdir());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn language() {
    check(&language::cases());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn ignoring() {
    check(&ignore::cases());
}

#[test]
#[ignore = "needs a Docker engine with BuildKit, buildah and docker-registry: ci/test.sh"]
fn what_others_do_not_know() {
    check(&modern::cases());
}

/// Catches a case that does not run because another has its name, a row of the table that is about no case, and a reason that the
/// user is not told.
#[test]
fn the_table_is_complete_and_told() {
    let cases = [
        copy::places(),
        copy::directories(),
        copy::names(),
        copy::links(),
        owner::cases(),
        add::archives(),
        add::addresses(),
        stages::cases(),
        config::cases(),
        config::workdir(),
        language::cases(),
        ignore::cases(),
        modern::cases(),
    ]
    .concat();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    assert!(names.len() >= 200, "only {} cases", names.len());
    for (name, ..) in KNOWN {
        assert!(names.contains(name), "there is no case {name}");
    }
    let page = include_str!("../../docs/dockerfile.md");
    for why in Why::ALL {
        assert!(
            KNOWN.iter().any(|(.., known)| *known == why),
            "{why:?} is no reason of anything"
        );
        let row = format!("\n| {} |", why.subject());
        assert!(page.contains(&row), "docs/dockerfile.md does not tell of:{row}");
    }
}
