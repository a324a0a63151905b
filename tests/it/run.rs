//! `shipway run --docker` against an engine that does what the test says.

use std::time::Duration;

use serde_json::Value;

use crate::support::docker::{FakeDocker, Trouble};
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

/// Catches streams that are mixed, and bytes that are lost or changed.
#[test]
fn output_goes_where_the_program_wrote_it() {
    let docker = || {
        FakeDocker::with_images(&[IMAGE])
            .writes(1, b"one\n")
            .writes(2, b"two\r\n")
            .writes(1, b"no end")
    };
    let text = run(&docker(), &["--quiet"]).succeeded();
    assert_eq!((text.stdout.as_str(), text.stderr.as_str()), ("one\nno end", "two\r\n"));
    let as_json = run(&docker(), &["--quiet", "--format", "json"]).succeeded();
    assert_eq!(as_json.stderr, "one\ntwo\r\nno end\n");
    assert_eq!(json(&as_json)["status"], "succeeded");
}

/// Catches a command that ends when the container has, and not when the engine has handed on its last words.
#[test]
fn the_last_lines_are_waited_for() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .exits(1)
        .writes(1, b"first\n")
        .writes_after(Duration::from_millis(1500), 1, b"last\n");
    assert_eq!(run(&docker, &[]).exited(5).stdout, "first\nlast\n");
}

/// Catches output that is lost, or shown twice, when the connection to it breaks.
#[test]
fn output_goes_on_after_a_broken_connection() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .lives()
        .cuts_output_after(2)
        .writes(1, b"one\n")
        .writes(2, b"error\n")
        .writes(1, b"two\n")
        .writes(1, b"three\n");
    let running = start(&docker, &["--quiet"]);
    docker.until_asked("/logs");
    docker.end_all(0);
    let outcome = running.wait().succeeded();
    assert_eq!(outcome.stdout, "one\ntwo\nthree\n");
    assert_eq!(outcome.stderr, "error\n");
}

/// What Flyway wrote when a script of it failed.
const FLYWAY_OUTPUT: &[u8] = include_bytes!("../../src/execute/report/fixtures/flyway-mariadb-broken.out");
const FLYWAY_ERROR: &[u8] = include_bytes!("../../src/execute/report/fixtures/flyway-mariadb-broken.err");

