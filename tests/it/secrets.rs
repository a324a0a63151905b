//! Secrets: in no output, no image and no file, whatever happens.

use crate::support::base::Base;
use crate::support::git::commit_all;
use crate::support::outcome::Outcome;
use crate::support::project::{TestProject, files_below};
use crate::support::registry::{
    Action, Authentication, FakeRegistry, Fault, IDENTITY_TOKEN, Options, PASSWORD, USER, basic,
};

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

/// Text as JSON may write it too: every character by its number.
fn escaped(text: &str) -> String {
    text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()
}

/// Refuses everything with this body.
fn always(method: &str, path: &str, status: u16, body: String) -> Fault {
    Fault::on(method, path).always().with(Action::Respond {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body,
    })
}

/// The bodies of a server that repeats `secret` in all the ways it could.
fn echoes(secret: &str) -> Vec<String> {
    let written = escaped(secret);
    let padding = "x".repeat(290);
    vec![
        format!(r#"{{"errors":[{{"code":"DENIED","message":"you sent {written}"}}]}}"#),
        format!(r#"{{"errors":[{{"code":"{written}","message":"no"}}]}}"#),
        format!(r#"{{"errors":[{{"code":"DENIED","message":"{padding}{written}"}}]}}"#),
        format!(r#"{{"error":"invalid","error_description":"you sent {written}"}}"#),
        format!(r#"{{"error":"you sent {written}","rest":"{}"#, "x".repeat(9000)),
        format!("you sent {secret}"),
        format!("{padding}{secret}"),
    ]
}

/// Fails if the encoded login can be seen, or the beginning of it at the place where a text is cut.
fn assert_masked(outcome: &Outcome, secret: &str) {
    assert!(!outcome.stderr.contains(&secret[..6]), "{outcome:#?}");
    assert!(
        !outcome.stderr.to_lowercase().contains(&secret.to_lowercase()),
        "{outcome:#?}"
    );
    assert!(!outcome.stderr.contains("\\u00"), "{outcome:#?}");
}

/// Catches a secret that is looked for before the JSON is read, where it may be written in another way, or after the
/// text is cut.
#[test]
fn secrets_that_a_registry_writes_in_another_way_are_masked() {
    let encoded = basic(USER, PASSWORD);
    for secret in [encoded.trim_start_matches("Basic "), PASSWORD] {
        for body in echoes(secret) {
            let registry = registry(Authentication::Basic);
            registry.fault(always("GET", "/manifests/", 400, body));
            let project = TestProject::new().logged_in(&registry);
            let base = registry.reference("orders:base");
            let outcome = project.push(&base, &registry.reference("orders:v1")).failed();
            assert_masked(&outcome, secret);
            assert_hidden(&project, &registry, &outcome);
        }
    }
}

/// Catches a token server that repeats the login it was sent.
#[test]
fn secrets_that_a_token_server_repeats_are_masked() {
    let encoded = basic(USER, PASSWORD);
    for secret in [encoded.trim_start_matches("Basic "), PASSWORD] {
        for status in [400, 401] {
            for body in echoes(secret) {
                let registry = registry(BEARER);
                registry.fault(always("GET", "/token", status, body));
                let project = TestProject::new().logged_in(&registry);
                let base = registry.reference("orders:base");
                let outcome = project.push(&base, &registry.reference("orders:v1")).failed();
                assert_masked(&outcome, secret);
                assert_hidden(&project, &registry, &outcome);
            }
        }
    }
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

/// What the article has in its repository.
const ARTICLE: &str =
    "flyway.url=jdbc:postgresql://orders.internal/orders\nflyway.user=orders\nflyway.password=canary\n";

/// Catches a check or a build that lets a password pass, and a finding, an excerpt, a report or a difference that shows one.
#[test]
fn secrets_in_the_migrations_are_found_and_not_shown() {
    let token = format!("glpat-{}", "canary7Zr2mXw9Kd4Tb6Yp");
    let project = TestProject::new()
        .file("shipway.toml", "[project]\nname = \"orders\"\n[migrations]\nscripts = \"db\"\nconfig = [\"flyway.conf\"]\n[runner]\nbase = \"scratch\"\n[runner.env]\nAPI_TOKEN = \"canary\"\n[check]\ndatabase = \"postgresql\"\n")
        .file("flyway.conf", ARTICLE)
        .script("V3__user.sql", "CREATE USER x PASSWORD 'canary'; GRANT ALL ON orders TO PUBLIC;\n")
        .script("V4__mail.sql", "INSERT INTO mail VALUES ('smtp://u:canary@mail.internal'); DROP TABLE old;\n")
        .script("V5__token.sql", &format!("INSERT INTO tokens VALUES ('{token}');\n"));
    let commit = commit_all(project.folder());
    let files = ["--sarif", "s.json", "--code-quality", "q.json", "--junit", "j.xml"];
    let mut texts = Vec::new();
    for format in ["text", "json"] {
        let words = [&["check", "-v", "--format", format][..], &files].concat();
        let outcome = project.run(&words).exited(4);
        for code in ["S001", "S002", "S003", "S004", "R021", "R020", "R001"] {
            assert!(outcome.stdout.contains(code), "{code}: {}", outcome.text());
        }
        assert!(outcome.stdout.contains("valueFrom"), "{}", outcome.text());
        texts.push(outcome.text());
    }
    for report in ["s.json", "q.json", "j.xml"] {
        texts.push(std::fs::read_to_string(project.folder().join(report)).unwrap());
    }
    // Without a check the secrets count all the same.
    for words in [
        &["build", "--output", "oci:out"][..],
        &["build", "--output", "oci:out", "--no-check"],
    ] {
        texts.push(project.run(words).exited(4).text());
        assert!(!project.folder().join("out").exists());
    }
    project.write("db/V3__user.sql", "CREATE USER x PASSWORD 'canary2';\nSELECT 1;\n");
    let outcome = project.run(&["diff", &format!("git:{commit}"), "--patch", "--markdown", "m.md"]);
    texts.push(outcome.succeeded().text());
    texts.push(std::fs::read_to_string(project.folder().join("m.md")).unwrap());
    for text in texts {
        assert!(!text.contains("canary"), "{text}");
    }
    // What is let through is let through by file and key.
    let allowed = [
        "flyway.conf:flyway.password",
        "ENV:API_TOKEN",
        "db/V4__mail.sql:S002",
        "db/V5__token.sql:S003",
    ];
    let words = allowed.iter().flat_map(|allowed| ["--allow-secret", allowed]);
    let words: Vec<&str> = ["check", "--rule=R021=off"].into_iter().chain(words).collect();
    let outcome = project.run(&words);
    assert!(!outcome.stdout.contains(" S00"), "{}", outcome.text());
}
