//! Tags: templates, the rule about tags that must not move, and the order of writes.

use crate::support::git::commit_all;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Fault, Options};
use crate::support::scene::Scene;

/// Catches a template that is not filled in, or filled in wrongly.
#[test]
fn templates_are_filled_in() {
    let registry = FakeRegistry::open();
    let project = TestProject::new().environment("PIPELINE", "4711");
    let commit = commit_all(project.folder());
    let outcome = project.build(&[
        "--base",
        "scratch",
        "--push",
        "--format",
        "json",
        "-t",
        &registry.reference("orders:{git.sha}"),
        "-t",
        &registry.reference("orders:short-{git.short}"),
        "-t",
        &registry.reference("orders:{git.branch}"),
        "-t",
        &registry.reference("orders:run-{env.PIPELINE}"),
        "-t",
        &registry.reference("orders:schema-{migrations.version}"),
        "-t",
        &registry.reference("orders:set-{migrations.digest}"),
        "-t",
        &registry.reference("orders:on-{date}"),
    ]);
    let json = outcome.succeeded().json();
    let tags: Vec<_> = registry.tags("orders").into_iter().map(|(tag, _)| tag).collect();
    let has = |tag: &str| assert!(tags.iter().any(|found| found == tag), "{tag} is not in {tags:?}");
    has(&commit);
    has("main");
    has("run-4711");
    has("schema-2");
    let short = tags.iter().find_map(|tag| tag.strip_prefix("short-")).unwrap();
    assert!(short.len() >= 7 && commit.starts_with(short), "{short}");
    let set = tags.iter().find_map(|tag| tag.strip_prefix("set-")).unwrap();
    assert!(
        set.len() == 12 && set.chars().all(|digit| digit.is_ascii_hexdigit()),
        "{set}"
    );
    let date = tags.iter().find_map(|tag| tag.strip_prefix("on-")).unwrap();
    assert!(date.starts_with("2026"), "{date}");
    let digest = json["migrations"]["digest"].as_str().unwrap();
    assert!(digest.trim_start_matches("sha256:").starts_with(set), "{digest}");
    assert_eq!(json["migrations"]["version"], "2");
    assert_eq!(json["migrations"]["scripts"], 2);
}

/// Catches a bad tag that is found out by the registry, after the layers were sent.
#[test]
fn bad_tags_are_refused_before_anything_is_sent() {
    for (tag, word) in [
        ("v1+build", "+"),
        ("-x", "-x"),
        ("a b", "a b"),
        ("{git.nonsense}", "git.nonsense"),
        ("{env.NOT_SET}", "NOT_SET"),
        ("{git.sha", "{git.sha"),
        (&"x".repeat(129), "128"),
    ] {
        let scene = Scene::ecr();
        scene.push(tag, &[]).exited(2).says(&[word]);
        assert_eq!(scene.registry.count(), 0, "{tag}: {}", scene.registry.story());
    }
}

/// Catches a release tag that is overwritten, and a message without a way out.
#[test]
fn a_tag_that_must_not_move_is_refused() {
    for tag in [
        "v1",
        "1.2.3",
        "v2.0.0-rc.1",
        "sha-0123abc",
        "0123456789abcdef0123456789abcdef01234567",
        "x-0123456789ab",
    ] {
        let scene = Scene::ecr();
        let first = scene.push(tag, &[]).succeeded().digest();
        scene.next_release();
        scene.push(tag, &[]).exited(4).says(&[tag]).hints();
        assert_eq!(scene.registry.writes(), 0, "{tag}:{}", scene.registry.story());
        assert_eq!(scene.registry.tag("orders", tag), Some(first.clone()));
        let moved = scene.push(tag, &["--move-tags"]).succeeded().digest();
        assert_ne!(moved, first);
        assert_eq!(scene.registry.tag("orders", tag), Some(moved));
    }
}

/// Catches a rule that is too strict for branches and the like.
#[test]
fn other_tags_may_move() {
    let scene = Scene::ecr();
    let tags = ["latest", "main", "current", "123-add-users", "release"];
    let first = scene.push_tags(&tags, &[]).succeeded().digest();
    scene.next_release();
    let second = scene.push_tags(&tags, &[]).succeeded().digest();
    assert_ne!(first, second);
    assert!(
        scene
            .registry
            .tags("orders")
            .iter()
            .all(|(_, digest)| *digest == second)
    );
}

