//! What a person sees meanwhile, and what an interrupted run leaves.

use std::time::Duration;

use crate::support::registry::{Action, Fault};
use crate::support::scene::Scene;

/// Catches bars, colours and carriage returns in a job's log.
#[test]
fn a_log_gets_one_plain_line_per_event() {
    let scene = Scene::ecr();
    let outcome = scene.push("v1", &[]).succeeded();
    assert!(!outcome.stderr.contains(['\r', '\u{1b}']), "{outcome:?}");
    assert!(outcome.stderr.lines().count() >= 2, "{outcome:?}");
    assert!(
        outcome.stderr.lines().all(|line| !line.trim().is_empty()),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("orders"), "{outcome:?}");
}

/// Catches a quiet run that is not, and a loud one that says no more.
#[test]
fn quiet_and_verbose_do_what_they_say() {
    let scene = Scene::ecr();
    let quiet = scene.push("v1", &["-q"]).succeeded();
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("@sha256:"));
    scene.next_release();
    let plain = scene.push("v2", &["--no-progress"]).succeeded();
    scene.next_release();
    let verbose = scene.push("current", &["-v", "--move-tags"]).succeeded();
    assert!(
        verbose.stderr.lines().count() > plain.stderr.lines().count(),
        "{verbose:?}"
    );
    scene.push("v1", &["-q"]).exited(4);
}

/// How often, 5 ms apart, it is looked whether the request has come.
const PATIENCE: usize = 12_000;

/// Interrupts a push that hangs at `path` and checks that nothing is left.
fn interrupt(signal: &str, status: i32, method: &str, path: &str) {
    let scene = Scene::ecr();
    let before = scene.project.files();
    let fault = scene
        .registry
        .fault(Fault::on(method, path).always().with(Action::Stall));
    let target = scene.target("v1");
    let running = scene.project.start_build(&[
        "--base",
        &scene.base,
        "-t",
        &target,
        "--push",
        "--output",
        "oci:out",
        "--output",
        "oci-archive:out.tar",
        "--digest-file",
        "digest",
    ]);
    for _ in 0..PATIENCE {
        if fault.struck() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(fault.struck(), "no {method} {path}:{}", scene.registry.story());
    running.signal(signal);
    let outcome = running.wait();
    assert_eq!(outcome.status, Some(status), "{outcome:#?}");
    assert_eq!(outcome.stdout, "");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    assert_eq!(scene.project.files(), before, "{method} {path}");
    assert_eq!(scene.project.temporary_files(), Vec::<String>::new());
    assert_eq!(scene.registry.tags("orders"), []);
    scene.registry.heal();
    scene.push("v1", &[]).succeeded();
    scene.registry.image("orders", "v1");
}

/// Catches temporary files of a push that was interrupted with Ctrl-C, wherever it was.
#[test]
fn control_c_leaves_nothing_behind() {
    interrupt("INT", 130, "GET", "/runner/manifests/");
    interrupt("INT", 130, "GET", "/storage/");
    interrupt("INT", 130, "PUT", "/orders/blobs/uploads/");
    interrupt("INT", 130, "PUT", "/orders/manifests/");
}

/// Catches a job that is cancelled and leaves its files to the next.
#[test]
fn termination_leaves_nothing_behind() {
    interrupt("TERM", 143, "PUT", "/orders/blobs/uploads/");
}
