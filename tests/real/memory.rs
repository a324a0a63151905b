//! What a command may take of the machine, however large the image.

use std::fs;
use std::process::Command;

use crate::layout::write_image;
use crate::parts::{Registry, output, program};
use crate::project::{Project, write_large_script};

/// Most memory the function of Lambda may hold: half of what the smallest function has.
#[cfg(feature = "aws")]
const FUNCTION_KILOBYTES: u64 = 64 * 1024;
/// Most processor time it may take until it asks for its first event, in milliseconds. It waits for nobody meanwhile.
#[cfg(feature = "aws")]
const START_UP_MILLISECONDS: u64 = 100;
/// How many events it is handed.
#[cfg(feature = "aws")]
const EVENTS: usize = 200;

/// Most memory a command may hold at once. GNU time counts kilobytes of 1024 bytes.
const PEAK_KILOBYTES: u64 = 40 * 1024;

const LAYERS: usize = 4;
const LAYER_BYTES: u64 = 100 << 20;

#[test]
#[ignore = "needs docker-registry, skopeo and GNU time: ci/test.sh"]
fn a_large_base_is_copied_between_registries_in_constant_memory() {
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let project = Project::new();
    project.log_in(&target);
    write_image(&project.path("base"), &["amd64"], LAYERS, LAYER_BYTES);
    let base = format!("{}/large/base:1", source.address);
    source.copy_in(&format!("oci:{}:1", project.path("base").display()), &base);

    let access = target.access.as_ref().expect("it asks for a password");
    let certificate = format!("{}={}", target.address, access.certificates.join("ca.crt").display());
    let name = format!("{}/large/orders:1", target.address);
    let peak = peak_of_build(
        &project,
        &[
            "--base",
            &base,
            "--push",
            "-t",
            &name,
            "--registry-certificate",
            &certificate,
        ],
    );
    assert!(peak <= PEAK_KILOBYTES, "{peak} kB");
    target.digest_of(&name);
}

#[test]
#[ignore = "needs GNU time, and an optimised build: ci/test.sh"]
fn a_large_script_is_packed_in_constant_memory() {
    let project = Project::new();
    write_large_script(&project.path("scripts/V9__readings.sql"), 1 << 30);
    let peak = peak_of_build(
        &project,
        &[
            "--base",
            "scratch",
            "--output",
            "oci:built",
            "-t",
            "registry.example.com/orders:1",
        ],
    );
    assert!(peak <= PEAK_KILOBYTES, "{peak} kB");
}

#[test]
#[ignore = "needs docker-registry, skopeo and GNU time: ci/test.sh"]
fn a_large_image_is_promoted_in_constant_memory() {
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let project = Project::new();
    project.log_in(&target);
    write_image(&project.path("image"), &["amd64"], LAYERS, LAYER_BYTES);
    let from = format!("{}/large/tested:1", source.address);
    source.copy_in(&format!("oci:{}:1", project.path("image").display()), &from);

    let access = target.access.as_ref().expect("it asks for a password");
    let certificate = format!("{}={}", target.address, access.certificates.join("ca.crt").display());
    let to = format!("{}/large/released:1", target.address);
    let peak = peak_kilobytes(&project, &["copy", &from, &to, "--registry-certificate", &certificate]);
    assert!(peak <= PEAK_KILOBYTES, "{peak} kB");
    assert_eq!(target.digest_of(&to), source.digest_of(&from));
}

#[cfg(feature = "aws")]
#[test]
#[ignore = "needs an optimised build: ci/test.sh"]
fn the_function_of_lambda_fits_into_the_smallest_one_and_starts_at_once() {
    use crate::function::{RunningFunction, ScriptedServices};
    use serde_json::json;

    let task = json!({
        "taskArn": "arn:aws:ecs:eu-west-3:1:task/m/0a", "clusterArn": "arn:aws:ecs:eu-west-3:1:cluster/m", "lastStatus": "RUNNING",
        "taskDefinitionArn": "arn:aws:ecs:eu-west-3:1:task-definition/flyway:1", "startedBy": "shipway/run", "startedAt": 1,
        "containers": [{"name": "flyway"}],
    });
    let container = json!({"name": "flyway", "image": "flyway", "essential": true, "logConfiguration": {"logDriver": "awslogs", "options": {
        "awslogs-group": "g", "awslogs-region": "eu-west-3", "awslogs-stream-prefix": "p"}}});
    let line = json!({"timestamp": 1, "ingestionTime": 1, "message": "x".repeat(100)});
    let services = ScriptedServices::start(&[
        ("DescribeTasks", json!({"tasks": [task], "failures": []})),
        (
            "DescribeTaskDefinition",
            json!({"taskDefinition": {"taskDefinitionArn": "arn:aws:ecs:eu-west-3:1:task-definition/flyway:1", "containerDefinitions": [container]}}),
        ),
        (
            "GetLogEvents",
            json!({"events": vec![line; 5000], "nextForwardToken": "f/1", "nextBackwardToken": "b/1"}),
        ),
    ]);
    let variables = [
        ("ENV_CLUSTER", "m"),
        ("AWS_ENDPOINT_URL", services.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ];
    let mut function = RunningFunction::start_program(&crate::parts::program(), &variables);
    let start_up = function.start_up_milliseconds();
    assert!(start_up < START_UP_MILLISECONDS, "{start_up} ms");
    assert_eq!(
        services.operations(),
        Vec::<String>::new(),
        "nobody is asked before there is an event"
    );
    let event = json!({"action": "logs", "task_arn": "arn:aws:ecs:eu-west-3:1:task/m/0a", "limit": 10_000});
    for _ in 0..EVENTS {
        let answer = function.invoke(&event).given();
        assert_eq!(answer["shipway"]["logs"]["events"].as_array().map(Vec::len), Some(5000));
    }
    let peak = function.peak_kilobytes();
    assert!(peak <= FUNCTION_KILOBYTES, "{peak} kB");
}

/// Runs `shipway build` and tells the most memory it held.
fn peak_of_build(project: &Project, arguments: &[&str]) -> u64 {
    let build = ["build", "--scripts", "scripts", "--config", "flyway.toml"];
    peak_kilobytes(project, &[&build, arguments].concat())
}

/// Runs `shipway` and tells the most memory it held.
fn peak_kilobytes(project: &Project, arguments: &[&str]) -> u64 {
    let mut time = project.isolate(Command::new("/usr/bin/time"));
    time.args(["--format", "%M", "--output"])
        .arg(project.path("peak"))
        .arg(program());
    output(time.args(arguments));
    fs::read_to_string(project.path("peak"))
        .expect("time has written")
        .trim()
        .parse()
        .expect("a number of kilobytes")
}
