//! Where an AWS identity comes from: each place of the chain, and what it costs.

use crate::support::aws::{ACCOUNT, EcrScene, HOST, Key};
use crate::support::registry::{USER, basic};

/// The file of a cached SSO login: the SHA-1 of the session's name, `shipway`.
const SSO_CACHE: &str = ".aws/sso/cache/e52b2a8d62087a1fb11ca03bbd1053cfb73b6500.json";

const TOKEN: &str = "ecr:GetAuthorizationToken";

/// Pushes, and fails unless that took one token and the other calls given, as the caller given.
fn pushes(scene: &EcrScene, more: &[&str], calls: &[&str], caller: &str) {
    scene.push(more).succeeded();
    scene.registry.image("orders", "v1");
    scene.registry.assert_strict();
    let asked: Vec<_> = scene.aws.calls().into_iter().map(|call| call.operation).collect();
    let expected: Vec<_> = calls.iter().chain(&[TOKEN]).copied().collect();
    assert_eq!(asked, expected, "{}", scene.aws.recorded());
    let token = scene.aws.calls_of(TOKEN).remove(0);
    assert_eq!(token.region, "eu-west-1", "the region is the host's");
    assert_eq!(token.caller, caller);
    let refused = scene
        .registry
        .requests()
        .into_iter()
        .filter(|request| request.status == 401);
    assert_eq!(refused.count(), 0, "{}", scene.registry.story());
}

fn credentials_file(profile: &str, key: &Key) -> String {
    format!(
        "[{profile}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.access_key, key.secret_key
    )
}

fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

fn session(role: &str, name: &str) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}")
}

/// Catches a login that needs more than the keys: a region, a file, a call to STS.
#[test]
fn keys_of_the_environment() {
    let scene = EcrScene::signed_in();
    pushes(&scene, &[], &[], &user("dev"));
    let password = "canary-ecr-password-1-not-to-be-seen";
    let expected = Some(basic(USER, password));
    let mut requests = scene.registry.requests().into_iter();
    assert!(requests.all(|request| request.is("GET", "/storage/") || request.authorization == expected));
}

/// Catches keys that expire, whose token is left out.
#[test]
fn session_keys_of_the_environment() {
    let scene = EcrScene::new();
    let key = scene.aws.session(ACCOUNT, "ci", "job");
    pushes(&scene.with_keys(&key), &[], &[], &session("ci", "job"));
}

/// Catches the region of the environment taken for the registry's.
#[test]
fn the_region_is_the_hosts_whatever_the_environment_says() {
    let scene = EcrScene::signed_in()
        .environment("AWS_REGION", "us-east-2")
        .environment("AWS_DEFAULT_REGION", "us-east-2");
    pushes(&scene, &[], &[], &user("dev"));
}

/// Catches a profile that is not read, from either file, at either place.
#[test]
fn keys_of_a_profile() {
    let scene = EcrScene::new();
    let key = scene.aws.user(ACCOUNT, "anna");
    let text = credentials_file("default", &key);
    pushes(&scene.home_file(".aws/credentials", &text), &[], &[], &user("anna"));
    let scene = EcrScene::new();
    let key = scene.aws.user(ACCOUNT, "berta");
    let text = credentials_file("profile work", &key);
    let scene = scene.home_file(".aws/config", &text);
    pushes(&scene, &["--aws-profile", "work"], &[], &user("berta"));
    let scene = EcrScene::new();
    let key = scene.aws.user(ACCOUNT, "clara");
    let text = credentials_file("work", &key);
    let scene = scene.home_file("elsewhere", &text);
    let file = scene.project.home().join("elsewhere").display().to_string();
    let scene = scene
        .environment("AWS_SHARED_CREDENTIALS_FILE", &file)
        .environment("AWS_PROFILE", "work");
    pushes(&scene, &[], &[], &user("clara"));
}

/// Catches keys of the environment that win over a profile somebody asked for by name.
#[test]
fn a_profile_of_the_command_line_wins_over_keys_of_the_environment() {
    let scene = EcrScene::signed_in();
    let key = scene.aws.user(ACCOUNT, "berta");
    let scene = scene.home_file(".aws/credentials", &credentials_file("work", &key));
    pushes(&scene, &["--aws-profile", "work"], &[], &user("berta"));
}

/// Catches a profile that does not exist being passed over in silence.
#[test]
fn a_profile_that_is_not_there_is_named() {
    let scene = EcrScene::signed_in();
    scene.push(&["--aws-profile", "wrok"]).failed().says(&["wrok"]).hints();
    scene.aws.assert_silent();
}

/// Catches a credential process that is not run, or run for every request.
#[test]
fn keys_of_a_process() {
    let scene = EcrScene::new();
    let key = scene.aws.user(ACCOUNT, "vault");
    let script = format!(
        "echo run >> \"$HOME/runs\"\necho '{{\"Version\": 1, \"AccessKeyId\": \"{}\", \"SecretAccessKey\": \"{}\"}}'",
        key.access_key, key.secret_key
    );
    let scene = scene
        .set(|project| project.program("give-keys", &script))
        .home_file(".aws/config", "[default]\ncredential_process = give-keys\n");
    pushes(&scene, &[], &[], &user("vault"));
    let runs = std::fs::read_to_string(scene.project.home().join("runs")).unwrap();
    assert_eq!(runs.lines().count(), 1, "the process is run once");
}

