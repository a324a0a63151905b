//! A scripted fault at each step of a push: a clear error, or a second attempt that succeeds; nothing lost.

use std::time::{Duration, Instant};

use crate::support::outcome::Outcome;
use crate::support::registry::{Action, FakeRegistry, Fault};
use crate::support::scene::Scene;

/// Pushes with a fault in the way, and checks that no half image is there afterwards.
fn push_with(fault: Fault, more: &[&str]) -> (Scene, Outcome) {
    let scene = Scene::ecr();
    let fault = scene.registry.fault(fault);
    let outcome = scene.push("v1", more);
    assert!(
        fault.struck(),
        "the fault never struck: {outcome:#?}{}",
        scene.registry.story()
    );
    if outcome.status == Some(0) {
        scene.registry.image("orders", "v1");
    } else {
        assert_eq!(scene.registry.tags("orders"), []);
        assert_eq!(outcome.stdout, "");
    }
    scene.registry.assert_strict();
    assert_eq!(scene.project.temporary_files(), Vec::<String>::new());
    (scene, outcome)
}

/// Every request of a push: method and a part of the path.
const STEPS: [(&str, &str); 9] = [
    ("GET", "/runner/manifests/13"),
    ("GET", "/runner/manifests/sha256:"),
    ("GET", "/runner/blobs/"),
    ("GET", "/storage/"),
    ("HEAD", "/orders/manifests/"),
    ("HEAD", "/orders/blobs/"),
    ("POST", "/orders/blobs/uploads/"),
    ("PUT", "/orders/blobs/uploads/"),
    ("PUT", "/orders/manifests/"),
];

/// Catches a step that is not tried again after a fault that passes.
#[test]
fn a_fault_that_passes_is_survived_at_every_step() {
    for (method, path) in STEPS {
        for status in [408, 429, 500, 502, 503, 504] {
            let fault = Fault::on(method, path).respond(status, "TOOMANYREQUESTS", "Rate exceeded");
            push_with(fault, &[]).1.succeeded();
        }
        push_with(Fault::on(method, path), &[]).1.succeeded();
    }
}

/// Catches an answer that breaks off being taken as complete, or not asked for again.
#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    for (method, path) in [STEPS[0], STEPS[1], STEPS[3]] {
        let fault = Fault::on(method, path).with(Action::CutAfter(20));
        push_with(fault, &[]).1.succeeded();
    }
}

/// Catches a range sent again to a session that broke: registries then refuse the whole blob.
#[test]
fn a_reset_in_mid_upload_starts_a_new_session() {
    for occurrence in 0..4 {
        let fault = Fault::on("PUT", "/orders/blobs/uploads/")
            .after(occurrence)
            .with(Action::ResetAfter(10));
        push_with(fault, &[]).1.succeeded();
    }
}

