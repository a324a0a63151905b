//! Secrets of AWS: in no output, no image and no file, whatever happens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::aws::{ACCOUNT, EcrScene, failure};
use crate::support::outcome::Outcome;
use crate::support::project::files_below;
use crate::support::registry::{Fault, USER};

const TOKEN: &str = "ecr:GetAuthorizationToken";
const EXCHANGE: &str = "sts:AssumeRoleWithWebIdentity";
const ID_TOKEN: &str = "canary-id-token-not-to-be-seen";

/// Fails if anything that must not be seen can be seen: in outputs, in the cache, or in the image.
fn assert_hidden(scene: &EcrScene, outcome: &Outcome) {
    let password = STANDARD.encode(format!("{USER}:canary-ecr-password-1-not-to-be-seen"));
    let secrets = ["canary", password.as_str(), "AWS4-HMAC", "X-Amz-Signature"];
    let mut texts = vec![outcome.stdout.clone(), outcome.stderr.clone()];
    let project = &scene.project;
    for folder in [
        project.cache(),
        project.root().join("tmp"),
        project.folder().join("out"),
    ] {
        for file in files_below(&folder) {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    if scene.registry.tag("orders", "v1").is_some() {
        let root = scene.registry.image("orders", "v1");
        texts.push(root.only().config_text.clone());
        texts.push(root.only().manifest.to_string());
    }
    for text in texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} can be seen in {text}");
        }
    }
}

/// Every kind of identity, with all its secrets in the environment.
fn scenes() -> Vec<EcrScene> {
    let keys = EcrScene::new();
    let key = keys.aws.session(ACCOUNT, "ci", "job");
    let keys = keys.with_keys(&key);
    let web = EcrScene::new();
    web.aws.allow(&[EXCHANGE]);
    let role = web.aws.trust(ID_TOKEN, ACCOUNT, "deploy");
    let web = web
        .environment("SHIPWAY_ID_TOKEN", ID_TOKEN)
        .environment("AWS_ROLE_ARN", &role);
    let container = EcrScene::new();
    container.aws.allow(&["container:GetCredentials"]);
    let authorization = "canary-authorization-not-to-be-seen";
    let url = container.aws.container(ACCOUNT, "task-role", Some(authorization));
    let container = container
        .environment("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)
        .environment("AWS_CONTAINER_AUTHORIZATION_TOKEN", authorization);
    vec![keys, web, container]
}

/// Catches a token, a key or a header that is logged.
#[test]
fn secrets_are_not_seen_when_all_goes_well() {
    for scene in scenes() {
        for more in [&["-v", "--output", "oci:out"][..], &["-v", "--format", "json"]] {
            let outcome = scene.push(more).succeeded();
            assert_hidden(&scene, &outcome);
        }
    }
}

/// Catches a secret in an error, in its causes, or in what JSON tells.
#[test]
fn secrets_are_not_seen_when_aws_refuses() {
    for operation in [TOKEN, EXCHANGE] {
        for (status, code) in [
            (400, "AccessDeniedException"),
            (403, "ExpiredTokenException"),
            (400, "InvalidIdentityToken"),
            (400, "InvalidSignatureException"),
            (500, "InternalFailure"),
        ] {
            for scene in scenes() {
                let fault = scene.aws.fault(failure(operation, status, code, "no").always());
                let outcome = scene.push(&["-v", "--format", "json", "--retry", "1"]);
                assert_eq!(outcome.status != Some(0), fault.struck(), "{outcome:#?}");
                assert_hidden(&scene, &outcome);
            }
        }
    }
}

/// Catches a secret that a server repeats in its refusal.
#[test]
fn secrets_are_not_seen_when_the_registry_refuses() {
    for scene in scenes() {
        let password = "canary-ecr-password-1-not-to-be-seen";
        let message = format!("you sent {}", STANDARD.encode(format!("{USER}:{password}")));
        let fault = Fault::on("PUT", "/manifests/").always();
        scene.registry.fault(fault.respond(400, "DENIED", &message));
        let outcome = scene.push(&["-v", "--retry", "0"]).failed();
        assert_hidden(&scene, &outcome);
    }
}

/// Catches a file of keys, or a cached login by SSO, that is quoted when it cannot be read.
#[test]
fn files_of_secrets_are_not_quoted() {
    for (path, text) in [
        (".aws/credentials", "[default\naws_secret_access_key = canary-secret\n"),
        (
            ".aws/credentials",
            "[default]\naws_access_key_id = canary-id\nnonsense canary\n",
        ),
        (".aws/config", "[default]\ncredential_process = echo canary-output\n"),
        (
            ".aws/config",
            "[default]\ncredential_process = sh -c 'echo canary-error >&2; exit 1'\n",
        ),
    ] {
        let scene = EcrScene::new().home_file(path, text);
        let outcome = scene.push(&["-v"]).failed();
        let texts = [&outcome.stdout, &outcome.stderr];
        let quoted = texts
            .iter()
            .any(|text| text.contains("canary-secret") || text.contains("canary-output"));
        assert!(!quoted, "{path}: {outcome:#?}");
    }
}
