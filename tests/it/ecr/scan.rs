//! The gate behind a push: what Amazon ECR found in the image.

use std::time::{Duration, Instant};

use crate::support::aws::{EcrScene, Scan, failure};
use crate::support::base::{Base, Bundle};
use crate::support::outcome::Outcome;
use serde_json::json;

const FINDINGS: &str = "ecr:DescribeImageScanFindings";
const FREQUENCY: &str = "ecr:BatchGetRepositoryScanningConfiguration";
const START: &str = "ecr:StartImageScan";

/// A scene whose images get these scans.
fn scene(sequences: Vec<Vec<Scan>>) -> EcrScene {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&[FINDINGS, FREQUENCY]);
    scene.aws.scans(sequences);
    scene
}

/// Catches a gate that is shut for what is below the threshold, and counts that are kept to oneself.
#[test]
fn findings_below_the_threshold_pass() {
    let findings = vec![("MEDIUM", 3), ("LOW", 7)];
    let scene = scene(vec![vec![
        Scan::NotFound,
        Scan::Status("PENDING", ""),
        Scan::Status("IN_PROGRESS", ""),
        Scan::Basic("COMPLETE", findings),
    ]]);
    scene
        .push(&["--wait-for-scan"])
        .succeeded()
        .says(&["3 medium", "7 low"]);
    assert_eq!(scene.aws.count(FINDINGS), 4);
    let asked = scene.aws.calls_of(FINDINGS).remove(0);
    let digest = scene.registry.tag("orders", "v1").unwrap();
    assert_eq!(asked.input["imageId"], json!({"imageDigest": digest}));
}

/// Catches a gate that is open.
#[test]
fn findings_at_or_above_the_threshold_do_not() {
    let found = || vec![vec![Scan::Basic("COMPLETE", vec![("HIGH", 2), ("LOW", 7)])]];
    let by_default = scene(found());
    by_default
        .push(&["--wait-for-scan"])
        .exited(3)
        .says(&["2 high", "orders"]);
    by_default.registry.image("orders", "v1");
    let above = scene(found());
    above
        .push(&["--wait-for-scan", "--fail-on-severity", "critical"])
        .succeeded()
        .says(&["2 high"]);
    let low = scene(found());
    low.push(&["--wait-for-scan", "--fail-on-severity", "low"]).exited(3);
    let none = scene(vec![vec![Scan::Basic("COMPLETE", vec![])]]);
    none.push(&["--wait-for-scan", "--fail-on-severity", "undefined"])
        .succeeded();
}

/// Catches the words of a severity that nobody knows, and a threshold without a gate.
#[test]
fn a_threshold_is_one_of_the_severities() {
    let scene = EcrScene::signed_in();
    scene
        .push(&["--wait-for-scan", "--fail-on-severity", "bad"])
        .exited(2)
        .says(&["critical", "informational", "none"]);
    scene
        .push(&["--fail-on-severity", "high"])
        .exited(2)
        .says(&["--wait-for-scan"]);
    scene.aws.assert_silent();
    let findings = self::scene(vec![vec![Scan::Basic("COMPLETE", vec![("CRITICAL", 1)])]]);
    findings
        .push(&["--wait-for-scan", "--fail-on-severity", "NONE"])
        .succeeded();
}

/// Catches a gate at a registry that scans nothing.
#[test]
fn only_amazon_ecr_is_waited_for() {
    let scene = crate::support::scene::Scene::ecr();
    scene.push("v1", &["--wait-for-scan"]).exited(2).says(&["ECR"]);
    assert_eq!(scene.registry.writes(), 0);
}

/// Catches a scan that ended without an answer taken for one without findings.
#[test]
fn a_scan_that_failed_is_no_pass() {
    for (status, reason) in [
        ("FAILED", "The image could not be read"),
        ("UNSUPPORTED_IMAGE", "The operating system is not supported"),
        ("SCAN_ELIGIBILITY_EXPIRED", "SCAN_ELIGIBILITY_EXPIRED"),
        ("FINDINGS_UNAVAILABLE", "no findings"),
        ("LIMIT_EXCEEDED", "LIMIT_EXCEEDED"),
        ("IMAGE_ARCHIVED", "IMAGE_ARCHIVED"),
    ] {
        let scene = scene(vec![vec![Scan::Status(status, reason)]]);
        let outcome = scene.push(&["--wait-for-scan"]).failed();
        assert_ne!(outcome.status, Some(3), "{status} is no finding");
        outcome.says(&[status, reason]);
        scene.registry.image("orders", "v1");
    }
}

