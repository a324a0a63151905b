//! What the scripts are: names, versions, checksums and the digest of the whole set; what is wrong with them; and how two
//! sets differ.
//!
//! No database and no network: only names, paths and bytes come in, only values go out.

pub mod atlas;
pub mod check;
pub mod checksum;
pub mod compare;
pub mod content;
pub mod dbmate;
pub mod directive;
pub mod encoding;
pub mod examine;
pub mod flyway;
pub mod golang_migrate;
pub mod goose;
pub mod inventory;
pub mod liquibase;
pub mod manifest;
pub mod measurement;
pub mod reading;
pub mod revision;
pub mod set;
pub mod set_digest;
pub mod tool;
pub mod version;

pub use content::Content;
pub use inventory::Inventory;
pub use set::MigrationSet;
pub use tool::Tool;
pub use version::Version;
