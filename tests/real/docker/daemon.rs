//! Images that go into the engine's store and come out of it, and those the engine builds for shipway.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shipway::daemon::{BuildRequest, Connection, Daemon, DaemonError, Surroundings};
use shipway::dockerfile::{FileTree, Problem};
use shipway::oci::Attributes;
use shipway::progress::{Event, Progress};
use shipway::recipe::{Entry, FileContent, ImagePath};

use super::assert_ran;
use crate::parts::{Registry, base_layout, docker, output, setting};
use crate::project::Project;
use crate::traffic::Traffic;
use crate::view::View;

const REASON: &str = "the program prints JSON";

/// A command that knows the engine of the tests.
fn with_engine(mut command: Command) -> Command {
    command.env("DOCKER_HOST", setting("SHIPWAY_TEST_DOCKER"));
    command
}

fn json_of(command: &mut Command) -> Value {
    serde_json::from_str(&output(command)).expect(REASON)
}

/// The manifest an image has in a registry.
fn manifest(image: &str) -> Value {
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["inspect", "--raw", "--tls-verify=false"]);
    json_of(skopeo.arg(format!("docker://{image}")))
}

fn digests_of_layers(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().expect("a manifest has layers");
    let digest = |layer: &Value| layer["digest"].as_str().expect("a layer has a digest").to_owned();
    layers.iter().map(digest).collect()
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn loads_an_image_that_runs_and_loads_it_once() {
    let project = Project::new();
    let build = |name: &str| {
        let mut build = with_engine(project.build(&base_layout()));
        build.args(["--output", "docker-daemon", "--format", "json", "-t", name]);
        json_of(&mut build)
    };
    let name = "registry.example.com/daemon/orders:1";
    let first = build(name);
    assert_eq!(first["status"], "written", "{first}");
    assert_eq!(first["loaded"][0]["names"], json!([name]));
    // Docker 20.10 calls an image by the digest of its config.
    assert_eq!(first["loaded"][0]["id"], first["platforms"][0]["config"]);
    View::of_docker(name, &project.docker_configuration()).assert_is_of_project();
    let run = ["run", "--rm", "--network", "none", name];
    assert_ran(&output(docker(&project.docker_configuration()).args(run)));

    assert_eq!(build(name)["status"], "unchanged");
    // Another name is something new.
    assert_eq!(build("registry.example.com/daemon/orders:2")["status"], "written");
    // A name that moved away comes back.
    let other = [
        "tag",
        "registry.example.com/daemon/orders:2",
        "registry.example.com/daemon/other:1",
    ];
    output(docker(&project.docker_configuration()).args(other));
    output(docker(&project.docker_configuration()).args(["rmi", name]));
    assert_eq!(build(name)["status"], "written");
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn sends_no_layer_the_engine_has() {
    let registry = Registry::plain();
    let project = Project::new();
    let base = "registry.example.com/daemon/base:1";
    output(with_engine(project.shipway()).args(["copy", &base_layout(), &format!("docker-daemon:{base}")]));
    let mut build = with_engine(project.build(&base_layout()));
    build.args([
        "--output",
        "docker-daemon:registry.example.com/daemon/on-base:1",
        "--verbose",
    ]);
    let done = build.output().expect("shipway starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let layers = digests_of_layers(&manifest(&registry.base()));
    for digest in layers {
        let short = &digest["sha256:".len()..][..12];
        assert!(said.contains(&format!("already there: {short} ")), "{short}: {said}");
        assert!(!said.contains(&format!("sent {short} ")), "{short}: {said}");
    }
    let name = "registry.example.com/daemon/on-base:1";
    View::of_docker(name, &project.docker_configuration()).assert_is_of_project();
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn builds_on_an_image_of_the_engine_whose_layers_stay_where_they_are() {
    let registry = Registry::plain();
    let project = Project::new();
    for family in ["13", "13-docker"] {
        let base = format!("{}/flyway/flyway:{family}", registry.address);
        output(docker(&project.docker_configuration()).args(["pull", "--quiet", &base]));
        let repository = format!("daemon/from-{family}");
        let name = format!("{}/{repository}:1", registry.address);
        let traffic = Traffic::from_now_on();
        let mut build = with_engine(project.build(&format!("docker-daemon:{base}")));
        output(build.args(["--push", "-t", &name]));
        let of_base = digests_of_layers(&manifest(&base));
        let ours = manifest(&name);
        assert_eq!(digests_of_layers(&ours)[..of_base.len()], of_base, "{family}");
        // Strict readers refuse a manifest of two families.
        let is_docker = ours["mediaType"].as_str().is_some_and(|name| name.contains("docker"));
        assert_eq!(is_docker, family.ends_with("docker"), "{ours}");
        for digest in &of_base {
            let writes = traffic.writes_to(&repository);
            let sent = writes
                .iter()
                .any(|request| request.method == "PUT" && request.path.contains(&digest[7..]));
            assert!(!sent, "{digest} was sent: {writes:?}");
        }
    }
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn pushes_what_docker_saved_without_the_layers_of_its_base() {
    let registry = Registry::plain();
    let project = Project::new();
    let base = format!("{}/flyway/flyway:13", registry.address);
    let built = format!("{}/daemon/built:1", registry.address);
    output(project.build(&base).args(["--push", "-t", &built]));
    output(docker(&project.docker_configuration()).args(["pull", "--quiet", &built]));
    let save = ["save", "--output"];
    let file = project.path("saved.tar");
    output(
        docker(&project.docker_configuration())
            .args(save)
            .arg(&file)
            .arg(&built),
    );

    let to = format!("{}/daemon/saved:1", registry.address);
    let push = [
        "push",
        "docker-archive:saved.tar",
        &to,
        "--base",
        &base,
        "--format",
        "json",
    ];
    let traffic = Traffic::from_now_on();
    assert_eq!(json_of(project.shipway().args(push))["status"], "pushed");
    let of_base = digests_of_layers(&manifest(&base));
    assert_eq!(digests_of_layers(&manifest(&to))[..of_base.len()], of_base);
    let writes = traffic.writes_to("daemon/saved");
    let puts = writes.iter().filter(|request| request.method == "PUT");
    // Our own layer, the config, and the manifest.
    assert_eq!(puts.count(), 3, "{writes:?}");
    assert_eq!(json_of(project.shipway().args(push))["status"], "unchanged");
}

/// A folder as a build context.
#[derive(Debug)]
struct Folder(PathBuf);

impl FileTree for Folder {
    fn get(&self, path: &ImagePath) -> Result<Option<Entry>, Problem> {
        let real = self.0.join(path.relative());
        let Ok(metadata) = real.metadata() else { return Ok(None) };
        let content = match metadata.is_dir() {
            true => FileContent::Directory,
            false => FileContent::Local {
                path: real,
                size: metadata.len(),
                modified: None,
                executable: false,
            },
        };
        Ok(Some(Entry::new(path.clone(), content, Attributes::of_root(0o644))))
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<Entry>, Problem> {
        let entries = fs::read_dir(self.0.join(path.relative())).expect("a folder can be listed");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("it has a name").file_name()).collect();
        names.sort();
        let below = names
            .iter()
            .map(|name| path.join(name.to_str().expect("UTF-8")).expect("a path"));
        below.filter_map(|path| self.get(&path).transpose()).collect()
    }
}

/// Keeps the log of a build.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn on(&self, event: &Event<'_>) {
        if let Event::BuildLog(line) = event {
            self.0.lock().expect("nobody panicked").push((*line).to_owned());
        }
    }
}

/// Builds in the engine; returns what it says, and the log.
fn build(project: &Project, dockerfile: &str, target: Option<&str>) -> (Result<String, DaemonError>, Vec<String>) {
    let around = Surroundings {
        host: Some(setting("SHIPWAY_TEST_DOCKER")),
        ..Surroundings::default()
    };
    fs::write(project.path("scripts/Dockerfile"), dockerfile).expect("a file can be written");
    let request = BuildRequest {
        context: Arc::new(Folder(project.path("scripts"))),
        dockerfile: dockerfile.as_bytes().to_vec().into(),
        dockerfile_path: Some("/Dockerfile".parse().expect("a path")),
        target: target.map(str::to_owned),
        arguments: BTreeMap::from([("WORD".to_owned(), "it's \"said\" & done".to_owned())]),
        labels: BTreeMap::from([("org.example.label".to_owned(), "ü=1".to_owned())]),
        platform: None,
        // The engine of the tests has no bridge.
        network: Some("host".to_owned()),
    };
    let heard = Arc::new(Heard::default());
    let progress: Arc<dyn Progress> = Arc::clone(&heard) as Arc<dyn Progress>;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let built = runtime.block_on(async {
        let connection = Connection::find(&around).expect("the engine is there");
        let daemon = Daemon::connect(&connection).await.expect("it answers");
        daemon.build(&request, &progress).await
    });
    let lines = heard.0.lock().expect("nobody panicked").clone();
    (built, lines)
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn pushes_what_the_engine_built_and_not_the_layers_of_its_base() {
    let registry = Registry::plain();
    let project = Project::new();
    let base = format!("{}/flyway/flyway:13", registry.address);
    let dockerfile = format!(
        "FROM {base} AS made\nARG WORD\nRUN echo \"$WORD\" > /said && echo loud\nCOPY V1__create_customers.sql /flyway/sql/\n\
         FROM made AS broken\nRUN echo before >&2; exit 7\n"
    );
    let (built, log) = build(&project, &dockerfile, Some("made"));
    let id = built.expect("it can be built");
    assert!(log.iter().any(|line| line.ends_with(" loud")), "{log:?}");
    assert!(
        !log.iter().any(|line| line.contains("before")),
        "a stage nobody wants: {log:?}"
    );
    let said = output(docker(&project.docker_configuration()).args([
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "cat",
        &id,
        "/said",
    ]));
    assert_eq!(said, "it's \"said\" & done\n");
    let labels = [
        "image",
        "inspect",
        "--format",
        "{{index .Config.Labels \"org.example.label\"}}",
        &id,
    ];
    assert_eq!(output(docker(&project.docker_configuration()).args(labels)), "ü=1\n");

    let to = format!("{}/daemon/engine:1", registry.address);
    let from = format!("docker-daemon:{id}");
    let push = || {
        let mut push = with_engine(project.shipway());
        json_of(push.args(["push", &from, &to, "--base", &base, "--format", "json"]))
    };
    let traffic = Traffic::from_now_on();
    let first = push();
    assert_eq!(first["status"], "pushed", "{first}");
    let of_base = digests_of_layers(&manifest(&base));
    let layers = digests_of_layers(&manifest(&to));
    assert_eq!(layers[..of_base.len()], of_base);
    let writes = traffic.writes_to("daemon/engine");
    let puts = writes.iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, layers.len() - of_base.len() + 2, "{writes:?}");

    let traffic = Traffic::from_now_on();
    let second = push();
    assert_eq!(
        (&second["status"], &second["digest"]),
        (&json!("unchanged"), &first["digest"])
    );
    assert_eq!(traffic.writes_to("daemon/engine").len(), 0);
}

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn a_build_that_fails_says_what_the_engine_says() {
    let registry = Registry::plain();
    let project = Project::new();
    let base = format!("{}/flyway/flyway:13", registry.address);
    let (failed, log) = build(&project, &format!("FROM {base}\nRUN echo before; exit 7\n"), None);
    let error = failed.expect_err("exit 7");
    assert!(error.to_string().contains("exit code: 7"), "{error}");
    assert!(log.iter().any(|line| line.ends_with(" before")), "{log:?}");
    let (failed, _) = build(&project, &format!("FROM {base}\nCOPYY a b\n"), None);
    let error = failed.expect_err("no such instruction");
    assert!(
        error.to_string().to_lowercase().contains("unknown instruction: copyy"),
        "{error}"
    );
}