/// Catches a failure whose script and line one has to look for in the log.
#[test]
fn a_failed_migration_is_named() {
    let docker = || {
        FakeDocker::with_images(&[IMAGE])
            .exits(1)
            .writes(1, FLYWAY_OUTPUT)
            .writes(2, FLYWAY_ERROR)
    };
    let text = run(&docker(), &[]).exited(5);
    assert_eq!(text.stdout.as_bytes(), FLYWAY_OUTPUT);
    let (_, told) = text
        .stderr
        .split_once("exit status 1\n")
        .expect("it is told how it ended");
    insta::assert_snapshot!(told, @"
    flyway applied 1 migration, 1.2 → 1.9
      1.9 fill
    error: orders:1 ran and failed: it exited with 1
      caused by: failed in V2__broken.sql line 5 (SQLSTATE 42S02, error 1146): Table 't_text.nothere' doesn't exist
    ");
    let quiet = run(&docker(), &["--quiet", "--format", "json"]).exited(5);
    let json = json(&quiet);
    insta::assert_snapshot!(json["migrations"], @r#"{"tool":"flyway","toolVersion":"12.4.0","initial":"1.2","target":"1.9","executed":[{"version":"1.9","description":"fill"}],"warnings":[],"error":{"message":"Table 't_text.nothere' doesn't exist","script":"/flyway/sql/V2__broken.sql","line":5,"sqlState":"42S02","errorCode":"1146"}}"#);
    let error = json["error"].as_str().unwrap();
    assert!(error.contains("V2__broken.sql line 5"), "{error}");
    assert!(!quiet.stderr.contains("flyway applied"), "{quiet:#?}");
}

/// Catches a program that is no migration tool and is told as one, and a success that is not one.
#[test]
fn only_what_a_migration_tool_says_is_told() {
    let docker = FakeDocker::with_images(&[IMAGE]).writes(1, b"Migrating everything\nERROR: no\n");
    let outcome = run(&docker, &["--format", "json"]).succeeded();
    assert_eq!(json(&outcome).get("migrations"), None);

    let invalid = include_bytes!("../../src/execute/report/fixtures/flyway-json-validate.out");
    let docker = FakeDocker::with_images(&[IMAGE]).writes(1, invalid);
    let outcome = run(&docker, &[]).succeeded();
    let note = "note: flyway says that it failed (VALIDATE_ERROR): Detected failed migration to version 2 (broken).";
    assert!(outcome.stderr.contains(note), "{outcome:#?}");
}

/// Catches a verdict with another status than is documented.
#[test]
fn each_end_has_its_status() {
    for (docker, exit, status, code) in [
        (FakeDocker::with_images(&[IMAGE]), 0, "succeeded", 0),
        (FakeDocker::with_images(&[IMAGE]).exits(3), 5, "failed", 3),
        (FakeDocker::with_images(&[IMAGE]).exits(127), 5, "failed", 127),
        (
            FakeDocker::with_images(&[IMAGE]).out_of_memory(),
            5,
            "out_of_memory",
            137,
        ),
    ] {
        let outcome = run(&docker, &["--format", "json"]).exited(exit);
        let json = json(&outcome);
        assert_eq!(json["status"], status);
        assert_eq!(json["exitCode"], code);
        assert_eq!(json["schema"], "shipway.run/v1");
        assert!(json["digest"].as_str().unwrap().starts_with("orders@sha256:"), "{json}");
        assert!(json["container"]["name"].as_str().unwrap().starts_with("shipway-"));
        assert_eq!(json.get("error").is_some(), exit != 0);
        docker.assert_nothing_is_left();
    }
}

/// Catches a container that is left behind, or a wrong status, when the engine says no.
#[test]
fn what_never_started_is_told_apart() {
    for (at, status, exit) in [
        ("create", 400, 6),
        ("attach", 500, 6),
        ("start", 400, 6),
        ("start", 404, 6),
        ("create", 503, 8),
    ] {
        let docker = FakeDocker::with_images(&[IMAGE]).trouble(at, Trouble::Refuse(status, "no, since"));
        let outcome = run(&docker, &["--format", "json"]).exited(exit);
        assert!(outcome.stderr.contains("no, since"), "{at}: {outcome:#?}");
        assert_eq!(json(&outcome)["exitCode"], Value::Null, "{at}");
        docker.assert_nothing_is_left();
    }
}

/// Catches a run that is called a failure because of a connection, and one that is waited for without end.
#[test]
fn a_broken_connection_is_made_again() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .exits(4)
        .trouble("wait", Trouble::Cut)
        .trouble("wait", Trouble::Cut);
    let outcome = run(&docker, &["--format", "json"]).exited(5);
    assert_eq!(json(&outcome)["exitCode"], 4);
    assert_eq!(docker.requests("/wait").len(), 3);
    docker.assert_nothing_is_left();
}

/// Catches an end that is guessed.
#[test]
fn an_engine_that_is_lost_leaves_the_end_unknown() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .lives()
        .trouble("wait", Trouble::Vanish);
    let outcome = run(&docker, &["--format", "json"]).exited(7);
    let json = json(&outcome);
    let name = json["container"]["name"].as_str().unwrap();
    assert_eq!(json["status"], "unknown");
    assert_eq!(json["leftBehind"][0], name);
    assert!(outcome.stderr.contains(&format!("docker logs {name}")), "{outcome:#?}");
    // It may be at work on a database.
    assert_eq!(docker.containers(), [name]);
    assert!(docker.requests(name).is_empty(), "{:?}", docker.transcript());
}

