//! The files of an OCI image layout, which folders and archives share.
//!
//! A layout is `blobs/sha256` with everything by its digest, an `index.json` that names the images, and a file
//! `oci-layout` that says what it is.

pub(super) mod catalog;
pub(super) mod collected;
pub(super) mod index;
pub(super) mod output;
pub(super) mod stored;
pub(super) mod subjects;

/// The file that says that a folder is a layout.
pub(super) const LAYOUT_FILE: &str = "oci-layout";
/// What that file says.
pub(super) const LAYOUT_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The file that names the images.
pub(super) const INDEX_FILE: &str = "index.json";
/// The folder of the blobs.
pub(super) const BLOBS: &str = "blobs/sha256";
/// The annotation by which an entry of the index is named (image specification, "Pre-Defined Annotation Keys").
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd and Docker 25 keep the full name.
pub(super) const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The member by which an entry of the index says that it is something else than an image (image specification 1.1).
pub(super) const ARTIFACT_TYPE: &str = "artifactType";
