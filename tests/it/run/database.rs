//! A rehearsal, with a database of its own.

use serde_json::Value;

use super::{IMAGE, json, run, start};
use crate::support::docker::{FakeDocker, Trouble};
use crate::support::project::TestProject;

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
