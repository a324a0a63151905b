//! `check`, and the check before a build: what migrations are compared with, and how it ends.

use crate::support::git::{commit_all, git};
use crate::support::project::TestProject;
use crate::support::registry::{Action, FakeRegistry, Fault};
use crate::support::scene::Scene;

/// A project file for the scripts of a test project.
const FILE: &str = "[project]\nname = \"orders\"\n[migrations]\nscripts = \"db\"\n[runner]\nbase = \"scratch\"\n";

fn changed(project: &TestProject) {
    project.write("db/V2__add_total.sql", "ALTER TABLE orders ADD total BIGINT;\n");
}

/// Catches a working tree that is compared with itself, and a branch of which something is checked out.
#[test]
fn a_git_revision_is_what_was_committed() {
    let project = TestProject::new().file("shipway.toml", FILE);
    let commit = commit_all(project.folder());
    git(project.folder(), &["branch", "release"]);
    for name in ["HEAD", "git:release", "release", commit.as_str()] {
        project.run(&["check", "--against", name]).succeeded();
    }
    changed(&project);
    for name in ["HEAD", "git:release", "release", commit.as_str()] {
        let outcome = project.run(&["check", "--against", name]).exited(3);
        assert!(outcome.text().contains("D001"), "{name}: {}", outcome.text());
        assert!(
            outcome.text().contains("db/V2__add_total.sql"),
            "{name}: {}",
            outcome.text()
        );
    }
    assert_eq!(
        git(project.folder(), &["status", "--porcelain"]),
        "M db/V2__add_total.sql"
    );
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches a revision that is read as the project is configured now.
#[test]
fn a_git_revision_is_read_as_its_own_project_file_says() {
    let project = TestProject::new().file("shipway.toml", FILE);
    commit_all(project.folder());
    git(project.folder(), &["mv", "db", "sql"]);
    project.write("shipway.toml", FILE.replace("\"db\"", "\"sql\""));
    project.run(&["check", "--against", "HEAD"]).succeeded();
    project.write("sql/V2__add_total.sql", "ALTER TABLE orders ADD total BIGINT;\n");
    let outcome = project.run(&["check", "--against", "HEAD"]).exited(3);
    assert!(outcome.text().contains("D001"), "{}", outcome.text());
}

/// Catches a collision of two branches that is found after the merge only.
#[test]
fn two_branches_that_take_one_version_are_told_before_the_merge() {
    let project = TestProject::new().file("shipway.toml", FILE);
    commit_all(project.folder());
    git(project.folder(), &["checkout", "--quiet", "-b", "mine"]);
    project.write("db/V3__mine.sql", "CREATE TABLE mine (id INT);\n");
    commit_all(project.folder());
    git(project.folder(), &["checkout", "--quiet", "-b", "theirs", "main"]);
    project.write("db/V3__theirs.sql", "CREATE TABLE theirs (id INT);\n");
    commit_all(project.folder());
    let outcome = project.run(&["check", "--against", "mine"]).exited(3);
    let text = outcome.text();
    assert!(text.contains("D015") && text.contains("V3__mine.sql"), "{text}");
    project.write("db/V2_5__late.sql", "CREATE TABLE late (id INT);\n");
    std::fs::remove_file(project.folder().join("db/V3__theirs.sql")).unwrap();
    let text = project.run(&["check", "--against", "mine"]).exited(3).text();
    assert!(text.contains("D007") && text.contains("db/V2_5__late.sql"), "{text}");
}

/// Catches a first release that fails for want of an earlier one.
#[test]
fn what_was_never_shipped_is_no_error() {
    let scene = Scene::ecr();
    let against = scene.target("current");
    let outcome = scene
        .project
        .run(&["check", "--scripts", "db", "--against", &against])
        .succeeded();
    assert!(outcome.text().contains("nothing was shipped"), "{}", outcome.text());
    scene.push("v1", &["--against", &against]).succeeded();
}

/// Catches a comparison that silently did not take place, and one that stops a release when a registry is down.
#[test]
fn what_cannot_be_reached_is_told_with_its_reason() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let against = scene.target("v1");
    scene
        .registry
        .fault(Fault::on("GET", "orders/manifests/v1").always().with(Action::Respond {
            status: 403,
            headers: Vec::new(),
            body: String::new(),
        }));
    let outcome = scene
        .project
        .run(&["check", "--scripts", "db", "--no-cache", "--against", &against])
        .succeeded();
    let text = outcome.text();
    assert!(text.contains("NOT compared") && text.contains("403"), "{text}");
}

