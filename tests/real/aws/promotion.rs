//! From development to staging to production: three accounts, three registries, one digest.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::account::{Account, DEVELOPMENT, PRODUCTION, STAGING, digest_in, ends_with, moto, with_keys};
use super::api::create_repository;
use super::gateway::Gateway;
use crate::layout::write_image;
use crate::parts::Registry;
use crate::project::Project;

/// The accounts, as Amazon has them, and a project that gets into each by a role.
struct Stages {
    project: Project,
    development: Gateway,
    staging: Gateway,
    production: Gateway,
}

impl Stages {
    /// With a repository of this name in each.
    fn with_repository(name: &str) -> Self {
        let stages = Self {
            project: Project::new(),
            development: Gateway::before(DEVELOPMENT),
            staging: Gateway::before(STAGING),
            production: Gateway::before(PRODUCTION),
        };
        for account in [DEVELOPMENT, STAGING, PRODUCTION] {
            create_repository(&moto(), account.id, name, "MUTABLE");
        }
        let role = |account: Account| format!("[registry.\"{}\"]\nrole_arn = \"{}\"\n", account.host(), account.role());
        let settings = format!("{}{}", role(STAGING), role(PRODUCTION));
        fs::write(stages.project.path("shipway.toml"), settings).expect("a file can be written");
        stages
    }

    /// `shipway`, at all three of them.
    fn shipway(&self, arguments: &[&str]) -> Command {
        let mut shipway = self.project.shipway();
        let endpoints = [&self.development, &self.staging, &self.production].map(Gateway::endpoint);
        with_keys(&mut shipway, &moto())
            .args(arguments)
            .env("SHIPWAY_REGISTRY_ENDPOINT", endpoints.join(","));
        shipway
    }

    /// Builds and pushes to development; returns the digest.
    fn release(&self, name: &str) -> String {
        let base = Registry::plain().base();
        let tag = DEVELOPMENT.image(name);
        let mut build = self.shipway(&[
            "build",
            "--scripts",
            "scripts",
            "--config",
            "flyway.toml",
            "--base",
            &base,
        ]);
        let (printed, _) = ends_with(0, build.args(["--push", "-t", &tag]));
        digest_in(&printed).to_owned()
    }

    /// What was asked of the three since this was asked last.
    fn asked(&self) -> Vec<String> {
        [&self.development, &self.staging, &self.production]
            .into_iter()
            .flat_map(Gateway::asked)
            .collect()
    }
}

