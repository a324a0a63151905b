//! What must not be in an image of migrations.
//!
//! Each check takes named texts and tells what it found; what the texts are part of, it does not know.

pub mod secret;
