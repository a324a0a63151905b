//! Pushing with each kind of identity: the name is Amazon's, the password is the one moto gives, and skopeo finds the image.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::account::{
    Account, DEVELOPMENT, PRODUCTION, SECRET, STAGING, digest_in, ends_with, moto, with_aws, with_keys,
};
use super::portal::Portal;
use crate::project::Project;

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn keys_in_the_environment_open_the_registry() {
    let project = Project::new();
    pushes(
        DEVELOPMENT,
        "keys/orders:1",
        with_keys(&mut project.push_to(DEVELOPMENT, "keys/orders:1"), &moto()),
    );
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_profile_opens_the_registry() {
    let project = Project::new();
    let keys = format!("aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n");
    configure(&project, "credentials", &format!("[orders]\n{keys}"));
    let mut build = project.push_to(DEVELOPMENT, "profile/orders:1");
    pushes(
        DEVELOPMENT,
        "profile/orders:1",
        with_aws(&mut build, &moto()).args(["--aws-profile", "orders"]),
    );

    let mut build = project.push_to(DEVELOPMENT, "profile/orders:2");
    let (_, said) = ends_with(2, with_aws(&mut build, &moto()).args(["--aws-profile", "nobody"]));
    assert!(said.contains("nobody"), "{said}");
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_profile_in_the_project_file_opens_the_registry() {
    let project = Project::new();
    let keys = format!("aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n");
    configure(&project, "credentials", &format!("[base]\n{keys}"));
    configure(
        &project,
        "config",
        &format!(
            "[profile deploy]\nrole_arn = {}\nsource_profile = base\nregion = eu-west-3\n",
            STAGING.role()
        ),
    );
    let settings = format!("[registry.\"{}\"]\nprofile = \"deploy\"\n", STAGING.host());
    fs::write(project.path("shipway.toml"), settings).expect("a file can be written");
    let mut build = project.push_to(STAGING, "profile-file/orders:1");
    pushes(STAGING, "profile-file/orders:1", with_aws(&mut build, &moto()));
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_credential_process_opens_the_registry() {
    let project = Project::new();
    let answer = json!({
        "Version": 1,
        "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "SecretAccessKey": SECRET,
    });
    let program = project.path("give-keys");
    fs::write(&program, format!("#!/bin/sh\necho '{answer}'\n")).expect("a program can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode can be set");
    configure(
        &project,
        "config",
        &format!("[profile process]\ncredential_process = {}\n", program.display()),
    );
    let mut build = project.push_to(DEVELOPMENT, "process/orders:1");
    with_aws(&mut build, &moto()).env("AWS_PROFILE", "process");
    pushes(DEVELOPMENT, "process/orders:1", &mut build);
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_login_by_sso_opens_the_registry() {
    let project = Project::new();
    let portal = Portal::start();
    configure(
        &project,
        "config",
        &format!(
            "[profile orders]\nsso_session = company\nsso_account_id = {}\nsso_role_name = Developer\n\n\
             [sso-session company]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n",
            STAGING.id
        ),
    );
    let build = |name: &str| {
        let mut build = project.push_to(STAGING, name);
        portal.lead_to_sso(with_aws(&mut build, &moto()));
        build.args(["--aws-profile", "orders"]);
        build
    };
    let (_, said) = ends_with(1, &mut build("sso/orders:1"));
    assert!(said.contains("aws sso login"), "{said}");

    Portal::log_in(&project.path("home"), "company");
    pushes(STAGING, "sso/orders:1", &mut build("sso/orders:1"));
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn the_role_of_a_container_opens_the_registry() {
    let project = Project::new();
    let portal = Portal::start();
    let mut build = project.push_to(DEVELOPMENT, "container/orders:1");
    portal.pretend_container(with_aws(&mut build, &moto()));
    pushes(DEVELOPMENT, "container/orders:1", &mut build);
}

/// Without the role, moto gives the password of another account, and the registry refuses it.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_role_opens_the_registry_of_another_account() {
    let project = Project::new();
    let mut build = project.push_to(STAGING, "role/orders:1");
    let (_, said) = ends_with(1, with_keys(&mut build, &moto()));
    assert!(said.contains(&STAGING.host()), "{said}");

    let mut build = project.push_to(STAGING, "role/orders:1");
    let with_role = with_keys(&mut build, &moto()).args(["--aws-role-arn", &STAGING.role()]);
    pushes(STAGING, "role/orders:1", with_role);
}

#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn a_token_of_gitlab_opens_the_registry() {
    let project = Project::new();
    let token = token_of_gitlab();
    for (number, variable) in ["SHIPWAY_ID_TOKEN", "AWS_ID_TOKEN", "TOKEN_OF_OUR_OWN"]
        .into_iter()
        .enumerate()
    {
        let name = format!("gitlab/orders:{number}");
        let mut build = project.push_to(PRODUCTION, &name);
        with_job(with_aws(&mut build, &moto())).env(variable, &token);
        if number == 2 {
            build.args(["--aws-web-identity-token-env", variable]);
        }
        let said = pushes(PRODUCTION, &name, &mut build);
        assert!(!said.contains(&token), "the token is in the log");
    }
}

/// What `docker login` left behind twelve hours ago is no reason to fail.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn an_old_login_is_renewed() {
    let project = Project::new();
    let old = base64::engine::general_purpose::STANDARD.encode("AWS:yesterday");
    let mut auths = serde_json::Map::new();
    auths.insert(DEVELOPMENT.host(), json!({ "auth": old }));
    fs::write(
        project.path("docker/config.json"),
        json!({ "auths": auths }).to_string(),
    )
    .expect("a file can be written");
    let mut build = project.push_to(DEVELOPMENT, "renewed/orders:1");
    pushes(DEVELOPMENT, "renewed/orders:1", with_keys(&mut build, &moto()));
}

/// The endpoint may stand in the environment, as the documentation's examples have it.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn the_endpoints_of_registries_may_stand_in_the_environment() {
    let project = Project::new();
    let mut build = project.build(&crate::parts::Registry::plain().base());
    build
        .args(["--push", "-t", &DEVELOPMENT.image("endpoints/orders:1")])
        .args(["-t", &PRODUCTION.image("endpoints/orders:1")])
        .env(
            "SHIPWAY_REGISTRY_ENDPOINT",
            format!("{},{}", DEVELOPMENT.endpoint(), PRODUCTION.endpoint()),
        );
    let settings = format!(
        "[registry.\"{}\"]\nrole_arn = \"{}\"\n",
        PRODUCTION.host(),
        PRODUCTION.role()
    );
    fs::write(project.path("shipway.toml"), settings).expect("a file can be written");
    let (printed, _) = ends_with(0, with_keys(&mut build, &moto()));
    let mut lines = printed.lines();
    for account in [DEVELOPMENT, PRODUCTION] {
        let line = lines.next().expect("there is a line for each repository");
        assert!(line.starts_with(&account.image("endpoints/orders@")), "{printed}");
        assert_eq!(account.digest_of("endpoints/orders:1"), digest_in(line));
    }
}

/// Runs a build that must end well; returns what it said.
fn pushes(account: Account, name: &str, build: &mut Command) -> String {
    let (printed, said) = ends_with(0, build);
    let repository = name.split(':').next().expect("a name begins somewhere");
    let digest = digest_in(&printed);
    assert_eq!(printed, format!("{}@{digest}", account.image(repository)));
    assert_eq!(account.digest_of(name), digest, "skopeo finds another digest");
    said
}

/// Writes one of the files in `~/.aws`.
fn configure(project: &Project, name: &str, text: &str) {
    fs::create_dir_all(project.path("home/.aws")).expect("a folder can be made");
    fs::write(project.path("home/.aws").join(name), text).expect("a file can be written");
}

/// What GitLab tells a job, and what its project's settings say.
fn with_job(build: &mut Command) -> &mut Command {
    build
        .env("CI", "true")
        .env("CI_PROJECT_ID", "42")
        .env("CI_PIPELINE_ID", "4711")
        .env("AWS_ROLE_ARN", PRODUCTION.role())
}

/// A token in the shape of GitLab's. moto looks at none of it, as only AWS knows GitLab's keys.
pub(crate) fn token_of_gitlab() -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "RS256", "kid": "shipway-test", "typ": "JWT" });
    let claims = json!({
        "iss": "https://gitlab.example.com",
        "sub": "project_path:shop/orders:ref_type:branch:ref:main",
        "aud": "https://gitlab.example.com",
        "project_id": "42",
        "exp": 4_102_444_800_u32,
    });
    format!(
        "{}.{}.{}",
        part(&header),
        part(&claims),
        URL_SAFE_NO_PAD.encode([7; 256])
    )
}
