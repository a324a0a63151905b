//! `shipway doctor` at Amazon ECR: the cause of each failure, by name, and nothing changed.

use serde_json::{Value, json};

use crate::support::aws::{ACCOUNT, EcrScene, HOST, REGION, failure};
use crate::support::outcome::Outcome;
use crate::support::registry::{FakeRegistry, Fault, Options};

mod answers;
mod project;

const DEV: &str = "arn:aws:iam::123456789012:user/dev";
const DESCRIBE: &str = "ecr:DescribeRepositories";

/// All a doctor may ask: nothing of it changes anything.
const QUESTIONS: [&str; 7] = [
    "sts:GetCallerIdentity",
    DESCRIBE,
    "ecr:GetAccountSetting",
    "ecr:GetRegistryScanningConfiguration",
    "ecr:BatchGetRepositoryScanningConfiguration",
    "ecr:DescribeRepositoryCreationTemplates",
    "ecr:DescribePullThroughCacheRules",
];

/// A project that is to be pushed to the repository `orders`.
fn prepared(scene: EcrScene) -> EcrScene {
    scene.aws.allow(&QUESTIONS);
    let file = format!(
        "[migrations]\nscripts = \"db\"\n[runner]\nbase = \"{0}/runner:13\"\n[image]\nrepository = \"{0}/orders\"\n\
         tags = [\"v1\"]\n",
        scene.host
    );
    scene.set(|project| project.project_file(&file))
}

/// Runs the doctor, and fails if it wrote anything.
fn doctor(scene: &EcrScene, more: &[&str]) -> Outcome {
    let mut arguments = vec!["doctor"];
    arguments.extend(more);
    let outcome = scene.run(&arguments);
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    assert_eq!(scene.registry.writes(), 0, "{}", scene.registry.story());
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains("canary"), "a secret: {outcome:#?}");
    }
    outcome
}

/// The checks as JSON; the exit status goes with `ok`.
fn checks(scene: &EcrScene) -> Vec<Value> {
    let outcome = doctor(scene, &["--format", "json"]);
    let report = outcome.json();
    assert_eq!(report["ok"] == true, outcome.status == Some(0), "{outcome:#?}");
    assert!(matches!(outcome.status, Some(0 | 1)), "{outcome:#?}");
    let checks = report["checks"].as_array().cloned().unwrap_or_default();
    assert!(!checks.is_empty(), "{outcome:#?}");
    for check in &checks {
        assert!(check["name"].is_string() && check["text"].is_string(), "{check}");
        let status = check["status"].as_str().unwrap();
        assert!(["ok", "warning", "failed", "skipped"].contains(&status), "{check}");
    }
    checks
}

/// Fails unless a check of this status says all the words, in its text or its hints.
fn assert_check(checks: &[Value], status: &str, words: &[&str]) {
    let says = |check: &&Value| {
        let text = format!("{} {} {}", check["name"], check["text"], check["hints"]).to_lowercase();
        words.iter().all(|word| text.contains(&word.to_lowercase()))
    };
    let found = checks.iter().filter(|check| check["status"] == status).find(says);
    assert!(found.is_some(), "no {status} check says {words:?}: {checks:#?}");
}

fn assert_healthy(checks: &[Value]) {
    let failed: Vec<_> = checks.iter().filter(|check| check["status"] == "failed").collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Catches a patient in good health who is told otherwise, and what is not told.
#[test]
fn all_is_well() {
    let scene = prepared(EcrScene::signed_in());
    scene.aws.describe(
        "orders",
        &json!({"imageTagMutability": "IMMUTABLE", "encryptionConfiguration": {"encryptionType": "KMS"}}),
    );
    scene.aws.account_setting("BLOB_MOUNTING", "ENABLED");
    scene.aws.scan_type("ENHANCED");
    let checks = checks(&scene);
    assert_healthy(&checks);
    let all = Value::from(checks).to_string();
    for word in [
        "AWS_ACCESS_KEY_ID",
        DEV,
        HOST,
        "runner",
        "orders",
        "IMMUTABLE",
        "KMS",
        "mount",
    ] {
        assert!(
            all.to_lowercase().contains(&word.to_lowercase()),
            "{word} is not told: {all}"
        );
    }
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    for line in outcome.stdout.lines().filter(|line| !line.starts_with(' ')) {
        let word = line.split_whitespace().next().unwrap_or_default();
        let known = ["ok", "warn", "FAIL", "skip", "hint:"].contains(&word);
        assert!(known || line.is_empty(), "{line:?}: {outcome:#?}");
    }
    let requests = scene.registry.requests();
    assert!(
        requests
            .iter()
            .all(|request| ["GET", "HEAD"].contains(&request.method.as_str()))
    );
    scene.registry.assert_strict();
}

/// Catches a login that is asked for by each check anew.
#[test]
fn a_doctor_asks_for_one_token() {
    let scene = prepared(EcrScene::signed_in());
    assert_healthy(&checks(&scene));
    assert_eq!(
        scene.aws.count("ecr:GetAuthorizationToken"),
        1,
        "{}",
        scene.aws.recorded()
    );
}

/// Catches the reference of the command line left out of sight.
#[test]
fn a_reference_may_be_named() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&QUESTIONS);
    let reference = scene.reference("orders");
    let outcome = doctor(&scene, &[&reference]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("orders"), "{outcome:#?}");
}

