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

/// What a registry may have sent of a layer before it notices that nobody listens any more: the buffers of both ends.
const READ_AHEAD_BYTES: u64 = 24 << 20;

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
fn push_base(folder: &Path, config: &Value, name: &str) -> Vec<String> {
    let layers = [
        (&["etc", "usr", "usr/lib"][..], "usr/lib/system"),
        (&["opt", "opt/java"][..], "opt/java/modules"),
        (
            &[
                "flyway",
                "flyway/conf",
                "flyway/drivers",
                "flyway/jars",
                "flyway/sql",
                "flyway/lib",
            ][..],
            "flyway/lib/flyway.jar",
        ),
    ];
    let layers = layers
        .iter()
        .map(|(folders, file)| large_layer(folders, file, LAYER_BYTES));
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
fn reads<'a>(requests: &'a [Request], layer: &str) -> (Vec<&'a Request>, u64) {
    let is_read = |request: &&Request| request.method == "GET" && request.path.contains(layer);
    let reads: Vec<_> = requests.iter().filter(is_read).collect();
    let sent_bytes = reads.iter().map(|request| request.sent_bytes).sum();
    (reads, sent_bytes)
}

/// Catches a build that needs what such a job has not, and one that looks into a base whose layout is known.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn a_base_of_flyway_is_not_read() {
    let registry = Registry::plain();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = json!({ "Entrypoint": ["/flyway/flyway"], "WorkingDir": "/flyway", "Cmd": ["-?"] });
    let layers = push_base(folder.path(), &config, "flyway/flyway:large");
    let job = Job::start("flyway/flyway:large");
    assert_eq!(job.run("touch /file 2>/dev/null || echo refused").trim(), "refused");

    let traffic = Traffic::from_now_on();
    // There is no home either.
    let name = format!("{}/unprivileged/known:1", registry.address);
    let manifest = job.build("HOME=", &name);
    let requests = traffic.of("flyway/flyway");
    assert!(!requests.is_empty(), "the log tells nothing");
    for layer in &layers {
        let (reads, _) = reads(&requests, layer);
        assert!(reads.is_empty(), "{reads:?}");
    }
    assert_eq!(digests(&manifest)[..layers.len()], layers);
    assert!(digests(&manifest).len() > layers.len());
}

/// Catches a build that unpacks the base, or reads more of it than the headers that answer, or reads them every time.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn of_an_unknown_base_the_headers_are_read_once() {
    let registry = Registry::plain();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = json!({ "Entrypoint": ["/opt/java/bin/java"], "WorkingDir": "/opt" });
    let layers = push_base(folder.path(), &config, "unprivileged/tools:large");
    let job = Job::start(&format!("{}/unprivileged/tools:large", registry.address));
    let cache = "XDG_CACHE_HOME=/tmp/cache";

    let traffic = Traffic::from_now_on();
    let first = job.build(cache, &format!("{}/unprivileged/first:1", registry.address));
    let requests = traffic.of("unprivileged/tools");
    let (uppermost, below) = layers.split_last().expect("the base has layers");
    for layer in below {
        let (reads, _) = reads(&requests, layer);
        assert!(reads.is_empty(), "{reads:?}");
    }
    let (begun, sent_bytes) = reads(&requests, uppermost);
    assert_eq!(begun.len(), 1, "{requests:?}");
    assert!(sent_bytes <= READ_AHEAD_BYTES, "{sent_bytes} bytes of {uppermost}");

    let traffic = Traffic::from_now_on();
    let second = job.build(cache, &format!("{}/unprivileged/second:1", registry.address));
    let requests = traffic.of("unprivileged/tools");
    for layer in &layers {
        let (reads, _) = reads(&requests, layer);
        assert!(reads.is_empty(), "{reads:?}");
    }
    assert_eq!(digests(&first)[..layers.len()], layers);
    assert_eq!(digests(&first), digests(&second));
}
