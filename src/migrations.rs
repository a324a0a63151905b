//! What the scripts are: names, versions, checksums and the digest of the whole set.
//!
//! No database and no network, and nothing of the image format: only names, paths and bytes come in, only values go out.

pub mod check;
pub mod checksum;
pub mod flyway;
pub mod inventory;
pub mod measurement;
pub mod set_digest;
pub mod version;

pub use inventory::Inventory;
pub use version::Version;
