//! Images in a single file: OCI layouts as tar files, and what `docker save` writes.

mod docker_source;
mod docker_target;
mod members;
mod oci_source;
mod oci_target;
mod pack;
mod region;
mod source;
mod tar_file;

pub use docker_target::DockerArchiveTarget;
pub use oci_target::OciArchiveTarget;
pub use source::ArchiveSource;

use super::saved::MANIFEST_FILE as DOCKER_MANIFEST_FILE;

#[cfg(test)]
mod tests;
