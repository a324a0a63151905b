//! Tokens of an identity provider: in a file as the SDKs of AWS want them, and in a variable as GitLab gives them.

use crate::support::aws::{ACCOUNT, EcrScene, HOST};

/// What stands for GitLab's token.
const ID_TOKEN: &str = "canary-id-token-not-to-be-seen";
const EXCHANGE: &str = "sts:AssumeRoleWithWebIdentity";
const TOKEN: &str = "ecr:GetAuthorizationToken";

/// A scene in which [`ID_TOKEN`] is good for a role, and the role.
fn scene() -> (EcrScene, String) {
    let scene = EcrScene::new();
    scene.aws.allow(&[EXCHANGE]);
    let role = scene.aws.trust(ID_TOKEN, ACCOUNT, "deploy");
    (scene, role)
}

/// Pushes, and fails unless that took one exchange and one token, for a session of this name.
fn pushes(scene: &EcrScene, more: &[&str], session: &str) {
    scene.push(more).succeeded();
    scene.registry.image("orders", "v1");
    let calls: Vec<_> = scene.aws.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, [EXCHANGE, TOKEN]);
    let exchange = scene.aws.calls_of(EXCHANGE).remove(0);
    assert_eq!(exchange.input["RoleSessionName"], session);
    assert_eq!(exchange.input["WebIdentityToken"], ID_TOKEN);
    assert_eq!(exchange.caller, "", "nobody signs an exchange");
    let token = scene.aws.calls_of(TOKEN).remove(0);
    let caller = format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/{session}");
    assert_eq!(token.caller, caller);
}

/// Catches the way the SDKs of AWS and EKS know being broken.
#[test]
fn a_token_in_a_file() {
    let (scene, role) = scene();
    let scene = scene.home_file("token", ID_TOKEN);
    let file = scene.project.home().join("token").display().to_string();
    let scene = scene
        .environment("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
        .environment("AWS_ROLE_ARN", &role)
        .environment("AWS_ROLE_SESSION_NAME", "pod-7");
    pushes(&scene, &[], "pod-7");
}

/// Catches GitLab's token in its variable, which no SDK looks at.
#[test]
fn a_token_in_a_variable() {
    for variable in ["SHIPWAY_ID_TOKEN", "AWS_ID_TOKEN"] {
        let (scene, role) = scene();
        let scene = scene.environment(variable, ID_TOKEN).environment("AWS_ROLE_ARN", &role);
        pushes(&scene, &[], "shipway");
    }
    let (scene, role) = scene();
    let scene = scene
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ID_TOKEN", "canary-another-token")
        .environment("AWS_ROLE_ARN", &role);
    pushes(&scene, &[], "shipway");
}

/// Catches a variable that is named on the command line and not looked at.
#[test]
fn a_token_in_a_variable_of_another_name() {
    let (scene, role) = scene();
    let scene = scene
        .environment("GITLAB_OIDC_TOKEN", ID_TOKEN)
        .environment("SHIPWAY_ID_TOKEN", "canary-another-token")
        .environment("AWS_ROLE_ARN", &role);
    pushes(
        &scene,
        &["--aws-web-identity-token-env", "GITLAB_OIDC_TOKEN"],
        "shipway",
    );
}

/// Catches a role that is looked for in one place only, or in the wrong order.
#[test]
fn the_role_of_the_command_line_wins_over_the_project_files_and_that_over_the_environments() {
    let other = format!("arn:aws:iam::{ACCOUNT}:role/other");
    let (by_flag, role) = scene();
    let file = |role: &str| format!("[migrations]\nscripts = \"db\"\n[registry.\"{HOST}\"]\nrole_arn = \"{role}\"\n");
    let by_flag = by_flag
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ROLE_ARN", &other)
        .set(|project| project.project_file(&file(&other)));
    pushes(&by_flag, &["--aws-role-arn", &role], "shipway");
    let (by_file, role) = scene();
    let by_file = by_file
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ROLE_ARN", &other)
        .set(|project| project.project_file(&file(&role)));
    pushes(&by_file, &[], "shipway");
}

/// Catches sessions that CloudTrail cannot tell apart.
#[test]
fn the_session_is_named_after_the_job() {
    let (by_job, role) = scene();
    let by_job = by_job
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ROLE_ARN", &role)
        .environment("CI_PROJECT_ID", "42")
        .environment("CI_PIPELINE_ID", "4711");
    pushes(&by_job, &[], "GitLabRunner-42-4711");
    let (by_name, role) = scene();
    let by_name = by_name
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ROLE_ARN", &role)
        .environment("CI_PROJECT_ID", "42")
        .environment("CI_PIPELINE_ID", "4711")
        .environment("AWS_ROLE_SESSION_NAME", "nightly");
    pushes(&by_name, &[], "nightly");
}

/// Catches a job whose id_tokens entry has another name, which is told that no identity was found.
#[test]
fn a_variable_that_is_not_there_is_named() {
    let (scene, role) = scene();
    let more = [
        "--aws-web-identity-token-env",
        "GITLAB_OIDC_TOKEN",
        "--aws-role-arn",
        &role,
    ];
    scene.push(&more).exited(2).says(&["GITLAB_OIDC_TOKEN"]).hints();
    scene.aws.assert_silent();
}

/// Catches a variable that a job template sets to nothing, taken for a token.
#[test]
fn an_empty_variable_is_none() {
    let scene = EcrScene::signed_in()
        .environment("SHIPWAY_ID_TOKEN", "")
        .environment("AWS_ID_TOKEN", "")
        .environment("AWS_ROLE_ARN", "");
    scene.push(&[]).succeeded();
    assert_eq!(
        scene.aws.recorded(),
        format!("{TOKEN} eu-west-1 arn:aws:iam::{ACCOUNT}:user/dev 200")
    );
}

/// Catches a token without a role, which cannot be traded for anything.
#[test]
fn a_token_without_a_role_asks_for_one() {
    let (scene, _) = scene();
    let scene = scene.environment("GITLAB_OIDC_TOKEN", ID_TOKEN);
    let outcome = scene.push(&["--aws-web-identity-token-env", "GITLAB_OIDC_TOKEN"]);
    outcome.failed().says(&["--aws-role-arn", "AWS_ROLE_ARN"]).hints();
    scene.aws.assert_silent();
}

/// Catches the two usual mistakes with GitLab's token told as one: the audience, and the condition on the branch.
#[test]
fn a_token_that_is_not_taken_says_why() {
    let (unknown, role) = scene();
    let unknown = unknown
        .environment("SHIPWAY_ID_TOKEN", "canary-another-token")
        .environment("AWS_ROLE_ARN", &role);
    unknown
        .push(&[])
        .exited(1)
        .says(&["SHIPWAY_ID_TOKEN", &role, "OpenIDConnect", "aud"])
        .hints();
    let (untrusted, _) = scene();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let untrusted = untrusted
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ROLE_ARN", &role);
    untrusted
        .push(&[])
        .exited(1)
        .says(&["sts:AssumeRoleWithWebIdentity", &role, "sub"])
        .hints();
    for scene in [unknown, untrusted] {
        assert_eq!(
            scene.aws.recorded(),
            format!("{EXCHANGE} {}", scene.aws.calls()[0].status)
        );
        assert_eq!(scene.registry.writes(), 0);
    }
}
