//! Bases whose layers and configs hold what the instructions of a Dockerfile can meet.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::context::Archive;

const ROOT: (u64, u64) = (0, 0);
const APP: (u64, u64) = (1000, 1001);

const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n\
app:x:1000:1001:App:/home/app:/bin/sh\nnumbered:x:1234:4321::/:/bin/sh\n";
const GROUP: &[u8] = b"root:x:0:\nwww-data:x:33:\nstaff:x:50:app\napp:x:1001:\n";

/// A base: its name in the registry, its layers and its config.
pub(crate) struct Base {
    pub(crate) name: &'static str,
    layers: Vec<Vec<u8>>,
    config: Value,
}

/// All bases of the cases.
pub(crate) fn all() -> Vec<Base> {
    vec![rich(), configured(), triggers(), other_platform()]
}

/// A file system as distributions have it: `/usr` merged, users, a sticky folder, links of every kind, and layers that take away what
/// is below them.
fn rich() -> Base {
    let system = Archive::new()
        .directory("etc", 0o755, ROOT)
        .file("etc/passwd", 0o644, ROOT, PASSWD)
        .file("etc/group", 0o644, ROOT, GROUP)
        .file("etc/settings", 0o640, (0, 50), b"of the base\n")
        .link("etc/settings-link", "settings")
        .directory("usr", 0o755, ROOT)
        .directory("usr/bin", 0o755, ROOT)
        .file("usr/bin/tool", 0o755, ROOT, b"#!tool\n")
        .hard_link("usr/bin/tool-again", "usr/bin/tool", 0o755, ROOT)
        .file("usr/bin/raised", 0o4755, ROOT, b"#!raised\n")
        .capable_file("usr/bin/capable", b"#!capable\n")
        .directory("usr/lib", 0o755, ROOT)
        .file("usr/lib/library.so", 0o644, ROOT, b"library\n")
        .link("bin", "usr/bin")
        .link("lib", "/usr/lib")
        .directory("tmp", 0o1777, ROOT)
        .directory("run", 0o755, ROOT)
        .directory("var", 0o755, ROOT)
        .link("var/run", "../run")
        .directory("var/cache", 0o755, ROOT)
        .file("var/cache/old", 0o644, ROOT, b"old\n")
        .directory("home", 0o755, ROOT)
        .directory("home/app", 0o750, APP)
        .file("home/app/profile", 0o600, APP, b"profile\n")
        .directory("srv", 0o755, ROOT)
        .directory("srv/shared", 0o2775, (0, 50))
        .directory("srv/shared/inner", 0o700, APP)
        .file("srv/shared/inner/kept", 0o644, APP, b"kept\n")
        .link("srv/to-shared", "/srv/shared")
        .link("srv/to-to-shared", "to-shared")
        .link("srv/nowhere", "/srv/missing")
        .link("srv/outside", "../../../srv/shared");
    let changed = Archive::new()
        .directory("opt", 0o755, ROOT)
        .directory("opt/gone", 0o755, ROOT)
        .file("opt/gone/file", 0o644, ROOT, b"gone\n")
        .file("opt/becomes-directory", 0o644, ROOT, b"a file\n")
        .directory("opt/becomes-file", 0o755, ROOT)
        .file("opt/becomes-file/below", 0o644, ROOT, b"below\n")
        .directory("opt/hidden", 0o755, ROOT)
        .file("opt/hidden/before", 0o644, ROOT, b"before\n")
        .file("opt/first", 0o644, APP, b"one content\n")
        .hard_link("opt/second", "opt/first", 0o644, APP);
    let removed = Archive::new()
        .directory("opt", 0o755, ROOT)
        .whiteout("opt", "gone")
        .whiteout("opt", "becomes-directory")
        .directory("opt/becomes-directory", 0o711, ROOT)
        .file("opt/becomes-directory/file", 0o600, ROOT, b"below\n")
        .whiteout("opt", "becomes-file")
        .file("opt/becomes-file", 0o644, ROOT, b"a file now\n")
        .directory("opt/hidden", 0o755, ROOT)
        .file("opt/hidden/.wh..wh..opq", 0o644, ROOT, b"")
        .file("opt/hidden/after", 0o644, ROOT, b"after\n")
        .directory("var", 0o755, ROOT)
        .directory("var/cache", 0o755, ROOT)
        .whiteout("var/cache", "old");
    Base {
        name: "rich",
        layers: vec![system.bytes(), changed.bytes(), removed.bytes()],
        config: json!({
            "Env": ["PATH=/usr/bin:/bin", "BASE=rich"],
            "Cmd": ["/bin/tool"],
        }),
    }
}

