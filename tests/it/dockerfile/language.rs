//! What is wrong with a Dockerfile is said with its place.

use super::{build, project};
use crate::support::project::TestProject;

/// What is printed of a refusal, without the folder of the test.
fn refusal(project: &TestProject, arguments: &[&str]) -> String {
    let outcome = build(project, &[&["--dry-run"], arguments].concat()).exited(2);
    assert_eq!(outcome.stdout, "");
    outcome
        .stderr
        .replace(&project.folder().display().to_string(), "FOLDER")
}

fn of(text: &str) -> String {
    refusal(&project(text).file("a.txt", "a\n"), &[])
}

/// Catches an error without file, line or column, and one that does not show the line.
#[test]
fn errors_name_their_place() {
    insta::assert_snapshot!(of("FROM scratch\n\nCOPPY a.txt /\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nCOPY --chwon=1:1 a.txt /\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nCOPY a.txt \\\n  # why not\n  missing.txt /x/\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nENV A=${B\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nCOPY <<EOF /x\nnever ends\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nENV A\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nCOPY --chown=nobody-here a.txt /x\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nCOPY --from=later /x /\nFROM scratch AS later\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nEXPOSE eighty\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nADD --checksum=sha256:00 a.txt /x\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nCOPY --chmod=rwx a.txt /x\n"), @"");
    insta::assert_snapshot!(of("ENV A=1\nFROM scratch\n"), @"");
    insta::assert_snapshot!(of("\n# nothing\n"), @"");
    insta::assert_snapshot!(of("FROM not//a:reference\n"), @"");
    insta::assert_snapshot!(of("FROM scratch\nRUN make\n"), @"");
}

/// Catches a wrong flag of the command that is not named.
#[test]
fn flags_that_fit_nothing_are_refused() {
    let project =
        project("FROM scratch AS one\nCOPY a.txt /\nFROM scratch AS two\nCOPY a.txt /\n").file("a.txt", "a\n");
    insta::assert_snapshot!(refusal(&project, &["--target", "three"]), @"");
    insta::assert_snapshot!(refusal(&project, &["--target", "2"]), @"");
    insta::assert_snapshot!(refusal(&project, &["--build-context", "one=missing"]), @"");
}

/// Catches an ignore file whose lines are named by the wrong file.
#[test]
fn a_wrong_pattern_is_named_by_its_line() {
    let project = project("FROM scratch\nCOPY . /\n")
        .file(".dockerignore", "fine\n\n[a-\n")
        .file("a.txt", "a\n");
    insta::assert_snapshot!(refusal(&project, &[]), @"");
}