/// Catches a role of the command line that is not taken on, or for each request anew.
#[test]
fn a_role_is_assumed() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&["sts:AssumeRole"]);
    let role = scene.aws.role(ACCOUNT, "deploy");
    let more = ["--aws-role-arn", role.as_str()];
    pushes(&scene, &more, &["sts:AssumeRole"], &session("deploy", "shipway"));
    let call = scene.aws.calls_of("sts:AssumeRole").remove(0);
    assert_eq!(call.caller, user("dev"));
}

/// Catches a role of a profile that needs another profile first.
#[test]
fn a_role_of_a_profile_is_assumed() {
    let scene = EcrScene::new();
    scene.aws.allow(&["sts:AssumeRole"]);
    let role = scene.aws.role(ACCOUNT, "deploy");
    let key = scene.aws.user(ACCOUNT, "anna");
    let scene = scene
        .home_file(".aws/credentials", &credentials_file("base", &key))
        .home_file(
            ".aws/config",
            &format!("[profile work]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = anna\n"),
        );
    let more = ["--aws-profile", "work"];
    pushes(&scene, &more, &["sts:AssumeRole"], &session("deploy", "anna"));
}

/// Catches a role that may not be taken on being reported as a registry's refusal.
#[test]
fn a_role_that_must_not_be_assumed_is_named() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&["sts:AssumeRole"]);
    let role = "arn:aws:iam::123456789012:role/admin";
    scene
        .push(&["--aws-role-arn", role])
        .exited(1)
        .says(&["sts:AssumeRole", role, &user("dev")])
        .hints();
    assert_eq!(scene.registry.writes(), 0);
    assert_eq!(scene.aws.count(TOKEN), 0);
}

/// Catches a task of ECS, or a pod of EKS, without an identity.
#[test]
fn keys_of_a_container() {
    for authorization in [None, Some("canary-authorization-not-to-be-seen")] {
        let scene = EcrScene::new();
        scene.aws.allow(&["container:GetCredentials"]);
        let url = scene.aws.container(ACCOUNT, "task-role", authorization);
        let mut scene = scene.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
        if let Some(authorization) = authorization {
            scene = scene.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN", authorization);
        }
        let calls = ["container:GetCredentials"];
        pushes(&scene, &[], &calls, &session("task-role", "task"));
    }
}

/// Catches an instance without an identity.
#[test]
fn keys_of_an_instance() {
    let scene = EcrScene::new();
    let calls = ["imds:GetToken", "imds:GetRole", "imds:GetCredentials"];
    scene.aws.allow(&calls);
    scene.aws.instance(ACCOUNT, "runner");
    let url = scene.aws.url();
    let scene = scene
        .environment("AWS_EC2_METADATA_DISABLED", "false")
        .environment("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
    pushes(&scene, &[], &calls, &session("runner", "i-0123456789abcdef0"));
}

fn sso_scene(expires: &str) -> EcrScene {
    let scene = EcrScene::new();
    scene.aws.allow(&["sso:GetRoleCredentials"]);
    scene.aws.sso("canary-sso-token-not-to-be-seen", ACCOUNT, "Developer");
    let config = format!(
        "[profile work]\nsso_session = shipway\nsso_account_id = {ACCOUNT}\nsso_role_name = Developer\n\
         [sso-session shipway]\nsso_region = eu-central-1\nsso_start_url = https://example.awsapps.com/start\n"
    );
    let login = format!(
        "{{\"startUrl\": \"https://example.awsapps.com/start\", \"region\": \"eu-central-1\", \
         \"accessToken\": \"canary-sso-token-not-to-be-seen\", \"expiresAt\": \"{expires}\"}}"
    );
    let url = scene.aws.url();
    scene
        .environment("AWS_ENDPOINT_URL_SSO", &url)
        .home_file(".aws/config", &config)
        .home_file(SSO_CACHE, &login)
}

/// Catches a laptop that is logged in by SSO and cannot push.
#[test]
fn a_login_by_sso() {
    let scene = sso_scene("2099-01-01T00:00:00Z");
    let calls = ["sso:GetRoleCredentials"];
    let caller = session("Developer", "somebody@example.com");
    pushes(&scene, &["--aws-profile", "work"], &calls, &caller);
}

/// Catches a login by SSO that ran out being reported as anything but that.
#[test]
fn a_login_by_sso_that_ran_out_says_how_to_renew_it() {
    let scene = sso_scene("2020-01-01T00:00:00Z");
    scene
        .push(&["--aws-profile", "work"])
        .failed()
        .says(&["aws sso login", "work"])
        .hints();
    scene.aws.assert_silent();
}

/// Catches the name of a host that is not known to be Amazon ECR behind its own endpoint.
#[test]
fn an_endpoint_of_the_environment_leads_to_the_registry() {
    let scene = EcrScene::signed_in();
    let endpoint = format!("{HOST}=http://{}", scene.registry.host());
    let scene = scene.environment("SHIPWAY_REGISTRY_ENDPOINT", &endpoint);
    let (base, target) = (scene.reference("runner:13"), scene.reference("orders:v1"));
    let outcome = scene.project.push(&base, &target).succeeded();
    assert!(
        outcome.stdout.starts_with(&format!("{HOST}/orders@sha256:")),
        "{outcome:#?}"
    );
    assert_eq!(scene.aws.count(TOKEN), 1);
}
