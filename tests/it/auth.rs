//! Who we are at a registry: how challenges are met, and what is never sent to whom.

use crate::support::base::Base;
use crate::support::project::TestProject;
use crate::support::registry::{
    Authentication, FakeRegistry, Fault, Host, IDENTITY_TOKEN, Options, PASSWORD, USER, basic,
};
use crate::support::scene::Scene;

/// A registry that gives tokens good for so many requests, a base in it, and a project that is not logged in.
fn token_registry(anonymous_pull: bool, uses: usize) -> (FakeRegistry, TestProject) {
    let registry = FakeRegistry::start(Options {
        authentication: Authentication::Bearer { anonymous_pull, uses },
        mounts: true,
        ..Options::ecr()
    });
    registry.seed("runner", "13", &Base::flyway_of(3).index());
    registry.create("orders");
    (registry, TestProject::new())
}

fn push(registry: &FakeRegistry, project: &TestProject) -> crate::support::outcome::Outcome {
    project.push(&registry.reference("runner:13"), &registry.reference("orders:v1"))
}

/// Catches a ping, or a first request without the credentials we have.
#[test]
fn basic_goes_with_the_first_request() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let requests = scene.registry.requests();
    assert!(
        requests.iter().all(|request| request.status != 401),
        "{}",
        scene.registry.story()
    );
    let expected = Some(basic(USER, PASSWORD));
    for request in requests {
        let is_storage = request.host == Host::Storage;
        assert_eq!(request.authorization, expected.clone().filter(|_| !is_storage));
    }
    scene.registry.assert_strict();
}

/// Catches a token asked for per request, a missing scope for mounting, and a token sent to the storage host.
#[test]
fn bearer_tokens_are_fetched_once_per_scope() {
    let (registry, project) = token_registry(false, usize::MAX);
    let project = project.logged_in(&registry);
    push(&registry, &project).succeeded();
    registry.image("orders", "v1");
    assert!(
        registry.tokens() <= 3,
        "{} tokens:{}",
        registry.tokens(),
        registry.story()
    );
    let mounts = registry.requests();
    let mounted = mounts
        .iter()
        .filter(|request| request.query.contains("mount=") && request.status == 201);
    assert_eq!(mounted.count(), 3, "every base layer is mounted:{}", registry.story());
    registry.assert_strict();
}

/// Catches a public base that cannot be pulled without credentials.
#[test]
fn anonymous_pulls_get_a_token_too() {
    let (registry, project) = token_registry(true, usize::MAX);
    let base = registry.reference("runner:13");
    project.build(&["--base", &base, "--output", "oci:out"]).succeeded();
    let requests = registry.requests();
    let asked = requests.iter().find(|request| request.host == Host::Token).unwrap();
    assert_eq!(asked.authorization, None);
    assert!(asked.query.contains("service=fake.registry"), "{}", asked.query);
    push(&registry, &project).exited(1).says(&["orders"]).hints();
}

/// Catches a push that dies when the token expires in the middle of it.
#[test]
fn a_token_that_expires_in_mid_push_is_renewed() {
    let (registry, project) = token_registry(false, 10);
    let project = project.logged_in(&registry);
    push(&registry, &project).succeeded();
    registry.image("orders", "v1");
    registry.assert_strict();
}

/// Catches Amazon ECR's way of saying that a token expired, which is a 403 in plain text, being asked for ever.
#[test]
fn an_expired_ecr_token_is_named() {
    let scene = Scene::ecr();
    let text = "Your authorization token has expired. Reauthenticate and try again.";
    scene
        .registry
        .fault(Fault::on("GET", "/v2/").always().respond(403, "DENIED", text));
    scene
        .registry
        .fault(Fault::on("HEAD", "/v2/").always().respond(403, "DENIED", text));
    scene.push("v1", &[]).exited(1).says(&["expired"]).hints();
    scene.registry.assert_at_most(8);
}

/// Catches an identity token that is sent as a password, or not at all.
#[test]
fn an_identity_token_is_posted() {
    let (registry, project) = token_registry(false, usize::MAX);
    let config = format!(
        "{{\"auths\": {{\"{}\": {{\"auth\": \"PHRva2VuPjo=\", \"identitytoken\": \"{IDENTITY_TOKEN}\"}}}}}}",
        registry.host()
    );
    let project = project.docker_config(&config);
    push(&registry, &project).succeeded();
    let requests = registry.requests();
    let mut tokens = requests.iter().filter(|request| request.host == Host::Token);
    assert!(tokens.all(|request| request.method == "POST"), "{}", registry.story());
}

/// Catches credentials of the target given to the host of the base.
#[test]
fn a_password_is_for_the_target_alone() {
    let source = FakeRegistry::open();
    source.seed("runner", "13", &Base::flyway().image());
    let target_registry = FakeRegistry::ecr();
    target_registry.create("orders");
    let base = source.reference("runner:13");
    let target = target_registry.reference("orders:v1");
    let project = TestProject::new();
    project
        .run_with_input(
            &[
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
            ],
            PASSWORD,
        )
        .succeeded();
    assert!(source.requests().iter().all(|request| request.authorization.is_none()));
}

/// Catches a wrong password that is tried again and again, until the account is locked.
#[test]
fn a_wrong_password_is_an_error_at_once() {
    let scene = Scene::ecr();
    let project = TestProject::new()
        .environment("SHIPWAY_USERNAME", USER)
        .environment("SHIPWAY_PASSWORD", "canary-wrong-not-to-be-seen");
    let target = scene.target("v1");
    let outcome = project
        .push(&scene.base, &target)
        .exited(1)
        .says(&[&scene.registry.host()])
        .hints();
    assert!(!outcome.stderr.contains("canary"));
    scene.registry.assert_at_most(4);
    let (registry, project) = token_registry(false, usize::MAX);
    let project = project
        .environment("SHIPWAY_USERNAME", USER)
        .environment("SHIPWAY_PASSWORD", "canary-wrong-not-to-be-seen");
    push(&registry, &project).exited(1).says(&[&registry.host()]).hints();
    registry.assert_at_most(8);
}

/// Catches a registry that asks for credentials we do not have.
#[test]
fn no_credentials_at_all_are_said_so() {
    let scene = Scene::ecr();
    let target = scene.target("v1");
    TestProject::new()
        .push(&scene.base, &target)
        .exited(1)
        .says(&["credentials", &scene.registry.host()])
        .hints();
}

/// Catches `Authorization` sent along to wherever a registry points, and credentials for another port.
#[test]
fn credentials_stay_with_their_host() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    assert!(
        scene
            .registry
            .requests()
            .iter()
            .any(|request| request.host == Host::Storage)
    );
    scene.registry.assert_strict();
    let other = FakeRegistry::open();
    other.seed("runner", "13", &Base::flyway().image());
    let location = format!("http://{}/v2/elsewhere/blobs/uploads/x?_state=1", other.host());
    let upload = Fault::on("POST", "/orders/blobs/uploads/").always();
    scene
        .registry
        .fault(upload.respond(202, "X", "y").header("location", &location));
    scene.next_release();
    scene.push("v2", &[]).failed();
    assert!(other.requests().iter().all(|request| request.authorization.is_none()));
}
