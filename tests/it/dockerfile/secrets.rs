//! Secrets in what a Dockerfile copies, and in its words.

use super::{build, project};
use crate::support::base::Base;
use crate::support::outcome::Outcome;
use crate::support::project::{TestProject, files_below};
use crate::support::registry::FakeRegistry;

const CONFIG: &str = "flyway.url=jdbc:mysql://db/orders\nflyway.user=migrator\nflyway.password=canary-s3cret-Pa55\n";

fn sample() -> TestProject {
    project("FROM scratch\nCOPY conf/flyway.conf /flyway/conf/\n").file("conf/flyway.conf", CONFIG)
}

fn assert_hidden(project: &TestProject, outcome: &Outcome) {
    assert!(!outcome.stdout.contains("canary"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("canary"), "{outcome:#?}");
    for folder in [project.cache(), project.root().join("tmp")] {
        for file in files_below(&folder) {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
        }
    }
}

/// What the hint says is to be given with `--allow-secret`.
fn hinted(outcome: &Outcome) -> String {
    let (_, rest) = outcome
        .stderr
        .split_once("--allow-secret ")
        .unwrap_or_else(|| panic!("no hint: {outcome:#?}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Catches a password that gets into an image unseen, or into what is printed about it.
#[test]
fn a_secret_stops_the_build() {
    let project = sample();
    let outcome = build(&project, &["--output", "oci:../out", "-t", "v1"])
        .exited(4)
        .says(&["conf/flyway.conf", "flyway.password", "--allow-secret"])
        .hints();
    assert_hidden(&project, &outcome);
    assert!(!project.root().join("out").exists(), "nothing is written");
}

/// Catches a push of which something arrives before the secret is seen.
#[test]
fn a_secret_reaches_no_registry() {
    let registry = FakeRegistry::open();
    registry.seed("orders", "base", &Base::flyway_of(2).without_triggers().image());
    let project = TestProject::empty()
        .file(
            "Dockerfile",
            format!(
                "FROM {}\nCOPY conf/flyway.conf /flyway/conf/\n",
                registry.reference("orders:base")
            ),
        )
        .file("conf/flyway.conf", CONFIG);
    let target = registry.reference("orders:v1");
    let outcome = build(&project, &["--destination", &target]).exited(4);
    assert_hidden(&project, &outcome);
    // An upload may have been opened before the file was read; nothing is sent in it.
    let sent: u64 = registry.requests().iter().map(|request| request.bytes_in).sum();
    assert_eq!(sent, 0, "{}", registry.story());
    assert_eq!(registry.tag("orders", "v1"), None);
}

/// Catches a permission that is not heeded, or that covers more than it names.
#[test]
fn a_secret_may_be_allowed_by_path_and_key() {
    let project = sample();
    let allowed = hinted(&build(&project, &["--dry-run"]).exited(4));
    let outcome = build(&project, &["--dry-run", "--allow-secret", &allowed]).succeeded();
    assert_hidden(&project, &outcome);
    let other = allowed.replace("flyway.password", "flyway.other");
    build(&project, &["--dry-run", "--allow-secret", &other]).exited(4);
    project.write(
        "conf/flyway.conf",
        format!("{CONFIG}flyway.vault.token=hvs.canary0123456789abcdefghij\n"),
    );
    let outcome = build(&project, &["--dry-run", "--allow-secret", &allowed]).exited(4);
    assert_hidden(&project, &outcome);
}

/// Catches a password in the words of the Dockerfile.
#[test]
fn a_secret_in_env_stops_the_build() {
    let project = project("FROM scratch\nARG PASSWORD\nENV FLYWAY_PASSWORD=$PASSWORD\n");
    let outcome = build(&project, &["--dry-run", "--build-arg", "PASSWORD=canary-s3cret-Pa55"]).exited(4);
    assert_hidden(&project, &outcome.says(&["FLYWAY_PASSWORD"]));
}