/// A base that says all that a config can say.
fn configured() -> Base {
    let layer = Archive::new()
        .directory("etc", 0o755, ROOT)
        .file("etc/passwd", 0o644, ROOT, PASSWD)
        .directory("work", 0o755, ROOT)
        .directory("work/place", 0o755, ROOT);
    Base {
        name: "configured",
        layers: vec![layer.bytes()],
        config: json!({
            "Env": ["PATH=/usr/bin:/bin", "FIRST=1", "SECOND=two words", "EMPTY=", "THIRD=3"],
            "Entrypoint": ["/bin/entry", "--flag"],
            "Cmd": ["first", "second"],
            "WorkingDir": "/work/place",
            "User": "app",
            "Labels": {"of": "the base", "kept": "yes"},
            "ExposedPorts": {"80/tcp": {}},
            "Volumes": {"/work/data": {}},
            "StopSignal": "SIGQUIT",
            "Shell": ["/bin/bash", "-o", "pipefail", "-c"],
            "Healthcheck": {"Test": ["CMD", "/bin/check"], "Interval": 30_000_000_000_u64, "Retries": 3},
        }),
    }
}

/// A base with instructions for those who build on it.
fn triggers() -> Base {
    let layer = Archive::new().directory("app", 0o755, ROOT);
    Base {
        name: "triggers",
        layers: vec![layer.bytes()],
        config: json!({
            "Env": ["PATH=/usr/bin:/bin"],
            "WorkingDir": "/app",
            "OnBuild": [
                "ARG WHERE=default",
                "COPY --chown=7:8 given.txt ./of-${WHERE}.txt",
                "ENV TRIGGERED=yes",
                "LABEL triggered=\"by the base\"",
                "WORKDIR deeper",
                "ADD more /more/",
            ],
        }),
    }
}

/// A base for a machine that is not this one.
fn other_platform() -> Base {
    Base {
        name: "arm",
        layers: vec![Archive::new().directory("arm", 0o755, ROOT).bytes()],
        config: json!({"Env": ["PATH=/usr/bin:/bin"]}),
    }
}

impl Base {
    /// Writes it as `docker save` would, under this name.
    pub(crate) fn write_docker_archive(&self, file: &Path, reference: &str) {
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| digest_of(layer)).collect();
        let history: Vec<Value> = diff_ids
            .iter()
            .map(|_| json!({"created": "2026-01-02T03:04:05Z", "created_by": "a layer of a test"}))
            .collect();
        let config = json!({
            "architecture": if self.name == "arm" { "arm64" } else { "amd64" },
            "os": "linux",
            "created": "2026-01-02T03:04:05Z",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        })
        .to_string();
        let mut archive = Archive::new();
        let mut names = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let name = format!("layer-{index}.tar");
            archive = archive.file(&name, 0o644, ROOT, layer);
            names.push(name);
        }
        let manifest = json!([{"Config": "config.json", "RepoTags": [reference], "Layers": names}]);
        let archive = archive.file("config.json", 0o644, ROOT, config.as_bytes()).file(
            "manifest.json",
            0o644,
            ROOT,
            manifest.to_string().as_bytes(),
        );
        fs::write(file, archive.bytes()).expect("a base can be written");
    }
}

fn digest_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}
