//! The image format as values: digests, references, descriptors, manifests and configs, without any I/O.

mod attributes;
pub mod config;
pub mod descriptor;
pub mod digest;
mod json;
pub mod manifest;
pub mod media_type;
pub mod platform;
pub mod reference;
mod referrer;

pub use attributes::Attributes;
pub use config::{History, ImageConfig};
pub use descriptor::Descriptor;
pub use digest::{Digest, Hasher};
pub use manifest::{Body, ImageManifest, Index, Manifest};
pub use media_type::Family;
pub use platform::Platform;
pub use reference::{Reference, Repository, Tag};
