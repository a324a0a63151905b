//! The list of migrations that lies in an image as `/.shipway/manifest.json`.
//!
//! It holds what follows from scripts, configuration and profile, and nothing else: neither time nor place nor the image before, so that
//! equal inputs stay equal images. Never what is in a file, and never the value of a placeholder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod make;

use super::version::Version;

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
    /// The migrations: those with a version in their order, then the repeatable ones in theirs.
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

/// Why bytes are no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// They are not the JSON of one.
    #[error("the manifest of migrations cannot be read")]
    Json(#[from] serde_json::Error),
    /// It has a form that is not known here.
    #[error("the manifest of migrations has the form {0:?}, which this version does not know")]
    Schema(String),
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The bytes are no manifest, or one of another form.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Form {
            schema: String,
        }
        // The form is known before anything else has to fit.
        let form: Form = serde_json::from_slice(bytes)?;
        if form.schema != SCHEMA {
            return Err(ManifestError::Schema(form.schema));
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Its bytes, the same for equal manifests.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "no key is anything but a text")]
        let mut bytes = serde_json::to_vec(self).expect("JSON of a manifest");
        bytes.push(b'\n');
        bytes
    }

    /// The highest version that runs once, as the tool shows it.
    #[must_use]
    pub fn highest_version(&self) -> Option<&str> {
        self.highest()?.version.as_deref()
    }

    /// The migration with the highest version, baselines included.
    pub(super) fn highest(&self) -> Option<&Migration> {
        let counts =
            |migration: &&Migration| matches!(migration.kind, MigrationKind::Versioned | MigrationKind::Baseline);
        let versions = self.migrations.iter().filter(counts);
        versions.max_by(|one, other| one.order(&self.runner.profile).cmp(&other.order(&self.runner.profile)))
    }

    /// A setting that is true.
    pub(super) fn says(&self, key: &str) -> bool {
        self.config.get(key).and_then(Value::as_bool).unwrap_or_default()
    }
}

/// What versions are put in order by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order<'a> {
    /// As numbers.
    Number(Version),
    /// As texts.
    Text(&'a str),
}

impl Migration {
    /// What its version is put in order by: Atlas and dbmate go by the names of files, all others by the number.
    pub(super) fn order(&self, profile: &str) -> Order<'_> {
        if matches!(profile, "atlas" | "dbmate") {
            return Order::Text(&self.script);
        }
        match self.key.parse() {
            Ok(version) => Order::Number(version),
            _ => Order::Text(&self.key),
        }
    }
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
    /// Whether a changeset runs again when it changes.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repeats: bool,
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
