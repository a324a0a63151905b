//! The revision that runs: the newest one, with the image of the digest, and nothing else changed.

use serde_json::{Value, json};

use crate::support::aws::{EcsScene, HOST, Script, container, definition};

/// What ECS answers and does not take.
const ANSWERED_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// Catches a field that is lost because no SDK knows it yet, or sent because ECS answers it; and an image of a bystander that is changed.
#[test]
fn everything_is_copied_but_the_image() {
    let scene = EcsScene::new();
    let mut before = definition();
    let mut sidecar = container("proxy");
    sidecar["essential"] = false.into();
    before["containerDefinitions"].as_array_mut().unwrap().push(sidecar);
    for (name, value) in [
        (
            "volumes",
            json!([{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}, "configuredAtLaunch": false}]),
        ),
        ("placementConstraints", json!([])),
        ("pidMode", json!("task")),
        ("ipcMode", json!("none")),
        (
            "proxyConfiguration",
            json!({"type": "APPMESH", "containerName": "proxy", "properties": []}),
        ),
        ("inferenceAccelerators", json!([])),
        ("enableFaultInjection", json!(false)),
        ("trustedExecutionConfiguration", json!({"enabled": true})),
    ] {
        before[name] = value;
    }
    scene.aws.task_definition(&before);
    scene.aws.amend_definition(|definition| {
        definition["taskDefinition"]["deregisteredAt"] = json!(1.0);
        definition["taskDefinition"]["deleteRequestedAt"] = json!(1.0);
    });
    scene.run(&["--container", "flyway"]).succeeded();
    let sent = scene.aws.calls_of("ecs:RegisterTaskDefinition")[0].input.clone();
    let mut expected = before.clone();
    expected["containerDefinitions"][0]["image"] = scene.image.clone().into();
    let tags = |value: &Value| -> Vec<(String, String)> {
        let tags = value["tags"].as_array().cloned().unwrap_or_default().into_iter();
        tags.map(|tag| {
            (
                tag["key"].as_str().unwrap().to_owned(),
                tag["value"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
    };
    let mut found = tags(&sent);
    found.sort();
    let digest = scene.digest.clone();
    assert_eq!(
        found,
        [
            ("shipway:digest".to_owned(), digest),
            ("shipway:run-id".into(), "run-1".into()),
            ("team".into(), "orders".into())
        ]
    );
    let mut sent = sent;
    for object in [&mut sent, &mut expected] {
        object.as_object_mut().unwrap().remove("tags");
    }
    assert_eq!(sent, expected);
    assert!(ANSWERED_ONLY.iter().all(|name| sent.get(*name).is_none()));
    let run = &scene.aws.calls_of("ecs:RunTask")[0].input;
    assert!(
        run["taskDefinition"]
            .as_str()
            .unwrap()
            .ends_with("task-definition/flyway:3"),
        "{run:#}"
    );
}

/// Catches tags of an earlier run that stay, and grow in number with each release.
#[test]
fn tags_of_the_run_before_are_replaced() {
    let scene = EcsScene::new();
    scene.run(&[]).succeeded();
    let other = format!("{HOST}/orders@sha256:{}", "7".repeat(64));
    scene
        .command("run", &["--run-id", "run-2", "--image", &other])
        .succeeded();
    let tags = scene.aws.revisions("flyway").pop().unwrap()["tags"]
        .as_array()
        .cloned()
        .unwrap();
    let ids: Vec<_> = tags
        .iter()
        .filter(|tag| tag["key"] == "shipway:run-id")
        .map(|tag| &tag["value"])
        .collect();
    assert_eq!(ids, ["run-2"]);
    assert_eq!(tags.len(), 3, "{tags:#?}");
}

/// Catches a revision for each run, although nothing has changed.
#[test]
fn nothing_is_registered_for_the_same_image() {
    let scene = EcsScene::new();
    for name in ["run-1", "run-2", "run-3"] {
        scene.run(&["--run-id", name]).succeeded();
    }
    assert_eq!(scene.aws.revisions("flyway").len(), 2);
    assert_eq!(scene.aws.count("ecs:RegisterTaskDefinition"), 1);
}

/// Catches a revision that somebody named and another that runs.
#[test]
fn a_revision_can_be_named() {
    let scene = EcsScene::new();
    let mut later = definition();
    later["cpu"] = "1024".into();
    scene.aws.task_definition(&later);
    scene.run(&["--revision", "1"]).succeeded();
    let revisions = scene.aws.revisions("flyway");
    assert_eq!(revisions[2]["taskDefinition"]["cpu"], "256", "a copy of the first");
    let scene = EcsScene::new();
    let outcome = scene.command("run", &["--no-register", "--revision", "1", "--format", "json"]);
    let json = outcome.succeeded().json();
    assert_eq!(json["task"]["definition"], "flyway:1");
    assert_eq!(scene.aws.count("ecs:RegisterTaskDefinition"), 0);
    assert_eq!(json["image"], format!("{HOST}/orders:latest"));
}

/// Catches a family that is not there told as a right that is missing.
#[test]
fn a_family_that_is_not_there_is_named() {
    let scene = EcsScene::new();
    let arguments = [
        "run",
        "--cluster",
        "migrations",
        "--family",
        "liquibase",
        "--subnet",
        "subnet-0a",
        "--image",
        &scene.image,
    ];
    scene
        .project
        .run(&arguments)
        .failed()
        .says(&["liquibase", "eu-west-1"])
        .hints();
    assert_eq!(scene.lock(), None);
    assert_eq!(scene.aws.tasks().len(), 0);
}

/// Catches a tag that is run as it is: it may be moved between the build and the run.
#[test]
fn a_tag_is_resolved_to_its_digest() {
    let scene = EcsScene::new().with_registry();
    let tag = format!("{HOST}/orders:v1");
    scene.aws.next_task(Script::succeeds(&[]).pulls(&json!(scene.digest)));
    let endpoint = format!("{HOST}=http://{}", scene.registry.as_ref().unwrap().host());
    let registry = ["--registry-endpoint", &endpoint, "--image", &tag, "--format", "json"];
    let outcome = scene.command("run", &registry);
    let json = outcome.succeeded().json();
    assert_eq!(json["image"], scene.image);
    let sent = &scene.aws.calls_of("ecs:RegisterTaskDefinition")[0].input;
    assert_eq!(sent["containerDefinitions"][0]["image"], scene.image);
}

/// Catches an image that no build has made taken from a file, or none taken from one that a build made.
#[test]
fn the_image_comes_from_where_the_build_left_it() {
    for (file, text) in [
        ("build.env", "SHIPWAY_DIGEST=x\nSHIPWAY_IMAGE={}\n"),
        ("digest.txt", "{}\n"),
        (
            "metadata.json",
            "{\"image.name\": \"{}\", \"containerimage.digest\": \"sha256:0\"}",
        ),
    ] {
        let scene = EcsScene::new();
        scene.project.write(file, text.replace("{}", &scene.image));
        let outcome = scene.command("run", &["--image-from", file, "--format", "json"]);
        assert_eq!(outcome.succeeded().json()["image"], scene.image, "{file}");
    }
    let scene = EcsScene::new();
    let image = scene.image.clone();
    let scene = scene.environment("SHIPWAY_IMAGE", &image);
    let outcome = scene.command("run", &["--format", "json"]);
    assert_eq!(outcome.succeeded().json()["image"], image);
    let scene = EcsScene::new();
    scene
        .command("run", &[])
        .exited(2)
        .says(&["--image", "SHIPWAY_IMAGE"])
        .hints();
    scene.aws.assert_silent();
}