/// Catches the first cause in issue 3's list.
#[test]
fn no_credentials() {
    let scene = prepared(EcrScene::new());
    let checks = checks(&scene);
    assert_check(&checks, "failed", &["AWS_ACCESS_KEY_ID", "aws sso login"]);
    scene.aws.assert_silent();
}

/// Catches keys that ran out.
#[test]
fn an_expired_token() {
    let scene = EcrScene::new();
    let key = scene.aws.session(ACCOUNT, "ci", "job");
    scene.aws.expire(&key);
    let scene = prepared(scene.with_keys(&key));
    assert_check(&checks(&scene), "failed", &["expired", "aws sso login"]);
}

/// Catches a login of Docker's that ran out and that nobody can renew.
#[test]
fn an_expired_login() {
    let scene = prepared(EcrScene::new().set(|project| project.logged_in_at(HOST)));
    scene.registry.governed().accept("another-password");
    assert_check(&checks(&scene), "failed", &["expired"]);
}

/// Catches an expired login that shipway itself would have renewed, reported as what stands in the way.
#[test]
fn an_expired_login_that_can_be_renewed_is_no_failure() {
    let scene = prepared(EcrScene::signed_in().set(|project| project.logged_in_at(HOST)));
    scene.registry.governed().accept("another-password");
    assert_healthy(&checks(&scene));
}

