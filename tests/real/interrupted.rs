//! A registry that dies in the middle of a push and comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::parts::Registry;
use crate::project::{Project, write_large_script};

/// Large enough that its upload is still going on when the registry is killed.
const SCRIPT_BYTES: u64 = 256 << 20;

/// How much of the upload the registry must have seen before it is killed.
const UPLOAD_BYTES: u64 = 4 << 20;

/// What a part of the test may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs docker-registry, skopeo and umoci: ci/test.sh"]
fn a_registry_killed_and_restarted_does_not_fail_the_push() {
    let project = Project::new();
    write_large_script(&project.path("scripts/V9__readings.sql"), SCRIPT_BYTES);
    let storage = project.path("storage");
    let mut server = Server::start(&storage, "127.0.0.1:0");
    let registry = Registry {
        address: server.address.clone(),
        access: None,
    };

    let mut build = project.build("scratch");
    build.args([
        "--push",
        "-t",
        &format!("{}/orders:1", registry.address),
        "--retry-delay",
        "0.2",
    ]);
    let mut push = build
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("shipway starts");

    let uploads = storage.join("docker/registry/v2/repositories/orders/_uploads");
    wait_until("an upload has begun", || {
        largest_upload(&uploads) > UPLOAD_BYTES || has_ended(&mut push)
    });
    server.kill();
    if has_ended(&mut push) {
        let done = push.wait_with_output().expect("shipway ends");
        panic!(
            "the push was over before the registry was killed: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    // Long enough for the client to meet a closed port.
    std::thread::sleep(Duration::from_millis(300));
    let _server = Server::start(&storage, &registry.address);

    let done = push.wait_with_output().expect("shipway ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let pushed = String::from_utf8(done.stdout).expect("shipway prints UTF-8");
    registry.copy_out(
        pushed.trim_end(),
        &format!("oci:{}:1", project.path("copied").display()),
    );
}

fn has_ended(process: &mut Child) -> bool {
    process.try_wait().expect("a child can be asked").is_some()
}

fn largest_upload(uploads: &Path) -> u64 {
    let sessions = fs::read_dir(uploads).into_iter().flatten().flatten();
    sessions
        .filter_map(|session| fs::metadata(session.path().join("data")).ok())
        .map(|data| data.len())
        .max()
        .unwrap_or(0)
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A `docker-registry` of the test's own, killed when it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts on an address; port 0 is any free one.
    fn start(storage: &Path, address: &str) -> Self {
        fs::create_dir_all(storage).expect("a folder can be made");
        let settings = format!(
            "version: 0.1\nlog: {{ level: info }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\nhttp: {{ addr: \"{address}\", secret: test }}\n",
            storage.display()
        );
        let file = storage.with_extension("yml");
        fs::write(&file, settings).expect("settings can be written");
        let log: PathBuf = storage.with_extension("log");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).expect("a log can be written"))
            .spawn()
            .expect("docker-registry starts");
        let listening = || {
            fs::read_to_string(&log)
                .ok()?
                .split("listening on ")
                .nth(1)?
                .split('"')
                .next()
                .map(str::to_owned)
        };
        wait_until("docker-registry listens", || listening().is_some());
        Self {
            process,
            address: listening().expect("it was there a moment ago"),
        }
    }

    /// As `kill -9`: no connection is closed in order, nothing is finished.
    fn kill(&mut self) {
        self.process.kill().expect("a process of our own can be killed");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already dead is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
