//! Recipe and base make an image: new layers, an edited config, and the base's layers by name.

mod assemble;
mod base;
mod blueprint;
mod contents;
mod decide;
mod error;
mod history;
mod layer;
mod make;
mod place;
mod secret;
mod ship;

pub use base::{BaseImage, Bases, Platforms};
pub use blueprint::{Blueprint, OnBase};
pub use contents::{LAYER_ANNOTATION, MANIFEST_DIGEST_LABEL, MANIFEST_LAYER};
pub use error::BuildError;
pub use history::COMMENT as HISTORY_COMMENT;
pub use secret::{AllowedSecrets, refuse_secrets, secrets_of};
pub use ship::{Built, BuiltLayer, BuiltPlatform, Order, ship};

/// A file of this size or more is a layer of its own: it travels once, and a change elsewhere does not send it again.
pub const OWN_LAYER_FROM: u64 = 8 * 1024 * 1024;
