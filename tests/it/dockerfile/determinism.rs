//! The same files and the same Dockerfile give the same digest everywhere.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use super::{build, project};
use crate::support::project::TestProject;

const TEXT: &str =
    "FROM scratch\nARG V=1\nWORKDIR /app\nCOPY --chown=5:6 . src/\nADD archive.tar /unpacked/\nENV V=$V\nCMD [\"x\"]\n";

fn sample() -> TestProject {
    let archive = crate::support::tarball::Tarball::new()
        .directory("d", 0o755)
        .file("d/x", b"x");
    let mut project = project(TEXT).file("archive.tar", archive.bytes());
    for number in 0..30 {
        project = project.file(&format!("d{}/f{number}.txt", number % 4), format!("{number}\n"));
    }
    project
}

fn digest(project: &TestProject) -> String {
    build(project, &["--dry-run"]).succeeded().digest()
}

/// Catches modes, times and the folder of a checkout in the image.
#[test]
fn two_checkouts_agree() {
    let usual = sample();
    let other = sample().wrapped(&["sh", "-c", "umask 000; exec \"$0\" \"$@\""]);
    for name in other.files() {
        let path = other.folder().join(name);
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400))
            .unwrap();
    }
    fs::set_permissions(other.folder().join("d1"), Permissions::from_mode(0o777)).unwrap();
    assert_eq!(digest(&usual), digest(&other));
}

/// Catches a working directory, or an output, that matters.
#[test]
fn where_it_is_built_does_not_matter() {
    let project = sample();
    let inside = digest(&project);
    let folder = project.folder().display().to_string();
    let outside = project.run_in(std::path::Path::new("/"), &["build", "-c", &folder, "--dry-run"]);
    assert_eq!(outside.succeeded().digest(), inside);
    let written = build(&project, &["--output", "oci:../out", "-t", "v1"]).succeeded();
    assert_eq!(written.digest(), inside);
}

/// Catches an argument of the build that is passed over, or one that nothing uses and that changes the image.
#[test]
fn only_what_an_argument_changes_changes() {
    let project = sample();
    let usual = digest(&project);
    let with = |argument: &str| {
        build(&project, &["--dry-run", "--build-arg", argument])
            .succeeded()
            .digest()
    };
    assert_eq!(with("V=1"), usual);
    assert_ne!(with("V=2"), usual);
    assert_eq!(with("UNUSED=2"), usual);
}