/// Catches a wait without end, and one that does not say what it waited for.
#[test]
fn the_time_runs_out() {
    let scene = scene(vec![vec![Scan::Status("IN_PROGRESS", "")]]);
    let start = Instant::now();
    let outcome = scene.push(&["--wait-for-scan", "--scan-timeout", "1"]).failed();
    let time = start.elapsed();
    assert!(time < Duration::from_secs(15), "{time:?}");
    assert_ne!(outcome.status, Some(3));
    outcome.says(&["IN_PROGRESS", "--scan-timeout"]);
    assert!(scene.aws.count(FINDINGS) >= 2);
    scene.registry.image("orders", "v1");
}

/// Catches an enhanced scan, which is never complete, waited for, and findings on its second page left out.
#[test]
fn an_enhanced_scan_is_counted_over_its_pages() {
    let pages = vec![vec!["MEDIUM", "LOW"], vec!["CRITICAL", "UNTRIAGED"], vec!["MEDIUM"]];
    let scene = scene(vec![vec![
        Scan::NotFound,
        Scan::Status("PENDING", ""),
        Scan::Enhanced("ACTIVE", pages),
    ]]);
    scene
        .push(&["--wait-for-scan"])
        .exited(3)
        .says(&["1 critical", "2 medium", "1 low"]);
    assert_eq!(scene.aws.count(FINDINGS), 5);
}

/// Catches an index asked about, which has no scan of its own, and children left out.
#[test]
fn the_children_of_an_index_are_scanned() {
    let scene = scene(vec![
        vec![Scan::Basic("COMPLETE", vec![("MEDIUM", 1)])],
        vec![
            Scan::Status("IN_PROGRESS", ""),
            Scan::Basic("COMPLETE", vec![("MEDIUM", 2), ("CRITICAL", 4)]),
        ],
    ]);
    push_both(&scene, &[]).exited(3).says(&["4 critical"]);
    let index = scene.registry.tag("orders", "v1").unwrap();
    let mut asked: Vec<_> = scene
        .aws
        .calls_of(FINDINGS)
        .iter()
        .map(|call| call.input["imageId"]["imageDigest"].as_str().unwrap().to_owned())
        .collect();
    assert!(!asked.contains(&index), "an index has no scan");
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 2);
}

/// Catches a wait for a scan that nobody starts, and a second one where there is one.
#[test]
fn a_scan_is_asked_for_where_none_comes_by_itself() {
    let scan = || {
        vec![vec![
            Scan::NotFound,
            Scan::Status("IN_PROGRESS", ""),
            Scan::Basic("COMPLETE", vec![]),
        ]]
    };
    let manual = scene(scan());
    manual.aws.allow(&[START]);
    manual.aws.describe("orders", &json!({"scanFrequency": "MANUAL"}));
    manual.push(&["--wait-for-scan"]).succeeded();
    assert_eq!(manual.aws.count(START), 1);
    // Once in 24 hours for an image: somebody has asked already.
    let limited = scene(scan());
    limited.aws.allow(&[START]);
    limited.aws.describe("orders", &json!({"scanFrequency": "MANUAL"}));
    let message = "The scan quota per image has been exceeded. Wait and try again.";
    limited
        .aws
        .fault(failure(START, 400, "LimitExceededException", message));
    limited.push(&["--wait-for-scan"]).succeeded();
    let on_push = scene(scan());
    on_push.push(&["--wait-for-scan"]).succeeded();
    assert_eq!(on_push.aws.count(START), 0);
}

/// Catches a gate that is passed because nothing was pushed.
#[test]
fn an_image_that_is_there_already_is_looked_at_again() {
    let scene = scene(vec![vec![Scan::Basic("COMPLETE", vec![("CRITICAL", 1)])]]);
    scene.push(&["--wait-for-scan"]).exited(3);
    scene.registry.forget_requests();
    scene.push(&["--wait-for-scan"]).exited(3).says(&["1 critical"]);
    assert_eq!(scene.registry.writes(), 0);
}

/// Catches findings that may not be read taken for none.
#[test]
fn findings_that_may_not_be_read_are_an_error() {
    let scene = EcrScene::signed_in();
    scene.aws.deny(FINDINGS);
    scene
        .push(&["--wait-for-scan"])
        .exited(1)
        .says(&[FINDINGS, "arn:aws:iam::123456789012:user/dev", "repository/orders"])
        .says(&["hint: ", "the image is pushed"]);
    scene.registry.image("orders", "v1");
}

