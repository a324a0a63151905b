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
    insta::assert_snapshot!(of("FROM scratch\n\nCOPPY a.txt /\n"), @r##"
    error: Dockerfile:3:1: COPPY a.txt /
      caused by: COPPY is no instruction
    hint: did you mean COPY?
    "##);
    insta::assert_snapshot!(of("FROM scratch\nCOPY --chwon=1:1 a.txt /\n"), @r##"
    error: Dockerfile:2:6: COPY --chwon=1:1 a.txt /
      caused by: COPY has no flag --chwon
    hint: did you mean --chown?
    "##);
    insta::assert_snapshot!(of("FROM scratch\nCOPY a.txt \\\n  # why not\n  missing.txt /x/\n"), @r##"
    error: Dockerfile:2:1: COPY a.txt \
      caused by: "missing.txt" is not there
    hint: paths begin at the root of what is copied from, which is the context unless --from says otherwise
    "##);
    insta::assert_snapshot!(of("FROM scratch\nENV A=${B\n"), @r##"
    error: Dockerfile:2:1: ENV A=${B
      caused by: a ${ has no }
    "##);
    insta::assert_snapshot!(of("FROM scratch\nCOPY <<EOF /x\nnever ends\n"), @r##"
    error: Dockerfile:2:6: COPY <<EOF /x
      caused by: the text <<EOF has no end
    hint: it ends with a line that holds nothing but EOF
    "##);
    insta::assert_snapshot!(of("FROM scratch\nENV A\n"), @r##"
    error: Dockerfile:2:5: ENV A
      caused by: A has no value
    hint: the form is: ENV A=VALUE
    "##);
    insta::assert_snapshot!(of("FROM scratch\nCOPY --chown=nobody-here a.txt /x\n"), @r##"
    error: Dockerfile:2:1: COPY --chown=nobody-here a.txt /x
      caused by: there is no user nobody-here in the image
    hint: /etc/passwd of the image lists them; a number needs no list
    "##);
    insta::assert_snapshot!(of("FROM scratch\nCOPY --from=7 /x /\n"), @r##"
    error: Dockerfile:2:13: COPY --from=7 /x /
      caused by: --from=7 is not a stage before this one
    hint: stages are counted from 0; a name (FROM … AS name) is clearer
    "##);
    insta::assert_snapshot!(of("FROM scratch\nEXPOSE eighty\n"), @r##"
    error: Dockerfile:2:1: EXPOSE eighty
      caused by: "eighty" is no port
    hint: write a port or a range of them, such as 8080, 53/udp or 8000-8010/tcp
    "##);
    insta::assert_snapshot!(of("FROM scratch\nADD --checksum=sha256:00 a.txt /x\n"), @r##"
    error: Dockerfile:2:1: ADD --checksum=sha256:00 a.txt /x
      caused by: "sha256:00" is not a checksum
    hint: write sha256: and 64 digits
    "##);
    insta::assert_snapshot!(of("FROM scratch\nCOPY --chmod=rwx a.txt /x\n"), @r##"
    error: Dockerfile:2:1: COPY --chmod=rwx a.txt /x
      caused by: "rwx" is not a mode
    hint: a mode is up to four octal digits (755, 0644) or what to change (u=rwX,go=rX, a+x, go-w)
    "##);
    insta::assert_snapshot!(of("ENV A=1\nFROM scratch\n"), @r##"
    error: Dockerfile:1:1: ENV A=1
      caused by: ENV stands before the first FROM
    hint: only ARG may stand there
    "##);
    insta::assert_snapshot!(of("\n# nothing\n"), @r##"
    error: Dockerfile:2:1: # nothing
      caused by: there is no instruction in it
    hint: it begins with FROM, such as: FROM flyway/flyway:13
    "##);
    insta::assert_snapshot!(of("FROM not//a:reference\n"), @r##"
    error: Dockerfile:1:6: FROM not//a:reference
      caused by: "not//a" is not a repository name: path components are lower-case letters and digits, joined by '.', '_', '__' or '-'
    "##);
    insta::assert_snapshot!(of("FROM scratch\nRUN make\n"), @r##"
    error: Dockerfile:2:1: RUN make
      caused by: RUN needs a container to run in, and shipway starts none: it needs no daemon and no privileges
    hint: move it into the base image, and build on that
    hint: or let a Docker daemon build: --engine docker
    "##);
}

/// Catches a wrong flag of the command that is not named.
#[test]
fn flags_that_fit_nothing_are_refused() {
    let project =
        project("FROM scratch AS one\nCOPY a.txt /\nFROM scratch AS two\nCOPY a.txt /\n").file("a.txt", "a\n");
    insta::assert_snapshot!(refusal(&project, &["--target", "three"]), @r##"
    error: Dockerfile:3:1: FROM scratch AS two
      caused by: there is no stage "three"
    hint: the stages are: one, two
    "##);
    insta::assert_snapshot!(refusal(&project, &["--target", "2"]), @r##"
    error: Dockerfile:3:1: FROM scratch AS two
      caused by: there is no stage "2"
    hint: the stages are: one, two
    "##);
    insta::assert_snapshot!(refusal(&project, &["--build-context", "one=missing"]), @r##"
    error: the context one cannot be used
      caused by: the context missing does not exist
    hint: name the folder that COPY and ADD take files from: --context DIR
    "##);
}

/// Catches an ignore file whose lines are named by the wrong file.
#[test]
fn a_wrong_pattern_is_named_by_its_line() {
    let project = project("FROM scratch\nCOPY . /\n")
        .file(".dockerignore", "fine\n\n[a-\n")
        .file("a.txt", "a\n");
    insta::assert_snapshot!(refusal(&project, &[]), @r##"
    error: the build context cannot be used
      caused by: .dockerignore:3: "[a-" is not a pattern of files
      caused by: it is not a pattern: a '[' is not closed, or a '\' takes the meaning of nothing away
    hint: write \[ for a bracket and \\ for a backslash that are meant as such
    "##);
}
