//! What git knows goes into labels and tags; what it must not tell does not.

use std::fs;
use std::process::Command;

use crate::support::git::{COMMIT_TIME, commit_all, git};
use crate::support::image::Root;
use crate::support::project::TestProject;

const BUILD: [&str; 4] = ["--base", "scratch", "--output", "oci:out"];

/// A project that is a git repository with this remote, its commit, and the image built of it.
fn built_with_remote(remote: &str) -> (TestProject, String, Root) {
    let project = TestProject::new();
    let commit = commit_all(project.folder());
    git(project.folder(), &["remote", "add", "origin", remote]);
    project.build(&[&BUILD[..], &["-t", "v1"]].concat()).succeeded();
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    (project, commit, root)
}

/// Catches a user, a token, a port of ssh or `.git` in the source, and forms of remotes that are not read.
#[test]
fn the_source_is_a_url_without_user_and_token() {
    for remote in [
        "https://example.com/group/orders.git",
        "https://example.com/group/orders",
        "https://gitlab-ci-token:canary-token-not-to-be-seen@example.com/group/orders.git",
        "git@example.com:group/orders.git",
        "ssh://git@example.com:2222/group/orders.git",
    ] {
        let (_, commit, root) = built_with_remote(remote);
        let image = root.only();
        for found in [
            image.label("org.opencontainers.image.source"),
            image.annotation("org.opencontainers.image.source"),
        ] {
            assert_eq!(found, Some("https://example.com/group/orders"), "{remote}");
        }
        assert_eq!(image.label("org.opencontainers.image.revision"), Some(commit.as_str()));
        assert_eq!(image.label("org.opencontainers.image.created"), Some(COMMIT_TIME));
        assert_eq!(image.config["created"], COMMIT_TIME);
        assert!(!image.config_text.contains("canary"));
    }
}

/// Catches a path of the machine that is published as source.
#[test]
fn a_local_remote_is_no_source() {
    let (_, _, root) = built_with_remote("/srv/git/orders.git");
    let source = root.only().label("org.opencontainers.image.source");
    assert!(source.is_none_or(|source| !source.contains("/srv/git")), "{source:?}");
}

/// Catches file times taken from the commit: unchanged scripts must be the same layer in every commit.
#[test]
fn a_new_commit_changes_the_config_and_not_the_layer() {
    let project = TestProject::new();
    commit_all(project.folder());
    project.build(&[&BUILD[..], &["-t", "one"]].concat()).succeeded();
    let one = Root::layout(&project.folder().join("out"), Some("one"));
    fs::write(project.folder().join("README"), "hello").unwrap();
    fs::remove_dir_all(project.folder().join("out")).unwrap();
    commit_all(project.folder());
    project.build(&[&BUILD[..], &["-t", "two"]].concat()).succeeded();
    let two = Root::layout(&project.folder().join("out"), Some("two"));
    assert_ne!(one.digest, two.digest, "the revision is another");
    let layer = |root: &Root| root.only().layers[0].descriptor.digest.clone();
    assert_eq!(layer(&one), layer(&two));
}

/// Catches the need for a git command, which the job's image does not have.
#[test]
fn no_git_command_is_needed() {
    let project = TestProject::new().program("git", "echo called >> \"$HOME/called\"; exit 1");
    commit_all(project.folder());
    let target = project.build(&[&BUILD[..], &["-t", "x:{git.sha}"]].concat());
    target.succeeded();
    assert!(!project.home().join("called").exists(), "the git command was run");
}

/// Catches gix refusing a clone that another user owns, as in CI containers.
#[test]
fn a_clone_of_another_user_works() {
    let project = TestProject::new();
    let commit = commit_all(project.folder());
    let changed = Command::new("chown")
        .args(["-R", "12345:12345"])
        .arg(project.folder())
        .output();
    // Without root nothing can be given away, and the clone is simply our own.
    drop(changed);
    project.build(&[&BUILD[..], &["-t", "v1"]].concat()).succeeded();
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    assert_eq!(
        root.only().label("org.opencontainers.image.revision"),
        Some(commit.as_str())
    );
}

