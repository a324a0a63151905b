//! Repositories that are not there yet: created on request, never changed, and asked about before bytes travel.

use serde_json::{Value, json};

use crate::support::aws::{ACCOUNT, BASE_LAYERS, EcrScene, HOST, REGION, failure};
use crate::support::outcome::Outcome;
use crate::support::registry::{Fault, Options};

const CREATE: &str = "ecr:CreateRepository";
const POLICY: &str = "ecr:PutLifecyclePolicy";
const TOKEN: &str = "ecr:GetAuthorizationToken";
const DEV: &str = "arn:aws:iam::123456789012:user/dev";
const ARN: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/bills";

/// Pushes to the repository `bills`, which is not there.
fn push(scene: &EcrScene, more: &[&str]) -> Outcome {
    let base = scene.reference("runner:13");
    let target = scene.reference("bills:v1");
    let mut arguments = vec!["build", "--scripts", "db", "--push", "--base", &base, "-t", &target];
    arguments.extend(more);
    scene.run(&arguments)
}

fn operations(scene: &EcrScene) -> Vec<String> {
    scene.aws.calls().into_iter().map(|call| call.operation).collect()
}

/// Catches a repository that is not created, created more than once, or with settings nobody asked for.
#[test]
fn what_is_missing_is_created() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&[CREATE]);
    let target = scene.reference("bills:current");
    push(&scene, &["--create-repository", "-t", &target]).succeeded();
    assert_eq!(operations(&scene), [TOKEN, CREATE]);
    let created = scene.aws.calls_of(CREATE).remove(0);
    assert_eq!(created.region, REGION);
    assert_eq!(created.input["repositoryName"], "bills");
    for setting in [
        "imageTagMutability",
        "imageScanningConfiguration",
        "encryptionConfiguration",
        "tags",
    ] {
        assert_eq!(created.input[setting], Value::Null, "{setting} is up to Amazon ECR");
    }
    scene.registry.image("bills", "v1");
    scene.registry.image("bills", "current");
    scene.registry.assert_strict();
}

/// Catches a setting of the project file that does not reach the repository.
#[test]
fn the_project_file_says_what_it_is_created_with() {
    let policy = json!({"rules": [{"rulePriority": 1, "selection": {
        "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14,
    }, "action": {"type": "expire"}}]});
    let file = format!(
        "[migrations]\nscripts = \"db\"\n[runner]\nbase = \"{HOST}/runner:13\"\n\
         [image]\nrepository = \"{HOST}/bills\"\ntags = [\"v1\"]\n[repository]\n\
         tag_mutability = \"immutable-with-exclusion\"\ntag_mutability_exclusions = [\"current\"]\n\
         scan_on_push = true\nencryption = \"KMS\"\nkms_key = \"alias/images\"\n\
         lifecycle_policy = \"lifecycle.json\"\ntags = {{ team = \"orders\" }}\n"
    );
    let scene =
        EcrScene::signed_in().set(|project| project.project_file(&file).file("lifecycle.json", policy.to_string()));
    scene.aws.allow(&[CREATE, POLICY]);
    scene.run(&["build", "--push", "--create-repository"]).succeeded();
    assert_eq!(operations(&scene), [TOKEN, CREATE, POLICY]);
    let input = scene.aws.calls_of(CREATE).remove(0).input;
    assert_eq!(input["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    let filters = json!([{"filterType": "WILDCARD", "filter": "current"}]);
    assert_eq!(input["imageTagMutabilityExclusionFilters"], filters);
    assert_eq!(input["imageScanningConfiguration"], json!({"scanOnPush": true}));
    let encryption = json!({"encryptionType": "KMS", "kmsKey": "alias/images"});
    assert_eq!(input["encryptionConfiguration"], encryption);
    assert_eq!(input["tags"], json!([{"Key": "team", "Value": "orders"}]));
    let put = scene.aws.policy("bills").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&put).unwrap(), policy);
}

/// Catches settings that are found to be wrong when the repository is half made.
#[test]
fn settings_that_make_no_sense_are_found_at_once() {
    for setting in [
        "tag_mutability = \"sometimes\"",
        "encryption = \"ROT13\"",
        "lifecycle_policy = \"nowhere.json\"",
        "tag_mutability = \"mutable\"\ntag_mutability_exclusions = [\"current\"]",
        "colour = \"red\"",
    ] {
        let file = format!("[migrations]\nscripts = \"db\"\n[repository]\n{setting}\n");
        let scene = EcrScene::signed_in().set(|project| project.project_file(&file));
        let base = scene.reference("runner:13");
        let target = scene.reference("bills:v1");
        let arguments = ["build", "--push", "--base", &base, "-t", &target, "--create-repository"];
        scene.run(&arguments).exited(2);
        scene.aws.assert_silent();
    }
}