/// Catches a session that the registry forgot being an error.
#[test]
fn a_session_that_is_gone_is_opened_anew() {
    let fault = Fault::on("PUT", "/orders/blobs/uploads/").respond(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown");
    push_with(fault, &[]).1.succeeded();
}

/// Catches a failing service that is asked for ever, or reported as the user's mistake.
#[test]
fn a_fault_that_stays_is_temporary() {
    for (method, path) in STEPS {
        for status in [429, 500, 503] {
            let fault = Fault::on(method, path)
                .always()
                .respond(status, "UNAVAILABLE", "come back later");
            let (scene, outcome) = push_with(fault, &["--retry", "2"]);
            outcome.exited(8).says(&[&status.to_string()]).hints();
            let requests = scene.registry.requests();
            let tries = requests
                .iter()
                .filter(|request| request.method == method && request.status == status);
            assert!(tries.count() <= 3 * 8, "{method} {path}:{}", scene.registry.story());
        }
    }
}

/// Catches a refusal that is tried again, and one whose reason is not told.
#[test]
fn a_refusal_is_told_at_once() {
    for (method, path) in [STEPS[0], STEPS[6], STEPS[7], STEPS[8]] {
        for (status, code, message) in [
            (400, "MANIFEST_INVALID", "the canvas is upside down"),
            (
                403,
                "DENIED",
                "User arn:aws:iam::1:user/x is not authorized to perform ecr:PutImage",
            ),
            (413, "SIZE_INVALID", "the canvas is too large"),
        ] {
            let fault = Fault::on(method, path).always().respond(status, code, message);
            let (scene, outcome) = push_with(fault, &[]);
            outcome.exited(1).says(&[&message[..12]]);
            let requests = scene.registry.requests();
            let tries = requests
                .iter()
                .filter(|request| request.method == method && request.status == status);
            assert!(
                // Each blob once, and once more without mounting.
                tries.count() <= 16,
                "{method} {path} {status}:{}",
                scene.registry.story()
            );
        }
    }
}

/// Catches the message of a HEAD, which has no body, being left out.
#[test]
fn a_refused_head_is_explained() {
    let scene = Scene::ecr();
    let message = "no identity-based policy allows the ecr:BatchGetImage action";
    scene.registry.fault(
        Fault::on("HEAD", "/orders/manifests/")
            .always()
            .respond(403, "DENIED", message),
    );
    scene.registry.fault(
        Fault::on("GET", "/orders/manifests/")
            .always()
            .respond(403, "DENIED", message),
    );
    scene.push("v1", &[]).exited(1).says(&["BatchGetImage", "orders"]);
}

/// Catches `Retry-After` that is not honoured. A wait can be longer than asked for, never shorter.
#[test]
fn retry_after_is_honoured() {
    let busy = Fault::on("PUT", "/orders/manifests/").respond(429, "TOOMANYREQUESTS", "Rate exceeded");
    let start = Instant::now();
    push_with(busy.header("retry-after", "1"), &[]).1.succeeded();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

/// Catches a missing repository that is told as a missing page.
#[test]
fn a_missing_repository_is_named() {
    let scene = Scene::ecr();
    let target = scene.registry.reference("absent/orders:v1");
    scene
        .project
        .push(&scene.base, &target)
        .exited(1)
        .says(&["absent/orders"])
        .hints();
    scene.registry.assert_strict();
}

/// Catches the manifest refused because a base blob vanished since a cached run, being final.
#[test]
fn a_blob_that_the_cache_believes_in_but_is_gone_is_sent_again() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let fault = Fault::on("PUT", "/orders/manifests/v2").respond(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown");
    scene.next_release();
    scene.registry.fault(fault);
    scene.push("v2", &[]).succeeded();
    scene.registry.image("orders", "v2");
}

/// Catches a refused connection that is told without the host, or as a permanent failure.
#[test]
fn a_refused_connection_is_temporary() {
    let free = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let scene = Scene::ecr();
    let gone = format!("{free}/runner:13");
    let target = scene.target("v1");
    for (base, target) in [(&gone, &target), (&scene.base, &format!("{free}/orders:v1"))] {
        scene
            .project
            .build(&["--base", base, "-t", target, "--push", "--retry", "1"])
            .exited(8)
            .says(&[&free.to_string()])
            .hints();
    }
    assert_eq!(scene.registry.tags("orders"), []);
}

/// Catches a name that does not resolve being told as a refused connection.
#[test]
fn a_name_that_does_not_resolve_is_told() {
    let scene = Scene::open();
    scene
        .project
        .build(&[
            "--base",
            "registry.invalid/runner:13",
            "--output",
            "oci:out",
            "--retry",
            "0",
        ])
        .exited(8)
        .says(&["registry.invalid"])
        .hints();
}

/// Catches a server that stalls and keeps us waiting for ever.
#[test]
fn a_server_that_stalls_is_given_up() {
    for (method, path) in [STEPS[0], STEPS[3], STEPS[7], STEPS[8]] {
        let (_, outcome) = push_with(
            Fault::on(method, path).always().with(Action::Stall),
            &["--timeout", "0.5", "--retry", "1"],
        );
        outcome.exited(8).hints();
    }
    let fault = Fault::on("GET", "/storage/").always().with(Action::StallAfter(10));
    push_with(fault, &["--timeout", "0.5", "--retry", "1"]).1.exited(8);
    let fault = Fault::on("GET", "/storage/").with(Action::Stall);
    push_with(fault, &["--timeout", "0.5"]).1.succeeded();
}

/// Catches a slow server that is taken for one that stalls.
#[test]
fn a_slow_server_is_waited_for() {
    let fault = Fault::on("GET", "/runner/")
        .always()
        .with(Action::Delay(Duration::from_millis(200)));
    push_with(fault, &["--timeout", "30", "--retry", "0"]).1.succeeded();
}

/// Catches an error body of any size that is kept and printed.
#[test]
fn a_huge_error_body_is_cut() {
    let fault = Fault::on("PUT", "/orders/manifests/").always();
    let (_, outcome) = push_with(fault.respond(400, "MANIFEST_INVALID", &"x".repeat(20 << 20)), &[]);
    let outcome = outcome.exited(1);
    assert!(outcome.stderr.len() < 20_000, "{} bytes of error", outcome.stderr.len());
}

/// Catches control characters of a server's message reaching the terminal.
#[test]
fn a_servers_message_cannot_move_the_cursor() {
    let fault = Fault::on("PUT", "/orders/manifests/").always();
    let (_, outcome) = push_with(fault.respond(400, "MANIFEST_INVALID", "bad\u{1b}[2Jcanvas"), &[]);
    assert!(!outcome.exited(1).stderr.contains('\u{1b}'));
}

/// Catches a registry that says yes and lies about the digest it stored.
#[test]
fn something_that_is_no_registry_is_an_error() {
    let registry = FakeRegistry::open();
    let page = Fault::on("GET", "/v2/").always().with(Action::Respond {
        status: 200,
        headers: vec![("content-type".into(), "text/html".into())],
        body: "<html>Sign in</html>".into(),
    });
    registry.fault(page);
    let project = crate::support::project::TestProject::new();
    project
        .build(&["--base", &registry.reference("runner:13"), "--output", "oci:out"])
        .exited(1)
        .says(&["runner"]);
}

/// Catches hints about pushing where something was to be read.
#[test]
fn a_refused_read_is_not_told_as_a_refused_push() {
    for (status, code, hint) in [
        (403, "DENIED", "right to read"),
        (404, "NAME_UNKNOWN", "check the name of the repository"),
    ] {
        let fault = Fault::on("GET", "/runner/manifests/").always();
        let (_, outcome) = push_with(fault.respond(status, code, "no"), &[]);
        let outcome = outcome.exited(1).says(&[hint]).hints();
        assert!(!outcome.stderr.contains("right to push"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("create the repository"), "{outcome:#?}");
    }
    let fault = Fault::on("POST", "/orders/blobs/uploads/").always();
    let (_, outcome) = push_with(fault.respond(403, "DENIED", "no"), &[]);
    outcome.exited(1).says(&["the right to push"]);
}

/// Catches the answer of the host that keeps the blobs being told as the registry's, or as a missing right there.
#[test]
fn the_host_of_the_blobs_is_named() {
    for status in [403, 404] {
        let fault = Fault::on("GET", "/storage/").always();
        let (scene, outcome) = push_with(fault.respond(status, "DENIED", "no"), &[]);
        let outcome = outcome.exited(1).says(&["sends its blobs from 127.0.0.1:"]).hints();
        let registry = format!("{} answered", scene.registry.host());
        assert!(!outcome.stderr.contains(&registry), "{outcome:#?}");
        assert!(!outcome.stderr.contains("the right to"), "{outcome:#?}");
    }
    let fault = Fault::on("GET", "/storage/").always().with(Action::Stall);
    let (scene, outcome) = push_with(fault, &["--timeout", "0.3", "--retry", "0"]);
    let outcome = outcome.exited(8).says(&["sends its blobs from 127.0.0.1:"]);
    let registry = format!("{} moved no byte", scene.registry.host());
    assert!(!outcome.stderr.contains(&registry), "{outcome:#?}");
}
