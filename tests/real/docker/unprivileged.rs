//! The article's Dockerfile on a base of 400 MB, by a job that may do nothing: not root, no capabilities, a file system that cannot be
//! written, and 16 MB of memory to write to.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::job_image::{JOB_IMAGE, article, job_image};
use crate::layout::{large_layer, write_image_of};
use crate::parts::{Registry, docker, output};
use crate::traffic::{Request, Traffic};

/// A third of the base.
const LAYER_BYTES: u64 = 134 << 20;

/// What packing adds to a layer, and more.
const PACKING_BYTES: u64 = 1 << 20;

/// A container that waits, so that both builds see the same cache.
struct Job {
    folder: TempDir,
    container: String,
}

impl Job {
    /// A job on a project in the form of the article, whose base is this one.
    fn start(base: &str) -> Self {
        let registry = Registry::plain();
        job_image();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        article(&folder.path().join("project"), base, &registry);
        let volume = format!("{}:/workspace:ro", folder.path().join("project").display());
        let mut run = docker(&folder.path().join("docker"));
        run.args([
            "run",
            "--detach",
            "--read-only",
            "--user",
            "65534:65534",
            "--cap-drop",
            "ALL",
        ]);
        run.args(["--security-opt", "no-new-privileges", "--tmpfs", "/tmp:size=16m"]);
        run.args(["--network", "host", "--volume", &volume, "--entrypoint", "/bin/busybox"]);
        let container = output(run.args([JOB_IMAGE, "sleep", "600"])).trim().to_owned();
        Self { folder, container }
    }

    /// Runs a line in the container's shell.
    fn run(&self, line: &str) -> String {
        output(docker(&self.folder.path().join("docker")).args(["exec", &self.container, "sh", "-c", line]))
    }

    /// Builds and pushes with what the image brings, and returns the image's manifest.
    fn build(&self, settings: &str, name: &str) -> Value {
        let pushed = self.run(&format!(
            "{settings} shipway build --context /workspace --dockerfile /workspace/db-migrations/Dockerfile --destination {name}"
        ));
        let raw = output(
            std::process::Command::new("skopeo")
                .args(["inspect", "--raw", "--tls-verify=false"])
                .arg(format!("docker://{}", pushed.trim())),
        );
        serde_json::from_str(&raw).expect("a manifest is JSON")
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let mut remove = docker(&self.folder.path().join("docker"));
        let _ = remove.args(["rm", "--force", &self.container]).output();
    }
}

/// A base of three layers, each with a large file at its end. The uppermost begins with Flyway's folders, as Flyway's own does.
const LAYERS: [(&[&str], &str); 3] = [
    (&["etc/", "usr/", "usr/lib/"], "usr/lib/system"),
    (&["opt/", "opt/java/"], "opt/java/modules"),
    (
        &[
            "flyway/",
            "flyway/conf/",
            "flyway/drivers/",
            "flyway/jars/",
            "flyway/sql/",
            "flyway/lib/",
        ],
        "flyway/lib/flyway.jar",
    ),
];

/// Puts a base into the plain registry and returns the digests of its layers.
fn push_base(folder: &Path, config: &Value, name: &str, layers: &[(&[&str], &str)], layer_bytes: u64) -> Vec<String> {
    let layers = layers
        .iter()
        .map(|(entries, file)| large_layer(entries, file, layer_bytes));
    write_image_of(folder, config, layers);
    let registry = Registry::plain();
    registry.copy_in(
        &format!("oci:{}:1", folder.display()),
        &format!("{}/{name}", registry.address),
    );
    let raw = output(
        std::process::Command::new("skopeo")
            .args(["inspect", "--raw", "--tls-verify=false"])
            .arg(format!("docker://{}/{name}", registry.address)),
    );
    digests(&serde_json::from_str(&raw).expect("a manifest is JSON"))
}

fn digests(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().expect("a manifest has layers");
    let digests = layers.iter().filter_map(|layer| layer["digest"].as_str());
    digests.map(ToOwned::to_owned).collect()
}

