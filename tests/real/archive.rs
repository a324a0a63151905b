//! Images in files: other tools read what shipway writes, and shipway reads what they write.

use std::process::Command;

use serde_json::Value;

use crate::parts::{base_layout, output};
use crate::project::Project;
use crate::view::View;

#[test]
#[ignore = "needs skopeo and umoci: ci/test.sh"]
fn skopeo_reads_an_oci_archive() {
    let project = Project::new();
    let built = output(project.build(&base_layout()).args([
        "--output",
        "oci-archive:orders.tar",
        "-t",
        "registry.example.com/orders:1",
    ]));

    let archive = format!("oci-archive:{}", project.path("orders.tar").display());
    let inspected: Value =
        serde_json::from_str(&output(Command::new("skopeo").args(["inspect", &archive]))).expect("JSON");
    assert_eq!(inspected["Digest"], built.trim_end());

    let copied = format!("oci:{}:1", project.path("copied").display());
    output(Command::new("skopeo").args(["--insecure-policy", "copy", "--quiet", &archive, &copied]));
    View::of_layout(&project.path("copied")).assert_is_of_project();
}

#[test]
#[ignore = "needs skopeo and umoci: ci/test.sh"]
fn umoci_unpacks_an_oci_layout() {
    let project = Project::new();
    output(
        project
            .build(&base_layout())
            .args(["--output", "oci:built", "-t", "registry.example.com/orders:1"]),
    );

    let written = View::of_layout(&project.path("built"));
    written.assert_is_of_project();
    let image = format!("{}:1", project.path("built").display());
    assert_eq!(View::of_umoci(&image, &project.path("bundle")), written);
}

#[test]
#[ignore = "needs skopeo and umoci: ci/test.sh"]
fn skopeo_reads_a_docker_archive() {
    let project = Project::new();
    output(project.build(&base_layout()).args([
        "--output",
        "docker-archive:orders.tar",
        "-t",
        "registry.example.com/orders:1",
    ]));

    let archive = format!("docker-archive:{}", project.path("orders.tar").display());
    let copied = format!("oci:{}:1", project.path("copied").display());
    output(Command::new("skopeo").args(["--insecure-policy", "copy", "--quiet", &archive, &copied]));
    View::of_layout(&project.path("copied")).assert_is_of_project();
}

#[test]
#[ignore = "needs skopeo and umoci: ci/test.sh"]
fn archives_written_by_skopeo_serve_as_base() {
    for kind in ["oci-archive", "docker-archive"] {
        let project = Project::new();
        let archive = format!("{kind}:{}", project.path("base.tar").display());
        let named = format!("{archive}:flyway:13");
        output(Command::new("skopeo").args(["--insecure-policy", "copy", "--quiet", &base_layout(), &named]));
        output(
            project
                .build(&archive)
                .args(["--output", "oci:built", "-t", "registry.example.com/orders:1"]),
        );
        View::of_layout(&project.path("built")).assert_is_of_project();
    }
}
