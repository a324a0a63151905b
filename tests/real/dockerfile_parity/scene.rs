//! What all cases share: bases in the registry and in the stores of the builders, a web server, and folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::{bases, server};
use crate::parts::{Registry, output, setting};

/// Where the builders find everything.
pub(crate) struct Scene {
    /// Below the folder that `ci/real.sh` removes in the end.
    folder: PathBuf,
    registry: String,
    server: String,
}

impl Scene {
    /// The scene, which the first case sets.
    pub(crate) fn get() -> &'static Self {
        static SCENE: OnceLock<Scene> = OnceLock::new();
        SCENE.get_or_init(Self::set)
    }

    fn set() -> Self {
        let base = PathBuf::from(setting("SHIPWAY_TEST_BASE"));
        let parts = base.parent().expect("the base lies in the folder of the parts");
        let folder = parts.join(format!("parity-{}", std::process::id()));
        for name in ["docker-configuration", "home"] {
            fs::create_dir_all(folder.join(name)).expect("a folder can be made");
        }
        let registry = Registry::plain();
        let scene = Self {
            folder,
            registry: registry.address.clone(),
            server: server::start(),
        };
        for base in bases::all() {
            let file = scene.folder.join(format!("{}.tar", base.name));
            let name = scene.base(base.name);
            base.write_docker_archive(&file, &name);
            output(scene.docker().args(["load", "--quiet", "--input"]).arg(&file));
            registry.copy_in(&format!("docker-archive:{}", file.display()), &name);
        }
        output(scene.docker().args(["pull", "--quiet", &scene.flyway()]));
        // An image whose platform is not the machine's is pulled when it is asked for with its platform.
        for name in bases::all()
            .iter()
            .map(|base| scene.base(base.name))
            .chain([scene.flyway()])
        {
            if name != scene.base("arm") {
                output(scene.buildah().args(["pull", "--quiet", "--tls-verify=false", &name]));
            }
        }
        scene
    }

    /// A folder for a case.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join("cases").join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    }

    /// The home of whatever asks for one.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The text of a Dockerfile with the names of this scene in the places that are kept for them.
    pub(crate) fn filled(&self, text: &str) -> String {
        let mut filled = text
            .replace("%flyway%", &self.flyway())
            .replace("%server%", &format!("http://{}", self.server));
        for base in bases::all() {
            filled = filled.replace(&format!("%{}%", base.name), &self.base(base.name));
        }
        filled
    }

    /// The Docker client.
    pub(crate) fn docker(&self) -> Command {
        crate::parts::docker(&self.docker_configuration())
    }

    /// The Docker client that can speak to BuildKit.
    pub(crate) fn docker_with_buildkit(&self) -> Command {
        let mut docker = Command::new(setting("SHIPWAY_TEST_BUILDKIT_CLIENT"));
        docker
            .env("DOCKER_CONFIG", self.docker_configuration())
            .env("DOCKER_BUILDKIT", "1")
            .arg("--host")
            .arg(setting("SHIPWAY_TEST_DOCKER"));
        docker
    }

    /// buildah, with a store of its own. Its driver needs neither mounts nor a file system that can overlay.
    pub(crate) fn buildah(&self) -> Command {
        let mut buildah = Command::new("buildah");
        buildah
            .env("HOME", self.home())
            .env("REGISTRY_AUTH_FILE", self.docker_configuration().join("config.json"))
            .args(["--storage-driver", "vfs", "--root"])
            .arg(self.folder.join("buildah"))
            .arg("--runroot")
            .arg(self.folder.join("buildah-run"));
        buildah
    }

    /// Where buildah's store keeps the whole file system of an image.
    pub(crate) fn layer_of_buildah(&self, name: &str) -> PathBuf {
        let store = self.folder.join("buildah");
        let images = fs::read(store.join("vfs-images/images.json")).expect("the store lists its images");
        let images: Vec<Value> = serde_json::from_slice(&images).expect("as JSON");
        let has_name = |image: &&Value| {
            let names = image["names"].as_array().into_iter().flatten();
            names
                .filter_map(Value::as_str)
                .any(|known| known == format!("localhost/{name}:latest"))
        };
        let image = images.iter().find(has_name).expect("the image is in the store");
        store.join("vfs/dir").join(image["layer"].as_str().unwrap_or("none"))
    }

    pub(crate) fn docker_configuration(&self) -> PathBuf {
        let folder = self.folder.join("docker-configuration");
        let file = folder.join("config.json");
        if !Path::new(&file).exists() {
            fs::write(file, "{}").expect("a configuration can be written");
        }
        folder
    }

    fn base(&self, name: &str) -> String {
        format!("{}/parity/{name}:1", self.registry)
    }

    fn flyway(&self) -> String {
        format!("{}/flyway/flyway:13-docker", self.registry)
    }
}