/// Catches a flag that asks or changes anything where the repository is there.
#[test]
fn what_exists_is_neither_asked_for_nor_changed() {
    let scene = EcrScene::signed_in();
    scene.push(&["--create-repository", "--no-cache"]).succeeded();
    assert_eq!(operations(&scene), [TOKEN]);
    scene.next_release();
    scene
        .push_tags(&["v2"], &["--create-repository", "--no-cache"])
        .succeeded();
    assert_eq!(operations(&scene), [TOKEN]);
    scene.registry.assert_at_most(16);
}

/// Catches two jobs that create one repository at the same time.
#[test]
fn somebody_else_may_be_faster() {
    let scene = EcrScene::signed_in();
    scene.registry.create("bills");
    let absent = Fault::on("POST", "/v2/bills/blobs/uploads/").times(1);
    scene
        .registry
        .fault(absent.respond(404, "NAME_UNKNOWN", "does not exist"));
    scene.aws.allow(&[CREATE]);
    push(&scene, &["--create-repository"]).succeeded();
    assert_eq!(scene.aws.calls_of(CREATE)[0].status, 400, "it existed");
    scene.registry.image("bills", "v1");
}

/// Catches a repository that is there in the service and not yet in the registry.
#[test]
fn the_registry_may_take_a_moment_to_know_it() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&[CREATE]);
    let absent = Fault::on("POST", "/v2/bills/blobs/uploads/").times(3);
    scene
        .registry
        .fault(absent.respond(404, "NAME_UNKNOWN", "does not exist"));
    push(&scene, &["--create-repository"]).succeeded();
    assert_eq!(scene.aws.count(CREATE), 1);
    scene.registry.image("bills", "v1");
}

/// Catches a refusal that does not say which action is missing, for whom, on what.
#[test]
fn a_forbidden_creation_names_the_action() {
    let scene = EcrScene::signed_in();
    scene.aws.deny(CREATE);
    let outcome = push(&scene, &["--create-repository"]).exited(1).hints();
    outcome.says(&[CREATE, DEV, ARN, "bills"]);
    assert_eq!(scene.aws.count(CREATE), 1, "a refusal is not asked for again");
    assert_nothing_written(&scene);
}

/// Catches a policy that is not there and nobody knows.
#[test]
fn a_forbidden_policy_is_told() {
    let file = "[migrations]\nscripts = \"db\"\n[repository]\nlifecycle_policy = \"lifecycle.json\"\n";
    let scene =
        EcrScene::signed_in().set(|project| project.project_file(file).file("lifecycle.json", "{\"rules\": []}"));
    scene.aws.allow(&[CREATE]);
    scene.aws.deny(POLICY);
    let base = scene.reference("runner:13");
    let target = scene.reference("bills:v1");
    let arguments = ["build", "--push", "--base", &base, "-t", &target, "--create-repository"];
    scene.run(&arguments).exited(1).says(&[POLICY, "lifecycle"]).hints();
}

fn assert_nothing_written(scene: &EcrScene) {
    let requests = scene.registry.requests();
    let bytes: u64 = requests.iter().map(|request| request.bytes_in).sum();
    assert_eq!(bytes, 0, "no bytes travel to nowhere: {}", scene.registry.story());
    assert_eq!(scene.registry.tags("bills"), []);
}

/// Catches an upload to nowhere, an endless one, and an error without the command that helps.
#[test]
fn without_the_flag_there_is_one_error_with_the_command() {
    let scene = EcrScene::signed_in();
    let outcome = push(&scene, &[]).exited(1).hints();
    let command = format!("aws ecr create-repository --region {REGION} --repository-name bills");
    outcome.says(&["bills", "does not exist", "--create-repository", &command]);
    assert_eq!(operations(&scene), [TOKEN]);
    assert_nothing_written(&scene);
    // The base, the tag, the sessions of layer and config, and what was on its way for each layer of the base.
    scene.registry.assert_at_most(4 + 1 + 2 + 3 * BASE_LAYERS);
}