/// The reads of a layer, and how much was sent in all.
fn reads(requests: &[Request], layer: &str) -> (usize, u64) {
    let is_read = |request: &&Request| request.method == "GET" && request.path.contains(layer);
    let reads: Vec<_> = requests.iter().filter(is_read).collect();
    (reads.len(), reads.iter().map(|request| request.sent_bytes).sum())
}

/// Catches a build that needs what such a job has not, and one that looks into a base whose folders are known.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn a_base_of_flyway_is_not_read() {
    let registry = Registry::plain();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = json!({ "Entrypoint": ["/flyway/flyway"], "WorkingDir": "/flyway", "Cmd": ["-?"] });
    let layers = push_base(folder.path(), &config, "flyway/flyway:large", &LAYERS, LAYER_BYTES);
    let job = Job::start(&format!("{}/flyway/flyway:large", registry.address));
    assert_eq!(job.run("touch /file 2>/dev/null || echo refused").trim(), "refused");

    let traffic = Traffic::from_now_on();
    // There is no home either.
    let name = format!("{}/unprivileged/known:1", registry.address);
    let manifest = job.build("HOME=", &name);
    let requests = traffic.of("flyway/flyway");
    assert!(!requests.is_empty(), "the log tells nothing");
    for layer in &layers {
        assert_eq!(reads(&requests, layer), (0, 0), "{requests:?}");
    }
    assert_eq!(digests(&manifest)[..layers.len()], layers);
    assert!(digests(&manifest).len() > layers.len());
}

/// Catches a build that keeps the base somewhere, or reads a layer twice, or forgets what it has read.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn an_unknown_base_is_read_once() {
    let registry = Registry::plain();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = json!({ "Entrypoint": ["/opt/java/bin/java"], "WorkingDir": "/opt" });
    let layers = push_base(folder.path(), &config, "unprivileged/tools:large", &LAYERS, LAYER_BYTES);
    let job = Job::start(&format!("{}/unprivileged/tools:large", registry.address));
    let cache = "XDG_CACHE_HOME=/tmp/cache";

    let traffic = Traffic::from_now_on();
    let first = job.build(cache, &format!("{}/unprivileged/first:1", registry.address));
    let requests = traffic.of("unprivileged/tools");
    for layer in &layers {
        let (count, sent_bytes) = reads(&requests, layer);
        assert!(count <= 1 && sent_bytes <= LAYER_BYTES + PACKING_BYTES, "{requests:?}");
    }

    let traffic = Traffic::from_now_on();
    let second = job.build(cache, &format!("{}/unprivileged/second:1", registry.address));
    let requests = traffic.of("unprivileged/tools");
    for layer in &layers {
        assert_eq!(reads(&requests, layer), (0, 0), "{requests:?}");
    }
    assert_eq!(digests(&first)[..layers.len()], layers);
    assert_eq!(digests(&first), digests(&second));
}

/// Catches a build that goes on to read where the answer is known: nothing below an opaque folder is seen.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn no_more_layers_are_read_than_answer() {
    let registry = Registry::plain();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = json!({ "Entrypoint": ["/opt/java/bin/java"], "WorkingDir": "/opt" });
    let mut layers = LAYERS;
    layers[2].0 = &["flyway/", "flyway/.wh..wh..opq", "flyway/conf/", "flyway/sql/"];
    let layers = push_base(folder.path(), &config, "unprivileged/opaque:1", &layers, 1 << 20);
    let job = Job::start(&format!("{}/unprivileged/opaque:1", registry.address));

    let traffic = Traffic::from_now_on();
    job.build("", &format!("{}/unprivileged/opaque-built:1", registry.address));
    let requests = traffic.of("unprivileged/opaque");
    let counts: Vec<_> = layers.iter().map(|layer| reads(&requests, layer).0).collect();
    assert_eq!(counts, [0, 0, 1], "{requests:?}");
}
