//! Every refusal of Amazon ECR that is known: what it means and what to do is told, by status and code.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shipway::content::{ContentError, Kind, Source as _, Target as _};
use shipway::registry::{Assistance, FoundLogin};

use crate::support::ecr::{ARN, Client, EcrScene, HOST, blob, login, password, project, ready, words};
use crate::support::registry::{
    Action, Authentication, EXPIRED_PASSWORD, FakeRegistry, Fault, Options, PASSWORD, USER, basic,
};
use crate::support::scene::{BASE_LAYERS, Scene};

/// The command that logs in.
const LOGIN: &str = "aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin";

/// A refusal in plain text.
fn text(status: u16, body: &str) -> Action {
    Action::Respond {
        status,
        headers: vec![("content-type".into(), "text/plain".into())],
        body: body.into(),
    }
}

/// Both wordings of an expired login, as an answer to anything.
fn expired() -> [Action; 2] {
    let json = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#;
    [
        text(403, json),
        text(
            403,
            "Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.",
        ),
    ]
}

/// Catches an expired login that is told as a missing right, or tried without end.
#[test]
fn an_expired_login_is_told_at_every_step() {
    for (method, path) in [
        ("GET", "/runner/manifests/"),
        ("POST", "/orders/blobs/uploads/"),
        ("PUT", "/orders/blobs/uploads/"),
        ("PUT", "/orders/manifests/"),
    ] {
        for action in expired() {
            let scene = EcrScene::new();
            scene.registry.fault(Fault::on(method, path).always().with(action));
            let outcome = scene.push(&["orders:v1"], &[]).exited(1).says(&["has expired"]).hints();
            assert!(outcome.stderr.contains(LOGIN), "{method} {path}: {outcome:#?}");
            assert!(!outcome.stderr.contains("allow ecr:"), "{method} {path}: {outcome:#?}");
            scene.registry.assert_at_most(50);
        }
    }
}

/// Catches an expired login that hides behind requests whose refusals have no words.
#[test]
fn an_expired_login_of_dockers_config_is_told() {
    let auth = STANDARD.encode(format!("{USER}:{EXPIRED_PASSWORD}"));
    let mut scene = EcrScene::new();
    scene.project = project().docker_config(&format!("{{\"auths\":{{\"{HOST}\":{{\"auth\":\"{auth}\"}}}}}}"));
    let outcome = scene.push(&["orders:v1"], &[]).exited(1).says(&["has expired"]).hints();
    assert!(outcome.stderr.contains(LOGIN), "{outcome:#?}");
    assert!(!outcome.stderr.contains("canary"), "{outcome:#?}");
    scene.registry.assert_at_most(6);
}

/// Catches a helper that is not asked again although it would give a new login, or asked more than once.
#[test]
fn an_expired_login_is_looked_up_once_more() {
    let script = format!(
        "read host; echo x >> \"$HOME/asked\"\n\
         [ $(wc -l < \"$HOME/asked\") = 1 ] && secret='{EXPIRED_PASSWORD}' || secret='{PASSWORD}'\n\
         echo \"{{\\\"Username\\\":\\\"{USER}\\\",\\\"Secret\\\":\\\"$secret\\\"}}\""
    );
    let mut scene = EcrScene::new();
    scene.project = project()
        .program("docker-credential-fake", &script)
        .docker_config("{\"credsStore\": \"fake\"}");
    scene.push(&["orders:v1"], &[]).succeeded();
    let asked = fs::read_to_string(scene.project.home().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 2);
    scene.registry.image("orders", "v1");
}

/// A registry that lets everybody in, and a client whose second login is another one.
fn two_logins(second: Result<&'static str, &'static str>) -> (FakeRegistry, Assistance, Arc<AtomicUsize>) {
    let registry = FakeRegistry::start(Options {
        authentication: Authentication::Anonymous,
        ..Options::ecr()
    });
    registry.create("orders");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let assistance = login(move |again| {
        count.fetch_add(1, Ordering::Relaxed);
        match (again, second) {
            (false, _) => Ok(password("one").into()),
            (true, Ok(other)) => Ok(password(other).into()),
            (true, Err(why)) => Err(ContentError::new(Kind::Denied, why).hint("run `aws sso login`")),
        }
    });
    (registry, assistance, asked)
}

