//! Where credentials come from: helpers, stores, files, the environment and standard input.

use crate::support::base::Base;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, PASSWORD, USER, basic};
use crate::support::scene::Scene;

/// Catches credential helpers that are not asked, asked for the wrong host, or whose answer is misread.
#[test]
fn credential_helpers_are_asked() {
    for key in ["helper", "store"] {
        let registry = FakeRegistry::ecr();
        registry.seed("orders", "base", &Base::flyway().image());
        let script = format!(
            "read host; echo \"$1 $host\" >> \"$HOME/asked\"\n\
             echo '{{\"ServerURL\":\"x\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'"
        );
        let config = match key {
            "helper" => format!("{{\"credHelpers\": {{\"{}\": \"fake\"}}}}", registry.host()),
            _ => "{\"auths\": {}, \"credsStore\": \"fake\"}".to_owned(),
        };
        let project = TestProject::new()
            .program("docker-credential-fake", &script)
            .docker_config(&config);
        let base = registry.reference("orders:base");
        project.push(&base, &registry.reference("orders:v1")).succeeded();
        let asked = std::fs::read_to_string(project.home().join("asked")).unwrap();
        assert_eq!(asked.trim(), format!("get {}", registry.host()), "{key}: once");
    }
}

/// Catches a helper's own error being swallowed, as the ECR helper's is.
#[test]
fn a_helper_that_fails_is_quoted() {
    let registry = FakeRegistry::ecr();
    registry.seed("orders", "base", &Base::flyway().image());
    let config = format!("{{\"credHelpers\": {{\"{}\": \"fake\"}}}}", registry.host());
    let project = TestProject::new()
        .program("docker-credential-fake", "echo 'the vault is sealed' >&2; exit 1")
        .docker_config(&config);
    project
        .push(&registry.reference("orders:base"), &registry.reference("orders:v1"))
        .failed()
        .says(&["docker-credential-fake", "the vault is sealed"]);
    let missing = TestProject::new().docker_config(&config);
    missing
        .push(&registry.reference("orders:base"), &registry.reference("orders:v1"))
        .failed()
        .says(&["docker-credential-fake"]);
}

/// Catches a helper that knows nothing of the host being an error instead of meaning anonymous.
#[test]
fn a_store_without_credentials_means_anonymous() {
    let registry = FakeRegistry::open();
    registry.seed("orders", "base", &Base::flyway().image());
    let project = TestProject::new()
        .program(
            "docker-credential-fake",
            "echo 'credentials not found in native keychain'; exit 1",
        )
        .docker_config("{\"credsStore\": \"fake\"}");
    project
        .push(&registry.reference("orders:base"), &registry.reference("orders:v1"))
        .succeeded();
}

/// Catches a place of credentials that is not looked at.
#[test]
fn credentials_are_found_where_docker_and_podman_keep_them() {
    let registry = FakeRegistry::ecr();
    registry.seed("orders", "base", &Base::flyway().image());
    let auths = format!(
        "{{\"auths\": {{\"{}\": {{\"auth\": \"{}\"}}}}}}",
        registry.host(),
        basic(USER, PASSWORD).trim_start_matches("Basic ")
    );
    let with_file = |path: &str, variable: &str, value: &str| {
        let project = TestProject::new().file(path, &auths);
        let value = project.folder().join(value).display().to_string();
        project.environment(variable, &value)
    };
    let projects = [
        with_file("docker/config.json", "DOCKER_CONFIG", "docker"),
        with_file("auth.json", "REGISTRY_AUTH_FILE", "auth.json"),
        with_file("run/containers/auth.json", "XDG_RUNTIME_DIR", "run"),
        TestProject::new()
            .environment("SHIPWAY_USERNAME", USER)
            .environment("SHIPWAY_PASSWORD", PASSWORD),
    ];
    for (index, project) in projects.iter().enumerate() {
        let target = registry.reference(&format!("orders:from-{index}"));
        project.push(&registry.reference("orders:base"), &target).succeeded();
    }
}

/// Catches a password with its line end, and a password given on the command line.
#[test]
fn a_password_comes_on_standard_input() {
    let registry = FakeRegistry::ecr();
    registry.seed("orders", "base", &Base::flyway().image());
    let project = TestProject::new();
    let base = registry.reference("orders:base");
    let target = registry.reference("orders:v1");
    let arguments = [
        "build",
        "--scripts",
        "db",
        "--base",
        &base,
        "-t",
        &target,
        "--push",
        "--username",
        USER,
        "--password-stdin",
    ];
    project
        .run_with_input(&arguments, &format!("{PASSWORD}\r\n"))
        .succeeded();
    project
        .run_with_input(&arguments[..10], PASSWORD)
        .exited(2)
        .says(&["--password-stdin"]);
    let literal = [&arguments[..10], &["--password", PASSWORD]].concat();
    project.run(&literal).exited(2);
}

/// Catches a Docker config that is broken and taken for an empty one.
#[test]
fn a_broken_docker_config_is_named() {
    let scene = Scene::open();
    let project = TestProject::new().docker_config("{\"auths\": ");
    let target = scene.target("v1");
    project.push(&scene.base, &target).exited(2).says(&["config.json"]);
}
