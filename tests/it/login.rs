//! What is learnt about logging in, from whom, and for how long.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::base::Base;
use crate::support::project::{TestProject, files_below};
use crate::support::registry::{Action, Authentication, FakeRegistry, Fault, Host, Options, PASSWORD, USER};
use crate::support::scene::Scene;

fn token_registry() -> FakeRegistry {
    let registry = FakeRegistry::start(Options {
        authentication: Authentication::Bearer {
            anonymous_pull: false,
            uses: usize::MAX,
        },
        ..Options::ecr()
    });
    registry.seed("runner", "13", &Base::flyway().image());
    registry.create("orders");
    registry
}

/// Catches a password given to a token server that somebody else names, to whom the registry redirected.
#[test]
fn a_redirect_cannot_name_a_token_server() {
    let scene = Scene::ecr();
    let stranger = token_registry();
    let elsewhere = format!("http://{}/v2/runner/manifests/13", stranger.host());
    scene.registry.fault(
        Fault::on("GET", "/v2/runner/manifests/")
            .always()
            .respond(307, "", "")
            .header("location", &elsewhere),
    );
    scene.push("v1", &[]).exited(1);
    let requests = stranger.requests();
    assert!(!requests.is_empty(), "the redirect was not followed");
    for request in requests {
        assert_eq!(request.authorization, None, "{request:?}");
        assert_ne!(request.host, Host::Token, "{request:?}");
    }
}

/// Catches a registry that cannot be reached any more because of what was remembered of it.
#[test]
fn a_token_server_that_has_moved_is_found_again() {
    let registry = token_registry();
    let project = TestProject::new().logged_in(&registry);
    let push = |tag: &str| {
        project.push(
            &registry.reference("runner:13"),
            &registry.reference(&format!("orders:{tag}")),
        )
    };
    push("v1").succeeded();
    let schemes = project.cache().join("shipway/schemes");
    let names = files_below(&schemes);
    assert_eq!(names.len(), 1, "{names:?}");
    let file = schemes.join(&names[0]);
    let text = fs::read_to_string(&file).unwrap();
    let mut scheme: serde_json::Value = serde_json::from_str(&text).unwrap();
    scheme["realm"] = "http://127.0.0.1:1/token".into();
    fs::write(&file, scheme.to_string()).unwrap();
    push("v2").succeeded();
    assert!(
        fs::read_to_string(&file).unwrap().contains(&registry.host()),
        "the new one is remembered"
    );
}

/// Catches a right that is asked for again and again.
#[test]
fn a_refused_token_does_not_multiply() {
    let registry = token_registry();
    let project = TestProject::new().logged_in(&registry);
    registry.fault(
        Fault::on("POST", "/v2/orders/blobs/uploads/")
            .always()
            .respond(401, "UNAUTHORIZED", "not for you")
            .header(
                "www-authenticate",
                &format!(
                    "Bearer realm=\"http://{}/token\",service=\"fake.registry\"",
                    registry.host()
                ),
            ),
    );
    let (base, target) = (registry.reference("runner:13"), registry.reference("orders:v1"));
    project.push(&base, &target).exited(1);
    let posts = registry
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
        .count();
    // One for each blob and one in advance, four times each at the most.
    assert!(posts <= 4 * 9, "{posts} requests:{}", registry.story());
}

/// Catches a release that is called a failure because the answer to its last request was lost.
#[test]
fn a_manifest_that_arrived_is_not_refused_for_being_there() {
    let registry = FakeRegistry::start(Options {
        immutable: true,
        ..Options::ecr()
    });
    registry.seed("runner", "13", &Base::flyway().image());
    registry.create("orders");
    let project = TestProject::new().logged_in(&registry);
    registry.fault(Fault::on("PUT", "/manifests/v1").with(Action::Delay(Duration::from_secs(2))));
    let (base, target) = (registry.reference("runner:13"), registry.reference("orders:v1"));
    project
        .build(&["--base", &base, "-t", &target, "--push", "--timeout", "1"])
        .succeeded();
    registry.image("orders", "v1");
}

