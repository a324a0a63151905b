//! What a Docker engine makes of the images. Everything in here needs one.

#[cfg(feature = "daemon")]
mod daemon;
mod job_image;
#[cfg(feature = "daemon")]
mod pages;
#[cfg(all(feature = "aws", feature = "daemon"))]
mod run;
mod unprivileged;

use std::fs;
use std::io::Cursor;
use std::process::Command;

use serde_json::{Value, json};

use crate::parts::{Registry, base_layout, docker, output, program};
use crate::project::Project;
use crate::view::View;

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn pulls_from_the_plain_registry_what_others_see() {
    let project = Project::new();
    pulls_what_others_see(&project, &Registry::plain());
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn pulls_from_the_registry_with_tls_and_password_what_others_see() {
    let registry = Registry::with_tls_and_password();
    let project = Project::new();
    project.log_in(&registry);
    pulls_what_others_see(&project, &registry);
}

fn pulls_what_others_see(project: &Project, registry: &Registry) {
    let pushed = project.push(registry, &registry.base(), "pulled/orders:1");
    output(docker(&project.docker_configuration()).args(["pull", "--quiet", &pushed]));
    let by_docker = View::of_docker(&pushed, &project.docker_configuration());
    by_docker.assert_is_of_project();

    registry.copy_out(
        &format!("{}/pulled/orders:1", registry.address),
        &format!("oci:{}:1", project.path("copied").display()),
    );
    assert_eq!(by_docker, View::of_layout(&project.path("copied")));
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn runs_the_program_of_the_base_on_the_scripts() {
    let registry = Registry::plain();
    let project = Project::new();
    // One base of each family of media types.
    for (base, tag) in [("13", "oci"), ("13-docker", "docker")] {
        let base = format!("{}/flyway/flyway:{base}", registry.address);
        let pushed = project.push(&registry, &base, &format!("run/orders:{tag}"));
        assert_ran(&output(docker(&project.docker_configuration()).args([
            "run",
            "--rm",
            "--network",
            "none",
            &pushed,
        ])));
    }
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn loads_and_runs_a_docker_archive() {
    let project = Project::new();
    let name = "registry.example.com/loaded/orders:1";
    output(
        project
            .build(&base_layout())
            .args(["--output", "docker-archive:orders.tar", "-t", name]),
    );

    let archive = project.path("orders.tar");
    let loaded = output(
        docker(&project.docker_configuration())
            .args(["load", "--input"])
            .arg(&archive),
    );
    assert!(loaded.contains(name), "{loaded}");
    View::of_docker(name, &project.docker_configuration()).assert_is_of_project();
    assert_ran(&output(docker(&project.docker_configuration()).args([
        "run",
        "--rm",
        "--network",
        "none",
        name,
    ])));
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn saves_an_archive_that_serves_as_base() {
    let registry = Registry::plain();
    let project = Project::new();
    let base = format!("{}/flyway/flyway:13-docker", registry.address);
    output(docker(&project.docker_configuration()).args(["pull", "--quiet", &base]));
    output(
        docker(&project.docker_configuration())
            .args(["save", "--output"])
            .arg(project.path("base.tar"))
            .arg(&base),
    );

    let pushed = project.push(&registry, "docker-archive:base.tar", "saved/orders:1");
    output(docker(&project.docker_configuration()).args(["pull", "--quiet", &pushed]));
    View::of_docker(&pushed, &project.docker_configuration()).assert_is_of_project();
    assert_ran(&output(docker(&project.docker_configuration()).args([
        "run",
        "--rm",
        "--network",
        "none",
        &pushed,
    ])));
}

/// The base's program has been called with Flyway's verb, in its folder, and has found every file.
fn assert_ran(printed: &str) {
    assert!(
        printed.starts_with("arguments: migrate\nfolder: /flyway\n"),
        "{printed}"
    );
    assert!(
        printed.contains("FLYWAY_LOCATIONS=filesystem:/flyway/sql\n"),
        "{printed}"
    );
    assert!(printed.contains("FLYWAY_FAIL_ON_MISSING_LOCATIONS=true\n"), "{printed}");
    for (path, content) in Project::expected_files() {
        // A view tells mode and owner before the text.
        let text = content.splitn(3, ' ').nth(2).expect("a view has three parts");
        if text != "folder" {
            assert!(
                printed.contains(&format!("=== /{path}\n{text}")),
                "{path} is not in:\n{printed}"
            );
        }
    }
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn runs_the_static_binary_in_an_empty_image() {
    let project = Project::new();
    let program = fs::read(program()).expect("the program is built");
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    archive
        .append_data(&mut header, "shipway", Cursor::new(program))
        .expect("memory can be written");
    fs::write(
        project.path("image.tar"),
        archive.into_inner().expect("memory can be written"),
    )
    .expect("an archive can be written");

    let name = "shipway-alone:test";
    output(
        docker(&project.docker_configuration())
            .arg("import")
            .arg(project.path("image.tar"))
            .arg(name),
    );
    let printed = output(docker(&project.docker_configuration()).args([
        "run",
        "--rm",
        "--network",
        "none",
        name,
        "/shipway",
        "--version",
    ]));
    assert_eq!(printed.trim_end(), concat!("shipway ", env!("CARGO_PKG_VERSION")));

    // And it does its work there: no shell, no libraries, no certificates, no home, and not root.
    output(Command::new("chmod").args(["-R", "a+rX"]).arg(project.path("scripts")));
    let scripts = format!("{}:/scripts:ro", project.path("scripts").display());
    for user in ["0", "1000"] {
        let mut run = docker(&project.docker_configuration());
        run.args([
            "run",
            "--rm",
            "--network",
            "none",
            "--user",
            user,
            "--volume",
            &scripts,
            name,
            "/shipway",
            "build",
        ]);
        run.args([
            "--scripts",
            "/scripts",
            "--base",
            "scratch",
            "-t",
            "registry.example.com/orders:1",
            "--dry-run",
            "--format",
            "json",
        ]);
        let built: Value = serde_json::from_str(&output(&mut run)).expect("shipway prints JSON");
        assert_eq!(built["status"], json!("dry-run"));
    }
}
