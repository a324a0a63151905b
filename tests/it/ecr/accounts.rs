//! Several accounts in one run: each registry of the project file has its own profile or role.

use crate::support::aws::{ACCOUNT, EcrScene, HOST, REGION};
use crate::support::registry::FakeRegistry;

const STAGING: &str = "210987654321";
const STAGING_HOST: &str = "210987654321.dkr.ecr.eu-central-1.amazonaws.com";
const TOKEN: &str = "ecr:GetAuthorizationToken";
const CREATE: &str = "ecr:CreateRepository";

/// A scene with a second registry, in another account and region.
fn scene() -> (EcrScene, FakeRegistry) {
    let staging = FakeRegistry::ecr();
    staging.create("orders");
    let scene = EcrScene::new().endpoint(STAGING_HOST, &staging);
    scene.aws.governs(STAGING, "eu-central-1", &staging);
    (scene, staging)
}

/// The callers of tokens, with their regions, sorted.
fn callers(scene: &EcrScene) -> Vec<(String, String)> {
    let calls = scene.aws.calls_of(TOKEN).into_iter();
    let mut callers: Vec<_> = calls.map(|call| (call.region, call.caller)).collect();
    callers.sort();
    callers
}

fn credentials(scene: &EcrScene) -> String {
    let mut text = String::new();
    for (profile, account, name) in [("development", ACCOUNT, "anna"), ("staging", STAGING, "berta")] {
        let key = scene.aws.user(account, name);
        text.push_str(&format!(
            "[{profile}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            key.access_key, key.secret_key
        ));
    }
    text
}

const PROFILES: &str = "[registry.\"123456789012.dkr.ecr.eu-west-1.amazonaws.com\"]\nprofile = \"development\"\n\
                        [registry.\"210987654321.dkr.ecr.eu-central-1.amazonaws.com\"]\nprofile = \"staging\"\n";

fn expected() -> Vec<(String, String)> {
    vec![
        ("eu-central-1".to_owned(), format!("arn:aws:iam::{STAGING}:user/berta")),
        (REGION.to_owned(), format!("arn:aws:iam::{ACCOUNT}:user/anna")),
    ]
}

/// Catches one identity used for both registries of a build: the base of one account, the target of another.
#[test]
fn a_build_reads_one_account_and_writes_another() {
    let (scene, staging) = scene();
    let text = credentials(&scene);
    let file = format!("[migrations]\nscripts = \"db\"\n{PROFILES}");
    let scene = scene
        .home_file(".aws/credentials", &text)
        .set(|project| project.project_file(&file));
    let base = scene.reference("runner:13");
    let target = format!("{STAGING_HOST}/orders:v1");
    scene
        .run(&["build", "--push", "--base", &base, "-t", &target])
        .succeeded();
    staging.image("orders", "v1");
    assert_eq!(callers(&scene), expected());
}

/// Catches one identity used for both registries of a copy.
#[test]
fn a_copy_reads_one_account_and_writes_another() {
    let (scene, staging) = scene();
    let text = credentials(&scene);
    let scene = scene
        .home_file(".aws/credentials", &text)
        .set(|project| project.project_file(PROFILES));
    let source = scene.reference("runner:13");
    let target = format!("{STAGING_HOST}/orders:v1");
    let outcome = scene.run(&["copy", &source, &target]).succeeded();
    assert_eq!(staging.tag("orders", "v1"), Some(outcome.digest()));
    assert_eq!(callers(&scene), expected());
    assert_eq!(scene.registry.writes(), 0);
    scene.registry.assert_strict();
    staging.assert_strict();
}

/// Catches a role of one registry taken on for another.
#[test]
fn a_role_is_taken_on_for_its_registry_alone() {
    let (scene, staging) = scene();
    scene.aws.allow(&["sts:AssumeRole"]);
    let role = scene.aws.role(STAGING, "promote");
    let file = format!("[registry.\"{STAGING_HOST}\"]\nrole_arn = \"{role}\"\n");
    let scene = scene.with_dev().set(|project| project.project_file(&file));
    let source = scene.reference("runner:13");
    let target = format!("{STAGING_HOST}/orders:v1");
    scene.run(&["copy", &source, &target]).succeeded();
    assert!(staging.tag("orders", "v1").is_some());
    let callers = callers(&scene);
    assert_eq!(
        callers[0].1,
        format!("arn:aws:sts::{STAGING}:assumed-role/promote/shipway")
    );
    assert_eq!(callers[1].1, format!("arn:aws:iam::{ACCOUNT}:user/dev"));
    assert_eq!(scene.aws.count("sts:AssumeRole"), 1);
}