/// Catches a login that expires in the middle of a push, and ends it.
#[tokio::test]
async fn a_login_that_expires_in_mid_push_is_renewed() {
    for (method, path) in [
        ("POST", "/orders/blobs/uploads/"),
        ("PUT", "/orders/blobs/uploads/"),
        ("HEAD", "/orders/manifests/"),
    ] {
        for action in expired() {
            let (registry, assistance, asked) = two_logins(Ok("two"));
            registry.fault(Fault::on(method, path).with(action.clone()));
            if method == "HEAD" {
                registry.fault(Fault::on("GET", path).with(action));
            }
            let target = Client::of(&registry, assistance).target("orders");
            target.put(&blob("one")).await.unwrap();
            assert_eq!(target.tagged(&"v1".parse().unwrap()).await.unwrap(), None);
            assert_eq!(asked.load(Ordering::Relaxed), 2, "{method}");
            let last = registry
                .requests()
                .last()
                .and_then(|request| request.authorization.clone());
            assert_eq!(last, Some(basic(USER, "two")), "{method}");
        }
    }
}

/// Catches the reason for which there is no other login being lost.
#[tokio::test]
async fn why_there_is_no_other_login_is_told() {
    for action in expired().into_iter().chain([text(401, "Not Authorized\n")]) {
        for (method, path) in [("POST", "/uploads/"), ("PUT", "/uploads/")] {
            let (registry, assistance, asked) = two_logins(Err("no AWS identity was found"));
            registry.fault(Fault::on(method, path).always().with(action.clone()));
            let target = Client::of(&registry, assistance).target("orders");
            let error = target.put(&blob("one")).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Denied);
            let words = words(&error);
            assert!(words.contains("\nno AWS identity was found"), "{words}");
            assert!(words.contains("hint: run `aws sso login`"), "{words}");
            assert_eq!(asked.load(Ordering::Relaxed), 2);
        }
    }
}

/// Catches a plain 401 without a challenge that is told as a registry nobody can log in to.
#[test]
fn a_plain_401_is_a_wrong_login() {
    let scene = EcrScene::new();
    scene
        .registry
        .fault(Fault::on("GET", "/v2/").always().with(text(401, "Not Authorized\n")));
    let outcome = scene
        .push(&["orders:v1"], &[])
        .exited(1)
        .says(&["refuses the login"])
        .hints();
    assert!(outcome.stderr.contains(LOGIN), "{outcome:#?}");
    assert!(outcome.stderr.contains("wrong, or has expired"), "{outcome:#?}");
}

