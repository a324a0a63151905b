//! What flags, variables and the project file make of a run.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::aws::{EcsScene, Script, definition};

/// What `RunTask` is asked for with more arguments.
fn asked(scene: &EcsScene, more: &[&str]) -> Value {
    scene.run(more).succeeded();
    scene.aws.calls_of("ecs:RunTask").pop().unwrap().input
}

/// Catches a request that is not what the flags say, field by field.
#[test]
fn a_plain_run_asks_for_this() {
    let scene = EcsScene::new();
    let mut input = asked(&scene, &[]);
    let token = input["clientToken"].take();
    assert_eq!(token.as_str().unwrap().len(), 64);
    let tags = input["tags"].take();
    let tags: Vec<_> = tags
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["key"].as_str().unwrap())
        .collect();
    assert_eq!(tags, ["shipway:attempt", "shipway:container", "shipway:run-id"]);
    assert_eq!(
        input,
        json!({
            "cluster": "migrations", "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/flyway:2", "count": 1,
            "clientToken": null, "tags": null, "startedBy": "shipway/run-1", "launchType": "FARGATE", "propagateTags": "TASK_DEFINITION",
            "enableECSManagedTags": true,
            "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": ["subnet-0a", "subnet-0b"], "securityGroups": ["sg-01"], "assignPublicIp": "DISABLED"}},
        })
    );
}

/// Catches a place nobody tells of where none is named.
#[test]
fn without_a_place_all_places_are_named() {
    let scene = EcsScene::new();
    let outcome = scene.project.run(&["run", "--image", &scene.image]).exited(2);
    outcome.says(&["--cluster NAME", "ENV_CLUSTER", "--via-lambda NAME", "--docker IMAGE"]);
}

/// Catches flags that are lost on their way.
#[test]
fn flags_reach_the_task() {
    let scene = EcsScene::new();
    let input = asked(
        &scene,
        &[
            "--assign-public-ip",
            "--env",
            "A=1",
            "--env",
            "B=two words",
            "--cpu",
            "512",
            "--memory",
            "1g",
            "--tag",
            "team=orders",
            "--tag",
            "empty=",
            "--",
            "info",
            "-outputType=json",
        ],
    );
    let network = &input["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["assignPublicIp"], "ENABLED");
    assert_eq!(
        input["overrides"],
        json!({"containerOverrides": [{"name": "flyway", "command": ["info", "-outputType=json"],
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "two words"}]}], "cpu": "512", "memory": "1024"})
    );
    assert!(
        input["tags"]
            .as_array()
            .unwrap()
            .contains(&json!({"key": "team", "value": "orders"}))
    );
    assert_eq!(scene.records()[0]["command"], json!(["info", "-outputType=json"]));
}

/// Catches a capacity provider beside a launch type, which ECS refuses, and a network where there is none.
#[test]
fn where_a_task_runs_is_one_thing_or_the_other() {
    let scene = EcsScene::new();
    let input = asked(&scene, &["--capacity-provider", "FARGATE"]);
    assert_eq!(input.get("launchType"), None);
    assert_eq!(input["capacityProviderStrategy"][0]["capacityProvider"], "FARGATE");

    let scene = EcsScene::new();
    let mut on_machines = definition();
    on_machines["networkMode"] = "host".into();
    on_machines["requiresCompatibilities"] = json!(["EC2"]);
    scene.aws.task_definition(&on_machines);
    let input = asked(&scene, &[]);
    assert_eq!(input["launchType"], "EC2");
    assert_eq!(input.get("networkConfiguration"), None);

    // A machine that can be taken away at any time is no place for a migration.
    let scene = EcsScene::new();
    scene
        .run(&["--capacity-provider", "FARGATE_SPOT"])
        .succeeded()
        .says(&["FARGATE_SPOT"]);
}

/// Catches variables of the article's jobs, and keys of the project file, that mean nothing, or win over flags.
#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let file = "[run]\ncluster = \"from-file\"\nsubnets = [\"subnet-file\"]\nsecurity_groups = [\"sg-file\"]\nlock = \"none\"\n";
    let with = |scene: EcsScene| scene.set(|project| project.project_file(file));
    let image = EcsScene::new().image;
    let arguments = ["run", "--poll", "0.02", "--run-id", "run-1", "--image", &image];
    let last = |scene: &EcsScene| scene.aws.calls_of("ecs:RunTask").pop().unwrap().input;

    let scene = with(EcsScene::new());
    scene.aws.cluster("from-file");
    scene.project.run(&arguments).succeeded();
    let input = last(&scene);
    assert_eq!(input["cluster"], "from-file");
    assert_eq!(
        input["networkConfiguration"]["awsvpcConfiguration"]["subnets"],
        json!(["subnet-file"])
    );

    let scene = with(EcsScene::new())
        .environment("ENV_CLUSTER", "migrations")
        .environment("ENV_SUBNET", "subnet-1, subnet-2")
        .environment("ENV_SECURITY_GROUP", "sg-1");
    scene.project.run(&arguments).succeeded();
    let input = last(&scene);
    assert_eq!(input["cluster"], "migrations");
    let network = &input["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], json!(["subnet-1", "subnet-2"]));
    assert_eq!(network["securityGroups"], json!(["sg-1"]));

    let mut more = arguments.to_vec();
    more.extend(["--subnet", "subnet-flag", "--rerun"]);
    scene.project.run(&more).succeeded();
    assert_eq!(
        last(&scene)["networkConfiguration"]["awsvpcConfiguration"]["subnets"],
        json!(["subnet-flag"])
    );
}

