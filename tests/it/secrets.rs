//! Secrets: in no output, no image and no file, whatever happens.

use crate::support::base::Base;
use crate::support::outcome::Outcome;
use crate::support::project::{TestProject, files_below};
use crate::support::registry::{Authentication, FakeRegistry, Fault, IDENTITY_TOKEN, Options, PASSWORD, USER, basic};

/// Fails if anything that must not be seen can be seen: in outputs, in the cache, or in the blobs of a registry.
fn assert_hidden(project: &TestProject, registry: &FakeRegistry, outcome: &Outcome) {
    let encoded = basic(USER, PASSWORD);
    let secrets = ["canary", PASSWORD, IDENTITY_TOKEN, encoded.trim_start_matches("Basic ")];
    let mut texts = vec![outcome.stdout.clone(), outcome.stderr.clone()];
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
    for (tag, _) in registry.tags("orders") {
        if tag == "v1" {
            let root = registry.image("orders", &tag);
            texts.push(root.only().config_text.clone());
            texts.push(root.only().manifest.to_string());
        }
    }
    for text in texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} can be seen in {text}");
        }
    }
}

fn registry(authentication: Authentication) -> FakeRegistry {
    let registry = FakeRegistry::start(Options {
        authentication,
        ..Options::ecr()
    });
    registry.seed("orders", "base", &Base::flyway().index());
    registry
}

const BEARER: Authentication = Authentication::Bearer {
    anonymous_pull: false,
    uses: usize::MAX,
};

/// Catches a header, a URL or a config that is logged.
#[test]
fn secrets_are_not_seen_when_all_goes_well() {
    for authentication in [Authentication::Basic, BEARER] {
        let registry = registry(authentication);
        let project = TestProject::new().logged_in(&registry);
        let base = registry.reference("orders:base");
        let target = registry.reference("orders:v1");
        let arguments = ["--base", &base, "-t", &target, "--push", "--output", "oci:out", "-v"];
        let outcome = project.build(&arguments).succeeded();
        assert_hidden(&project, &registry, &outcome);
        let inspected = project.run(&["-v", "inspect", &target]).succeeded();
        assert_hidden(&project, &registry, &inspected);
    }
}

/// Catches a secret in an error: a URL of a redirect or of a token endpoint, or a header.
#[test]
fn secrets_are_not_seen_when_it_fails() {
    for authentication in [Authentication::Basic, BEARER] {
        for (method, path) in [
            ("GET", "/storage/"),
            ("PUT", "/uploads/"),
            ("PUT", "/manifests/"),
            ("GET", "/token"),
        ] {
            for status in [400, 401, 403, 500] {
                let registry = registry(authentication);
                let fault = Fault::on(method, path).always();
                let fault = registry.fault(fault.respond(status, "DENIED", "no"));
                let project = TestProject::new().logged_in(&registry);
                let base = registry.reference("orders:base");
                let target = registry.reference("orders:v1");
                let arguments = ["--base", &base, "-t", &target, "--push", "-v", "--retry", "1"];
                let outcome = project.build(&arguments);
                assert_hidden(&project, &registry, &outcome);
                let is_asked = path != "/token" || authentication == BEARER;
                assert_eq!(fault.struck(), is_asked, "{method} {path}: {outcome:#?}");
                assert_eq!(outcome.status != Some(0), is_asked, "{outcome:#?}");
                assert!(
                    !outcome.stderr.contains("X-Amz-Signature=abc"),
                    "a signed URL: {outcome:#?}"
                );
            }
        }
    }
}

/// Catches a message that is passed on as it came, from a server that repeats what it was sent.
#[test]
fn secrets_that_a_server_repeats_are_masked() {
    let registry = registry(Authentication::Basic);
    let message = format!("you sent {}", basic(USER, PASSWORD));
    registry.fault(
        Fault::on("PUT", "/manifests/")
            .always()
            .respond(400, "DENIED", &message),
    );
    let project = TestProject::new().logged_in(&registry);
    let base = registry.reference("orders:base");
    let outcome = project.push(&base, &registry.reference("orders:v1"));
    assert_hidden(&project, &registry, &outcome.failed());
}

/// Catches a user and password in a URL: of a proxy, of an endpoint, of a remote.
#[test]
fn secrets_in_urls_are_masked() {
    let registry = registry(Authentication::Anonymous);
    let endpoint = format!("registry.test=http://user:canary-endpoint@{}", registry.host());
    let project = TestProject::new().environment("HTTP_PROXY", "http://user:canary-proxy@127.0.0.1:1");
    let outcome = project.build(&[
        "--base",
        "registry.test/orders:base",
        "--output",
        "oci:out",
        "-v",
        "--retry",
        "0",
        "--registry-endpoint",
        &endpoint,
    ]);
    let outcome = outcome.says(&["registry.test"]);
    assert_hidden(&project, &registry, &outcome);
}

/// Catches the environment of the job getting into the image by way of labels or history.
#[test]
fn passwords_of_the_environment_stay_out_of_the_image() {
    let registry = registry(Authentication::Basic);
    let project = TestProject::new()
        .environment("SHIPWAY_USERNAME", USER)
        .environment("SHIPWAY_PASSWORD", PASSWORD)
        .environment("FLYWAY_PASSWORD", "canary-database");
    let base = registry.reference("orders:base");
    let target = registry.reference("orders:v1");
    let outcome = project.push(&base, &target).succeeded();
    assert_hidden(&project, &registry, &outcome);
}
