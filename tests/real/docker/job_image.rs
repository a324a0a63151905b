//! The image for CI jobs: what docker/Dockerfile says, whoever builds it, and what a job finds in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::parts::{Registry, base_layout, docker, output, output_bytes, program, setting};

/// The name the engine knows it by.
pub(super) const JOB_IMAGE: &str = "shipway-job:by-shipway";

const BY_DOCKER: &str = "shipway-job:by-docker";

/// Has shipway build the image, as ci/image.sh does, and the engine pull it; once for all tests.
pub(super) fn job_image() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let name = format!("{}/shipway/job:1", setting("SHIPWAY_TEST_REGISTRY"));
        let pushed = output(image_script(folder.path()).args([&base(), &name]));
        let configuration = folder.path().join("docker");
        output(docker(&configuration).args(["pull", "--quiet", pushed.trim()]));
        output(docker(&configuration).args(["tag", pushed.trim(), JOB_IMAGE]));
    });
}

/// A base with a shell, of the media types that old engines build on.
fn base() -> String {
    format!("{}/flyway/flyway:13-docker", setting("SHIPWAY_TEST_REGISTRY"))
}

fn image_script(home: &Path) -> Command {
    let mut script = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/image.sh"));
    script
        .env("HOME", home)
        .env_remove("DOCKER_CONFIG")
        .arg("--program")
        .arg(program())
        .args(["--version", "1.2.3"]);
    script
}

/// Writes the project of the article: five instructions, a configuration (without the password), and a script.
pub(super) fn article(project: &Path, base: &str, registry: &Registry) {
    let files = [
        (
            "db-migrations/Dockerfile",
            &*format!(
                "FROM {base}\n\nWORKDIR /flyway \n\nCOPY db-migrations/flyway.conf /flyway/conf\n\
                 ADD db-migrations/scripts /flyway/sql\n\nCMD [ \"migrate\" ]\n"
            ),
        ),
        (
            "db-migrations/flyway.conf",
            "flyway.url=jdbc:mysql://db.example.com/orders\n",
        ),
        (
            "db-migrations/scripts/V1__create_customers.sql",
            "CREATE TABLE customers (id INTEGER NOT NULL);\n",
        ),
        (
            "shipway.toml",
            &*format!("[registry.\"docker.io\"]\nmirrors = [\"{}\"]\n", registry.address),
        ),
    ];
    for (name, text) in files {
        let path = project.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    // Temporary folders are ours alone, and the job is somebody else.
    output(Command::new("chmod").args(["-R", "a+rX"]).arg(project));
}

/// Catches an image that differs with its builder, and a Dockerfile that one of them does not understand.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn shipway_and_docker_build_the_same_image() {
    job_image();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let configuration = folder.path().join("docker");
    let context = folder.path().join("context");
    output(image_script(folder.path()).arg("--context").arg(&context));
    let mut build = docker(&configuration);
    build
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--quiet", "--tag", BY_DOCKER, "--network", "none"])
        .args([
            "--build-arg",
            &format!("BASE={}", base()),
            "--build-arg",
            "VERSION=1.2.3",
        ])
        .args(["--file", concat!(env!("CARGO_MANIFEST_DIR"), "/docker/Dockerfile")]);
    output(build.arg(&context));

    let [ours, theirs] = [JOB_IMAGE, BY_DOCKER].map(|image| files(image, &configuration));
    assert_eq!(ours, theirs);
    let [ours, theirs] = [JOB_IMAGE, BY_DOCKER].map(|image| configuration_of(image, &configuration));
    assert_eq!(ours, theirs);
    assert_eq!(ours["Entrypoint"], json!(["/usr/local/bin/shipway"]));
    assert_eq!(ours["Labels"]["org.opencontainers.image.version"], "1.2.3");
}

/// Catches a job that finds no shell, no shipway on its path, or kaniko's places missing or not its own to write to.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn a_job_finds_a_shell_and_the_places_of_kaniko() {
    job_image();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let version = concat!("shipway ", env!("CARGO_PKG_VERSION"));
    for user in ["0", "12345"] {
        let run = |arguments: &[&str]| {
            let mut run = docker(&folder.path().join("docker"));
            run.args(["run", "--rm", "--network", "none", "--user", user]);
            output(run.args(arguments))
        };
        assert_eq!(run(&[JOB_IMAGE, "--version"]).trim(), version);
        // GitLab takes the entry point away and starts a shell.
        let line = "shipway --version && echo '{}' >/kaniko/.docker/config.json && cat \"$DOCKER_CONFIG/config.json\"";
        let printed = run(&["--entrypoint", "", JOB_IMAGE, "sh", "-c", line]);
        assert_eq!(printed, format!("{version}\n{{}}\n"), "user {user}");
    }
}

