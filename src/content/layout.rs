//! Images in a directory: the OCI image layout.

mod folder;
mod source;
mod target;

pub use source::LayoutSource;
pub use target::LayoutTarget;

#[cfg(test)]
pub(crate) mod tests;
