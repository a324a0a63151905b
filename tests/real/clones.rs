//! The same commit is the same image, wherever and however it was checked out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::parts::{Registry, base_layout, output, program};
use crate::project::Project;

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn two_clones_are_one_digest() {
    let project = Project::new();
    fs::write(project.path("shipway.toml"), "[project]\nname = \"orders\"\n").expect("a project file can be written");
    two_clones_are_one_digest_in(&project, "named");
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn two_clones_of_a_project_without_a_project_file_are_one_digest() {
    two_clones_are_one_digest_in(&Project::new(), "unnamed");
}

fn two_clones_are_one_digest_in(project: &Project, repository: &str) {
    let registry = Registry::plain();
    let origin = project.path(".");
    for arguments in [
        "init --quiet --initial-branch=main .",
        "add .",
        "-c user.name=Ada -c user.email=ada@example.com commit --quiet --message=first",
    ] {
        git(&origin, arguments);
    }
    let (first, second) = (project.path("one"), project.path("elsewhere/and/deeper/two"));
    clone(&origin, &first, "022");
    clone(&origin, &second, "000");
    // The other checkout is also of another time.
    output(
        Command::new("sh")
            .args([
                "-c",
                "find . -path ./.git -prune -o -exec touch -d '2001-02-03 04:05:06' {} +",
            ])
            .current_dir(&second),
    );
    let mode = |folder: &Path| {
        fs::metadata(folder.join("flyway.toml"))
            .map(|file| std::os::unix::fs::MetadataExt::mode(&file))
            .ok()
    };
    assert_ne!(
        mode(&first),
        mode(&second),
        "the clones differ in nothing: the test would prove nothing"
    );

    let digests = [(&first, "022", "one"), (&second, "077", "two")].map(|(folder, umask, name)| {
        let mut shell = project.isolate(Command::new("sh"));
        shell.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
        shell.arg(program()).arg("build");
        shell.args([
            "--scripts",
            "scripts",
            "--config",
            "flyway.toml",
            "--base",
            &base_layout(),
            "--no-cache",
            "--push",
        ]);
        shell.args(["-t", &format!("{}/{repository}/{name}:{{git.sha}}", registry.address)]);
        shell.arg("--output").arg(format!("oci:{}", written(project, name)));
        let printed = output(shell.current_dir(folder));
        printed
            .trim_end()
            .rsplit('@')
            .next()
            .expect("a name ends somewhere")
            .to_owned()
    });
    assert_eq!(digests[0], digests[1]);
    assert_eq!(blobs(&written(project, "one")), blobs(&written(project, "two")));

    let commit = output(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(&first));
    let name = format!("{}/{repository}/one:{}", registry.address, commit.trim_end());
    assert_eq!(registry.digest_of(&name), digests[0], "the tag is not the commit");

    let image = format!("{}/{repository}/one@{}", registry.address, digests[0]);
    let shown: Value =
        serde_json::from_str(&output(project.shipway().args(["inspect", &image, "--format", "json"]))).expect("JSON");
    let labels = &shown["platforms"][0]["labels"];
    assert_eq!(labels["org.opencontainers.image.revision"], commit.trim_end());
    assert_eq!(
        labels["org.opencontainers.image.source"], "https://git.example.com/team/orders",
        "without user, token and .git"
    );
}

fn written(project: &Project, name: &str) -> String {
    project.path(&format!("written-{name}")).display().to_string()
}

fn blobs(layout: &str) -> Vec<String> {
    let folder = Path::new(layout).join("blobs/sha256");
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a layout has blobs")
        .map(|entry| {
            entry
                .expect("a blob has a name")
                .file_name()
                .into_string()
                .expect("in ASCII")
        })
        .collect();
    names.sort();
    names
}

/// Clones under a umask, with a remote as a pipeline leaves it: with a token in it.
fn clone(origin: &Path, to: &Path, umask: &str) {
    fs::create_dir_all(to.parent().expect("a clone lies in a folder")).expect("a folder can be made");
    let script = format!("umask {umask}; exec git clone --quiet \"$1\" \"$2\"");
    output(Command::new("sh").args(["-c", &script, "sh"]).arg(origin).arg(to));
    git(
        to,
        "remote set-url origin https://gitlab-ci-token:glcbt-secret@git.example.com/team/orders.git",
    );
}

fn git(folder: &Path, arguments: &str) {
    output(Command::new("git").args(arguments.split(' ')).current_dir(folder));
}
