//! Builds a case with each builder and reads what it made.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::case::{Builder, Case};
use super::image::{Image, config_of, files_of};
use super::scene::Scene;
use crate::parts::{output, output_bytes, program, setting};

/// An image, or the words of a refusal.
pub(crate) type Built = Result<Image, String>;

/// A case whose context lies in a folder.
pub(crate) struct Prepared<'a> {
    case: &'a Case,
    folder: PathBuf,
    options: Vec<String>,
}

impl<'a> Prepared<'a> {
    /// Writes the context and the Dockerfile in it.
    pub(crate) fn new(case: &'a Case) -> Self {
        let scene = Scene::get();
        let folder = scene.folder(case.name);
        let context = folder.join("context");
        std::fs::create_dir(&context).expect("each case has a name of its own");
        for item in &case.context {
            item.write(&context);
        }
        std::fs::write(context.join("Dockerfile"), scene.filled(&case.dockerfile))
            .expect("a Dockerfile can be written");
        Self {
            case,
            folder,
            options: case.options.iter().map(|option| scene.filled(option)).collect(),
        }
    }

    /// What a builder makes of it.
    pub(crate) fn built_by(&self, builder: Builder) -> Built {
        let scene = Scene::get();
        match builder {
            Builder::Docker => self.built_by_engine(scene.docker(), "classic", &[]),
            Builder::BuildKit => {
                self.built_by_engine(scene.docker_with_buildkit(), "buildkit", &["--progress", "plain"])
            }
            Builder::Buildah => self.built_by_buildah(),
            Builder::Shipway => self.built_by_shipway(),
        }
    }

    fn built_by_engine(&self, mut docker: Command, kind: &str, more: &[&str]) -> Built {
        let name = format!("parity-{kind}/{}:{}", self.case.name, std::process::id());
        // The older builder is the one that a client without this variable uses.
        if kind == "classic" {
            docker.env("DOCKER_BUILDKIT", "0");
        }
        docker.args(["build", "--no-cache", "--network", "none", "--tag", &name]);
        succeeds(docker.args(more).args(&self.options).arg(self.context()))?;
        Ok(of_engine(&name))
    }

    fn built_by_buildah(&self) -> Built {
        let scene = Scene::get();
        let name = format!("parity/{}", self.case.name);
        let mut build = scene.buildah();
        // The OCI format has no place for HEALTHCHECK, SHELL and ONBUILD.
        build.args([
            "build",
            "--isolation",
            "chroot",
            "--format",
            "docker",
            "--tls-verify=false",
        ]);
        build.args(["--no-cache", "--tag", &name]);
        succeeds(build.args(&self.options).arg(self.context()))?;
        let inspected = output(scene.buildah().args(["inspect", "--type", "image", &name]));
        let inspected: Value = serde_json::from_str(&inspected).expect("buildah inspect prints JSON");
        let made = &inspected["Docker"];
        let config = config_of(&made["config"], &made["author"], &made["architecture"], &made["os"]);
        // A container would have the triggers of the image run.
        let files = files_of_folder(&scene.layer_of_buildah(&name));
        Ok(Image { files, config })
    }

    /// What shipway makes of it: as a Docker engine unpacks it, and, asserted to be the same, as umoci does.
    fn built_by_shipway(&self) -> Built {
        let scene = Scene::get();
        let name = format!("parity-shipway/{}:1", self.case.name);
        let layout = self.folder.join("layout");
        let archive = self.folder.join("image.tar");
        let mut build = Command::new(program());
        build
            .env_clear()
            .env("PATH", setting("PATH"))
            .env("HOME", scene.home())
            .env("DOCKER_CONFIG", scene.docker_configuration())
            .current_dir(&self.folder)
            .args([
                "build",
                "--preserve-modes",
                // umoci reads no other media types.
                "--image-format",
                "oci",
                "--context",
                "context",
                "--tag",
                &name,
            ])
            .arg(format!("--output=docker-archive:{}", archive.display()))
            .arg(format!("--output=oci:{}", layout.display()))
            .args(&self.options);
        succeeds(&mut build)?;
        output(scene.docker().args(["load", "--quiet", "--input"]).arg(&archive));
        let by_engine = of_engine(&name);
        let by_umoci = self.of_layout(&layout);
        let mut differences = by_engine.differences(&by_umoci);
        // An engine drops what it does not know from a config.
        differences.retain(|(place, _)| place.starts_with('/'));
        // An engine makes the mount points of volumes when it makes a container.
        let volumes = by_engine.config.get("Volumes").and_then(Value::as_object);
        differences.retain(|(place, _)| {
            !volumes.is_some_and(|volumes| volumes.keys().any(|volume| volume.starts_with(place)))
        });
        assert!(
            differences.is_empty(),
            "{}: shipway's image is one to Docker and another to umoci: {differences:#?}",
            self.case.name
        );
        Ok(by_umoci)
    }

    fn of_layout(&self, layout: &Path) -> Image {
        let rootfs = self.folder.join("rootfs");
        let index = read_json(&layout.join("index.json"));
        let descriptor = &index["manifests"][0];
        let tag = descriptor["annotations"]["org.opencontainers.image.ref.name"]
            .as_str()
            .expect("the image has a name in the layout");
        let image = format!("{}:{tag}", layout.display());
        output(
            Command::new("umoci")
                .args(["raw", "unpack", "--image", &image])
                .arg(&rootfs),
        );
        let manifest = read_json(&blob(layout, descriptor));
        let config = read_json(&blob(layout, &manifest["config"]));
        Image {
            files: files_of_folder(&rootfs),
            config: config_of(
                &config["config"],
                &config["author"],
                &config["architecture"],
                &config["os"],
            ),
        }
    }

    fn context(&self) -> PathBuf {
        self.folder.join("context")
    }
}

/// An image in the engine, as a container of it would start.
fn of_engine(name: &str) -> Image {
    let scene = Scene::get();
    let container = output(scene.docker().args(["create", "--network", "none", name, "no-program"]));
    let exported = output_bytes(scene.docker().args(["export", container.trim()]));
    output(scene.docker().args(["rm", "--volumes", container.trim()]));
    let inspected = output(scene.docker().args(["image", "inspect", name]));
    let inspected: Value = serde_json::from_str(&inspected).expect("docker image inspect prints JSON");
    let made = &inspected[0];
    Image {
        files: files_of(&exported[..]),
        config: config_of(&made["Config"], &made["Author"], &made["Architecture"], &made["Os"]),
    }
}

fn files_of_folder(folder: &Path) -> std::collections::BTreeMap<String, String> {
    let mut tar = Command::new("tar");
    tar.args([
        "--format=pax",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--sort=name",
        "-C",
    ]);
    files_of(&output_bytes(tar.arg(folder).args(["-cf", "-", "."]))[..])
}

/// What it printed is the refusal, if it does not end well.
fn succeeds(command: &mut Command) -> Result<(), String> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot start: {error}"));
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(!said.contains("panicked"), "{command:?}: {said}");
    Err(format!("{}: {said}", done.status))
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().expect("a descriptor has a digest");
    layout.join("blobs").join(digest.replace(':', "/"))
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file of the layout can be read")).expect("JSON")
}
