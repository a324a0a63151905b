//! The same inputs give the same digest on every machine.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use crate::support::outcome::{Outcome, Running};
use crate::support::project::TestProject;

const BUILD: [&str; 4] = ["--base", "scratch", "--output", "oci:out"];

fn digest(project: &TestProject) -> String {
    project.build(&BUILD).succeeded().digest()
}

/// Catches file modes of a checkout with umask 0000 in the layer.
#[test]
fn the_umask_does_not_matter() {
    let strict = TestProject::new().wrapped(&["sh", "-c", "umask 077; exec \"$0\" \"$@\""]);
    let loose = TestProject::new().wrapped(&["sh", "-c", "umask 000; exec \"$0\" \"$@\""]);
    for file in loose.files() {
        fs::set_permissions(loose.folder().join(file), Permissions::from_mode(0o666)).unwrap();
    }
    fs::set_permissions(loose.folder().join("db"), Permissions::from_mode(0o777)).unwrap();
    assert_eq!(digest(&strict), digest(&loose));
}

/// Catches a time of the checkout or of the build in the image.
#[test]
fn times_do_not_matter() {
    let project = TestProject::new();
    let first = digest(&project);
    let old = TestProject::new();
    for file in old.files() {
        let file = File::options().write(true).open(old.folder().join(file)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400))
            .unwrap();
    }
    assert_eq!(first, digest(&old));
    assert_eq!(
        first,
        project.build(&["--base", "scratch", "--dry-run"]).succeeded().digest()
    );
}

/// Catches the working directory, or the project's own path, in the image.
#[test]
fn the_working_directory_does_not_matter() {
    let text = "[project]\nname = \"orders\"\n[migrations]\nscripts = \"db\"\n[runner]\nbase = \"scratch\"\n";
    let project = TestProject::new().project_file(text);
    let inside = project.build(&["--dry-run"]).succeeded();
    let file = project.folder().join("shipway.toml").display().to_string();
    let outside = project.run_in(project.root(), &["--project-file", &file, "build", "--dry-run"]);
    assert_eq!(inside.digest(), outside.succeeded().digest());
    let other = TestProject::new().project_file(text);
    assert_eq!(inside.digest(), other.build(&["--dry-run"]).succeeded().digest());
}

/// Catches an order of files that is the file system's.
#[test]
fn the_order_of_creation_does_not_matter() {
    let names: Vec<_> = (1..60).map(|version| format!("V{version}__x.sql")).collect();
    let forward = TestProject::empty();
    let backward = TestProject::empty();
    for name in &names {
        forward.write(&format!("db/{name}"), name);
    }
    for name in names.iter().rev() {
        backward.write(&format!("db/{name}"), name);
    }
    assert_eq!(digest(&forward), digest(&backward));
}

/// Catches a compressor whose bytes depend on how many threads it has.
#[test]
fn the_number_of_processors_does_not_matter() {
    let text: String = (0..200_000)
        .map(|row| format!("INSERT INTO t VALUES ({row}, {});\n", row * 7919))
        .collect();
    let many = TestProject::new()
        .script("V3__rows.sql", &text)
        .script("V4__rows.sql", &text.repeat(3));
    let one = TestProject::new()
        .script("V3__rows.sql", &text)
        .script("V4__rows.sql", &text.repeat(3))
        .wrapped(&["taskset", "-c", "0"]);
    assert_eq!(digest(&many), digest(&one));
}

/// Catches processes at the same time that disturb one another through the cache.
#[test]
fn two_processes_at_once_agree() {
    let project = TestProject::new();
    let start = |output: &str| {
        let arguments = ["build", "--scripts", "db", "--base", "scratch", "--output", output];
        Running::start(&mut project.command(&arguments), "")
    };
    let running: Vec<_> = (0..4).map(|index| start(&format!("oci:out-{index}"))).collect();
    let digests: Vec<_> = running.into_iter().map(|run| run.wait().succeeded().digest()).collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
}

/// Catches a `SOURCE_DATE_EPOCH` that is ignored, or that is taken where it is not a number.
#[test]
fn the_source_date_is_taken_from_the_environment() {
    let build = |value: &str| -> Outcome {
        let project = TestProject::new().environment("SOURCE_DATE_EPOCH", value);
        let outcome = project.build(&["--base", "scratch", "--output", "oci:out", "-t", "v1"]);
        if outcome.status == Some(0) {
            let root = crate::support::image::Root::layout(&project.folder().join("out"), Some("v1"));
            let image = root.only();
            assert_eq!(image.config["created"], "2001-09-09T01:46:40Z");
            assert_eq!(
                image.label("org.opencontainers.image.created"),
                Some("2001-09-09T01:46:40Z")
            );
            assert!(image.layers[0].entries.iter().all(|entry| entry.mtime == 1_000_000_000));
        }
        outcome
    };
    build("1000000000").succeeded();
    build("yesterday").exited(2).says(&["SOURCE_DATE_EPOCH"]);
}
