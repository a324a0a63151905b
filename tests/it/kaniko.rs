//! kaniko's words for what shipway does.

use std::process::Command;

use crate::support::authority::Authority;
use crate::support::base::Base;
use crate::support::outcome::Running;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};

/// A registry whose certificate nobody knows, with a base in it.
fn unknown() -> FakeRegistry {
    let registry = FakeRegistry::start(Options {
        identity: Some(Authority::new().server()),
        ..Options::open()
    });
    registry.seed("orders", "base", &Base::flyway().image());
    registry
}

/// Catches certificates that are checked although nobody wants it, or not checked where it was not said, and silence
/// about it.
#[test]
fn certificates_are_not_checked_where_that_is_said() {
    let registry = unknown();
    let project = TestProject::new();
    let (base, target) = (registry.reference("orders:base"), registry.reference("orders:v1"));
    let build = |flags: &[&str]| {
        let always = ["--base", &base, "--destination", &target];
        project.build(&[&always[..], flags].concat())
    };
    // The registry that is pushed to is none of those only pulled from. On this machine TLS has to be asked for.
    for flag in ["--skip-tls-verify-pull", "--skip-tls-verify=false"] {
        build(&[flag, "--retry", "0"]).failed();
    }
    // It has TLS, so that nobody falls back to plain HTTP, and nobody said that any certificate will do.
    build(&["--insecure"]).failed().says(&["certificate"]);
    assert_eq!(registry.count(), 0);
    build(&["--skip-tls-verify"])
        .succeeded()
        .says(&["nobody verifies", "pushed to"]);
    registry.image("orders", "v1");
    let named = format!("--skip-tls-verify-registry={}", registry.host());
    project
        .build(&["--base", &base, "--output", "oci:out", &named])
        .succeeded()
        .says(&["nobody verifies", &registry.host()]);
    project
        .build(&["--base", &base, "--output", "oci:out2", "--skip-tls-verify-pull"])
        .succeeded();
}

/// Catches plain HTTP where a registry has TLS, and TLS where there is none.
#[test]
fn plain_http_is_for_registries_without_tls() {
    let authority = Authority::new();
    let secure = FakeRegistry::start(Options {
        identity: Some(authority.server()),
        ..Options::open()
    });
    let plain = FakeRegistry::open();
    let project = TestProject::new();
    authority.write(&project.folder().join("ca.pem"));
    let certificate = format!("{}=ca.pem", secure.host());
    for registry in [&secure, &plain] {
        let target = registry.reference("orders:v1");
        project
            .build(&[
                "--base",
                "scratch",
                "-d",
                &target,
                "--insecure",
                "--registry-certificate",
                &certificate,
            ])
            .succeeded()
            .says(&["plain HTTP is allowed"]);
        registry.image("orders", "v1");
    }
    // A certificate that is asked for makes this a registry with TLS, had it not been said otherwise.
    let certificate = format!("{}=ca.pem", plain.host());
    let named = format!("--insecure-registry={}", plain.host());
    let target = plain.reference("orders:v2");
    let arguments = [
        "--base",
        "scratch",
        "-d",
        &target,
        "--registry-certificate",
        &certificate,
    ];
    project.build(&arguments).failed();
    project.build(&[&arguments[..], &[&named]].concat()).succeeded();
}

/// Catches a push that was not wanted, and files of results that stay away with it.
#[test]
fn without_a_push_names_only_name() {
    let registry = FakeRegistry::open();
    let project = TestProject::new();
    let target = registry.reference("orders:v1");
    let other = registry.reference("orders:latest");
    let built = project.build(&[
        "--base",
        "scratch",
        "-d",
        &target,
        "-d",
        &other,
        "--no-push",
        "--tar-path",
        "image.tar",
        "--oci-layout-path",
        "out",
        "--digest-file",
        "digest",
        "--image-name-with-digest-file",
        "names",
        "--image-name-tag-with-digest-file",
        "tags",
    ]);
    let digest = built.succeeded().digest();
    assert_eq!(registry.count(), 0);
    let read = |name: &str| std::fs::read_to_string(project.folder().join(name)).unwrap();
    let repository = format!("{}/orders", registry.host());
    assert_eq!(read("digest"), format!("{digest}\n"));
    assert_eq!(read("names"), format!("{repository}@{digest}\n").repeat(2));
    assert_eq!(
        read("tags"),
        format!("{repository}:v1@{digest}\n{repository}:latest@{digest}\n")
    );
    assert!(project.folder().join("image.tar").exists() && project.folder().join("out/index.json").exists());
    // Nothing is written at all, and the digest is known all the same.
    let again = TestProject::new();
    again
        .build(&[
            "--base",
            "scratch",
            "-d",
            &target,
            "--no-push",
            "--digest-file",
            "digest",
        ])
        .succeeded();
    assert_eq!(
        std::fs::read_to_string(again.folder().join("digest")).unwrap(),
        format!("{digest}\n")
    );
    assert_eq!(registry.count(), 0);
}

/// Catches a registry that is asked although only its mirrors may be, and a map that is none.
#[test]
fn only_mirrors_are_asked() {
    let (registry, mirror) = (FakeRegistry::open(), FakeRegistry::open());
    registry.seed("runner", "13", &Base::flyway().image());
    let project = TestProject::new();
    let map = format!("quay.example.com={0};{1}={0}", mirror.host(), registry.host());
    let base = registry.reference("runner:13");
    let arguments = ["--base", &base, "--output", "oci:out", "--registry-map", &map];
    project
        .build(&[&arguments[..], &["--skip-default-registry-fallback"]].concat())
        .failed();
    assert_eq!(registry.count(), 0);
    assert!(mirror.count() > 0);
    project.build(&arguments).succeeded();
    assert!(registry.count() > 0);
}

/// Catches flags of kaniko that end a build which they do not concern.
#[test]
fn flags_without_a_meaning_are_one_notice() {
    let project = TestProject::new();
    let built = project.build(&[
        "--base",
        "scratch",
        "--dry-run",
        "--cache=true",
        "--cache-ttl",
        "24h",
        "--snapshot-mode=redo",
        "--single-snapshot",
        "--verbosity",
        "info",
        "--reproducible",
        "--log-format=text",
    ]);
    let built = built
        .succeeded()
        .says(&["--cache, --cache-ttl, --log-format, --single-snapshot, --snapshot-mode mean nothing"]);
    assert_eq!(built.stderr.matches("note:").count(), 1, "{}", built.stderr);
}

/// Catches a program that does not know kaniko's name for it.
#[test]
fn under_kanikos_name_it_is_build() {
    let project = TestProject::new();
    let executor = project.root().join("bin/executor");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_shipway"), &executor).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&executor);
        Running::start(command.args(arguments).current_dir(project.folder()), "").wait()
    };
    let help = run(&["--help"]).succeeded();
    assert!(help.stdout.contains("--destination") && help.stdout.contains("kaniko's words"));
    assert!(run(&["version"]).succeeded().stdout.starts_with("shipway "));
    run(&["-c", "git://a.b/c", "-d", "a.b/c", "-v", "info"])
        .exited(2)
        .says(&["clones no repository"])
        .hints();
    run(&["-d", "a.b/c", "--base", "scratch"])
        .exited(2)
        .says(&["--context and --base"]);
}
