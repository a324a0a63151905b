use std::path::Path;
use std::process::Command;

use super::*;

/// Runs git apart from the user's configuration, at a fixed time.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    let output = command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2001-02-03T04:05:06 +0000")
        .env("GIT_COMMITTER_DATE", "1234567890 +0200")
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@localhost",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "safe.directory=*", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .output()
        .expect("these tests need git");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    folder
}

fn commit(folder: &Path) -> String {
    git(folder, &["commit", "-q", "--allow-empty", "-m", "x"]);
    git(folder, &["rev-parse", "HEAD"])
}

fn read(folder: &Path) -> Provenance {
    Provenance::read(folder, &CiNames::default()).unwrap().unwrap()
}

fn names(branch: &str, tag: &str) -> CiNames {
    CiNames {
        branch: Some(branch.to_owned()),
        tag: Some(tag.to_owned()),
    }
}

#[test]
fn reads_commit_branch_and_source_from_a_folder_below() {
    let folder = repository();
    let id = commit(folder.path());
    git(folder.path(), &["checkout", "-q", "-b", "feature/Add_Users"]);
    git(folder.path(), &["remote", "add", "upstream", "https://other/x"]);
    git(
        folder.path(),
        &["remote", "add", "origin", "https://user:token@host/group/proj.git"],
    );
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let provenance = read(&below);
    let expected = Provenance {
        commit: Some(Commit {
            id: id.clone(),
            seconds: 1_234_567_890,
        }),
        branch: Some("feature/Add_Users".to_owned()),
        tag: None,
        source: Some("https://host/group/proj".to_owned()),
        name: Some("b".to_owned()),
    };
    assert_eq!(provenance, expected);
    // The root is called what the clone was called, which says nothing.
    assert_eq!(read(folder.path()).name.as_deref(), Some("proj"));
    assert_eq!(provenance.branch_slug().as_deref(), Some("feature-add-users"));
    assert_eq!(provenance.commit.unwrap().short(8), &id[..8]);
}

#[test]
fn no_repository_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Provenance::read(folder.path(), &names("a", "b")).unwrap(), None);
    let error = Provenance::read(&folder.path().join("missing"), &CiNames::default()).unwrap_err();
    assert!(matches!(error, ProvenanceError::Discover { .. }), "{error:?}");
}

#[test]
fn a_repository_without_commits_has_no_commit() {
    let folder = repository();
    git(folder.path(), &["remote", "add", "only", "git@host:group/proj.git"]);
    let provenance = Provenance::read(folder.path(), &names("ci", "v1")).unwrap().unwrap();
    assert_eq!(provenance.commit, None);
    assert_eq!(provenance.branch.as_deref(), Some("main"));
    assert_eq!(provenance.tag, None);
    assert_eq!(provenance.source.as_deref(), Some("https://host/group/proj"));
}

#[test]
fn of_several_remotes_none_is_the_source() {
    let folder = repository();
    git(folder.path(), &["remote", "add", "a", "https://host/a"]);
    git(folder.path(), &["remote", "add", "b", "https://host/b"]);
    assert_eq!(read(folder.path()).source, None);
    git(folder.path(), &["remote", "add", "origin", "/srv/git/proj.git"]);
    assert_eq!(read(folder.path()).source, None);
    git(folder.path(), &["remote", "set-url", "origin", "https://host/first"]);
    git(
        folder.path(),
        &["remote", "set-url", "--add", "origin", "https://host/second"],
    );
    git(
        folder.path(),
        &["config", "url.https://secret@host/.insteadOf", "https://host/"],
    );
    assert_eq!(read(folder.path()).source.as_deref(), Some("https://host/first"));
}

#[test]
fn finds_the_highest_tag_of_the_commit_packed_or_loose_annotated_or_not() {
    let folder = repository();
    commit(folder.path());
    git(folder.path(), &["tag", "v99"]);
    commit(folder.path());
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "y"]);
    assert_eq!(read(folder.path()).tag, None);
    git(folder.path(), &["tag", "v1.9"]);
    git(folder.path(), &["tag", "-a", "-m", "x", "v1.10"]);
    git(folder.path(), &["tag", "-a", "-m", "x", "v1.10-rc1"]);
    git(folder.path(), &["tag", "-a", "-m", "twice", "nested", "v1.10"]);
    assert_eq!(read(folder.path()).tag.as_deref(), Some("v1.10"));
    git(folder.path(), &["pack-refs", "--all"]);
    git(folder.path(), &["gc", "-q"]);
    assert_eq!(read(folder.path()).tag.as_deref(), Some("v1.10"));
}