/// Catches a login that is fetched with every request, or used beyond its time.
#[tokio::test]
async fn a_login_is_fetched_anew_when_its_time_is_over() {
    let registry = FakeRegistry::start(Options {
        authentication: Authentication::Anonymous,
        ..Options::ecr()
    });
    registry.create("orders");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let assistance = login(move |again| {
        assert!(!again);
        let number = count.fetch_add(1, Ordering::Relaxed);
        Ok(FoundLogin {
            credentials: password(&format!("login {number}")),
            until: Some(std::time::Instant::now() + std::time::Duration::from_millis(300)),
        })
    });
    let target = Client::of(&registry, assistance).target("orders");
    target.put(&blob("one")).await.unwrap();
    target.put(&blob("two")).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    target.put(&blob("three")).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

/// Catches a missing right that is not named, or not for which repository.
#[test]
fn a_missing_right_is_named_at_every_step() {
    for (method, path, right) in [
        (
            "GET",
            "/runner/manifests/",
            format!("ecr:BatchGetImage on {ARN}/runner"),
        ),
        (
            "GET",
            "/runner/blobs/",
            format!("ecr:GetDownloadUrlForLayer on {ARN}/runner"),
        ),
        (
            "POST",
            "/orders/blobs/uploads/",
            format!("ecr:InitiateLayerUpload on {ARN}/orders"),
        ),
        (
            "PUT",
            "/orders/blobs/uploads/",
            format!("ecr:UploadLayerPart and ecr:CompleteLayerUpload on {ARN}/orders"),
        ),
        ("PUT", "/orders/manifests/", format!("ecr:PutImage on {ARN}/orders")),
    ] {
        let scene = EcrScene::new();
        let wording = "a sentence that may change";
        scene
            .registry
            .fault(Fault::on(method, path).always().respond(403, "DENIED", wording));
        let outcome = scene.push(&["orders:v1"], &[]).exited(1).says(&[wording]).hints();
        assert!(outcome.stderr.contains(&format!("hint: allow {right}")), "{outcome:#?}");
        assert!(
            outcome.stderr.contains("account 123456789012 in eu-west-1"),
            "{method} {path}: {outcome:#?}"
        );
    }
}

/// Catches a refusal that does not say who was refused, though that is known.
#[tokio::test]
async fn whoever_lacks_the_right_is_named() {
    let (registry, assistance, _) = two_logins(Ok("two"));
    registry.fault(Fault::on("POST", "/uploads/").always().respond(403, "DENIED", "no"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let assistance = Assistance {
        caller: Some(Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            ready(Some("arn:aws:sts::123456789012:assumed-role/ci/job".to_owned()))
        })),
        ..assistance
    };
    let client = Client::of(&registry, assistance);
    for _ in 0..2 {
        let words = words(&client.target("orders").put(&blob("one")).await.unwrap_err());
        assert!(
            words.contains("arn:aws:sts::123456789012:assumed-role/ci/job"),
            "{words}"
        );
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Catches the refusal to look for a layer being taken for its absence: Amazon ECR refuses the push as well.
#[test]
fn a_layer_that_may_not_be_looked_for_is_an_error() {
    let hidden = || Fault::on("HEAD", "/orders/blobs/").always().with(text(403, ""));
    let scene = EcrScene::new();
    scene.registry.fault(hidden());
    let outcome = scene.push(&["orders:v1"], &[]).exited(1).hints();
    let right = format!("hint: allow ecr:BatchCheckLayerAvailability on {ARN}/orders");
    assert!(outcome.stderr.contains(&right), "{outcome:#?}");
    scene.registry.assert_at_most(20 + 4 * BASE_LAYERS);
    let other = Scene::ecr();
    other.registry.fault(hidden());
    other.push("v1", &[]).succeeded();
}

/// Catches a login that expired before a layer was looked for, told as a missing right.
#[tokio::test]
async fn a_login_that_expires_before_a_layer_is_looked_for_is_renewed() {
    let (registry, assistance, asked) = two_logins(Ok("two"));
    registry.fault(Fault::on("HEAD", "/orders/blobs/").with(text(403, "")));
    registry.fault(Fault::on("GET", "/orders/manifests/").with(expired()[0].clone()));
    let client = Client::of(&registry, assistance);
    let digest = format!("sha256:{}", "0".repeat(64));
    let blob = client.blob_in("orders", &digest, 10);
    assert!(!client.target("orders").contains(&blob).await.unwrap());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

/// Makes the registry forget a tag once, so that it is found out late that it is there.
fn forget_once(scene: &EcrScene, tag: &str) {
    let path = format!("/orders/manifests/{tag}");
    scene
        .registry
        .fault(Fault::on("HEAD", &path).respond(404, "MANIFEST_UNKNOWN", ""));
}

fn immutable() -> EcrScene {
    EcrScene::of(Options {
        immutable: true,
        ..Options::ecr()
    })
}

/// Catches a tag that names just this image being told as a conflict.
#[test]
fn an_immutable_tag_of_the_same_image_is_success() {
    let scene = immutable();
    let first = scene.push(&["orders:v1"], &["--no-cache"]).succeeded().digest();
    forget_once(&scene, "v1");
    let again = scene.push(&["orders:v1"], &["--no-cache"]).succeeded().digest();
    assert_eq!(again, first);
}

/// Catches a conflict that is recognised by its sentence, or told without the digests.
#[test]
fn an_immutable_tag_of_another_image_is_refused_with_both_digests() {
    for code in ["TAG_INVALID", "ImageTagAlreadyExistsException"] {
        let scene = immutable();
        let first = scene.push(&["orders:v1"], &[]).succeeded().digest();
        scene.project.write("db/V3__more.sql", "SELECT 3;\n");
        let second = scene.push(&["orders:other"], &[]).succeeded().digest();
        forget_once(&scene, "v1");
        scene.registry.fault(Fault::on("PUT", "/manifests/v1").always().respond(
            400,
            code,
            "words nobody has heard before",
        ));
        let outcome = scene.push(&["orders:v1"], &[]).exited(4).hints();
        let told = format!("tag v1 names {first} there and must not move, and the image is {second}");
        assert!(outcome.stderr.contains(&told), "{outcome:#?}");
        assert_eq!(scene.registry.tag("orders", "v1"), Some(first));
    }
}

/// Catches a 400 without a word that is passed on as it is, and one that a GET explains or disproves.
#[test]
fn a_bare_400_is_asked_about() {
    let bare = || text(400, "");
    let scene = EcrScene::new();
    scene
        .registry
        .fault(Fault::on("HEAD", "/orders/manifests/").always().with(bare()));
    let get = scene
        .registry
        .fault(Fault::on("GET", "/orders/manifests/").always().with(bare()));
    scene
        .push(&["orders:v1"], &[])
        .exited(1)
        .says(&["400", "letters, digits"])
        .hints();
    assert!(get.struck());
    let scene = EcrScene::new();
    scene
        .registry
        .fault(Fault::on("HEAD", "/orders/manifests/").always().with(bare()));
    scene.push(&["orders:v1"], &[]).succeeded();
    scene.registry.image("orders", "v1");
}

/// Catches throttling that is told as a failure of the network.
#[test]
fn throttling_that_does_not_end_is_temporary() {
    let scene = EcrScene::new();
    scene
        .registry
        .fault(
            Fault::on("PUT", "/orders/manifests/")
                .always()
                .respond(429, "TOOMANYREQUESTS", "Rate exceeded"),
        );
    scene
        .push(&["orders:v1"], &["--retry", "1"])
        .exited(8)
        .says(&["429", "quota"])
        .hints();
}

/// Catches a missing repository that shows as connections that end, told as a broken network alone.
#[test]
fn connections_that_end_may_mean_a_missing_repository() {
    for (method, path) in [
        ("POST", "/orders/blobs/uploads/"),
        ("PUT", "/orders/blobs/uploads/"),
        ("PUT", "/orders/manifests/"),
    ] {
        let scene = EcrScene::new();
        scene.registry.fault(Fault::on(method, path).always());
        let outcome = scene.push(&["orders:v1"], &["--retry", "1"]).exited(8).hints();
        assert!(
            outcome.stderr.contains("aws ecr create-repository"),
            "{method} {path}: {outcome:#?}"
        );
    }
    let other = Scene::ecr();
    other
        .registry
        .fault(Fault::on("POST", "/orders/blobs/uploads/").always());
    let outcome = other.push("v1", &["--retry", "1"]).exited(8);
    assert!(!outcome.stderr.contains("aws ecr"), "{outcome:#?}");
}

/// Catches a dry run that succeeds where the real run cannot: the repository is missing.
#[test]
fn a_dry_run_finds_that_the_repository_is_missing() {
    let scene = EcrScene::new();
    let outcome = scene
        .push(&["absent:v1"], &["--dry-run"])
        .exited(1)
        .says(&[
            "absent",
            "aws ecr create-repository --region eu-west-1 --repository-name absent",
        ])
        .hints();
    assert!(!outcome.stderr.contains("panicked"));
    assert_eq!(scene.registry.writes(), 0);
    scene.push(&["orders:v1"], &["--dry-run"]).succeeded();
    scene.registry.forget_requests();
    scene.push(&["orders:v1"], &[]).succeeded();
    let requests = scene.registry.requests();
    assert!(
        !requests.iter().any(|request| request.is("GET", "/orders/manifests/")),
        "{}",
        scene.registry.story()
    );
}

/// Catches a refusal or a failure that is taken for "not there", and a read that is taken for an incomplete target.
#[tokio::test]
async fn only_not_found_means_that_a_manifest_is_not_there() {
    let digest: shipway::oci::Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let (registry, assistance, _) = two_logins(Ok("two"));
    let target = Client::of(&registry, assistance).target("orders");
    assert!(!target.holds(&digest).await.unwrap());
    for (status, kind) in [(403, Kind::Denied), (503, Kind::Temporary)] {
        registry.heal();
        for method in ["HEAD", "GET"] {
            registry.fault(
                Fault::on(method, "/orders/manifests/sha256:")
                    .always()
                    .respond(status, "DENIED", "no"),
            );
        }
        let error = target.holds(&digest).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{}", words(&error));
    }
}

/// Catches a blob the source lacks being told as something the target lacks, which starts everything again.
#[tokio::test]
async fn a_blob_that_the_source_lacks_is_not_found() {
    let registry = FakeRegistry::open();
    registry.create("orders");
    let client = Client::of(&registry, login(|_| Ok(password("one").into())));
    let error = client
        .source("orders")
        .fetch(&blob("nowhere").descriptor)
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::NotFound, "{}", words(&error));
}