/// Catches a start that was done and is called none, because its answer was lost.
#[test]
fn a_start_whose_answer_is_lost_is_looked_up() {
    let docker = FakeDocker::with_images(&[IMAGE]).trouble("start", Trouble::Cut);
    run(&docker, &[]).exited(8);
    docker.assert_nothing_is_left();

    let docker = FakeDocker::with_images(&[IMAGE])
        .exits(2)
        .writes(1, b"it ran\n")
        .trouble("start", Trouble::Mute);
    assert_eq!(run(&docker, &[]).exited(5).stdout, "it ran\n");
    docker.assert_nothing_is_left();
}

/// Catches a container that somebody else removed and that is waited for.
#[test]
fn a_container_that_is_gone_leaves_the_end_unknown() {
    let docker = FakeDocker::with_images(&[IMAGE])
        .lives()
        .trouble("wait", Trouble::Refuse(404, "No such container"));
    let outcome = run(&docker, &[]).exited(7);
    assert!(outcome.stderr.contains("somebody else removed"), "{outcome:#?}");
}

/// Catches a removal that is given up at the first difficulty, and one whose failure nobody is told.
#[test]
fn a_removal_is_tried_again_and_its_failure_is_told() {
    let docker = FakeDocker::with_images(&[IMAGE]).trouble("delete", Trouble::Refuse(409, "in progress"));
    run(&docker, &[]).succeeded();
    docker.assert_nothing_is_left();

    let mut docker = FakeDocker::with_images(&[IMAGE]);
    for _ in 0..20 {
        docker = docker.trouble("delete", Trouble::Refuse(500, "device is busy"));
    }
    let outcome = run(&docker, &["--format", "json"]).succeeded();
    let name = docker.containers().remove(0);
    assert!(
        outcome.stderr.contains(&format!("docker rm --force --volumes {name}")),
        "{outcome:#?}"
    );
    assert_eq!(json(&outcome)["leftBehind"][0], name);
}

#[test]
fn ctrl_c_stops_and_removes() {
    for (signal, exit) in [("INT", 130), ("TERM", 143), ("HUP", 143)] {
        let docker = FakeDocker::with_images(&[IMAGE]).lives();
        let running = start(&docker, &["--stop-timeout", "7", "--format", "json"]);
        docker.until_asked("/wait");
        running.signal(signal);
        let outcome = running.wait().exited(exit);
        assert_eq!(json(&outcome)["status"], "interrupted");
        assert_eq!(json(&outcome)["exitCode"], 143);
        assert_eq!(docker.requests("/stop")[0].query["t"], "7");
        assert!(docker.requests("/kill").is_empty());
        docker.assert_nothing_is_left();
    }
}

/// Catches a second Ctrl-C that waits with the first.
#[test]
fn a_second_ctrl_c_kills() {
    let docker = FakeDocker::with_images(&[IMAGE]).ignores_stop();
    let running = start(&docker, &["--stop-timeout", "86400", "--format", "json"]);
    docker.until_asked("/wait");
    running.signal("INT");
    docker.until_asked("/stop");
    running.signal("INT");
    let outcome = running.wait().exited(130);
    assert_eq!(json(&outcome)["exitCode"], 137);
    docker.assert_nothing_is_left();
}