#[test]
fn names_of_the_ci_service_count_only_where_no_branch_is_checked_out() {
    let folder = repository();
    commit(folder.path());
    git(folder.path(), &["tag", "v2"]);
    let ci = names("release", "v1");
    let on_branch = Provenance::read(folder.path(), &ci).unwrap().unwrap();
    assert_eq!(
        (on_branch.branch.as_deref(), on_branch.tag.as_deref()),
        (Some("main"), Some("v2"))
    );
    git(folder.path(), &["checkout", "-q", "--detach"]);
    let detached = Provenance::read(folder.path(), &ci).unwrap().unwrap();
    assert_eq!(
        (detached.branch.as_deref(), detached.tag.as_deref()),
        (Some("release"), Some("v1"))
    );
    let unnamed = Provenance::read(folder.path(), &names("", "")).unwrap().unwrap();
    assert_eq!((unnamed.branch.as_deref(), unnamed.tag.as_deref()), (None, Some("v2")));
}

#[test]
fn reads_worktrees_and_shallow_clones() {
    let folder = repository();
    commit(folder.path());
    let id = commit(folder.path());
    git(
        folder.path(),
        &["remote", "add", "origin", "https://host/group/proj.git"],
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let worktree = elsewhere.path().join("tree");
    git(
        folder.path(),
        &["worktree", "add", "-q", "-b", "side", worktree.to_str().unwrap()],
    );
    let provenance = read(&worktree);
    assert_eq!(provenance.branch.as_deref(), Some("side"));
    assert_eq!(provenance.commit.unwrap().id, id);
    assert_eq!(provenance.source.as_deref(), Some("https://host/group/proj"));

    let clone = elsewhere.path().join("clone");
    let url = format!("file://{}", folder.path().display());
    git(
        elsewhere.path(),
        &["clone", "-q", "--depth", "1", &url, clone.to_str().unwrap()],
    );
    assert!(clone.join(".git/shallow").exists());
    let provenance = read(&clone);
    assert_eq!(provenance.commit.unwrap().id, id);
    assert_eq!(provenance.source, None);
}

#[cfg(unix)]
#[test]
fn a_clone_of_another_user_is_read() {
    let folder = repository();
    let id = commit(folder.path());
    git(folder.path(), &["tag", "v1"]);
    git(
        folder.path(),
        &["remote", "add", "origin", "https://host/group/proj.git"],
    );
    if !give_away(folder.path(), 12345) {
        return; // Only root can give files away.
    }
    let provenance = read(folder.path());
    assert_eq!(provenance.commit.unwrap().id, id);
    assert_eq!(provenance.source.as_deref(), Some("https://host/group/proj"));
    assert_eq!(provenance.tag.as_deref(), Some("v1"));
}

#[cfg(unix)]
fn give_away(path: &Path, user: u32) -> bool {
    let mut given = std::os::unix::fs::lchown(path, Some(user), Some(user)).is_ok();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            given &= give_away(&entry.unwrap().path(), user);
        }
    }
    given
}

#[test]
fn a_damaged_repository_is_an_error_that_names_it() {
    let folder = repository();
    let id = commit(folder.path());
    std::fs::remove_file(folder.path().join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    let error = Provenance::read(folder.path(), &CiNames::default()).unwrap_err();
    assert!(
        matches!(&error, ProvenanceError::Read { repository, .. } if repository == folder.path()),
        "{error:?}"
    );
    assert!(!error.hints().is_empty());
}

#[test]
fn an_error_never_quotes_a_token() {
    let folder = repository();
    let config = folder.path().join(".git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    for broken in [
        "[remote \"origin\"]\n\turl https://user:hush@host/x.git\n",
        "[remote \"origin\"]\n\turl=\"https://hush@host/x.git\n",
        "https://user:hush@host/x.git\n",
        "[https://user:hush@host/x.git\n",
    ] {
        std::fs::write(&config, format!("{text}{broken}")).unwrap();
        let error = Provenance::read(folder.path(), &CiNames::default()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(!format!("{error} {error:?} {source}").contains("hush"), "{source}");
        assert!(!source.contains('\n') && source.contains("configuration"), "{source}");
    }
}