fn is_write(request: &str) -> bool {
    !request.starts_with("GET ") && !request.starts_with("HEAD ")
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_release_goes_through_three_accounts_with_one_digest() {
    let stages = Stages::with_repository("stages/orders");
    let digest = stages.release("stages/orders:1.0");

    let from = DEVELOPMENT.image(&format!("stages/orders@{digest}"));
    let to = STAGING.image("stages/orders:1.0");
    let (printed, _) = ends_with(
        0,
        &mut stages.shipway(&["copy", &from, &to, "--require-digest", &digest]),
    );
    assert_eq!(printed, STAGING.image(&format!("stages/orders@{digest}")));
    assert_eq!(STAGING.digest_of("stages/orders:1.0"), digest);

    // No tag is named: the source's is kept.
    let target = PRODUCTION.image("stages/orders");
    let (printed, _) = ends_with(0, &mut stages.shipway(&["copy", &to, &target, "-t", "current"]));
    assert_eq!(printed, PRODUCTION.image(&format!("stages/orders@{digest}")));
    for name in ["stages/orders:1.0", "stages/orders:current"] {
        assert_eq!(PRODUCTION.digest_of(name), digest);
    }
    let copied = format!("oci:{}:1", stages.project.path("copied").display());
    PRODUCTION.copy_out("stages/orders:1.0", &copied);
    crate::view::View::of_layout(&stages.project.path("copied")).assert_is_of_project();

    stages.asked();
    let arguments = ["copy", &to, &target, "-t", "current", "--format", "json"];
    let (printed, _) = ends_with(0, &mut stages.shipway(&arguments));
    let asked = stages.asked();
    assert_eq!(
        asked.iter().filter(|request| is_write(request)).count(),
        0,
        "{asked:#?}"
    );
    assert!(asked.len() <= 4, "{asked:#?}");
    let printed: Value = serde_json::from_str(&printed).expect("shipway prints JSON");
    assert_eq!(printed["status"], "unchanged");
    assert_eq!(printed["digest"], digest);
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn what_was_not_tested_is_not_promoted() {
    let stages = Stages::with_repository("untested/orders");
    let tested = stages.release("untested/orders:nightly");
    fs::write(stages.project.path("scripts/V3__more.sql"), "SELECT 1;\n").expect("a script can be written");
    let other = stages.release("untested/orders:nightly");

    stages.asked();
    let from = DEVELOPMENT.image("untested/orders:nightly");
    let to = STAGING.image("untested/orders:nightly");
    let (_, said) = ends_with(
        4,
        &mut stages.shipway(&["copy", &from, &to, "--require-digest", &tested]),
    );
    assert!(said.contains(&tested) && said.contains(&other), "{said}");
    let asked = stages.asked();
    assert_eq!(
        asked.iter().filter(|request| is_write(request)).count(),
        0,
        "{asked:#?}"
    );
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_release_is_never_overwritten() {
    let stages = Stages::with_repository("released/orders");
    let first = stages.release("released/orders:v1.0");
    let from = DEVELOPMENT.image("released/orders:v1.0");
    let to = STAGING.image("released/orders:v1.0");
    ends_with(0, &mut stages.shipway(&["copy", &from, &to]));

    fs::write(stages.project.path("scripts/V3__more.sql"), "SELECT 1;\n").expect("a script can be written");
    let second = stages.release("released/orders:v1.1");
    stages.asked();
    let other = DEVELOPMENT.image("released/orders:v1.1");
    let (_, said) = ends_with(4, &mut stages.shipway(&["copy", &other, &to]));
    assert!(said.contains("v1.0"), "{said}");
    let asked = stages.asked();
    assert_eq!(
        asked.iter().filter(|request| is_write(request)).count(),
        0,
        "{asked:#?}"
    );
    assert_eq!(STAGING.digest_of("released/orders:v1.0"), first);

    ends_with(0, &mut stages.shipway(&["copy", &other, &to, "--move-tags"]));
    assert_eq!(STAGING.digest_of("released/orders:v1.0"), second);
}

/// Where no machine reaches both registries.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn files_may_lie_between_two_registries() {
    let stages = Stages::with_repository("carried/orders");
    let digest = stages.release("carried/orders:1.0");
    let from = DEVELOPMENT.image("carried/orders:1.0");
    for (place, tag) in [("oci:carried:1.0", "1.0"), ("oci-archive:carried.tar:1.0", "2.0")] {
        let (printed, _) = ends_with(0, &mut stages.shipway(&["copy", &from, place]));
        assert_eq!(printed, digest);
        let target = PRODUCTION.image(&format!("carried/orders:{tag}"));
        let (printed, _) = ends_with(
            0,
            &mut stages.shipway(&["push", place, &target, "--require-digest", &digest]),
        );
        assert_eq!(printed, PRODUCTION.image(&format!("carried/orders@{digest}")));
        assert_eq!(PRODUCTION.digest_of(&format!("carried/orders:{tag}")), digest);
    }
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn an_image_gets_more_tags() {
    let stages = Stages::with_repository("tagged/orders");
    let digest = stages.release("tagged/orders:1.0");
    let image = DEVELOPMENT.image(&format!("tagged/orders@{digest}"));
    ends_with(0, &mut stages.shipway(&["tag", &image, "v1.0", "current"]));
    for tag in ["v1.0", "current"] {
        assert_eq!(DEVELOPMENT.digest_of(&format!("tagged/orders:{tag}")), digest);
    }

    fs::write(stages.project.path("scripts/V3__more.sql"), "SELECT 1;\n").expect("a script can be written");
    let other = stages.release("tagged/orders:1.1");
    let image = DEVELOPMENT.image("tagged/orders:1.1");
    ends_with(4, &mut stages.shipway(&["tag", &image, "current", "v1.0"]));
    assert_eq!(
        DEVELOPMENT.digest_of("tagged/orders:current"),
        digest,
        "a tag has moved before all could"
    );
    ends_with(0, &mut stages.shipway(&["tag", &image, "current"]));
    assert_eq!(DEVELOPMENT.digest_of("tagged/orders:current"), other);
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn an_index_stays_an_index_unless_platforms_are_chosen() {
    let stages = Stages::with_repository("platforms/orders");
    let layout = format!("oci:{}:1", stages.project.path("image").display());
    let digest = write_image(
        &stages.project.path("image"),
        &["amd64", "arm64", "riscv64"],
        2,
        100_000,
    );
    let source = DEVELOPMENT.image("platforms/orders:all");
    ends_with(0, &mut stages.shipway(&["push", &layout, &source]));
    assert_eq!(DEVELOPMENT.digest_of("platforms/orders:all"), digest);

    ends_with(
        0,
        &mut stages.shipway(&["copy", &source, &STAGING.image("platforms/orders")]),
    );
    assert_eq!(STAGING.digest_of("platforms/orders:all"), digest);

    let index = stages.project.path("image/blobs").join(digest.replace(':', "/"));
    let index: Value = serde_json::from_slice(&fs::read(index).expect("the layout has it")).expect("it is JSON");
    let arm = index["manifests"][1]["digest"].as_str().expect("a child has a digest");
    let to = STAGING.image("platforms/orders:arm64");
    let (printed, _) = ends_with(
        0,
        &mut stages.shipway(&["copy", &source, &to, "--platform", "linux/arm64"]),
    );
    assert_eq!(digest_in(&printed), arm);
    assert_eq!(STAGING.digest_of("platforms/orders:arm64"), arm);

    let to = PRODUCTION.image("platforms/orders:two");
    let two = ["--platform", "linux/arm64", "--platform", "linux/amd64"];
    let (printed, said) = ends_with(0, stages.shipway(&["copy", &source, &to]).args(two));
    assert_ne!(digest_in(&printed), digest);
    assert!(said.contains("digest"), "{said}");
    assert_eq!(PRODUCTION.digest_of("platforms/orders:two"), digest_in(&printed));
    // It is whole: skopeo reads all of it.
    let copied = format!("oci:{}:two", stages.project.path("two").display());
    PRODUCTION.copy_out("platforms/orders:two", &copied);
}

/// Repositories of the later stages may be made on the way.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_missing_repository_is_made_when_asked_for() {
    let stages = Stages::with_repository("first/orders");
    let digest = stages.release("first/orders:1.0");
    let from = DEVELOPMENT.image("first/orders:1.0");
    let to = STAGING.image("renamed/orders:1.0");
    let (_, said) = ends_with(1, &mut stages.shipway(&["copy", &from, &to]));
    assert!(said.contains("--create-repository"), "{said}");
    ends_with(0, &mut stages.shipway(&["copy", &from, &to, "--create-repository"]));
    assert_eq!(STAGING.digest_of("renamed/orders:1.0"), digest);
    super::api::ask(
        &moto(),
        STAGING.id,
        "DescribeRepositories",
        &json!({ "repositoryNames": ["renamed/orders"] }),
    )
    .expect("the repository was made in staging");
}