#[test]
fn ctrl_c_before_the_start_leaves_nothing() {
    let docker = FakeDocker::with_images(&[IMAGE, "db:1"]).answers("SELECT 1", 1, "not yet");
    let running = start(
        &docker,
        &["--database", "mysql", "--database-image", "db:1", "--format", "json"],
    );
    docker.until_asked("/exec");
    running.signal("INT");
    let outcome = running.wait().exited(130);
    assert_eq!(json(&outcome)["exitCode"], Value::Null);
    assert!(!outcome.stderr.contains("note:"), "{outcome:#?}");
    docker.assert_nothing_is_left();
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

const ROW: &str = r#"{"rank": 1, "version": "1", "description": "create orders", "type": "SQL", "script": "V1__create_orders.sql", "checksum": 7, "installed_on": "2026-01-02", "time": 9, "success": 1}"#;

fn rehearsal() -> FakeDocker {
    FakeDocker::with_images(&[IMAGE, "db:1"])
        .answers("SELECT 1", 1, "Can't connect")
        .answers("SELECT 1", 0, "1\n")
        .answers("information_schema", 0, "rehearsal\n")
        .answers("JSON_OBJECT", 0, &format!("{ROW}\n"))
}

const DATABASE: [&str; 4] = ["--database", "mariadb", "--database-image", "db:1"];

/// Catches an image that is started before the database answers, or that is not told where it is.
#[test]
fn a_rehearsal_runs_against_a_database_of_its_own() {
    let docker = rehearsal();
    let outcome = run(
        &docker,
        &[
            &DATABASE[..],
            &["--env", "FLYWAY_URL=jdbc:production", "--format", "json"],
        ]
        .concat(),
    )
    .succeeded();
    let made = docker.requests("/containers/create");
    let (server, image) = (made[0].json(), made[1].json());
    let name = &made[0].query["name"];
    let network = docker.requests("/networks/create")[0].json()["Name"].clone();
    assert_eq!(server["HostConfig"]["NetworkMode"], network);
    assert_eq!(image["HostConfig"]["NetworkMode"], network);
    let variables: Vec<&str> = image["Env"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        variables.contains(&format!("FLYWAY_URL=jdbc:mariadb://{name}:3306/rehearsal").as_str()),
        "{variables:?}"
    );
    assert!(
        !variables.iter().any(|variable| variable.contains("production")),
        "{variables:?}"
    );
    assert!(outcome.stderr.contains("FLYWAY_URL"), "{outcome:#?}");

    let secret = server["Env"].as_array().unwrap().iter().filter_map(Value::as_str);
    let password = secret
        .filter_map(|text| text.strip_prefix("MARIADB_ROOT_PASSWORD="))
        .next()
        .unwrap()
        .to_owned();
    assert!(variables.contains(&format!("FLYWAY_PASSWORD={password}").as_str()));
    assert!(
        !outcome.stdout.contains(&password) && !outcome.stderr.contains(&password),
        "{outcome:#?}"
    );
    let asked = docker.requests("/exec");
    assert!(
        asked
            .iter()
            .all(|asked| !asked.json()["Cmd"].to_string().contains(&password))
    );

    let transcript = docker.transcript();
    let at = |words: &str| transcript.iter().position(|line| line == words).unwrap();
    let last_answer = transcript
        .iter()
        .take(at("POST /containers/NAME/attach"))
        .filter(|line| line.ends_with("/exec"))
        .count();
    assert_eq!(last_answer, 2, "{transcript:#?}");

    let json = json(&outcome);
    assert_eq!(json["history"][0]["version"], "1");
    assert_eq!(json["history"][0]["success"], true);
    assert_eq!(json["database"]["engine"], "mariadb");
    docker.assert_nothing_is_left();
}

#[test]
fn the_history_is_shown_as_a_table() {
    let docker = rehearsal().exits(1);
    let outcome = run(&docker, &DATABASE).exited(5);
    assert!(
        outcome
            .stderr
            .contains("     1  1        create orders  SQL   success   9\n"),
        "{outcome:#?}"
    );
    assert_eq!(outcome.stdout, "");
    docker.assert_nothing_is_left();
}

#[test]
fn a_missing_history_is_said() {
    let docker = FakeDocker::with_images(&[IMAGE, "db:1"])
        .answers("SELECT 1", 0, "1\n")
        .answers("information_schema", 0, "");
    let outcome = run(&docker, &[&DATABASE[..], &["--format", "json"]].concat()).succeeded();
    assert!(
        outcome.stderr.contains("holds no flyway_schema_history"),
        "{outcome:#?}"
    );
    assert_eq!(json(&outcome)["history"], Value::Null);
}

/// Catches an engine without networks that ends a rehearsal, or a database that all the world can reach.
#[test]
fn without_a_network_the_database_is_on_the_loopback_interface() {
    let docker = rehearsal().trouble("create", Trouble::Refuse(500, "no bridge"));
    run(&docker, &DATABASE).succeeded();
    let made = docker.requests("/containers/create");
    let server = made[0].json();
    assert_eq!(server["HostConfig"]["NetworkMode"], "host");
    assert_eq!(server["Cmd"][0], "--bind-address=127.0.0.1");
    let port = server["Cmd"][1]
        .as_str()
        .unwrap()
        .trim_start_matches("--port=")
        .to_owned();
    let image = made[1].json()["Env"].to_string();
    assert!(
        image.contains(&format!("jdbc:mariadb://127.0.0.1:{port}/rehearsal")),
        "{image}"
    );
    docker.assert_nothing_is_left();
}

#[test]
fn a_database_that_does_not_answer_is_told_with_its_last_words() {
    let docker = FakeDocker::with_images(&[IMAGE, "db:1"])
        .writes(2, b"ready for nothing\n")
        .answers("SELECT 1", 1, "Can't connect");
    let running = start(&docker, &[&DATABASE[..], &["--database-timeout", "86400"]].concat());
    docker.until_asked("/exec");
    docker.end_all(1);
    let outcome = running.wait().exited(6);
    assert!(
        outcome.stderr.contains("db:1 ended with 1 before it answered"),
        "{outcome:#?}"
    );
    assert!(outcome.stderr.contains("ready for nothing"), "{outcome:#?}");
    docker.assert_nothing_is_left();

    let docker = FakeDocker::with_images(&[IMAGE, "db:1"]).answers("SELECT 1", 1, "Can't connect");
    let running = start(&docker, &[&DATABASE[..], &["--database-timeout", "1"]].concat());
    docker.until_asked("/logs");
    docker.end_all(0);
    let outcome = running.wait().exited(6);
    assert!(outcome.stderr.contains("does not answer within 1 s"), "{outcome:#?}");
    assert!(outcome.stderr.contains("Can't connect"), "{outcome:#?}");
    docker.assert_nothing_is_left();
}

/// Catches a start that comes before what it needs.
#[test]
fn a_server_is_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let docker = FakeDocker::with_images(&[IMAGE]);
    run(&docker, &["--network", "host", "--wait-for", &address]).succeeded();

    drop(listener);
    let outcome = run(
        &docker,
        &["--network", "host", "--wait-for", &address, "--wait-timeout", "0.3"],
    )
    .exited(6);
    assert!(outcome.stderr.contains(&address), "{outcome:#?}");
    assert_eq!(docker.requests("/start").len(), 1);
    docker.assert_nothing_is_left();
}

