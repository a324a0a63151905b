//! ministack, which is API and registry in one, and whose account has twelve zeros.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::account::{REGION, digest_in, ends_with, ministack, with_keys};
use super::api::{ask, create_repository, repository};
use crate::parts::{Registry, output};
use crate::project::Project;

const ACCOUNT: &str = "000000000000";

#[test]
#[ignore = "needs ministack, docker-registry and skopeo: ci/test.sh"]
fn what_is_pushed_has_the_digest_that_was_foretold() {
    create_repository(&ministack(), ACCOUNT, "foretold/orders", "MUTABLE");
    let project = Project::new();
    let (foretold, _) = ends_with(0, build(&project, "foretold/orders:1").arg("--dry-run"));
    let (printed, _) = ends_with(0, build(&project, "foretold/orders:1").arg("--push"));
    assert_eq!(digest_in(&printed), digest_in(&foretold));
    assert_eq!(printed, format!("{}@{}", image("foretold/orders"), digest_in(&printed)));

    let address = ministack().trim_start_matches("http://").to_owned();
    let found = output(Command::new("skopeo").args([
        "inspect",
        "--tls-verify=false",
        &format!("docker://{address}/foretold/orders:1"),
    ]));
    let found: Value = serde_json::from_str(&found).expect("skopeo inspect prints JSON");
    assert_eq!(found["Digest"], digest_in(&printed));
    output(Command::new("skopeo").args([
        "--insecure-policy",
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        &format!("docker://{address}/foretold/orders:1"),
        &format!("oci:{}:1", project.path("copied").display()),
    ]));
    crate::view::View::of_layout(&project.path("copied")).assert_is_of_project();

    let images = ask(
        &ministack(),
        ACCOUNT,
        "DescribeImages",
        &serde_json::json!({ "repositoryName": "foretold/orders" }),
    )
    .expect("the API knows the repository");
    assert_eq!(images["imageDetails"][0]["imageDigest"], digest_in(&printed));
}

#[test]
#[ignore = "needs ministack, docker-registry and skopeo: ci/test.sh"]
fn an_immutable_tag_is_refused_for_another_digest_only() {
    create_repository(&ministack(), ACCOUNT, "immutable/orders", "IMMUTABLE");
    let project = Project::new();
    // A tag that may move by our own rule, so that the registry's is the one that holds.
    let (first, _) = ends_with(0, build(&project, "immutable/orders:current").arg("--push"));
    let (again, _) = ends_with(0, build(&project, "immutable/orders:current").arg("--push"));
    assert_eq!(again, first);

    fs::write(project.path("scripts/V3__more.sql"), "SELECT 1;\n").expect("a script can be written");
    let (_, said) = ends_with(4, build(&project, "immutable/orders:current").arg("--push"));
    assert!(said.contains("current"), "{said}");
}

#[test]
#[ignore = "needs ministack and docker-registry: ci/test.sh"]
fn a_missing_repository_is_made_when_asked_for() {
    let project = Project::new();
    let (_, said) = ends_with(1, build(&project, "asked-for/orders:1").arg("--push"));
    assert!(said.contains("--create-repository"), "{said}");

    let settings = "[repository]\ntag_mutability = \"immutable\"\nscan_on_push = true\n";
    fs::write(project.path("shipway.toml"), settings).expect("a file can be written");
    ends_with(
        0,
        build(&project, "asked-for/orders:1").args(["--push", "--create-repository"]),
    );
    let made = repository(&ministack(), ACCOUNT, "asked-for/orders");
    assert_eq!(made["imageTagMutability"], "IMMUTABLE");
    assert_eq!(made["imageScanningConfiguration"]["scanOnPush"], true);
}

/// Out of one emulator into the other, and back into an archive.
#[test]
#[ignore = "needs ministack, moto, docker-registry and skopeo: ci/test.sh"]
fn what_was_tested_elsewhere_arrives_unchanged() {
    let project = Project::new();
    let tested = project.push(&Registry::plain(), &Registry::plain().base(), "elsewhere/orders:1.4");
    let digest = digest_in(&tested);
    let copy = |words: &[&str]| {
        let mut copy = project.shipway();
        copy.arg("copy").args(words).arg("--registry-endpoint");
        copy.arg(format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com={}", ministack()));
        with_keys(&mut copy, &ministack());
        copy
    };
    let target = image("arrived/orders");
    let words = [
        &tested,
        &*target,
        "-t",
        "1.4",
        "-t",
        "current",
        "--require-digest",
        digest,
    ];
    let (_, said) = ends_with(1, &mut copy(&words));
    assert!(said.contains("--create-repository"), "{said}");
    let (printed, _) = ends_with(0, copy(&words).arg("--create-repository"));
    assert_eq!(printed, format!("{target}@{digest}"));
    let known = ask(
        &ministack(),
        ACCOUNT,
        "DescribeImages",
        &serde_json::json!({ "repositoryName": "arrived/orders" }),
    );
    let known = known.expect("the API knows the repository")["imageDetails"][0].clone();
    assert_eq!(known["imageDigest"], digest);
    assert_eq!(known["imageTags"].as_array().map(Vec::len), Some(2), "{known:#}");

    let (again, _) = ends_with(0, copy(&words).args(["--format", "json"]));
    let again: Value = serde_json::from_str(&again).expect("shipway prints JSON");
    assert_eq!(again["status"], "unchanged");
    let from = format!("{target}:current");
    assert_eq!(ends_with(0, &mut copy(&[&from, "oci-archive:arrived.tar"])).0, digest);
}

fn image(name: &str) -> String {
    format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}")
}

fn build(project: &Project, name: &str) -> Command {
    let mut build = project.build(&Registry::plain().base());
    build
        .args(["-t", &image(name), "--registry-endpoint"])
        .arg(format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com={}", ministack()));
    with_keys(&mut build, &ministack());
    build
}
