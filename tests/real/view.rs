//! What a reader sees in an image: the files under `/flyway`, and how it is run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::parts::{docker, output, output_bytes};
use crate::project::Project;

/// Two readers see the same image if their views are equal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Mode, owner and text of each file; the base's own program is left out.
    pub(crate) files: BTreeMap<String, String>,
    /// Entry point and command, working folder, environment and labels.
    pub(crate) run: Value,
}

impl View {
    /// An image in an OCI layout, its layers applied one upon the other.
    pub(crate) fn of_layout(layout: &Path) -> Self {
        let index = read_json(&layout.join("index.json"));
        let manifest = read_json(&blob(layout, &index["manifests"][0]));
        let config = read_json(&blob(layout, &manifest["config"]));
        let mut files = BTreeMap::new();
        for layer in manifest["layers"].as_array().expect("a manifest has layers") {
            let bytes = fs::read(blob(layout, layer)).expect("a layer can be read");
            if bytes.starts_with(&[0x1f, 0x8b]) {
                files.append(&mut files_of_tar(GzDecoder::new(&bytes[..])));
            } else {
                files.append(&mut files_of_tar(&bytes[..]));
            }
        }
        Self {
            files,
            run: run_of_config(&config["config"]),
        }
    }

    /// An image in a Docker engine, as a container of it would start.
    pub(crate) fn of_docker(image: &str, configuration: &Path) -> Self {
        let container = output(docker(configuration).args(["create", "--network", "none", image]));
        let container = container.trim_end();
        let exported = output_bytes(docker(configuration).args(["export", container]));
        output(docker(configuration).args(["rm", container]));
        let inspected = output(docker(configuration).args(["image", "inspect", image]));
        let inspected: Value = serde_json::from_str(&inspected).expect("docker image inspect prints JSON");
        Self {
            files: files_of_tar(&exported[..]),
            run: run_of_config(&inspected[0]["Config"]),
        }
    }

    /// An image unpacked by umoci into a runtime bundle; `image` is a layout and a tag.
    pub(crate) fn of_umoci(image: &str, bundle: &Path) -> Self {
        let is_root = fs::metadata("/proc/self").expect("/proc is there").uid() == 0;
        let rootless: &[&str] = if is_root { &[] } else { &["--rootless"] };
        output(
            Command::new("umoci")
                .args(["unpack", "--image", image])
                .args(rootless)
                .arg(bundle),
        );

        let mut files = BTreeMap::new();
        files_of_folder(&bundle.join("rootfs"), "flyway", &mut files);
        let runtime = read_json(&bundle.join("config.json"));
        let process = &runtime["process"];
        // umoci adds what a terminal needs.
        let environment = strings(&process["env"])
            .into_iter()
            .filter(|entry| !entry.starts_with("TERM=") && !entry.starts_with("HOME="));
        let labels: BTreeMap<_, _> = object(&runtime["annotations"])
            .into_iter()
            .filter(|(name, _)| is_label(name))
            .collect();
        let run = json!({
            "arguments": process["args"],
            "folder": process["cwd"],
            "environment": environment.collect::<Vec<_>>(),
            "labels": labels,
        });
        Self { files, run }
    }

    /// Fails unless the files and the way of running are those of [`Project`] on the base of the tests.
    pub(crate) fn assert_is_of_project(&self) {
        assert_eq!(self.files, Project::expected_files());
        assert_eq!(self.run["arguments"], json!(["flyway", "migrate"]));
        assert_eq!(self.run["folder"], "/flyway");
        let environment = strings(&self.run["environment"]);
        for entry in [
            "PATH=/flyway:/usr/bin:/bin",
            "FLYWAY_LOCATIONS=filesystem:/flyway/sql",
            "FLYWAY_FAIL_ON_MISSING_LOCATIONS=true",
        ] {
            assert!(
                environment.iter().any(|found| found == entry),
                "{entry} is not in {environment:?}"
            );
        }
    }
}

fn run_of_config(config: &Value) -> Value {
    let mut arguments = strings(&config["Entrypoint"]);
    arguments.extend(strings(&config["Cmd"]));
    json!({
        "arguments": arguments,
        "folder": config["WorkingDir"],
        "environment": strings(&config["Env"]),
        "labels": object(&config["Labels"]).into_iter().filter(|(name, _)| is_label(name)).collect::<BTreeMap<_, _>>(),
    })
}

/// umoci overwrites some annotations with facts of its own, so only these are compared.
fn is_label(name: &str) -> bool {
    [
        "org.opencontainers.image.base.name",
        "org.opencontainers.image.base.digest",
        "org.opencontainers.image.title",
    ]
    .contains(&name)
}

fn files_of_tar(archive: impl Read) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(archive);
    let mut files = BTreeMap::new();
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("an entry of a tar archive");
        let path = entry
            .path()
            .expect("an entry has a name")
            .to_str()
            .expect("in UTF-8")
            .trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned();
        if !is_seen(&path) {
            continue;
        }
        let header = entry.header();
        let mode = header.mode().expect("an entry has a mode");
        let owner = (
            header.uid().expect("an entry has an owner"),
            header.gid().expect("an entry has a group"),
        );
        let text = if header.entry_type().is_dir() {
            "folder".to_owned()
        } else {
            text(&mut entry)
        };
        files.insert(path, described(mode, owner, &text));
    }
    files
}

fn files_of_folder(root: &Path, path: &str, files: &mut BTreeMap<String, String>) {
    if !is_seen(path) {
        return;
    }
    let place = root.join(path);
    let metadata = fs::symlink_metadata(&place).expect("an unpacked file is there");
    let root_owner = fs::metadata(root).expect("the root is there");
    // Unpacked without root, what belongs to root belongs to us.
    let owner = (
        u64::from(metadata.uid() - root_owner.uid()),
        u64::from(metadata.gid() - root_owner.gid()),
    );
    let text = if metadata.is_dir() {
        "folder".to_owned()
    } else {
        text(fs::File::open(&place).expect("a file can be read"))
    };
    files.insert(path.to_owned(), described(metadata.mode(), owner, &text));
    if metadata.is_dir() {
        for entry in fs::read_dir(&place).expect("a folder can be listed") {
            let name = entry.expect("an entry has a name").file_name();
            files_of_folder(root, &format!("{path}/{}", name.to_str().expect("in UTF-8")), files);
        }
    }
}

/// The base's own program is no matter of ours.
fn is_seen(path: &str) -> bool {
    path == "flyway" || (path.starts_with("flyway/") && path != "flyway/flyway")
}

fn described(mode: u32, (user, group): (u64, u64), text: &str) -> String {
    format!("{:04o} {user}:{group} {text}", mode & 0o7777)
}

fn text(mut file: impl Read) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).expect("a file of the tests is text");
    text
}

fn blob(layout: &Path, descriptor: &Value) -> std::path::PathBuf {
    layout.join("blobs").join(
        descriptor["digest"]
            .as_str()
            .expect("a descriptor has a digest")
            .replace(':', "/"),
    )
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).expect("JSON")
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|item| item.as_str().expect("a string").to_owned())
        .collect()
}

fn object(value: &Value) -> BTreeMap<String, Value> {
    value
        .as_object()
        .map(|map| map.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
        .unwrap_or_default()
}
