//! The sockets daemons make when nobody tells them otherwise.

use std::path::{Path, PathBuf};

use super::Surroundings;

/// Where a socket may be, the usual one first.
pub(super) fn candidates(around: &Surroundings) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(home) = &around.home {
        // Docker Desktop: on macOS, and on Linux.
        found.push(home.join(".docker/run/docker.sock"));
        found.push(home.join(".docker/desktop/docker.sock"));
    }
    if let Some(folder) = &around.runtime_folder {
        // Rootless Docker, and rootless Podman.
        found.push(folder.join("docker.sock"));
        found.push(folder.join("podman/podman.sock"));
    }
    found.push(PathBuf::from("/run/podman/podman.sock"));
    let colima = around.colima_folder.clone();
    if let Some(folder) = colima.or_else(|| Some(around.home.as_ref()?.join(".colima"))) {
        found.push(folder.join("default/docker.sock"));
        found.push(folder.join("docker.sock"));
    }
    if let Some(home) = &around.home {
        // Rancher Desktop.
        found.push(home.join(".rd/docker.sock"));
    }
    found
}

/// Whether there is a socket. Blocks.
#[cfg(unix)]
pub(super) fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    // A link whose socket is gone, as Docker Desktop leaves it, is none.
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Whether there is a socket. Blocks.
#[cfg(not(unix))]
pub(super) fn is_socket(path: &Path) -> bool {
    path.exists()
}
