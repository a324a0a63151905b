//! `push`: an image built earlier goes to repositories.

use serde_json::json;

use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};

/// A project whose image lies in the layout `out` as `1.4` and `current`.
fn built() -> (TestProject, String) {
    let project = TestProject::new();
    let digest = project
        .build(&["--base", "scratch", "--output", "oci:out", "-t", "1.4", "-t", "current"])
        .succeeded()
        .digest();
    (project, digest)
}

/// Catches a push that builds another image, or loses tags.
#[test]
fn what_was_built_is_pushed_as_it_is() {
    let (project, digest) = built();
    let registry = FakeRegistry::open();
    let target = registry.reference("orders");
    let outcome = project.run(&["push", "oci:out", &target]).succeeded();
    assert_eq!(outcome.stdout, format!("{target}@{digest}\n"));
    let tags = registry.tags("orders");
    assert_eq!(tags, ["1.4", "current"].map(|tag| (tag.to_owned(), digest.clone())));
    registry.assert_complete("orders", "1.4");
    registry.forget_requests();
    let json = project
        .run(&["push", "oci:out", &target, "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(json["status"], "unchanged");
    assert_eq!(registry.count(), 2, "{}", registry.story());
    registry.assert_strict();
}

/// Catches targets of which one is forgotten, or written twice.
#[test]
fn several_repositories_at_once() {
    let (project, digest) = built();
    let (one, other) = (FakeRegistry::open(), FakeRegistry::open());
    let targets = [
        one.reference("orders:1.4"),
        other.reference("shop/orders:1.4"),
        one.reference("orders:latest"),
    ];
    let mut words = vec!["push", "oci:out:1.4", "-t", "stable", "--format", "json"];
    words.extend(targets.iter().map(String::as_str));
    let json = project.run(&words).succeeded().json();
    let pinned = |name: String| format!("{name}@{digest}");
    let images = json!([pinned(one.reference("orders")), pinned(other.reference("shop/orders"))]);
    assert_eq!(json["images"], images);
    assert_eq!(json["source"], "oci:out:1.4");
    let tags = |registry: &FakeRegistry, repository| -> Vec<String> {
        registry.tags(repository).into_iter().map(|(tag, _)| tag).collect()
    };
    assert_eq!(tags(&one, "orders"), ["1.4", "latest", "stable"]);
    assert_eq!(tags(&other, "shop/orders"), ["1.4", "stable"]);
    assert_eq!(one.redundant_uploads(), 0);
    one.assert_strict();
    other.assert_strict();
}

/// Catches a registry that is written to although another one refuses.
#[test]
fn one_refused_tag_refuses_all() {
    let (project, _) = built();
    let (one, other) = (FakeRegistry::open(), FakeRegistry::open());
    let (first, second) = (one.reference("orders:1.4"), other.reference("orders:1.4"));
    project.run(&["push", "oci:out:1.4", &second]).succeeded();
    project.write("db/V3__x.sql", "SELECT 3;\n");
    project
        .build(&["--base", "scratch", "--output", "oci:out", "-t", "1.4"])
        .succeeded();
    project
        .run(&["push", "oci:out:1.4", &first, &second])
        .exited(4)
        .says(&["1.4", &other.host()]);
    assert_eq!(one.writes(), 0, "{}", one.story());
}

/// Catches archives that cannot be pushed.
#[test]
fn archives_are_pushed() {
    let (project, digest) = built();
    let registry = FakeRegistry::open();
    project.run(&["copy", "oci:out:1.4", "oci-archive:out.tar"]).succeeded();
    project
        .run(&["copy", "oci:out:1.4", "docker-archive:docker.tar"])
        .succeeded();
    project
        .run(&["push", "oci-archive:out.tar", &registry.reference("a")])
        .succeeded();
    assert_eq!(registry.tag("a", "1.4"), Some(digest.clone()));
    project
        .run(&["push", "docker-archive:docker.tar", &registry.reference("b:1")])
        .succeeded();
    assert_eq!(
        registry.image("b", "1").only().config,
        registry.image("a", "1.4").only().config
    );
    project
        .run(&["push", &format!("oci:out@{digest}"), &registry.reference("c")])
        .succeeded();
    assert_eq!(registry.tags("c"), []);
    registry.assert_complete("c", &digest);
}

/// Catches a missing repository that is found out after bytes were sent.
#[test]
fn a_missing_repository_is_an_error() {
    let (project, _) = built();
    let registry = FakeRegistry::start(Options {
        creates_repositories: false,
        ..Options::open()
    });
    project
        .run(&["push", "oci:out:1.4", &registry.reference("nowhere")])
        .exited(1)
        .says(&["cannot push", "NAME_UNKNOWN"])
        .hints();
    let received: u64 = registry.requests().iter().map(|request| request.bytes_in).sum();
    assert_eq!(received, 0, "{}", registry.story());
}

/// Catches what push does not take, and a message without a way out.
#[test]
fn registries_are_for_copy() {
    let (project, _) = built();
    let target = "127.0.0.1:9/orders:1";
    for (source, target, words) in [
        ("127.0.0.1:9/orders:1.4", target, ["push takes", "shipway copy"]),
        ("out", target, ["push takes", "oci:out"]),
        ("oci:out:1.4", "oci:other", ["oci:other", "shipway copy"]),
    ] {
        project.run(&["push", source, target]).exited(2).says(&words).hints();
    }
    assert!(!project.folder().join("other").exists());
    assert_eq!(project.run(&["push", "oci:out"]).status, Some(2));
}