/// Catches a push that moves `current` before it finds out that the release tag must not move.
#[test]
fn one_refused_tag_refuses_all() {
    let scene = Scene::ecr();
    let first = scene.push_tags(&["v1", "current"], &[]).succeeded().digest();
    scene.next_release();
    scene.push_tags(&["current", "v1", "new"], &[]).exited(4).says(&["v1"]);
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
    assert_eq!(scene.registry.tag("orders", "current"), Some(first));
    assert_eq!(scene.registry.tag("orders", "new"), None);
}

/// Catches `immutable_tags` that is not looked at.
#[test]
fn the_rule_can_be_changed_in_the_project_file() {
    let registry = FakeRegistry::open();
    let project = TestProject::new().project_file(&format!(
        "[migrations]\nscripts = \"db\"\n[runner]\nbase = \"scratch\"\n[image]\nrepository = \"{}\"\n\
         immutable_tags = [\"stable-*\"]\n",
        registry.reference("orders")
    ));
    project.build(&["-t", "v1", "-t", "stable-x", "--push"]).succeeded();
    project.write("db/V3__x.sql", "SELECT 3;\n");
    project.build(&["-t", "v1", "--push"]).succeeded();
    project
        .build(&["-t", "stable-x", "--push"])
        .exited(4)
        .says(&["stable-x"]);
}

/// Catches a second run of the same job that fails, or that pushes again.
#[test]
fn an_equal_digest_is_unchanged() {
    let scene = Scene::new(Options {
        immutable: true,
        ..Options::ecr()
    });
    let first = scene.push("v1", &[]).succeeded();
    scene.registry.forget_requests();
    let json = scene.push("v1", &["--format", "json"]).succeeded().json();
    assert_eq!(json["status"], "unchanged");
    assert_eq!(json["digest"], first.digest());
    assert_eq!(scene.registry.writes(), 0);
    scene.push_tags(&["v1", "v2"], &[]).succeeded();
    assert_eq!(scene.registry.tag("orders", "v2"), Some(first.digest()));
    scene.registry.assert_strict();
}

/// Catches a set of migrations that is pushed again under its own name because the commit is another.
#[test]
fn a_tag_of_the_same_migrations_stays_where_it_is() {
    let registry = FakeRegistry::open();
    let project = TestProject::new();
    commit_all(project.folder());
    let target = registry.reference("orders:{migrations.digest}");
    let build = || {
        project
            .build(&["--base", "scratch", "-t", &target, "--push"])
            .succeeded()
    };
    build();
    let before = registry.tags("orders");
    project.write("README", "another commit");
    commit_all(project.folder());
    build();
    assert_eq!(registry.tags("orders"), before);
    project.write("db/V3__x.sql", "SELECT 3;\n");
    build();
    assert_eq!(registry.tags("orders").len(), 2);
}

/// Catches a tag that names what is not complete, and a write before all tags were asked for.
#[test]
fn tags_are_asked_first_and_put_last() {
    let scene = Scene::ecr();
    scene
        .push_tags(&["v1", "current", "latest"], &["--no-cache"])
        .succeeded();
    let requests = scene.registry.requests();
    let last = |wanted: &dyn Fn(usize) -> bool| (0..requests.len()).rev().find(|index| wanted(*index));
    let asked = last(&|index| requests[index].is("HEAD", "/orders/manifests/")).unwrap();
    let first_write = requests.iter().position(|request| request.writes()).unwrap();
    assert!(asked < first_write, "{}", scene.registry.story());
    let first_tag = requests
        .iter()
        .position(|request| request.is("PUT", "/manifests/"))
        .unwrap();
    let last_blob = last(&|index| requests[index].path.contains("/uploads/")).unwrap();
    assert!(last_blob < first_tag, "{}", scene.registry.story());
}

/// Catches an immutable registry's refusal that is reported as success, or told by its sentence.
#[test]
fn a_tag_that_another_took_meanwhile_is_refused() {
    let scene = Scene::ecr();
    let wording = "The image tag is one that somebody else has taken and no sentence we know";
    scene.registry.fault(
        Fault::on("PUT", "/manifests/")
            .always()
            .respond(400, "TAG_INVALID", wording),
    );
    scene
        .push("v1", &["--digest-file", "digest"])
        .failed()
        .says(&["v1"])
        .hints();
    assert!(!scene.project.folder().join("digest").exists());
}

/// Catches a bare tag without a repository that is taken for a repository on Docker Hub.
#[test]
fn a_bare_tag_needs_a_repository_to_be_pushed() {
    let project = TestProject::new();
    project
        .build(&["--base", "scratch", "-t", "v1", "--push"])
        .exited(2)
        .says(&["v1", "repository"])
        .hints();
}
