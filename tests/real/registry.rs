//! Built on a base from a registry, pushed to a registry: every reader sees the same image.

use crate::parts::{Registry, output};
use crate::project::Project;
use crate::view::View;

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn all_readers_of_the_plain_registry_see_the_same_image() {
    let project = Project::new();
    all_readers_see_the_same(&project, &Registry::plain());
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn all_readers_of_the_registry_with_tls_and_password_see_the_same_image() {
    let registry = Registry::with_tls_and_password();
    let project = Project::new();
    project.log_in(&registry);
    all_readers_see_the_same(&project, &registry);
}

fn all_readers_see_the_same(project: &Project, registry: &Registry) {
    let name = format!("{}/readers/orders:1", registry.address);
    let pushed = project.push(registry, &registry.base(), "readers/orders:1");
    let digest = pushed.rsplit('@').next().expect("a name ends somewhere");
    assert_eq!(pushed, format!("{}/readers/orders@{digest}", registry.address));
    assert_eq!(registry.digest_of(&name), digest, "skopeo finds another digest");

    registry.copy_out(&name, &format!("oci:{}:1", project.path("copied").display()));
    let by_skopeo = View::of_layout(&project.path("copied"));
    by_skopeo.assert_is_of_project();
    let by_umoci = View::of_umoci(
        &format!("{}:1", project.path("copied").display()),
        &project.path("bundle"),
    );
    assert_eq!(by_umoci, by_skopeo);
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn the_base_may_lie_in_another_registry() {
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let project = Project::new();
    project.log_in(&target);
    project.push(&target, &source.base(), "from-elsewhere/orders:1");

    let name = format!("{}/from-elsewhere/orders:1", target.address);
    target.copy_out(&name, &format!("oci:{}:1", project.path("copied").display()));
    View::of_layout(&project.path("copied")).assert_is_of_project();
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn a_second_push_is_unchanged_and_a_release_does_not_move() {
    let registry = Registry::plain();
    let project = Project::new();
    let first = project.push(&registry, &registry.base(), "again/orders:v1.0");
    assert_eq!(project.push(&registry, &registry.base(), "again/orders:v1.0"), first);

    std::fs::write(project.path("scripts/V3__more.sql"), "SELECT 1;\n").expect("a script can be written");
    let mut build = project.build(&registry.base());
    let refused = build
        .args(["--push", "-t", &format!("{}/again/orders:v1.0", registry.address)])
        .output()
        .expect("shipway starts");
    assert_eq!(
        refused.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&refused.stderr)
    );
    assert!(first.ends_with(&registry.digest_of(&format!("{}/again/orders:v1.0", registry.address))));
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn a_password_from_standard_input_opens_the_registry() {
    use std::io::Write as _;
    use std::process::Stdio;

    let registry = Registry::with_tls_and_password();
    let access = registry.access.as_ref().expect("it asks for a password");
    let project = Project::new();
    let mut build = project.build("scratch");
    build.args([
        "--push",
        "-t",
        &format!("{}/given/orders:1", registry.address),
        "--username",
        &access.username,
        "--password-stdin",
    ]);
    build.arg("--registry-certificate").arg(format!(
        "{}={}",
        registry.address,
        access.certificates.join("ca.crt").display()
    ));
    let mut running = build
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("shipway starts");
    running
        .stdin
        .take()
        .expect("it has a standard input")
        .write_all(access.password.as_bytes())
        .expect("it reads the password");
    let done = running.wait_with_output().expect("shipway ends");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(!said.contains(&access.password), "the password is in the log");
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn inspect_shows_what_was_pushed() {
    let registry = Registry::plain();
    let project = Project::new();
    let pushed = project.push(&registry, &registry.base(), "inspected/orders:1");

    let shown = output(project.shipway().args(["inspect", &pushed, "--format", "json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("shipway inspect prints JSON");
    assert!(pushed.ends_with(shown["digest"].as_str().expect("an image has a digest")));
    let files: Vec<&str> = shown["platforms"][0]["layers"]
        .as_array()
        .expect("an image has layers")
        .iter()
        .filter(|layer| layer["new"] == true)
        .flat_map(|layer| layer["files"].as_array().expect("a new layer has files"))
        .filter_map(|file| file["path"].as_str())
        .collect();
    assert!(
        files
            .iter()
            .any(|path| path.ends_with("flyway/sql/V1__create_customers.sql")),
        "{files:?}"
    );
}