/// Catches a mistyped name that is taken for a first release.
#[test]
fn a_name_that_means_nothing_is_refused() {
    let project = TestProject::new().file("shipway.toml", FILE);
    commit_all(project.folder());
    for name in ["git:nothing", "nothing", "./nothing", "dir:nothing", "origin/main"] {
        let outcome = project.run(&["check", "--against", name]).exited(2);
        assert!(
            outcome.stderr.contains("nothing") || outcome.stderr.contains("origin/main"),
            "{}",
            outcome.stderr
        );
    }
    for flags in [
        ["--rule", "X001=off"],
        ["--rule", "R010=loud"],
        ["--rule", "S001=off"],
        ["--fail-on", "never"],
    ] {
        let outcome = project.run(&[&["check"], &flags[..]].concat()).exited(2);
        assert!(outcome.stderr.contains(flags[0]), "{}", outcome.stderr);
    }
}

/// Catches a finding that stops nothing, and something written although it stops.
#[test]
fn a_build_stops_at_an_error_before_anything_is_written() {
    let scene = Scene::ecr();
    let against = scene.target("v1");
    scene.push("v1", &[]).succeeded();
    changed(&scene.project);
    scene.registry.forget_requests();
    let outcome = scene
        .push("v2", &["--against", &against, "--output", "oci:out"])
        .exited(3);
    assert!(outcome.stderr.contains("D001"), "{}", outcome.stderr);
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
    assert!(!scene.project.folder().join("out").exists());
    scene
        .push("v2", &["--against", &against, "--rule", "D001=warning"])
        .succeeded();
    scene.push("v3", &["--against", &against, "--no-check"]).succeeded();
}

/// Catches a switch that lets a secret in.
#[test]
fn a_secret_stops_a_build_whatever_is_switched_off() {
    let project = TestProject::new().file("flyway.conf", "flyway.password=canary-4711\n");
    let flags = ["--base", "scratch", "--output", "oci:out", "--config", "flyway.conf"];
    for more in [&[][..], &["--no-check"], &["--fail-on", "off"]] {
        let outcome = project.build(&[&flags[..], more].concat()).exited(4);
        assert!(!outcome.text().contains("canary-4711"), "{}", outcome.text());
    }
    let outcome = project
        .run(&["check", "--scripts", "db", "--config", "flyway.conf"])
        .exited(4);
    assert!(!outcome.text().contains("canary-4711"), "{}", outcome.text());
    let allowed = ["--allow-secret", "flyway.conf:flyway.password"];
    project.build(&[&flags[..], &allowed].concat()).succeeded();
}

/// Catches a folder that is compared as if it were this project.
#[test]
fn a_folder_is_a_project_or_scripts() {
    let project = TestProject::new().file("shipway.toml", FILE);
    let before = TestProject::new().file("shipway.toml", FILE.replace("\"db\"", "\"elsewhere\""));
    before.write(
        "elsewhere/V1__create_orders.sql",
        "CREATE TABLE orders (id INT PRIMARY KEY);\n",
    );
    before.write("elsewhere/V2__add_total.sql", "ALTER TABLE orders ADD total INT;\n");
    let whole = before.folder().to_str().unwrap();
    project.run(&["check", "--against", whole]).succeeded();
    let scripts = before.folder().join("elsewhere");
    project
        .run(&["check", "--against", scripts.to_str().unwrap()])
        .succeeded();
    before.write("elsewhere/V3__gone.sql", "SELECT 3;\n");
    let text = project.run(&["check", "--against", whole]).exited(3).text();
    assert!(text.contains("D003") && text.contains("V3__gone.sql"), "{text}");
}

/// Catches a folder of names that are not ASCII, or empty, that ends in a crash.
#[test]
fn odd_folders_are_read_or_refused_with_their_name() {
    let registry = FakeRegistry::open();
    let project = TestProject::empty().file("mit leer ü/V1__größe.sql", "CREATE TABLE größe (id INT);\n");
    project.run(&["check", "--scripts", "mit leer ü"]).succeeded();
    let outcome = project.run(&["check", "--scripts", "db"]).exited(2);
    assert!(outcome.stderr.contains("db"), "{}", outcome.stderr);
    let outcome = project.run(&["check"]).exited(2);
    assert!(outcome.stderr.contains("--scripts"), "{}", outcome.stderr);
    assert_eq!(registry.count(), 0);
}
