//! Copied from one registry to another, into layouts and archives: other people's programs find the same image.

use std::process::Command;

use crate::parts::{Registry, output};
use crate::project::Project;
use crate::view::View;

/// Runs `shipway`, which trusts the registry with TLS, to its end.
fn run(project: &Project, trusted: &Registry, words: &[&str]) -> String {
    let access = trusted.access.as_ref().expect("the registry has a certificate");
    let certificate = format!("{}={}", trusted.address, access.certificates.join("ca.crt").display());
    let mut shipway: Command = project.shipway();
    output(shipway.args(words).arg("--registry-certificate").arg(certificate))
        .trim_end()
        .to_owned()
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn promoted_from_one_registry_to_another() {
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let project = Project::new();
    project.log_in(&target);
    let pushed = project.push(&source, &source.base(), "tested/orders:1.4");
    let digest = pushed.rsplit('@').next().expect("a name ends somewhere");

    let tested = format!("{}/tested/orders:1.4", source.address);
    let promoted = format!("{}/production/orders", target.address);
    let words = ["copy", &tested, &promoted, "-t", "current", "--require-digest", digest];
    assert_eq!(run(&project, &target, &words), format!("{promoted}@{digest}"));
    // The second time there is nothing to do, and a registry without lists of referrers has none.
    let mut again = words.to_vec();
    again.extend(["--referrers", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&run(&project, &target, &again)).expect("JSON is printed");
    assert_eq!(told["status"], "unchanged");
    run(&project, &target, &["tag", &format!("{promoted}:1.4"), "stable"]);
    for tag in ["1.4", "current", "stable"] {
        assert_eq!(
            target.digest_of(&format!("{promoted}:{tag}")),
            digest,
            "skopeo finds another digest"
        );
    }
    target.copy_out(
        &format!("{promoted}:stable"),
        &format!("oci:{}:1", project.path("copied").display()),
    );
    View::of_layout(&project.path("copied")).assert_is_of_project();
}

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn layouts_and_archives_are_read_by_others_and_pushed() {
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let project = Project::new();
    project.log_in(&target);
    let pushed = project.push(&source, &source.base(), "archived/orders:1.4");
    let digest = pushed.rsplit('@').next().expect("a name ends somewhere");
    let name = format!("{}/archived/orders:1.4", source.address);
    for (transport, path) in [("oci", "layout"), ("oci-archive", "layout.tar")] {
        let place = format!("{transport}:{path}:1.4");
        assert_eq!(run(&project, &target, &["copy", &name, &place]), digest);
        let read = format!("{transport}:{}:1.4", project.path(path).display());
        let bytes = output(Command::new("skopeo").args(["inspect", "--raw", &read]));
        assert_eq!(
            shipway::oci::Digest::of(bytes.as_bytes()).to_string(),
            digest,
            "{place}"
        );
    }
    run(&project, &target, &["copy", &name, "docker-archive:image.tar"]);
    let read = format!("docker-archive:{}:{name}", project.path("image.tar").display());
    output(Command::new("skopeo").args(["inspect", &read]));

    let again = format!("{}/archived/again:1.4", target.address);
    run(&project, &target, &["push", "oci-archive:layout.tar", &again]);
    assert_eq!(target.digest_of(&again), digest);
}