/// Catches a run of a pipeline that a job which is run again does not find.
#[test]
fn a_pipeline_names_its_run() {
    let scene = EcsScene::new()
        .environment("CI_PROJECT_ID", "7")
        .environment("CI_PIPELINE_ID", "123")
        .environment("CI_JOB_ID", "9001")
        .environment("CI_PROJECT_PATH", "group/project")
        .environment("CI_COMMIT_SHA", "0123abc")
        .environment("CI_COMMIT_REF_NAME", "main");
    let image = scene.image.clone();
    let arguments = scene.arguments("run", &["--image", &image, "--format", "json"]);
    let json = scene.project.run(&arguments).succeeded().json();
    let name = json["runId"].as_str().unwrap().to_owned();
    assert!(name.starts_with("gl-7-123-555555555555-"), "{name}");
    let record = scene.records()[0].clone();
    assert!(
        record["requested_by"].as_str().unwrap().contains("group/project#9001"),
        "{record:#}"
    );
    assert_eq!(record["git"], json!({"sha": "0123abc", "ref": "main"}));
    let again = scene.project.run(&arguments).succeeded().json();
    assert_eq!(again["runId"], name.as_str());
    assert_eq!(again["reused"], true);
    let mut other = arguments.clone();
    other.extend(["--", "info"]);
    let info = scene.project.run(&other).succeeded().json();
    assert_ne!(info["runId"], name.as_str(), "another command is another run");
}

/// Catches mistakes that are found after something was changed, or told without a way out.
#[test]
fn mistakes_are_found_before_anything_is_asked() {
    let image = EcsScene::new().image;
    for (more, words) in [
        (vec!["--run-id", "a b"], "--run-id"),
        (vec!["--network", "host"], "--network"),
        (vec!["--entrypoint", "sh"], "--entrypoint"),
        (vec!["--tag", "shipway:run-id=x"], "shipway:"),
        (vec!["--memory", "lots"], "--memory"),
        (vec!["--poll", "often"], "--poll"),
        (vec!["--image", "not an image"], "image"),
        (vec!["--via-lambda", "f"], "--via-lambda"),
        (vec!["--docker", "x"], "--docker"),
        (vec!["--pull", "never"], "--pull"),
        (vec!["--stop-timeout", "7"], "--stop-timeout"),
        (vec!["--wait-timeout", "7"], "--wait-timeout"),
        (vec!["--database-timeout", "7"], "--database-timeout"),
    ] {
        let scene = EcsScene::new();
        let mut arguments = vec!["run", "--cluster", "migrations", "--subnet", "subnet-0a"];
        if !more.contains(&"--image") && !more.contains(&"--docker") {
            arguments.extend(["--image", &image]);
        }
        arguments.extend(&more);
        scene.project.run(&arguments).exited(2).says(&[words]);
        scene.aws.assert_silent();
    }
    // What only the definition tells: before anything is made.
    let scene = EcsScene::new();
    let arguments = [
        "run",
        "--cluster",
        "migrations",
        "--lock",
        "migrations-runs",
        "--image",
        &image,
    ];
    scene
        .project
        .run(&arguments)
        .exited(2)
        .says(&["--subnet", "ENV_SUBNET"])
        .hints();
    scene
        .run(&["--container", "nobody"])
        .exited(2)
        .says(&["nobody", "flyway"]);
    for name in ["ecs:RegisterTaskDefinition", "ecs:RunTask", "dynamodb:PutItem"] {
        assert_eq!(scene.aws.count(name), 0, "{name}");
    }
}

/// Catches a plan that changes something.
#[test]
fn a_plan_changes_nothing() {
    let scene = EcsScene::new();
    scene.aws.deny("ecs:RegisterTaskDefinition");
    scene.aws.deny("ecs:RunTask");
    let json = scene
        .run(&["--dry-run", "--format", "json", "--", "info"])
        .succeeded()
        .json();
    assert_eq!(json["schema"], "shipway.run-plan/v1");
    assert_eq!(json["registersRevision"], true);
    assert_eq!(json["image"], scene.image);
    assert_eq!(
        json["runTask"]["overrides"]["containerOverrides"][0]["command"],
        json!(["info"])
    );
    let text = scene.run(&["--dry-run"]).succeeded();
    assert!(text.stdout.contains(&scene.image), "{text:#?}");
    for name in [
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ] {
        assert_eq!(scene.aws.count(name), 0, "{name}");
    }
}

