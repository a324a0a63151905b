//! What AWS answers instead of a token: refusals are named, what passes is waited for, nothing is asked for ever.

use std::time::{Duration, Instant};

use crate::support::aws::{ACCOUNT, EcrScene, failure};
use crate::support::registry::{Action, Fault};

const TOKEN: &str = "ecr:GetAuthorizationToken";
const DEV: &str = "arn:aws:iam::123456789012:user/dev";

fn assert_untouched(scene: &EcrScene) {
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
}

/// Catches a call that is not tried again, and one that is tried without end.
#[test]
fn what_passes_is_waited_for() {
    for (status, code) in [
        (400, "ThrottlingException"),
        (500, "ServerException"),
        (503, "ServiceUnavailable"),
    ] {
        let scene = EcrScene::signed_in();
        let fault = scene.aws.fault(failure(TOKEN, status, code, "Rate exceeded"));
        scene.push(&[]).succeeded();
        assert!(fault.struck());
        assert_eq!(scene.aws.count(TOKEN), 2, "{code}");
        scene.registry.assert_strict();
    }
    let scene = EcrScene::signed_in();
    scene.aws.fault(Fault::on_operation(TOKEN));
    scene.push(&[]).succeeded();
    assert_eq!(scene.aws.count(TOKEN), 2, "a connection that broke");
}

/// Catches a service that is down for now told as a mistake of the user's.
#[test]
fn what_does_not_pass_is_temporary() {
    for (status, code) in [(400, "ThrottlingException"), (500, "ServerException")] {
        let scene = EcrScene::signed_in();
        scene.aws.fault(failure(TOKEN, status, code, "Rate exceeded").always());
        scene.push(&[]).exited(8).says(&[code]);
        assert!(scene.aws.count(TOKEN) <= 8, "{}", scene.aws.recorded());
        assert_untouched(&scene);
    }
    let scene = EcrScene::signed_in().environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    scene.push(&[]).exited(8).says(&[&scene.host]).hints();
    scene.aws.assert_silent();
}

/// Catches a service that takes the connection and never answers.
#[test]
fn silence_is_bounded() {
    let scene = EcrScene::signed_in();
    scene.aws.fault(Fault::on_operation(TOKEN).always().with(Action::Stall));
    let start = Instant::now();
    scene.push(&["--timeout", "1", "--retry", "1"]).exited(8);
    let time = start.elapsed();
    assert!(time < Duration::from_secs(20), "{time:?}");
}

/// Catches a delay that is not waited for.
#[test]
fn a_slow_answer_is_an_answer() {
    let scene = EcrScene::signed_in();
    let slow = Fault::on_operation(TOKEN).with(Action::Delay(Duration::from_millis(700)));
    scene.aws.fault(slow);
    scene.push(&[]).succeeded();
    assert_eq!(scene.aws.count(TOKEN), 1);
}

/// Catches a refusal that names neither the action nor who may not do it.
#[test]
fn a_missing_permission_is_named() {
    let scene = EcrScene::signed_in();
    scene.aws.deny(TOKEN);
    scene.push(&[]).exited(1).says(&[TOKEN, DEV, &scene.host]).hints();
    assert_eq!(scene.aws.count(TOKEN), 1, "a refusal is not asked for again");
    assert_untouched(&scene);
}

/// Catches an old session of AWS told as an old login at the registry, or as wrong keys.
#[test]
fn expired_keys_are_named() {
    let scene = EcrScene::new();
    let key = scene.aws.session(ACCOUNT, "ci", "job");
    scene.aws.expire(&key);
    let scene = scene.with_keys(&key);
    scene.push(&[]).exited(1).says(&["expired", "aws sso login"]).hints();
    assert_eq!(scene.aws.count(TOKEN), 1);
    assert_untouched(&scene);
}

/// Catches keys that were deleted, and secret keys that are another's, told as a registry's refusal.
#[test]
fn wrong_keys_are_named() {
    let scene = EcrScene::signed_in().environment("AWS_ACCESS_KEY_ID", "AKIANOBODY");
    scene
        .push(&[])
        .exited(1)
        .says(&["security token", "access key"])
        .hints();
    assert_eq!(scene.aws.count(TOKEN), 1);
    let scene = EcrScene::signed_in().environment("AWS_SECRET_ACCESS_KEY", "canary-another-secret");
    scene.push(&[]).exited(1).says(&["signature", "secret key"]).hints();
    assert_eq!(scene.aws.count(TOKEN), 1);
    assert_untouched(&scene);
}

/// Catches a clock that is wrong and could be made up for.
#[test]
fn a_wrong_clock_is_made_up_for() {
    for ahead in [3600, -3600] {
        let scene = EcrScene::signed_in();
        scene.aws.ahead_seconds(ahead);
        scene.push(&[]).succeeded();
        assert_eq!(
            scene.aws.count(TOKEN),
            2,
            "refused, and signed again by the service's clock"
        );
        scene.registry.image("orders", "v1");
    }
}

/// Catches a clock so wrong that nothing helps, told as wrong keys.
#[test]
fn a_wrong_clock_that_cannot_be_made_up_for_is_named() {
    for (code, message) in [
        (
            "InvalidSignatureException",
            "Signature expired: 20261122T110000Z is now earlier than 20261122T115500Z (20261122T120000Z - 5 min.)",
        ),
        ("RequestExpired", "Request has expired."),
    ] {
        let scene = EcrScene::signed_in();
        scene.aws.ahead_seconds(3600);
        scene.aws.fault(failure(TOKEN, 400, code, message).always());
        scene.push(&[]).exited(1).says(&["clock", "behind"]).hints();
        assert!(scene.aws.count(TOKEN) <= 4, "{}", scene.aws.recorded());
        assert_untouched(&scene);
    }
}

/// Catches an answer that makes no sense taken for a token.
#[test]
fn an_answer_that_is_none_is_an_error() {
    for body in [
        "{}",
        "{\"authorizationData\": []}",
        "{\"authorizationData\": [{\"authorizationToken\": \"!\"}]}",
        "<html>",
    ] {
        let scene = EcrScene::signed_in();
        let answer = Action::Respond {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())],
            body: body.to_owned(),
        };
        scene.aws.fault(Fault::on_operation(TOKEN).always().with(answer));
        scene.push(&[]).failed().says(&[&scene.host]);
        assert!(scene.aws.count(TOKEN) <= 4, "{body}: {}", scene.aws.recorded());
    }
}
