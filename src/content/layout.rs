//! Images in a directory: the OCI image layout.
//!
//! A layout is the folder `blobs/sha256` of everything by digest, an `index.json` that names the images, and a file
//! `oci-layout` that says what it is. Archives hold the same files, so what they mean is said here for both.

pub(crate) mod catalog;
pub(crate) mod collected;
mod folder;
pub(crate) mod index;
pub(crate) mod output;
mod source;
mod target;

pub use source::LayoutSource;
pub use target::LayoutTarget;

/// The file that says that a folder is a layout.
pub(crate) const LAYOUT_FILE: &str = "oci-layout";
/// What that file says.
pub(crate) const LAYOUT_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The file that names the images.
pub(crate) const INDEX_FILE: &str = "index.json";
/// The folder of the blobs.
pub(crate) const BLOBS: &str = "blobs/sha256";
/// The annotation by which an entry of the index is named (image specification, "Pre-Defined Annotation Keys").
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd and Docker 25 keep the full name.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";

#[cfg(test)]
pub(crate) mod tests;
