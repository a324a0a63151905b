//! `shipway doctor` where runs are: the cause of each failure to come, by name, and nothing started or written.

use serde_json::{Value, json};

use crate::support::aws::{CLUSTER, EcsScene, FAMILY, FUNCTION, TABLE};
use crate::support::outcome::Outcome;
use crate::support::registry::{Action, Fault};

mod direct;
mod function;

/// What only a doctor asks for.
const QUESTIONS: [&str; 3] = [
    "ecs:DescribeClusters",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
];
/// Where tasks are reached.
const NETWORK: [&str; 4] = ["--subnet", "subnet-0a,subnet-0b", "--security-group", "sg-01"];

/// A scene in which a doctor may ask for everything.
fn prepared() -> EcsScene {
    let scene = EcsScene::new();
    scene.aws.allow(&QUESTIONS);
    scene
}

/// Runs the doctor with all that is needed, and fails if it changed anything.
fn doctor(scene: &EcsScene, more: &[&str]) -> Outcome {
    let mut all = NETWORK.to_vec();
    all.extend(more);
    examined(scene, scene.command("doctor", &all))
}

fn examined(scene: &EcsScene, outcome: Outcome) -> Outcome {
    assert!(matches!(outcome.status, Some(0 | 1)), "{outcome:#?}");
    assert_eq!(scene.aws.tasks(), Vec::<Value>::new(), "{outcome:#?}");
    assert_eq!(scene.aws.items(TABLE), Vec::<Value>::new(), "{outcome:#?}");
    assert_eq!(scene.aws.revisions(FAMILY).len(), 1, "{outcome:#?}");
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains("canary"), "a secret: {outcome:#?}");
    }
    outcome
}

/// The lines that begin so.
fn lines<'a>(outcome: &'a Outcome, mark: &str) -> Vec<&'a str> {
    outcome.stdout.lines().filter(|line| line.starts_with(mark)).collect()
}

/// Fails unless one thing alone is wrong, and its line and its hint say all these words.
fn assert_fails(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert_eq!(lines(outcome, "FAIL").len(), 1, "{outcome:#?}");
    assert_marked(outcome, "FAIL", words);
    let after = outcome
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("FAIL"))
        .nth(1);
    assert!(
        after.is_some_and(|line| line.trim().starts_with("hint:")),
        "what is to be done? {outcome:#?}"
    );
}

/// Fails unless a line with this mark, together with its hints, says all these words.
fn assert_marked(outcome: &Outcome, mark: &str, words: &[&str]) {
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let is_told = (0..lines.len()).filter(|at| lines[*at].starts_with(mark)).any(|at| {
        let hints = lines[at + 1..].iter().take_while(|line| line.starts_with(' '));
        let told: String = std::iter::once(&lines[at]).chain(hints).copied().collect();
        words.iter().all(|word| told.contains(word))
    });
    assert!(is_told, "no {mark} says {words:?}: {outcome:#?}");
}

/// An operation that answers this instead.
fn answers(operation: &str, answer: &Value) -> Fault {
    Fault::on_operation(operation).always().with(Action::Respond {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())],
        body: answer.to_string(),
    })
}

/// Catches a check that is left out, and one that is made although nobody said anything of runs.
#[test]
fn all_is_well() {
    let scene = prepared();
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    for name in [
        "cluster:",
        "tasks:",
        "task definition:",
        "network:",
        "execution role:",
        "log:",
        "table:",
    ] {
        assert_marked(&outcome, "ok", &[name]);
    }
    assert_eq!(lines(&outcome, "warn"), Vec::<&str>::new(), "{outcome:#?}");
    assert_marked(&outcome, "skip", &["run rights", "ecs:RunTask", "dynamodb:PutItem"]);
    let json = doctor(&scene, &["--format", "json"]).json();
    assert_eq!(json["ok"], true, "{json:#}");
    assert_eq!(json["checks"][0]["name"], "cluster", "{json:#}");
}

/// Catches runs that are looked at by flags only, and those of a file that are not looked at.
#[test]
fn whoever_says_where_runs_are_is_heard() {
    let scene = prepared().environment("ENV_CLUSTER", CLUSTER);
    let outcome = examined(&scene, scene.project.run(&["doctor"]));
    assert_fails(&outcome, &["network:", "ENV_SUBNET"]);
    assert_marked(&outcome, "warn", &["table:", "--lock"]);

    let file = format!("[run]\ncluster = \"{CLUSTER}\"\nlock = \"{TABLE}\"\nsubnets = [\"subnet-0a\"]\n");
    let scene = prepared().set(|project| project.project_file(&file));
    let outcome = examined(&scene, scene.project.run(&["doctor"]));
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["network:", "subnet-0a", "default security group"]);

    let scene = EcsScene::new();
    scene.project.run(&["doctor"]).exited(2).says(&["no repository"]);
    let image = scene.image.split('@').next().unwrap().to_owned();
    scene.aws.allow(&["sts:GetCallerIdentity"]);
    scene.aws.deny("ecr:GetAuthorizationToken");
    let _ = scene.project.run(&["doctor", &image]);
    assert!(!scene.aws.recorded().contains("ecs:"), "{}", scene.aws.recorded());
}

/// Catches one of the two left out where both are named.
#[test]
fn a_push_and_a_run_are_looked_at_together() {
    let scene = prepared().with_registry();
    scene.aws.allow(&["sts:GetCallerIdentity", "ecr:GetAccountSetting"]);
    scene.aws.deny("ecr:DescribeRepositories");
    let endpoint = format!(
        "{}=http://{}",
        crate::support::aws::HOST,
        scene.registry.as_ref().unwrap().host()
    );
    let image = scene.image.split('@').next().unwrap().to_owned();
    let outcome = doctor(&scene, &[&image, "--registry-endpoint", &endpoint]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["repository:"]);
    assert_marked(&outcome, "ok", &["task definition:", "flyway:1, container flyway"]);
    assert_eq!(scene.registry.as_ref().unwrap().writes(), 0);
}