/// Catches what a team would have to change in its job besides the image.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn the_lines_of_a_job_for_kaniko_run_unchanged() {
    job_image();
    let (source, target) = (Registry::plain(), Registry::with_tls_and_password());
    let access = target.access.as_ref().expect("it asks for a password");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let configuration = folder.path().join("docker");
    source.copy_in(&base_layout(), &format!("{}/flyway/flyway:latest", source.address));
    let project = folder.path().join("project");
    article(&project, "flyway/flyway", &source);
    // On this machine's own address nobody expects TLS.
    let settings = fs::read_to_string(project.join("shipway.toml")).expect("a file can be read");
    let settings = format!("{settings}\n[registry.\"{}\"]\nplain_http = false\n", target.address);
    fs::write(project.join("shipway.toml"), settings).expect("a file can be written");

    let certificate = access.certificates.join("ca.crt");
    let lines = r#"set -e
echo "{\"auths\":{\"$CI_REGISTRY\":{\"username\":\"$CI_REGISTRY_USER\",\"password\":\"$CI_REGISTRY_PASSWORD\"}}}" > /kaniko/.docker/config.json
/kaniko/executor --context $CI_PROJECT_DIR --dockerfile $CI_PROJECT_DIR/db-migrations/Dockerfile --destination $AWS_REPOS_FLYWAY:latest
"#;
    for user in ["0", "12345"] {
        let repository = format!("{}/kaniko/orders-{user}", target.address);
        let mut run = docker(&configuration);
        run.args(["run", "--rm", "--network", "host", "--user", user, "--entrypoint", ""]);
        for (name, value) in [
            ("CI_REGISTRY", &target.address),
            ("CI_REGISTRY_USER", &access.username),
            ("CI_REGISTRY_PASSWORD", &access.password),
            ("CI_PROJECT_DIR", &"/builds/shop/orders".to_owned()),
            ("AWS_REPOS_FLYWAY", &repository),
        ] {
            run.args(["--env", &format!("{name}={value}")]);
        }
        // A job starts in the project.
        run.args(["--workdir", "/builds/shop/orders"]);
        let volume = |from: &Path, to: &str| format!("{}:{to}:ro", from.display());
        run.args(["--volume", &volume(&project, "/builds/shop/orders")]);
        // Where the image keeps the authorities it trusts.
        run.args(["--volume", &volume(&certificate, "/etc/ssl/certs/ca-certificates.crt")]);
        output(run.args([JOB_IMAGE, "sh", "-c", lines]));
        target.digest_of(&format!("{repository}:latest"));
    }
}

/// Every file of an image as a container of it would have it: kind, mode, owner, target of a link, sum of the content.
fn files(image: &str, configuration: &Path) -> BTreeMap<String, String> {
    let container = output(docker(configuration).args(["create", "--network", "none", image]));
    let exported = output_bytes(docker(configuration).args(["export", container.trim()]));
    output(docker(configuration).args(["rm", container.trim()]));
    let mut archive = tar::Archive::new(&exported[..]);
    let entries = archive.entries().expect("a tar archive");
    entries
        .map(|entry| {
            let mut entry = entry.expect("an entry of a tar archive");
            let path = entry.path().expect("an entry has a name").display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("memory can be written");
            let header = entry.header();
            let described = format!(
                "{:?} {:o} {}:{} {:?} {:x?}",
                header.entry_type(),
                header.mode().expect("an entry has a mode"),
                header.uid().expect("an entry has an owner"),
                header.gid().expect("an entry has a group"),
                entry.link_name().expect("a link has a target"),
                &Sha256::digest(&content)[..8],
            );
            (path, described)
        })
        .collect()
}

/// How an image is run, as far as a Dockerfile says it.
fn configuration_of(image: &str, configuration: &Path) -> Value {
    let inspected = output(docker(configuration).args(["image", "inspect", image]));
    let inspected: Value = serde_json::from_str(&inspected).expect("docker image inspect prints JSON");
    let config = &inspected[0]["Config"];
    let fields = [
        "Entrypoint",
        "Cmd",
        "Env",
        "WorkingDir",
        "Labels",
        "User",
        "ExposedPorts",
        "Volumes",
    ];
    fields
        .into_iter()
        .map(|field| (field.to_owned(), config[field].clone()))
        .collect()
}
