//! `shipway build` of a Dockerfile.

mod article;
mod base;
mod context;
mod determinism;
mod language;
mod property;
mod run;
mod secrets;

use crate::support::image::Root;
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;

/// A project whose folder holds this Dockerfile.
fn project(dockerfile: &str) -> TestProject {
    TestProject::empty().file("Dockerfile", dockerfile)
}

/// Builds with the project's folder as context.
fn build(project: &TestProject, arguments: &[&str]) -> Outcome {
    project.run(&[&["build", "--context", "."], arguments].concat())
}

/// Builds into a layout and reads the image.
fn built(project: &TestProject, arguments: &[&str]) -> Root {
    let folder = project.folder().join("../out");
    let _ = std::fs::remove_dir_all(&folder);
    build(project, &[&["--output", "oci:../out", "-t", "v1"], arguments].concat()).succeeded();
    Root::layout(&folder, Some("v1"))
}