/// Catches a login that stays refused although the helper would give a new one by now.
#[test]
fn a_login_that_has_run_out_is_looked_up_once_more() {
    let registry = FakeRegistry::ecr();
    registry.seed("runner", "13", &Base::flyway().image());
    registry.create("orders");
    let script = format!(
        "read host; echo x >> \"$HOME/asked\"\n\
         [ $(wc -l < \"$HOME/asked\") = 1 ] && secret=old || secret='{PASSWORD}'\n\
         echo \"{{\\\"Username\\\":\\\"{USER}\\\",\\\"Secret\\\":\\\"$secret\\\"}}\""
    );
    let project = TestProject::new()
        .program("docker-credential-fake", &script)
        .docker_config("{\"credsStore\": \"fake\"}");
    let (base, target) = (registry.reference("runner:13"), registry.reference("orders:v1"));
    project.push(&base, &target).succeeded();
    let asked = fs::read_to_string(project.home().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 2, "once more, and not again");
}

/// Catches a stored login that a token server refuses although the helper would give a new one by now.
#[test]
fn a_login_that_a_token_server_refuses_is_looked_up_once_more() {
    let registry = token_registry();
    let script = format!(
        "read host; echo x >> \"$HOME/asked\"\n\
         [ $(wc -l < \"$HOME/asked\") = 1 ] && secret=old || secret='{PASSWORD}'\n\
         echo \"{{\\\"Username\\\":\\\"{USER}\\\",\\\"Secret\\\":\\\"$secret\\\"}}\""
    );
    let project = TestProject::new()
        .program("docker-credential-fake", &script)
        .docker_config("{\"credsStore\": \"fake\"}");
    let (base, target) = (registry.reference("runner:13"), registry.reference("orders:v1"));
    project.push(&base, &target).succeeded();
    let asked = fs::read_to_string(project.home().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 2, "once more, and not again");
}

/// Catches the password of one repository being sent to another on the same registry.
#[test]
fn logins_of_one_user_for_two_paths_stay_apart() {
    let registry = FakeRegistry::open();
    registry.seed("base/runner", "13", &Base::flyway().image());
    registry.create("team/orders");
    let entry = |path: &str, password: &str| {
        format!(
            "\"{}/{path}\": {{\"auth\": \"{}\"}}",
            registry.host(),
            STANDARD.encode(format!("robot:{password}"))
        )
    };
    let project = TestProject::new();
    let file = project.home().join("auth.json");
    let text = format!("{{\"auths\": {{{}, {}}}}}", entry("base", "one"), entry("team", "two"));
    fs::write(&file, text).unwrap();
    let project = project.environment("REGISTRY_AUTH_FILE", &file.display().to_string());
    let (base, target) = (
        registry.reference("base/runner:13"),
        registry.reference("team/orders:v1"),
    );
    project.push(&base, &target).succeeded();
    for request in registry.requests() {
        let password = if request.path.contains("/base/") { "one" } else { "two" };
        let expected = format!("Basic {}", STANDARD.encode(format!("robot:{password}")));
        assert_eq!(
            request.authorization,
            Some(expected),
            "{} {}",
            request.method,
            request.path
        );
    }
}

/// Catches a refusal after which nobody knows which login was used, or where one was missed.
#[test]
fn the_place_of_a_login_is_told_and_not_the_login() {
    let scene = Scene::ecr();
    let outcome = scene.push("v1", &["-v"]).succeeded();
    let line = format!("login for {}: Docker config", scene.registry.host());
    assert!(outcome.stderr.contains(&line), "{outcome:#?}");
    assert!(!outcome.stderr.contains(PASSWORD), "{outcome:#?}");
    let nobody = TestProject::new();
    nobody
        .build(&["--base", &scene.base, "--output", "oci:out", "-v"])
        .exited(1)
        .says(&["none, looked in", "config.json"])
        .hints();
}
