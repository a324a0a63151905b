//! Places an identity may be in, when something is wrong with them: what is empty, what fails, and what never answers.

use std::time::{Duration, Instant};

use crate::support::aws::{ACCOUNT, EcrScene, Key, failure};
use crate::support::registry::{Action, Fault};

const ASSUME: &str = "sts:AssumeRole";
const TOKEN: &str = "ecr:GetAuthorizationToken";

/// Variables the SDK takes for a value when they are empty.
const EMPTY: [&str; 9] = [
    "AWS_ENDPOINT_URL_ECR",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONFIG_FILE",
    "AWS_REGION",
];

/// A scene whose default profile takes on a role with the keys of somebody.
fn with_a_role_profile() -> (EcrScene, String) {
    let scene = EcrScene::new();
    scene.aws.allow(&[ASSUME]);
    let role = scene.aws.role(ACCOUNT, "deploy");
    let Key {
        access_key, secret_key, ..
    } = scene.aws.user(ACCOUNT, "anna");
    let credentials = format!("[base]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n");
    let config = format!("[default]\nrole_arn = {role}\nsource_profile = base\n");
    let scene = scene
        .home_file(".aws/credentials", &credentials)
        .home_file(".aws/config", &config);
    (scene, role)
}

/// Catches a panic at, or a belief in, a variable that a pipeline left empty.
#[test]
fn empty_variables_count_as_not_set() {
    let mut scene = EcrScene::signed_in();
    for name in EMPTY {
        scene = scene.environment(name, "");
    }
    scene.push(&[]).succeeded();
    let mut scene = EcrScene::new();
    for name in EMPTY {
        scene = scene.environment(name, "");
    }
    scene.push(&[]).exited(1).says(&["no AWS identity was found"]);
}

/// Catches a program whose complaint, and what it gives away with it, is handed on.
#[test]
fn what_a_process_prints_is_nobodys_business() {
    for script in [
        "echo 'password=canary-1 eyJhbGciOiJIUzI1NiJ9.canary-2' >&2; exit 3",
        "echo '{\"Version\": 1, \"SecretAccessKey\": \"canary-3\"}'",
        "echo canary-4",
    ] {
        let scene = EcrScene::new()
            .set(|project| project.program("give-keys", script))
            .home_file(".aws/config", "[default]\ncredential_process = give-keys\n");
        let outcome = scene.push(&["-v"]).exited(1).says(&["credential_process"]).hints();
        assert!(!outcome.stderr.contains("canary"), "{outcome:#?}");
    }
}

/// Catches an identity that is asked for twice because a role is taken on with it: a process may want a second factor.
#[test]
fn a_process_runs_once_though_a_role_is_taken_on() {
    let scene = EcrScene::new();
    scene.aws.allow(&[ASSUME]);
    let role = scene.aws.role(ACCOUNT, "deploy");
    let key = scene.aws.user(ACCOUNT, "vault");
    let script = format!(
        "echo run >> \"$HOME/runs\"\necho '{{\"Version\": 1, \"AccessKeyId\": \"{}\", \"SecretAccessKey\": \"{}\"}}'",
        key.access_key, key.secret_key
    );
    let scene = scene
        .set(|project| project.program("give-keys", &script))
        .home_file(".aws/config", "[default]\ncredential_process = give-keys\n");
    scene.push(&["--aws-role-arn", &role]).succeeded();
    let runs = std::fs::read_to_string(scene.project.home().join("runs")).unwrap();
    assert_eq!(runs.lines().count(), 1);
}

/// Catches a service that is gone for now, and is told as something that will never work.
#[test]
fn a_role_of_a_profile_may_be_out_of_reach_for_now() {
    let (scene, _) = with_a_role_profile();
    let gone = failure(ASSUME, 503, "ServiceUnavailable", "come back later");
    scene.aws.fault(gone.always());
    scene
        .push(&["--retry", "1", "--retry-delay", "0.01"])
        .exited(8)
        .says(&["come back later"]);
}

/// Catches a wait without an end behind a profile.
#[test]
fn a_role_of_a_profile_that_is_never_given_ends() {
    let (scene, _) = with_a_role_profile();
    scene
        .aws
        .fault(Fault::on_operation(ASSUME).always().with(Action::Stall));
    let start = Instant::now();
    scene.push(&["--timeout", "1", "--retry", "0"]).exited(8);
    let time = start.elapsed();
    assert!(time < Duration::from_secs(20), "{time:?}");
}

/// Catches a refusal that is shown as a program sees it, without a way out.
#[test]
fn a_role_of_a_profile_that_is_refused_says_why() {
    let (scene, _) = with_a_role_profile();
    scene.aws.fault(failure(
        ASSUME,
        403,
        "AccessDenied",
        "User: anna is not authorized to perform: sts:AssumeRole",
    ));
    let outcome = scene.push(&[]).exited(1).says(&["anna", "trust policy"]).hints();
    assert!(!outcome.stderr.contains("Error {"), "{outcome:#?}");
    assert_eq!(scene.aws.count(TOKEN), 0);
}

/// Catches the three commonest slips told as nothing but "not found".
#[test]
fn what_explains_that_nobody_was_found_is_told() {
    for (name, value, words) in [
        ("AWS_PROFILE", "typo", ["AWS_PROFILE", "typo"]),
        (
            "AWS_ACCESS_KEY_ID",
            "AKIA",
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
        ),
        ("SHIPWAY_ID_TOKEN", "canary-jwt", ["SHIPWAY_ID_TOKEN", "--aws-role-arn"]),
    ] {
        let outcome = EcrScene::new()
            .environment(name, value)
            .push(&[])
            .exited(1)
            .says(&words);
        assert!(!outcome.stderr.contains("canary"), "{outcome:#?}");
    }
}

/// Catches an address that is none, and an error of the SDK that does not name where it came from.
#[test]
fn an_address_that_is_none_is_named() {
    for value in ["localhost:4566", "ftp://localhost", "http://", "http://a b"] {
        EcrScene::signed_in()
            .environment("AWS_ENDPOINT_URL_STS", value)
            .push(&[])
            .exited(2)
            .says(&["AWS_ENDPOINT_URL_STS", value]);
    }
}

/// Catches a proxy's page that is told as an answer of AWS without words.
#[test]
fn a_page_in_the_place_of_an_answer_is_told() {
    let scene = EcrScene::signed_in();
    let page = Action::Respond {
        status: 403,
        headers: vec![("content-type".into(), "text/html".into())],
        body: "<html>blocked</html>".into(),
    };
    scene.aws.fault(Fault::on_operation(TOKEN).always().with(page));
    scene.push(&[]).exited(1).says(&["403", "proxy"]).hints();
}

/// Catches flags that mean nothing, and two that exclude each other.
#[test]
fn flags_without_a_meaning_are_refused() {
    for flags in [
        vec!["--aws-profile", ""],
        vec!["--aws-role-arn", ""],
        vec!["--aws-web-identity-token-env", ""],
        vec!["--aws-web-identity-token-env", "TOKEN", "--aws-profile", "p"],
    ] {
        EcrScene::signed_in().push(&flags).exited(2);
    }
}
