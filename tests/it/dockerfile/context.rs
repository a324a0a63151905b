//! Where the context and the Dockerfile come from.

use std::process::Command;

use super::{build, built, project};
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;

const TEXT: &str = "FROM scratch\nWORKDIR /app\nCOPY . .\nCOPY d/run.sh /bin/\n";

fn sample() -> TestProject {
    let project = project(TEXT)
        .file(".dockerignore", "*.md\n!keep.md\n")
        .file("a.txt", "a\n")
        .file("b.md", "b\n")
        .file("keep.md", "k\n")
        .file("d/run.sh", "#!/bin/sh\n");
    let script = project.folder().join("d/run.sh");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("a.txt", project.folder().join("link")).unwrap();
    project
}

fn packed(project: &TestProject, file: &str, flags: &str) {
    let status = Command::new("tar")
        .args([flags, file, "-C", "project", "."])
        .current_dir(project.root())
        .status();
    assert!(status.unwrap().success());
}

/// Catches a context whose kind changes the image.
#[test]
fn every_kind_of_context_gives_the_same_image() {
    let project = sample();
    let folder = build(&project, &["--dry-run"]).succeeded().digest();
    packed(&project, "plain.tar", "-cf");
    packed(&project, "packed.tar.gz", "-czf");
    let at = |context: &str| {
        project
            .run(&["build", "--context", context, "--dry-run"])
            .succeeded()
            .digest()
    };
    let absolute = project.folder().display().to_string();
    for context in [
        &absolute,
        &format!("dir://{absolute}"),
        "tar://../plain.tar",
        "tar://../packed.tar.gz",
    ] {
        assert_eq!(at(context), folder, "{context}");
    }
    let archive = std::fs::read_to_string(project.root().join("plain.tar")).unwrap();
    for context in ["-", "tar://stdin"] {
        let outcome: Outcome = project.run_with_input(&["build", "--context", context, "--dry-run"], &archive);
        assert_eq!(outcome.succeeded().digest(), folder, "{context}");
    }
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches a Dockerfile that is looked for in one place only.
#[test]
fn the_dockerfile_is_found_as_given_in_the_context_or_on_standard_input() {
    let project = sample();
    let usual = build(&project, &["--dry-run"]).succeeded().digest();
    std::fs::rename(project.folder().join("Dockerfile"), project.root().join("Elsewhere")).unwrap();
    let given = build(&project, &["--dry-run", "--dockerfile", "../Elsewhere"]).succeeded();
    let input = project.run_with_input(&["build", "--context", ".", "--dockerfile", "-", "--dry-run"], TEXT);
    assert_eq!(given.digest(), input.succeeded().digest());
    // The context no longer holds the Dockerfile, and the image neither.
    assert_ne!(given.digest(), usual);
    project.write("below/Dockerfile", TEXT);
    let below = project.run_in(
        project.root(),
        &[
            "build",
            "--context",
            "project",
            "--dockerfile",
            "below/Dockerfile",
            "--dry-run",
        ],
    );
    below.succeeded();
    build(&project, &["--dry-run"]).exited(2).says(&["Dockerfile"]).hints();
}

/// Catches modes of the checkout in the image, and modes that are lost although they are asked for.
#[test]
fn modes_are_those_of_git_unless_docker_s_are_asked_for() {
    let project = sample();
    let file = project.folder().join("a.txt");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mode = |flags: &[&str], path: &str| built(&project, flags).only().entry(path).unwrap().mode;
    assert_eq!(mode(&[], "app/a.txt"), 0o644);
    assert_eq!(mode(&[], "bin/run.sh"), 0o755);
    assert_eq!(mode(&["--preserve-modes"], "app/a.txt"), 0o600);
}

/// Catches a link of the context that leads to the files of this machine.
#[test]
fn nothing_outside_the_context_is_read() {
    let project = project("FROM scratch\nCOPY link/canary /x\n");
    std::fs::write(project.root().join("home/canary"), "canary\n").unwrap();
    for target in ["../home", &project.root().join("home").display().to_string()] {
        let link = project.folder().join("link");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(target, link).unwrap();
        let outcome = build(&project, &["--dry-run"]).exited(2);
        assert!(!outcome.stderr.contains("canary\n\n"), "{outcome:#?}");
    }
}

/// Catches a context that is given together with what it stands in the place of.
#[test]
fn a_dockerfile_and_a_profile_exclude_one_another() {
    let project = sample();
    for (flag, value) in [
        ("--base", "scratch"),
        ("--scripts", "d"),
        ("--env", "A=1"),
        ("--workdir", "/x"),
    ] {
        build(&project, &["--dry-run", flag, value]).exited(2).says(&[flag]);
    }
}