/// Catches the missing repository of one target written to after the others.
#[test]
fn one_missing_repository_of_several_stops_all_tags() {
    let scene = EcrScene::signed_in();
    let target = scene.reference("orders:v1");
    push(&scene, &["-t", &target])
        .exited(1)
        .says(&["bills", "does not exist"]);
    assert_eq!(
        scene.registry.tags("orders"),
        [],
        "no tag is set where another cannot be"
    );
}

/// Catches a base that does not exist taken for a target that does not.
#[test]
fn the_repository_of_a_base_is_not_created() {
    let scene = EcrScene::signed_in();
    let base = scene.reference("absent:13");
    let target = scene.reference("orders:v1");
    let arguments = [
        "build",
        "--scripts",
        "db",
        "--push",
        "--base",
        &base,
        "-t",
        &target,
        "--create-repository",
    ];
    scene.run(&arguments).exited(1).says(&["absent"]);
    assert_eq!(scene.aws.count(CREATE), 0);
    assert!(scene.registry.tags("orders").is_empty());
}

/// Catches several missing repositories of which one is created.
#[test]
fn several_are_created() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&[CREATE]);
    let target = scene.reference("invoices:v1");
    push(&scene, &["--create-repository", "-t", &target]).succeeded();
    assert_eq!(scene.aws.count(CREATE), 2);
    scene.registry.image("bills", "v1");
    scene.registry.image("invoices", "v1");
}

/// Catches a dry run that creates.
#[test]
fn a_dry_run_creates_nothing() {
    let scene = EcrScene::signed_in();
    push(&scene, &["--create-repository", "--dry-run"]).succeeded();
    assert_eq!(scene.aws.count(CREATE), 0);
    assert_eq!(scene.registry.writes(), 0);
}

/// Catches a missing repository reported although the push itself would create it.
#[test]
fn a_template_creates_on_push() {
    let options = Options {
        creates_on_push: true,
        ..Options::ecr()
    };
    let scene = EcrScene::at(HOST, REGION, options).with_dev();
    push(&scene, &[]).succeeded();
    assert_eq!(operations(&scene), [TOKEN]);
    scene.registry.image("bills", "v1");
    let scene = EcrScene::at(
        HOST,
        REGION,
        Options {
            creates_on_push: true,
            ..Options::ecr()
        },
    )
    .with_dev();
    push(&scene, &["--create-repository"]).succeeded();
    assert_eq!(operations(&scene), [TOKEN], "there is nothing left to create");
}

/// Catches a login of Docker's that is good for pushing, and an identity that is needed for the rest.
#[test]
fn a_stored_login_pushes_and_the_identity_creates() {
    let scene = EcrScene::signed_in().set(|project| project.logged_in_at(HOST));
    scene.aws.allow(&[CREATE]);
    push(&scene, &["--create-repository"]).succeeded();
    assert_eq!(operations(&scene), [CREATE]);
}

/// Catches the lack of an identity, when one is needed to create, hidden behind a login of Docker's.
#[test]
fn creating_takes_an_identity() {
    let scene = EcrScene::new().set(|project| project.logged_in_at(HOST));
    let outcome = push(&scene, &["--create-repository"]).exited(1).hints();
    outcome.says(&["bills", "AWS_ACCESS_KEY_ID"]);
    scene.aws.assert_silent();
    assert_nothing_written(&scene);
}

/// Catches a limit of the service that is asked for again and again, or told as something else.
#[test]
fn a_limit_of_the_account_is_told() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&[CREATE]);
    let message = "The repository limit for the registry has been exceeded";
    scene
        .aws
        .fault(failure(CREATE, 400, "LimitExceededException", message).always());
    push(&scene, &["--create-repository"])
        .failed()
        .says(&["bills", message]);
    assert!(scene.aws.count(CREATE) <= 4);
}

/// Catches the registry of another account, in which nobody may create without a word from it.
#[test]
fn the_repository_of_another_account_is_created_there_or_not_at_all() {
    let host = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
    let scene = EcrScene::at(host, REGION, Options::ecr());
    let key = scene.aws.user(ACCOUNT, "dev");
    scene.aws.trusts("999999999999", ACCOUNT);
    scene.aws.deny(CREATE);
    let scene = scene.with_keys(&key);
    let outcome = push(&scene, &["--create-repository"]).exited(1).hints();
    outcome.says(&[CREATE, DEV, "999999999999"]);
    let created = scene.aws.calls_of(CREATE).remove(0);
    assert_eq!(
        created.input["registryId"], "999999999999",
        "never in the caller's own account"
    );
}
