//! The list of migrations that lies in an image as `/.shipway/manifest.json`.
//!
//! It holds what follows from scripts, configuration and profile, and nothing else: neither time nor place nor the image before, so that
//! equal inputs stay equal images. Never what is in a file, and never the value of a placeholder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where it lies in an image.
pub const PATH: &str = "/.shipway/manifest.json";
/// The version of its form.
pub const SCHEMA: &str = "io.shipway.manifest/v1";

/// The migrations of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The name of the project.
    pub project: String,
    /// What runs them.
    pub runner: Runner,
    /// What the tool's configuration says about names, order and content; keys as the tool spells them.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    /// The migrations, in the order in which they run on an empty database.
    pub migrations: Vec<Migration>,
    /// The callbacks, by path.
    #[serde(default)]
    pub callbacks: Vec<Callback>,
    /// All other files, by path.
    #[serde(default)]
    pub other: Vec<OtherFile>,
    /// Digest of the set, `sha256:` and 64 hexadecimal digits.
    pub set_digest: String,
}

/// What runs the migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// The profile.
    pub profile: String,
}

/// What a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MigrationKind {
    /// Runs once, in the order of versions.
    Versioned,
    /// Runs again whenever it changes.
    Repeatable,
    /// Stands for all versions up to its own on an empty database.
    Baseline,
    /// Takes a version back.
    Undo,
    /// A changeset of Liquibase.
    Changeset,
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// What it is.
    pub kind: MigrationKind,
    /// What makes it the same migration in another set: the version in its shortest spelling, the description of a repeatable one, path,
    /// id and author of a changeset.
    pub key: String,
    /// The version as the tool shows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The version as written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub raw: Option<String>,
    /// What its name says about it.
    pub description: String,
    /// The path below its location.
    pub script: String,
    /// The checksum the tool stores: Flyway's, of the text as it is in the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checksum: Option<i32>,
    /// SHA-256 of the bytes, in hexadecimal digits; of a changeset, of its own text.
    pub sha256: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// How many statements it has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statements: Option<u64>,
    /// Whether it runs in a transaction.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub transactional: Option<bool>,
    /// Whether it is run by an interpreter rather than the database.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub program: bool,
    /// The names of the placeholders in it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub uses_placeholders: Vec<String>,
    /// The codes of the risk rules that found something, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub risk: Vec<String>,
}

/// A script that runs at an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The event.
    pub event: String,
    /// What its name says about it.
    pub description: String,
    /// The path below its location.
    pub script: String,
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub sha256: String,
}

/// A file that is no migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherFile {
    /// The path in the image.
    pub path: String,
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub sha256: String,
}
