//! The Docker daemon as a target, when it does what it should and when it does not.

mod fake;

use std::os::unix::fs::PermissionsExt as _;

use fake::{FakeStore, OnLoad};
use serde_json::json;

use crate::support::base::Base;
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;

fn load(host: &str, arguments: &[&str]) -> Outcome {
    let project = TestProject::new().environment("DOCKER_HOST", host);
    Base::flyway()
        .image()
        .write_layout(&project.folder().join("base"), "13");
    let all = [&["--base", "oci:base", "--output", "docker-daemon:a.b/c:1"], arguments].concat();
    let outcome = project.build(&all);
    assert_eq!(project.temporary_files(), Vec::<String>::new());
    outcome
}

/// Catches names that are given before all is there, and a second load of the same.
#[test]
fn loads_and_names_and_then_has_nothing_to_do() {
    let store = FakeStore::docker(OnLoad::Take);
    let first = load(&store.host(), &["--format", "json"]).succeeded().json();
    assert_eq!(
        (&first["status"], &first["loaded"][0]["names"]),
        (&json!("written"), &json!(["a.b/c:1"]))
    );
    let requests = store.requests();
    let at = |request: &str| requests.iter().position(|known| known.ends_with(request));
    assert!(at("POST /v1.41/images/load") < at("/tag"), "{requests:?}");
    // The version that was agreed on is in every address.
    assert!(
        requests[1..].iter().all(|request| request.contains(" /v1.41/")),
        "{requests:?}"
    );
    let second = load(&store.host(), &["--format", "json"]).succeeded().json();
    assert_eq!(second["status"], "unchanged");
    assert_eq!(store.archives().len(), 1);
}

/// Catches layers that are sent although the engine has them, and an engine that needs them all the same.
#[test]
fn leaves_out_what_the_engine_has_unless_it_wants_everything() {
    let base = Base::flyway();
    let config: serde_json::Value = serde_json::from_str(&base.config()).unwrap();
    let layers = config["rootfs"]["diff_ids"].as_array().unwrap().iter();
    let layers: Vec<String> = layers.map(|layer| layer.as_str().unwrap().to_owned()).collect();
    for (on_load, counts) in [(OnLoad::Take, vec![3]), (OnLoad::TakeWhole, vec![3, 3 + layers.len()])] {
        let store = FakeStore::docker(on_load).with_image("other:1", layers.clone());
        load(&store.host(), &[]).succeeded();
        let sent: Vec<usize> = store.archives().iter().map(Vec::len).collect();
        assert_eq!(
            sent,
            counts,
            "manifest.json, the config and the new layer: {:?}",
            store.archives()
        );
    }
}

/// Catches an engine's words that get lost, and statuses that say "try again" of what will fail again.
#[test]
fn what_goes_wrong_is_told_in_the_engines_words() {
    for (on_load, status, words) in [
        (OnLoad::Refuse(500, "disk on fire"), 1, "the daemon says: disk on fire"),
        (OnLoad::Refuse(503, "starting up"), 8, "the daemon says: starting up"),
        (OnLoad::Fail("no space left on device"), 1, "docker system prune"),
        (OnLoad::Cut(1000), 8, "broke"),
        (OnLoad::Lose, 1, "took the image"),
    ] {
        let store = FakeStore::docker(on_load.clone());
        let outcome = load(&store.host(), &[]);
        assert_eq!(outcome.status, Some(status), "{on_load:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(words), "{on_load:?}: {outcome:#?}");
        assert!(
            !store.requests().iter().any(|request| request.ends_with("/tag")),
            "{on_load:?}"
        );
    }
}

/// Catches something else that listens there, and engines of another time.
#[test]
fn only_a_daemon_that_can_be_spoken_with_is_one() {
    for (version, words) in [
        (json!({"ok": true}), "is no Docker daemon"),
        (json!("hello"), "makes no sense"),
        (
            json!({"ApiVersion": "1.24", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"}),
            "it knows 1.39 to 1.24",
        ),
        (
            json!({"ApiVersion": "1.99", "MinAPIVersion": "1.90", "Os": "linux", "Arch": "amd64"}),
            "it knows 1.90 to 1.99",
        ),
    ] {
        let store = FakeStore::start(version.clone(), OnLoad::Take);
        let outcome = load(&store.host(), &[]);
        assert_eq!(outcome.status, Some(1), "{version}: {outcome:#?}");
        assert!(outcome.stderr.contains(words), "{version}: {outcome:#?}");
    }
}

/// Catches a daemon that is out of reach and told as something else.
#[test]
fn a_daemon_that_cannot_be_reached_is_told_before_anything_is_built() {
    for (host, status, words) in [
        ("unix:///no/such/docker.sock", 8, "no such socket"),
        ("tcp://127.0.0.1:1", 8, "cannot be reached"),
        ("ssh://me@there", 2, "ssh -nNT -L"),
        ("there", 2, "it has no scheme"),
    ] {
        let outcome = load(host, &[]);
        assert_eq!(outcome.status, Some(status), "{host}: {outcome:#?}");
        assert!(outcome.stderr.contains(words), "{host}: {outcome:#?}");
        assert!(!outcome.stderr.contains("packed"), "{host}: {outcome:#?}");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    assert_eq!(load(&format!("tcp://{address}"), &[]).status, Some(8));
}

/// Catches a socket of another user that is told as one that is not there.
#[test]
fn a_socket_that_may_not_be_used_has_a_way_out() {
    let store = FakeStore::docker(OnLoad::Take);
    let folder = store.socket().parent().unwrap().to_owned();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(store.socket(), std::fs::Permissions::from_mode(0o000)).unwrap();
    let project = TestProject::new()
        .environment("DOCKER_HOST", &store.host())
        .without_privileges();
    let outcome = project.build(&["--base", "scratch", "--output", "docker-daemon"]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert!(outcome.stderr.contains("usermod -aG docker"), "{outcome:#?}");
}