/// Catches a role that is in another account than the registry passed over in silence: the refusal names both.
#[test]
fn the_wrong_account_is_named() {
    let (scene, staging) = scene();
    let scene = scene.with_dev();
    scene.aws.allow(&["sts:GetCallerIdentity"]);
    let message = "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: ecr:InitiateLayerUpload on \
                   resource: arn:aws:ecr:eu-central-1:210987654321:repository/orders because no resource-based \
                   policy allows the ecr:InitiateLayerUpload action";
    scene.aws.trusts(STAGING, ACCOUNT);
    let fault = crate::support::registry::Fault::on("POST", "/v2/orders/").always();
    staging.fault(fault.respond(403, "DENIED", message));
    let base = format!("{HOST}/runner:13");
    let target = format!("{STAGING_HOST}/orders:v1");
    let arguments = ["build", "--scripts", "db", "--push", "--base", &base, "-t", &target];
    let outcome = scene.run(&arguments).exited(1).hints();
    outcome.says(&["ecr:InitiateLayerUpload", "arn:aws:iam::123456789012:user/dev", STAGING]);
}

/// Catches tokens asked for again, repositories created at the wrong account, and a second copy that costs as much as
/// the first.
#[test]
fn a_promotion_creates_what_is_missing_and_costs_little_the_second_time() {
    let (scene, staging) = scene();
    scene.aws.allow(&[CREATE]);
    let text = credentials(&scene);
    let scene = scene
        .home_file(".aws/credentials", &text)
        .set(|project| project.project_file(PROFILES));
    let source = scene.reference("runner:13");
    let target = format!("{STAGING_HOST}/production/runner:13");
    let copy = ["copy", &source, &target, "-t", "current", "--create-repository"];
    scene.run(&[&copy[..], &["--dry-run"]].concat()).succeeded();
    assert_eq!(scene.aws.count(CREATE), 0);
    assert_eq!(staging.writes(), 0);
    scene.aws.forget_calls();
    let first = scene.run(&copy).succeeded();
    assert_eq!(callers(&scene), expected());
    let created = scene.aws.calls_of(CREATE);
    assert_eq!(created.len(), 1);
    assert_eq!(created[0].region, "eu-central-1");
    assert_eq!(created[0].input["repositoryName"], "production/runner");
    assert_eq!(staging.tag("production/runner", "current"), Some(first.digest()));
    scene.registry.forget_requests();
    staging.forget_requests();
    scene.aws.forget_calls();
    scene.run(&copy).succeeded();
    let requests = scene.registry.count() + staging.count();
    // One platform, and three; the second tag is one more question.
    assert!(
        requests <= 1 + 3 + 1,
        "{requests}: {}{}",
        scene.registry.story(),
        staging.story()
    );
    assert_eq!(staging.writes(), 0);
    assert_eq!(callers(&scene), expected(), "one token each");
    assert_eq!(scene.aws.calls().len(), 2, "{}", scene.aws.recorded());
}

/// Catches bytes sent to a repository that is not there, and an error without the command that creates it.
#[test]
fn a_promotion_to_nowhere_is_one_error() {
    let (scene, staging) = scene();
    let text = credentials(&scene);
    let scene = scene
        .home_file(".aws/credentials", &text)
        .set(|project| project.project_file(PROFILES));
    let source = scene.reference("runner:13");
    let target = format!("{STAGING_HOST}/production/runner:13");
    let outcome = scene.run(&["copy", &source, &target]).exited(1).hints();
    let command = "aws ecr create-repository --region eu-central-1 --repository-name production/runner";
    outcome.says(&["production/runner", "does not exist", "--create-repository", command]);
    let bytes: u64 = staging.requests().iter().map(|request| request.bytes_in).sum();
    assert_eq!(bytes, 0, "{}", staging.story());
}

/// Catches commands beside `build` and `copy` that do not know who they are.
#[test]
fn every_command_logs_in() {
    let scene = EcrScene::signed_in();
    let built = [
        "build",
        "--scripts",
        "db",
        "--base",
        &scene.reference("runner:13"),
        "--output",
        "oci:out",
    ];
    scene.run(&built).succeeded();
    assert_eq!(scene.aws.count(TOKEN), 1);
    scene.aws.allow(&[CREATE]);
    let target = scene.reference("bills:v1");
    for arguments in [
        &["push", "oci:out", &target, "--create-repository"][..],
        &["tag", &target, "current"],
        &["inspect", &target],
        &["build", "--scripts", "db", "--base", &target, "--dry-run"],
    ] {
        scene.aws.forget_calls();
        scene.run(arguments).succeeded();
        assert_eq!(scene.aws.count(TOKEN), 1, "{arguments:?}: {}", scene.aws.recorded());
    }
    assert_eq!(
        scene.registry.tag("bills", "current"),
        scene.registry.tag("bills", "v1")
    );
    let outcome = scene.run(&["inspect", &target, "-v"]).succeeded();
    outcome.says(&[HOST, "AWS_ACCESS_KEY_ID"]);
}