/// Catches a repository that is somewhere else, where the user did not look.
#[test]
fn the_wrong_region() {
    let elsewhere = FakeRegistry::ecr();
    elsewhere.create("bills");
    let scene = prepared(EcrScene::signed_in().environment("AWS_REGION", "us-east-2"));
    scene.aws.governs(ACCOUNT, "us-east-2", &elsewhere);
    let reference = scene.reference("bills");
    let outcome = doctor(&scene, &[&reference]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert!(outcome.stdout.contains("us-east-2"), "{outcome:#?}");
    assert!(outcome.stdout.contains(REGION), "{outcome:#?}");
}

/// Catches an identity of one account that looks at the registry of another.
#[test]
fn the_wrong_account() {
    let scene = EcrScene::new();
    let other = FakeRegistry::ecr();
    scene.aws.governs("210987654321", REGION, &other);
    let key = scene.aws.user("210987654321", "dev");
    let scene = prepared(scene.with_keys(&key));
    let checks = checks(&scene);
    let all = Value::from(checks.clone()).to_string();
    assert!(all.contains("210987654321") && all.contains(ACCOUNT), "{all}");
    assert!(checks.iter().any(|check| check["status"] == "failed"), "{all}");
}

/// Catches a missing repository without the command that creates it.
#[test]
fn a_missing_repository() {
    let scene = prepared(EcrScene::signed_in());
    let reference = scene.reference("bills");
    let outcome = doctor(&scene, &[&reference]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    let command = format!("aws ecr create-repository --region {REGION} --repository-name bills");
    for word in ["FAIL", "bills", "--create-repository", &command] {
        assert!(outcome.stdout.contains(word), "{word} is not said: {outcome:#?}");
    }
    assert!(scene.registry.tags("bills").is_empty());
}

/// Catches a missing repository that a push would create, and a probe that creates it.
#[test]
fn a_missing_repository_with_a_template() {
    let options = Options {
        creates_on_push: true,
        ..Options::ecr()
    };
    let scene = prepared(EcrScene::at(HOST, REGION, options).with_dev());
    scene.aws.template("ROOT");
    let reference = scene.reference("bills");
    let outcome = doctor(&scene, &[&reference]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.to_lowercase().contains("template"), "{outcome:#?}");
}

/// Catches the token that may not be had, without the action.
#[test]
fn a_denied_token() {
    let scene = prepared(EcrScene::signed_in());
    scene.aws.deny("ecr:GetAuthorizationToken");
    assert_check(&checks(&scene), "failed", &["ecr:GetAuthorizationToken", DEV]);
}

/// Catches a push that would work, said not to because a question may not be asked.
#[test]
fn denied_questions_are_no_failures() {
    // Nobody can be denied to ask who they are.
    for question in &QUESTIONS[1..] {
        let question = *question;
        let scene = prepared(EcrScene::signed_in());
        scene.aws.deny(question);
        let checks = checks(&scene);
        assert_healthy(&checks);
        if question == DESCRIBE {
            let told = checks.iter().any(|check| {
                let text = format!("{} {}", check["text"], check["hints"]);
                (check["status"] == "skipped" || check["status"] == "warning") && text.contains(DESCRIBE)
            });
            assert!(told, "{checks:#?}");
        }
    }
}

/// Catches what the registry denies, which is found out by reading alone.
#[test]
fn a_denied_action_of_the_registry() {
    let scene = prepared(EcrScene::signed_in());
    let message = format!(
        "User: {DEV} is not authorized to perform: ecr:BatchGetImage on resource: \
         arn:aws:ecr:eu-west-1:123456789012:repository/orders because no identity-based policy allows the \
         ecr:BatchGetImage action"
    );
    for method in ["GET", "HEAD"] {
        let fault = Fault::on(method, "/v2/orders/manifests/").always();
        scene.registry.fault(fault.respond(403, "DENIED", &message));
    }
    assert_check(&checks(&scene), "failed", &["ecr:BatchGetImage"]);
}

/// Catches a clock that is wrong, which looks like wrong keys.
#[test]
fn a_wrong_clock() {
    let scene = prepared(EcrScene::signed_in());
    scene.aws.ahead_seconds(3600);
    let report = Value::from(checks(&scene)).to_string().to_lowercase();
    assert!(report.contains("clock") && report.contains("behind"), "{report}");
    let scene = prepared(EcrScene::signed_in());
    scene.aws.ahead_seconds(-3600);
    let message = "Signature not yet current: 20261122T120000Z is still later than 20261122T110500Z";
    for operation in ["ecr:", "sts:"] {
        let fault = failure(operation, 400, "InvalidSignatureException", message);
        scene.aws.fault(fault.always());
    }
    assert_check(&checks(&scene), "failed", &["clock", "ahead"]);
}

/// Catches a base that is not there, found out when the image is half built.
#[test]
fn a_base_that_is_not_there() {
    let scene = prepared(EcrScene::signed_in());
    let file = format!("[runner]\nbase = \"{HOST}/runner:14\"\n[image]\nrepository = \"{HOST}/orders\"\n");
    let scene = scene.set(|project| project.project_file(&file));
    assert_check(&checks(&scene), "failed", &["runner:14"]);
}

/// Catches AWS out of reach.
#[test]
fn no_way_to_aws() {
    let scene = prepared(EcrScene::signed_in().environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9"));
    let outcome = doctor(&scene, &["--retry", "0"]);
    assert_ne!(outcome.status, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("FAIL"), "{outcome:#?}");
}

/// Catches a policy that is no policy, or that allows more or less than a push needs.
#[test]
fn the_policy_is_the_least_that_works() {
    let scene = prepared(EcrScene::signed_in());
    let outcome = doctor(&scene, &["--policy"]);
    let policy = outcome.json();
    assert_eq!(policy["Version"], "2012-10-17", "{outcome:#?}");
    let statements = policy["Statement"].as_array().unwrap();
    let actions: Vec<_> = statements
        .iter()
        .flat_map(|statement| strings(&statement["Action"]))
        .collect();
    for action in [
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ] {
        assert!(
            actions.iter().any(|name| name == action),
            "{action} is missing: {policy:#}"
        );
    }
    assert!(!actions.iter().any(|name| name.contains('*')), "{policy:#}");
    assert!(!actions.iter().any(|name| name == "ecr:CreateRepository"), "{policy:#}");
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        let actions = strings(&statement["Action"]);
        let resources = strings(&statement["Resource"]);
        let is_token = actions.iter().any(|name| name == "ecr:GetAuthorizationToken");
        assert_eq!(resources == ["*"], is_token, "{statement}");
        if actions.iter().any(|name| name == "ecr:PutImage") {
            let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/orders");
            assert_eq!(resources, [arn], "the base is not written to");
        }
    }
}

/// A text, or a list of them.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        value => value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}
