//! `shipway run --docker` against an engine that does what the test says.

mod database;
mod ends;
mod output;

use serde_json::Value;

use crate::support::docker::FakeDocker;
use crate::support::outcome::{Outcome, Running};
use crate::support::project::TestProject;

const IMAGE: &str = "orders:1";

/// What must appear nowhere.
const CANARY: &str = "c4n4ry-5ecret";

fn project(docker: &FakeDocker) -> TestProject {
    TestProject::empty().environment("DOCKER_HOST", &docker.host())
}

fn run(docker: &FakeDocker, flags: &[&str]) -> Outcome {
    project(docker).run(&[&["run", "--docker", IMAGE], flags].concat())
}

fn start(docker: &FakeDocker, flags: &[&str]) -> Running {
    let arguments = [&["run", "--docker", IMAGE], flags].concat();
    Running::start(&mut project(docker).command(&arguments), "")
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:#?}"))
}

/// Catches a request that is not needed, and an attach that comes after the start.
#[test]
fn it_asks_for_what_it_needs_in_order() {
    let docker = FakeDocker::with_images(&[IMAGE]);
    run(&docker, &[]).succeeded();
    let asked = docker.transcript().join("\n");
    insta::assert_snapshot!(asked, @"
    GET /version
    GET /images/orders:1/json
    POST /containers/create
    GET /containers/NAME/json
    GET /images/sha256:00000000000000000000000000000000000000000000000000000000000000aa/json
    POST /containers/NAME/attach
    POST /containers/NAME/start
    POST /containers/NAME/wait
    GET /containers/NAME/json
    DELETE /containers/NAME
    ");
    docker.assert_nothing_is_left();
}

/// Catches a flag that does not arrive.
#[test]
fn the_container_is_made_as_it_was_asked_for() {
    let docker = FakeDocker::with_images(&[IMAGE]);
    let project = project(&docker).file("env", "A=file\nB=\"quoted\"\n");
    project
        .run(&[
            "run",
            "--docker",
            IMAGE,
            "--env-file",
            "env",
            "--env",
            "A=flag",
            "--network",
            "shop",
            "--volume",
            "./drivers:/drivers:ro",
            "--volume",
            "data:/data",
            "--user",
            "7:8",
            "--workdir",
            "/w",
            "--entrypoint",
            "[\"/bin/sh\", \"-c\"]",
            "--memory",
            "64m",
            "--",
            "info",
            "-x",
        ])
        .succeeded();
    let made = docker.requests("/create").remove(0);
    assert!(made.query["name"].starts_with("shipway-"), "{made:?}");
    let body = made.json();
    assert_eq!(body["Env"], serde_json::json!(["A=flag", "B=\"quoted\""]));
    assert_eq!(body["Cmd"], serde_json::json!(["info", "-x"]));
    assert_eq!(body["Entrypoint"], serde_json::json!(["/bin/sh", "-c"]));
    assert_eq!(body["User"], "7:8");
    assert_eq!(body["WorkingDir"], "/w");
    assert_eq!(body["Tty"], false);
    assert_eq!(body["Labels"]["io.shipway.run"], made.query["name"].as_str());
    let host = &body["HostConfig"];
    assert_eq!(host["NetworkMode"], "shop");
    assert_eq!(host["Memory"], 64 << 20);
    assert_eq!(host["MemorySwap"], 64 << 20);
    let drivers = project.folder().join("drivers");
    assert_eq!(host["Mounts"][0]["Type"], "bind");
    assert_eq!(host["Mounts"][0]["Source"], drivers.to_str().unwrap());
    assert_eq!(host["Mounts"][0]["ReadOnly"], true);
    assert_eq!(host["Mounts"][1]["Type"], "volume");
    assert_eq!(host["Mounts"][1]["Source"], "data");
}

/// Catches arguments of the image that are replaced by none.
#[test]
fn the_images_own_arguments_stay() {
    let docker = FakeDocker::with_images(&[IMAGE]);
    run(&docker, &[]).succeeded();
    let body = docker.requests("/create").remove(0).json();
    assert_eq!((&body["Cmd"], &body["Entrypoint"]), (&Value::Null, &Value::Null));
}

/// Catches a pull that is not asked for, and one that is left out.
#[test]
fn an_image_is_pulled_when_it_should_be() {
    let name = "registry.example.com/orders:1.4";
    let there = || FakeDocker::with_images(&[name]).pullable(name);
    let away = || FakeDocker::with_images(&[]).pullable(name);
    for (docker, policy, exit, pulls) in [
        (there(), "missing", 0, 0),
        (away(), "missing", 0, 1),
        (there(), "always", 0, 1),
        (there(), "never", 0, 0),
        (away(), "never", 6, 0),
    ] {
        let outcome = project(&docker).run(&["run", "--docker", name, "--pull", policy]);
        assert_eq!(outcome.status, Some(exit), "{policy}: {outcome:#?}");
        assert_eq!(docker.requests("/images/create").len(), pulls, "{policy}");
    }
}

/// Catches a pull of all tags, a login that does not arrive or that the engine cannot read, and one that is shown.
#[test]
fn a_pull_is_made_with_our_login() {
    use base64::Engine as _;
    let name = "registry.example.com/orders:1.4";
    let docker = FakeDocker::with_images(&[]).pullable(name);
    // In Base64 the end of it has the two characters that differ between its alphabets.
    let password = format!("{CANARY}???>>>~~~");
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("ada:{password}"));
    let config = format!(r#"{{"auths": {{"registry.example.com": {{"auth": "{auth}"}}}}}}"#);
    let project = project(&docker).docker_config(&config);
    let outcome = project.run(&["run", "--docker", name, "--verbose"]).succeeded();
    let pull = docker.requests("/images/create").remove(0);
    assert_eq!(pull.query["fromImage"], "registry.example.com/orders");
    assert_eq!(pull.query["tag"], "1.4");
    let sent = base64::engine::general_purpose::URL_SAFE.decode(&pull.headers["x-registry-auth"]);
    let login: Value = serde_json::from_slice(&sent.unwrap()).unwrap();
    assert_eq!(
        (&login["username"], &login["password"]),
        (&"ada".into(), &password.into())
    );
    assert_eq!(login["serveraddress"], "registry.example.com");
    assert!(!outcome.stderr.contains(CANARY), "{outcome:#?}");
}

#[test]
fn an_image_that_cannot_be_pulled_is_named() {
    let docker = FakeDocker::with_images(&[]);
    let outcome = project(&docker)
        .run(&["run", "--docker", "registry.example.com/gone:1"])
        .exited(6);
    assert!(
        outcome.stderr.contains("cannot pull registry.example.com/gone:1"),
        "{outcome:#?}"
    );
    assert!(
        outcome.stderr.contains("docker login registry.example.com"),
        "{outcome:#?}"
    );

    let docker = FakeDocker::with_images(&[IMAGE]);
    let outcome = run(&docker, &["--database", "postgres"]).exited(6);
    for words in ["postgres:17", "--database-image", "[run.databases]"] {
        assert!(outcome.stderr.contains(words), "{words}: {outcome:#?}");
    }
    assert!(docker.requests("/containers/create").is_empty());
}

/// Catches a value that is shown: in our output, in our arguments, or in an address.
#[test]
fn values_of_variables_stay_secret() {
    let docker = FakeDocker::with_images(&[IMAGE]).lives();
    let project = project(&docker)
        .file("env", format!("FILE={CANARY}\n"))
        .environment("HERE", CANARY);
    let arguments = [
        "run",
        "--docker",
        IMAGE,
        "--env",
        "HERE",
        "--env-file",
        "env",
        "--verbose",
        "--format",
        "json",
    ];
    let running = Running::start(&mut project.command(&arguments), "");
    docker.until_asked("/wait");
    docker.end_all(1);
    let outcome = running.wait().exited(5);
    assert!(
        !outcome.stdout.contains(CANARY) && !outcome.stderr.contains(CANARY),
        "{outcome:#?}"
    );
    let made = docker.requests("/containers/create").remove(0).json();
    assert_eq!(made["Env"][0], format!("FILE={CANARY}"));
    assert_eq!(made["Env"][1], format!("HERE={CANARY}"));
    let everything = format!(
        "{:?}",
        docker
            .requests("")
            .iter()
            .map(|asked| (&asked.path, &asked.query))
            .collect::<Vec<_>>()
    );
    assert!(!everything.contains(CANARY));

    project.write("bad", format!("export A={CANARY}\n"));
    let outcome = project.run(&["run", "--docker", IMAGE, "--env-file", "bad"]).exited(2);
    assert!(!outcome.stderr.contains(CANARY), "{outcome:#?}");
}
