//! The gate: what the scan found decides. moto finds one thing in every image, unless told otherwise.

use std::process::Command;

use serde_json::{Value, json};

use super::account::{DEVELOPMENT, REGION, digest_in, ends_with, moto, with_keys};
use super::api::ask;
use super::gateway::Gateway;
use crate::parts::{Registry, output};
use crate::project::Project;

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_finding_at_the_threshold_is_status_three() {
    let gateway = Gateway::before(DEVELOPMENT);
    for (name, scan_on_push) in [("gate/on-push", true), ("gate/on-request", false)] {
        create(name, scan_on_push);
        let project = Project::new();
        let (printed, said) = ends_with(3, build(&project, &gateway, name).arg("--wait-for-scan"));
        assert!(said.contains("1 high"), "{said}");
        assert_eq!(DEVELOPMENT.digest_of(&format!("{name}:1")), digest_in(&printed));

        let mut tolerant = build(&project, &gateway, name);
        let (_, said) = ends_with(0, tolerant.args(["--wait-for-scan", "--fail-on-severity", "critical"]));
        assert!(said.contains("1 high"), "{said}");
    }
}

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn findings_of_inspector_are_counted() {
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    create("gate/inspector", true);
    let digest = foretold(&project, &gateway, "gate/inspector");
    finds(
        "gate/inspector",
        &digest,
        &json!({
            "imageScanStatus": { "status": "ACTIVE", "description": "Continuous scan is selected for image." },
            "imageScanFindings": {
                "enhancedFindings": [],
                "findingSeverityCounts": { "MEDIUM": 3, "UNTRIAGED": 1 },
            },
        }),
    );
    let (_, said) = ends_with(0, build(&project, &gateway, "gate/inspector").arg("--wait-for-scan"));
    assert!(said.contains("3 medium, 1 undefined"), "{said}");
    let mut strict = build(&project, &gateway, "gate/inspector");
    ends_with(3, strict.args(["--wait-for-scan", "--fail-on-severity", "medium"]));
}

#[test]
#[ignore = "needs moto and docker-registry: ci/test.sh"]
fn a_scan_that_does_not_end_is_told() {
    let gateway = Gateway::before(DEVELOPMENT);
    let project = Project::new();
    let stories = [
        ("gate/slow", "IN_PROGRESS", 7),
        ("gate/unsupported", "UNSUPPORTED_IMAGE", 1),
    ];
    for (name, scan, status) in stories {
        create(name, true);
        let digest = foretold(&project, &gateway, name);
        finds(
            name,
            &digest,
            &json!({ "imageScanStatus": { "status": scan, "description": "told by the test" } }),
        );
        let mut waiting = build(&project, &gateway, name);
        let (printed, said) = ends_with(status, waiting.args(["--wait-for-scan", "--scan-timeout", "1"]));
        assert!(said.contains(scan), "{said}");
        assert_eq!(digest_in(&printed), digest, "the image is there, whatever is in it");
    }
}

fn create(name: &str, scan_on_push: bool) {
    let question = json!({
        "repositoryName": name,
        "imageScanningConfiguration": { "scanOnPush": scan_on_push },
    });
    ask(&moto(), DEVELOPMENT.id, "CreateRepository", &question).expect("a repository can be made");
}

fn build(project: &Project, gateway: &Gateway, name: &str) -> Command {
    let mut build = project.build(&Registry::plain().base());
    build
        .args(["--push", "-t", &DEVELOPMENT.image(&format!("{name}:1"))])
        .args(["--registry-endpoint", &gateway.endpoint()]);
    with_keys(&mut build, &moto());
    build
}

/// The digest that a build will have.
fn foretold(project: &Project, gateway: &Gateway, name: &str) -> String {
    let (printed, _) = ends_with(0, build(project, gateway, name).arg("--dry-run"));
    digest_in(&printed).to_owned()
}

/// Tells moto what is found in an image.
fn finds(name: &str, digest: &str, result: &Value) {
    let mut result = result.clone();
    result["registryId"] = DEVELOPMENT.id.into();
    result["repositoryName"] = name.into();
    result["imageId"] = json!({ "imageDigest": digest });
    let text = json!({ "results": [result], "region": REGION }).to_string();
    let address = format!("{}/moto-api/static/ecr/scan-finding-results", moto());
    output(Command::new("curl").args(["--silent", "--fail", "--noproxy", "*", "--data-binary", &text, &address]));
}
