//! Logins that Docker and Podman keep, beside an AWS identity: they win as long as they are good.

use serde_json::json;

use crate::support::aws::{EcrScene, HOST};
use crate::support::registry::{Fault, PASSWORD, USER, basic};

const TOKEN: &str = "ecr:GetAuthorizationToken";

/// Catches a token asked for although there is a login.
#[test]
fn a_stored_login_wins() {
    let scene = EcrScene::signed_in().set(|project| project.logged_in_at(HOST));
    scene.push(&[]).succeeded();
    scene.aws.assert_silent();
    scene.registry.assert_strict();
}

/// Catches a token asked for although a user and a password were given.
#[test]
fn a_given_login_wins() {
    let scene = EcrScene::signed_in()
        .environment("SHIPWAY_USERNAME", USER)
        .environment("SHIPWAY_PASSWORD", PASSWORD);
    scene.push(&[]).succeeded();
    scene.aws.assert_silent();
}

/// Catches the helper of AWS, and any other, that is passed over.
#[test]
fn a_helper_wins() {
    let script = format!(
        "read host; echo \"$1 $host\" >> \"$HOME/asked\"\n\
         echo '{{\"ServerURL\":\"x\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'"
    );
    let config = json!({"credHelpers": {HOST: "ecr-login"}}).to_string();
    let scene = EcrScene::signed_in().set(|project| {
        project
            .program("docker-credential-ecr-login", &script)
            .docker_config(&config)
    });
    scene.push(&[]).succeeded();
    scene.aws.assert_silent();
    let asked = std::fs::read_to_string(scene.project.home().join("asked")).unwrap();
    assert_eq!(asked.trim(), format!("get {HOST}"));
}

/// Catches the commonest failure of all: a login of yesterday in Docker's config, and an identity that could renew it.
#[test]
fn an_expired_login_is_renewed_once() {
    let scene = EcrScene::signed_in().set(|project| project.logged_in_at(HOST));
    scene.registry.governed().accept("another-password");
    scene.push_tags(&["v1", "current"], &[]).succeeded();
    assert_eq!(scene.aws.count(TOKEN), 1, "{}", scene.aws.recorded());
    scene.registry.image("orders", "v1");
    scene.registry.assert_strict();
    let expired = Some(basic(USER, PASSWORD));
    let requests = scene.registry.requests();
    let refused: Vec<_> = requests.iter().filter(|request| request.status == 403).collect();
    assert!(refused.iter().all(|request| request.authorization == expired));
    // What went out together was refused together: the base, each tag, and the question why a tag was refused.
    assert!(refused.len() <= 1 + 2 * 2, "{}", scene.registry.story());
}

/// Catches a wrong password that is not second to an identity: a 401 instead of a 403.
#[test]
fn a_wrong_login_is_replaced_once() {
    let config = json!({"auths": {HOST: {"auth": basic(USER, "wrong").trim_start_matches("Basic ")}}}).to_string();
    let scene = EcrScene::signed_in().set(|project| project.docker_config(&config));
    scene.push(&[]).succeeded();
    assert_eq!(scene.aws.count(TOKEN), 1);
}

/// Catches an expired login told as missing credentials, and the reason why it was not renewed left out.
#[test]
fn an_expired_login_that_nobody_can_renew_is_named() {
    let scene = EcrScene::new().set(|project| project.logged_in_at(HOST));
    scene.registry.governed().accept("another-password");
    scene.push(&[]).exited(1).says(&["expired", HOST]).hints();
    scene.aws.assert_silent();
    scene.registry.assert_at_most(6);
    assert_eq!(scene.registry.writes(), 0);
}

/// Catches a token that is refused and asked for without end.
#[test]
fn a_token_that_is_refused_is_not_asked_for_again_and_again() {
    let scene = EcrScene::signed_in();
    // Who was refused may be told.
    scene.aws.allow(&["sts:GetCallerIdentity"]);
    let text = "Your authorization token has expired. Reauthenticate and try again.";
    for method in ["GET", "HEAD", "POST"] {
        let fault = Fault::on(method, "/v2/").always();
        scene.registry.fault(fault.respond(403, "DENIED", text));
    }
    scene.push(&[]).exited(1).says(&["expired", HOST]);
    assert!(scene.aws.count(TOKEN) <= 2, "{}", scene.aws.recorded());
    scene.registry.assert_at_most(8);
}

/// Catches a push that dies when its token runs out in the middle of it.
#[test]
fn a_token_that_runs_out_in_mid_push_is_renewed() {
    let scene = EcrScene::signed_in();
    let text = "Your authorization token has expired. Reauthenticate and try again.";
    let fault = Fault::on("PUT", "/manifests/").respond(403, "DENIED", text);
    let fault = scene.registry.fault(fault);
    scene.push(&[]).succeeded();
    assert!(fault.struck());
    assert_eq!(scene.aws.count(TOKEN), 2);
}

/// Catches a token used after the time its maker gave it.
#[test]
fn a_token_is_not_used_beyond_its_time() {
    let scene = EcrScene::signed_in();
    scene.aws.token_seconds(-60);
    scene.push(&[]).succeeded();
    let count = scene.aws.count(TOKEN);
    assert!(
        count <= 2,
        "a service whose tokens are old is not asked for ever: {count}"
    );
}
