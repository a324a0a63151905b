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
mod image;
mod scene;
mod server;
mod verdict;
mod why;

use cases::{add, config, copy, ignore, language, modern, owner, stages};
use verdict::check;

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