/// Catches files that are not written when the run fails, or that other programs cannot read.
#[test]
fn files_are_left_whatever_came_of_it() {
    for (code, status) in [(0, "succeeded"), (1, "failed")] {
        let scene = EcsScene::new();
        scene.aws.next_task(Script::fails(code, &["a <line> & \u{1b}[31mmore"]));
        let outcome = scene.run(&[
            "--receipt",
            "receipt.json",
            "--junit",
            "junit.xml",
            "--dotenv",
            "run.env",
        ]);
        assert_eq!(outcome.status, Some(if code == 0 { 0 } else { 5 }), "{outcome:#?}");
        let read = |name: &str| std::fs::read_to_string(scene.project.folder().join(name)).unwrap();
        let receipt: Value = serde_json::from_str(&read("receipt.json")).unwrap();
        assert_eq!(receipt["status"], status);
        assert_eq!(receipt["runId"], "run-1");
        let dotenv = read("run.env");
        assert!(dotenv.contains(&format!("SHIPWAY_RUN_STATUS={status}\n")), "{dotenv}");
        assert!(dotenv.lines().all(|line| {
            line.split_once('=')
                .is_some_and(|(_, value)| !value.contains(['"', ' ']))
        }));
        let junit = read("junit.xml");
        assert!(junit.contains(&format!("failures=\"{code}\"")), "{junit}");
        assert!(!junit.contains('\u{1b}') && !junit.contains("<line>"), "{junit}");
    }
    // What never began has no result.
    let scene = EcsScene::new();
    let before = scene.project.files();
    scene.aws.deny("ecs:RunTask");
    scene
        .run(&["--receipt", "receipt.json", "--dotenv", "run.env"])
        .exited(1)
        .says(&["ecs:RunTask"]);
    assert_eq!(scene.project.files(), before, "nothing is left of them");
    let scene = EcsScene::new();
    scene
        .run(&["--receipt", "/proc/nowhere/receipt.json"])
        .failed()
        .says(&["/proc/nowhere"]);
    assert_eq!(
        scene.aws.count("ecs:RunTask"),
        0,
        "a file that cannot be written is found before the run"
    );
}

/// Catches a database that is never migrated, since an earlier call of the same pipeline migrated another one; and a name that tells of a
/// password.
#[test]
fn what_differs_in_a_pipeline_is_another_run() {
    let scene = EcsScene::new()
        .environment("CI_PROJECT_ID", "7")
        .environment("CI_PIPELINE_ID", "123");
    let image = scene.image.clone();
    let run = |more: &[&str]| {
        let arguments = scene.arguments("run", &["--image", &image, "--format", "json"]);
        let json = scene.project.run(&[&arguments, more].concat()).succeeded().json();
        (json["runId"].as_str().unwrap().to_owned(), json["reused"] == true)
    };
    let mut names = BTreeSet::new();
    let mut different: Vec<&[&str]> = vec![&[], &["--env", "FLYWAY_URL=jdbc:mysql://a/orders"]];
    different.extend([&["--env", "FLYWAY_URL=jdbc:mysql://b/orders"][..], &["--", "migrate"]]);
    different.extend([&["--", "migrate", "-target=2"][..], &["--", "migrate", "-target=3"]]);
    different.extend([&["--", "-target=2"][..], &["--", "-target=3"]]);
    different.extend([
        &["--env", "DATABASE_URL=postgres://u:canary-s3cr3t@db1/a"][..],
        &["--env", "DATABASE_URL=postgres://u:canary-s3cr3t@db2/a"],
    ]);
    for more in &different {
        let (name, is_reused) = run(more);
        assert!(!is_reused, "{more:?}");
        assert!(names.insert(name), "{more:?}");
        assert!(run(more).1, "the job that is run again: {more:?}");
    }
    assert_eq!(scene.aws.count("ecs:RunTask"), different.len());
    let [one, other] = ["canary-1", "canary-2"].map(|value| run(&["--env", &format!("FLYWAY_PASSWORD={value}")]).0);
    assert_eq!(one, other, "a name that changes with a password tells of it");
    let (name, _) = run(&["--", "-password=canary-hunter2hunter2", "migrate"]);
    assert!(name.contains("-migrate-") && !name.contains("canary"), "{name}");
    for item in scene.aws.items(crate::support::aws::TABLE) {
        assert!(!item.to_string().contains("canary"), "{item:#}");
    }
}