#[test]
fn nobody_to_run_it_is_a_failure_for_now() {
    let project = TestProject::empty().environment("DOCKER_HOST", "unix:///nowhere/docker.sock");
    project.run(&["run", "--docker", IMAGE]).exited(8);
    let outcome = project.run(&["run"]).exited(2);
    assert!(outcome.stderr.contains("shipway run --docker IMAGE"), "{outcome:#?}");
}

/// Catches a reader that has enough and takes the migration with it.
#[test]
fn a_closed_pipe_does_not_end_the_run() {
    let mut docker = FakeDocker::with_images(&[IMAGE]);
    for _ in 0..200 {
        docker = docker.writes(1, &[b'x'; 4096]);
    }
    let project = project(&docker);
    let program = env!("CARGO_BIN_EXE_shipway");
    let line = format!("{program} run --docker {IMAGE} --quiet --env A=1; echo $? >&3");
    let mut shell = project.command(&[]);
    let environment: Vec<_> = shell
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
        .collect();
    shell = std::process::Command::new("bash");
    shell
        .args(["-c", &format!("exec 3>status; ({line}) | head -c 1 >/dev/null")])
        .current_dir(project.folder())
        .env_clear();
    for (name, value) in environment {
        shell.env(name, value.unwrap_or_default());
    }
    assert!(shell.status().unwrap().success());
    let status = std::fs::read_to_string(project.folder().join("status")).unwrap();
    assert_eq!(status.trim(), "0");
    docker.assert_nothing_is_left();
}
