//! What the doctor makes of services that do not answer, or answer no.

use super::{DESCRIBE, DEV, assert_check, assert_healthy, checks, doctor, prepared};
use crate::support::aws::{EcrScene, HOST, PUBLIC_HOST, REGION, failure};
use crate::support::registry::{Authentication, FakeRegistry, Options};

const CALLER: &str = "sts:GetCallerIdentity";

/// Catches a push that would work, said not to because AWS does not say who we are.
#[test]
fn a_token_is_enough() {
    let scene = prepared(EcrScene::signed_in());
    scene.aws.deny(CALLER);
    let told = checks(&scene);
    assert_healthy(&told);
    assert_check(&told, "warning", &["identity", CALLER]);
    let scene = prepared(EcrScene::signed_in());
    let fault = failure(CALLER, 503, "ServiceUnavailable", "Service is unavailable");
    scene.aws.fault(fault.always());
    let told = checks(&scene);
    assert_healthy(&told);
    assert_check(&told, "skipped", &["identity"]);
    let scene = prepared(EcrScene::signed_in());
    scene.aws.deny(CALLER);
    scene.aws.deny("ecr:GetAuthorizationToken");
    let told = checks(&scene);
    assert_check(&told, "failed", &["identity", CALLER]);
    assert_check(&told, "failed", &["token"]);
}

/// Catches a missing repository that nobody sees because the API may not be asked, or cannot be.
#[test]
fn the_registry_is_asked_where_the_api_does_not_tell() {
    let denied = || {
        let scene = prepared(EcrScene::signed_in());
        scene.aws.deny(DESCRIBE);
        scene
    };
    let away = || {
        let scene = prepared(EcrScene::signed_in());
        let fault = failure(DESCRIBE, 500, "ServerException", "Something went wrong");
        scene.aws.fault(fault.always());
        scene
    };
    let nobody = || prepared(EcrScene::new().set(|project| project.logged_in_at(HOST)));
    for scene in [denied(), away(), nobody()] {
        let told = checks(&scene);
        assert_healthy(&told);
        assert_check(&told, "ok", &["repository", "orders is there"]);
        let missing = scene.reference("bills");
        let outcome = doctor(&scene, &[&missing]);
        assert_eq!(outcome.status, Some(1), "{outcome:#?}");
        let command = format!("aws ecr create-repository --region {REGION} --repository-name bills");
        for word in ["FAIL repository:", "--create-repository", &command] {
            assert!(outcome.stdout.contains(word), "{word} is not said: {outcome:#?}");
        }
    }
    // What is known of templates counts all the same, and so does the flag.
    let scene = denied();
    scene.aws.template("ROOT");
    let missing = scene.reference("bills");
    let outcome = doctor(&scene, &[&missing]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    let outcome = doctor(&denied(), &[&missing, "--create-repository"]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    // Making a repository takes an identity; a stored login is none.
    let outcome = doctor(&nobody(), &[&missing, "--create-repository"]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert!(outcome.stdout.contains("cannot be created"), "{outcome:#?}");
}

/// Catches a gallery where nothing is looked at, and an anonymous login that is taken for an expired one.
#[test]
fn the_gallery_is_looked_at_too() {
    let gallery = FakeRegistry::start(Options {
        authentication: Authentication::Bearer {
            anonymous_pull: true,
            uses: usize::MAX,
        },
        ..Options::ecr()
    });
    gallery.create("a1b2c3d4/orders");
    let scene = EcrScene::signed_in().endpoint(PUBLIC_HOST, &gallery);
    scene.aws.allow(&[CALLER, "ecr-public:GetAuthorizationToken"]);
    scene.aws.governs_public(&gallery);
    let orders = format!("{PUBLIC_HOST}/a1b2c3d4/orders:v1");
    let outcome = doctor(&scene, &[&orders]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("orders is there"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("stored login"), "{outcome:#?}");
    assert!(outcome.stdout.contains(DEV), "{outcome:#?}");
    let bills = format!("{PUBLIC_HOST}/a1b2c3d4/bills:v1");
    let outcome = doctor(&scene, &[&bills]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    let command = "aws ecr-public create-repository --region us-east-1 --repository-name bills";
    assert!(outcome.stdout.contains(command), "{outcome:#?}");
    let outcome = doctor(&scene, &[&bills, "--create-repository"]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_eq!(gallery.writes(), 0);
}

/// Catches an old login that was made up for and is not told.
#[test]
fn a_stored_login_that_was_replaced_is_told() {
    let scene = prepared(EcrScene::signed_in().set(|project| project.logged_in_at(HOST)));
    assert!(!doctor(&scene, &[]).stdout.contains("stored login"));
    scene.registry.governed().accept("another-password");
    assert_check(&checks(&scene), "warning", &["stored login", "docker logout"]);
}

/// Catches an answer of yesterday, and one that is kept for tomorrow.
#[test]
fn nothing_is_cached() {
    let scene = prepared(EcrScene::signed_in());
    assert_healthy(&checks(&scene));
    let kept = std::fs::read_dir(scene.project.cache()).map_or(0, Iterator::count);
    assert_eq!(kept, 0, "{:?}", scene.project.cache());
}