/// Catches a linked worktree or a folder below the root that is taken for no repository.
#[test]
fn worktrees_and_folders_below_the_root_are_known() {
    let project = TestProject::new();
    let commit = commit_all(project.folder());
    git(
        project.folder(),
        &["worktree", "add", "--quiet", "-b", "feature/Other", "../linked"],
    );
    let run = |folder: &str, scripts: &str| {
        let output = format!("oci:{}", project.root().join("out").display());
        let arguments = [
            "build",
            "--scripts",
            scripts,
            "--base",
            "scratch",
            "--output",
            &output,
            "-t",
            "x:{git.branch}",
        ];
        project.run_in(&project.root().join(folder), &arguments).succeeded();
        let image = crate::support::image::layout_index(&project.root().join("out"));
        let root = Root::layout(&project.root().join("out"), None);
        assert_eq!(
            root.only().label("org.opencontainers.image.revision"),
            Some(commit.as_str())
        );
        fs::remove_dir_all(project.root().join("out")).unwrap();
        image["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(run("linked", "db").ends_with("feature-other"));
    assert!(run("project/db", ".").ends_with("main"));
}

/// Catches a detached HEAD, as every CI job has, that leaves `{git.branch}` empty or `HEAD`.
#[test]
fn a_detached_head_takes_branch_and_tag_from_the_job() {
    let project = TestProject::new();
    commit_all(project.folder());
    git(project.folder(), &["checkout", "--quiet", "--detach"]);
    project
        .build(&[&BUILD[..], &["-t", "x:{git.branch}"]].concat())
        .exited(2)
        .says(&["git.branch"]);
    let project = project
        .environment("CI_COMMIT_BRANCH", "feature/Add_Users!")
        .environment("CI_COMMIT_TAG", "v1.2.3");
    let json = project
        .build(
            &[
                &BUILD[..],
                &["-t", "x:{git.branch}", "-t", "x:{git.tag}", "--format", "json"],
            ]
            .concat(),
        )
        .succeeded()
        .json();
    let index = crate::support::image::layout_index(&project.folder().join("out")).to_string();
    assert!(index.contains("feature-add"), "{index} {json}");
    assert!(index.contains("v1.2.3"), "{index} {json}");
}

/// Catches a tag template that needs git where there is none, found out after something was sent.
#[test]
fn without_git_there_are_no_git_tags_and_the_time_is_the_epoch() {
    let scene = crate::support::scene::Scene::ecr();
    scene.push("{git.sha}", &[]).exited(2).says(&["git"]).hints();
    assert_eq!(scene.registry.count(), 0, "nothing is sent");
    scene.push("v1", &[]).succeeded();
    let root = scene.registry.image("orders", "v1");
    assert_eq!(root.only().config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(root.only().label("org.opencontainers.image.revision"), None);
    assert_eq!(root.only().label("org.opencontainers.image.source"), None);
}

/// Catches a version taken from the tag or the base instead of the migrations.
#[test]
fn the_version_is_that_of_the_migrations_unless_it_is_given() {
    let project = TestProject::new().script("V10_1__x.sql", "SELECT 1;\n");
    project.build(&[&BUILD[..], &["-t", "one"]].concat()).succeeded();
    let version = |tag: &str| {
        let root = Root::layout(&project.folder().join("out"), Some(tag));
        root.only().label("org.opencontainers.image.version").map(str::to_owned)
    };
    assert_eq!(version("one").as_deref(), Some("10.1"));
    project
        .build(&[&BUILD[..], &["-t", "two", "--image-version", "7"]].concat())
        .succeeded();
    assert_eq!(version("two").as_deref(), Some("7"));
}

/// Catches a build that stops because of a repository nobody asked for, and one that says nothing of it.
#[test]
fn a_repository_that_cannot_be_read_is_told_and_passed_over() {
    let project = TestProject::new();
    fs::create_dir_all(project.folder().join(".git/objects")).unwrap();
    fs::create_dir_all(project.folder().join(".git/refs")).unwrap();
    fs::write(project.folder().join(".git/HEAD"), "rubbish\n").unwrap();
    project.build(&BUILD).succeeded().says(&["note:", "git repository"]);
    project
        .build(&[&BUILD[..], &["-t", "{git.sha}"]].concat())
        .exited(2)
        .says(&["{git.sha}"])
        .hints();
}