/// Catches the name of an image that is pushed, kept from the user because the wait for its scan failed.
#[test]
fn the_name_is_told_whatever_becomes_of_the_wait() {
    let scene = scene(vec![]);
    scene.aws.deny(FINDINGS);
    let outcome = scene.push(&["--wait-for-scan"]).exited(1);
    let digest = scene.registry.tag("orders", "v1").unwrap();
    assert_eq!(outcome.stdout, format!("{}@{digest}\n", scene.reference("orders")));
    let outcome = scene.push(&["--wait-for-scan", "--format", "json"]).exited(1);
    let told = outcome.json();
    assert_eq!(told["digest"], digest.as_str(), "{outcome:#?}");
    assert_eq!(told["scans"][0]["status"], "UNKNOWN", "{outcome:#?}");
    assert_eq!(told["scans"][0]["findings"], json!(null), "{outcome:#?}");
    // A service that is away is another status, and another hint.
    let away = EcrScene::signed_in();
    away.aws.allow(&[FINDINGS]);
    let fault = failure(FINDINGS, 500, "ServerException", "Something went wrong");
    away.aws.fault(fault.always());
    let outcome = away.push(&["--wait-for-scan", "--retry", "0"]).exited(8);
    let digest = away.registry.tag("orders", "v1").unwrap();
    assert!(outcome.stdout.contains(&digest), "{outcome:#?}");
}

/// Pushes an image for two platforms and waits for both.
fn push_both(scene: &EcrScene, more: &[&str]) -> Outcome {
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    scene.registry.seed("runner", "both", &Bundle::index(&bases));
    let base = scene.reference("runner:both");
    let target = scene.reference("orders:v1");
    let mut arguments = vec!["build", "--scripts", "db", "--push", "-t", &target, "--base", &base];
    arguments.extend(["--platform", "all", "--wait-for-scan"]);
    arguments.extend(more);
    scene.run(&arguments)
}

/// Catches findings that are not told because another image could not be looked at.
#[test]
fn findings_win_over_what_is_not_known() {
    for other in [Scan::Status("IN_PROGRESS", ""), Scan::Status("UNSUPPORTED_IMAGE", "")] {
        let found = Scan::Basic("COMPLETE", vec![("CRITICAL", 1)]);
        let scene = scene(vec![vec![other], vec![found]]);
        push_both(&scene, &["--scan-timeout", "1"])
            .exited(3)
            .says(&["1 critical"]);
    }
    let both = scene(vec![
        vec![Scan::Status("IN_PROGRESS", "")],
        vec![Scan::Status("UNSUPPORTED_IMAGE", "")],
    ]);
    push_both(&both, &["--scan-timeout", "1"]).exited(1);
}

/// Catches a time that each image has for itself.
#[test]
fn all_images_have_one_time() {
    let scene = scene(vec![vec![Scan::Status("IN_PROGRESS", "")]]);
    let start = Instant::now();
    push_both(&scene, &["--scan-timeout", "4"]).exited(7);
    let time = start.elapsed();
    assert!(time < Duration::from_millis(7500), "{time:?}");
}

/// Catches settings that may not be read taken for scans that come by themselves.
#[test]
fn a_scan_is_asked_for_where_it_is_not_known_whether_one_comes() {
    let scan = || vec![vec![Scan::NotFound, Scan::Basic("COMPLETE", vec![])]];
    let unknown = scene(scan());
    unknown.aws.deny(FREQUENCY);
    unknown.aws.allow(&[START]);
    unknown.push(&["--wait-for-scan"]).succeeded();
    assert_eq!(unknown.aws.count(START), 1);
    // Neither may be done: somebody else may scan, and why nothing comes is told once.
    let images = || vec![Scan::NotFound, Scan::NotFound, Scan::Basic("COMPLETE", vec![])];
    let silent = scene(vec![images(), images()]);
    silent.aws.deny(FREQUENCY);
    silent.aws.deny(START);
    let outcome = push_both(&silent, &[]).succeeded().says(&[FREQUENCY, START]);
    let notes = outcome.stderr.matches("waiting all the same").count();
    assert_eq!(notes, 1, "{outcome:#?}");
    assert_eq!(silent.aws.count(FREQUENCY), 1, "{}", silent.aws.recorded());
    // Where no scan comes by itself, there is nothing to wait for.
    let manual = scene(scan());
    manual.aws.describe("orders", &json!({"scanFrequency": "MANUAL"}));
    manual.aws.deny(START);
    manual.push(&["--wait-for-scan"]).exited(1).says(&[START]);
}

/// Catches an answer of the service that passes taken for the end.
#[test]
fn a_service_that_is_busy_is_asked_again() {
    let scene = scene(vec![vec![Scan::Basic("COMPLETE", vec![("LOW", 1)])]]);
    scene
        .aws
        .fault(failure(FINDINGS, 400, "ThrottlingException", "Rate exceeded"));
    scene.push(&["--wait-for-scan"]).succeeded().says(&["1 low"]);
}

/// Catches a scan waited for without being asked to.
#[test]
fn nobody_waits_unasked() {
    let scene = EcrScene::signed_in();
    scene.push(&[]).succeeded();
    assert_eq!(scene.aws.count(FINDINGS), 0);
}
