//! `shipway.toml`: what a project says about itself.
//!
//! Only reading: no environment, no home directory, no default. Values stay the text they were written as; whoever
//! settles what holds parses them, and resolves paths against [`Project::folder`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

mod error;
mod keys;
mod words;

pub use error::{Position, ProjectError};

/// The content of a project file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Project {
    /// The file this was read from.
    #[serde(skip)]
    pub file: PathBuf,
    /// The folder of that file, against which its paths are meant.
    #[serde(skip)]
    pub folder: PathBuf,
    /// `[project]`
    pub project: ProjectSection,
    /// `[migrations]`
    pub migrations: MigrationsSection,
    /// `[runner]`
    pub runner: RunnerSection,
    /// `[dockerfile]`
    pub dockerfile: DockerfileSection,
    /// `[image]`
    pub image: ImageSection,
    /// `[check]`
    pub check: CheckSection,
    /// `[repository]`
    pub repository: RepositorySection,
    /// `[run]`
    pub run: RunSection,
    /// `[registry."HOST"]`, by host and port.
    pub registry: BTreeMap<String, RegistrySection>,
}

/// `[project]`: what the project is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ProjectSection {
    /// The name of the project.
    pub name: Option<String>,
}

/// `[migrations]`: where scripts and configuration are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct MigrationsSection {
    /// The folder of the scripts.
    pub scripts: Option<String>,
    /// Configuration files of the tool that runs them.
    #[serde(deserialize_with = "words::read")]
    pub config: Option<Vec<String>>,
}

/// `[runner]`: what runs the scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct RunnerSection {
    /// The runner profile.
    pub profile: Option<String>,
    /// The image to build on.
    pub base: Option<String>,
    /// The working directory in the image.
    pub workdir: Option<String>,
    /// Environment variables of the image.
    pub env: BTreeMap<String, String>,
    /// The user the image runs as.
    pub user: Option<String>,
    /// The image's entrypoint.
    #[serde(deserialize_with = "words::read")]
    pub entrypoint: Option<Vec<String>>,
    /// The image's command.
    #[serde(deserialize_with = "words::read")]
    pub command: Option<Vec<String>>,
    /// Files and folders to add.
    pub add: Vec<Addition>,
    /// Files of drivers, for a runner that brings none.
    #[serde(deserialize_with = "words::read")]
    pub drivers: Option<Vec<String>>,
}

/// One element of `add` in `[runner]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `from` and `to`")]
pub struct Addition {
    /// The file or folder on disk.
    pub from: String,
    /// Where it goes in the image.
    pub to: String,
}

/// `[dockerfile]`: what is built from a Dockerfile, in the place of scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct DockerfileSection {
    /// The Dockerfile.
    pub path: Option<String>,
    /// The folder or archive it copies from.
    pub context: Option<String>,
    /// The stage to build.
    pub target: Option<String>,
    /// Values of its arguments.
    pub args: BTreeMap<String, String>,
    /// Folders and images that it knows by a name.
    pub contexts: BTreeMap<String, String>,
}

/// `[image]`: how the image is named and described.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ImageSection {
    /// The repository the image is pushed to.
    pub repository: Option<String>,
    /// Templates of its tags.
    #[serde(deserialize_with = "words::read")]
    pub tags: Option<Vec<String>>,
    /// The platforms of the base to build for.
    #[serde(deserialize_with = "words::read")]
    pub platforms: Option<Vec<String>>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the image.
    pub annotations: BTreeMap<String, String>,
    /// The version the image is said to have.
    pub version: Option<String>,
    /// The family of media types.
    pub format: Option<String>,
    /// Patterns of tags that must not move.
    #[serde(deserialize_with = "words::read")]
    pub immutable_tags: Option<Vec<String>>,
}

/// `[check]`: what is wrong with migrations here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct CheckSection {
    /// What migrations are compared with.
    pub against: Option<String>,
    /// The database they are for.
    pub database: Option<String>,
    /// The least level that fails.
    pub fail_on: Option<String>,
    /// Names of placeholders that get their values when the image runs.
    #[serde(deserialize_with = "words::read")]
    pub placeholders: Option<Vec<String>>,
    /// Levels of rules, by code.
    pub rules: BTreeMap<String, String>,
}

/// `[run]`: how images are run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct RunSection {
    /// The cluster of ECS.
    pub cluster: Option<String>,
    /// The function that stands before it.
    pub via_lambda: Option<String>,
    /// The region of both.
    pub region: Option<String>,
    /// The family of task definitions.
    pub family: Option<String>,
    /// The container whose end is the run's.
    pub container: Option<String>,
    /// The table that keeps runs and lets one at a time, or `none`.
    pub lock: Option<String>,
    /// Subnets the task may be in.
    #[serde(deserialize_with = "words::read")]
    pub subnets: Option<Vec<String>>,
    /// Security groups of the task.
    #[serde(deserialize_with = "words::read")]
    pub security_groups: Option<Vec<String>>,
    /// Whether the task gets a public address.
    pub assign_public_ip: Option<bool>,
    /// The capacity provider, instead of the launch type.
    pub capacity_provider: Option<String>,
    /// How long is waited for the end of a run.
    pub timeout: Option<String>,
    /// How long a task may take to be running.
    pub start_timeout: Option<String>,
    /// How long is waited for another run to end.
    pub wait_for_lock: Option<String>,
    /// `[run.databases]`
    pub databases: DatabasesSection,
}

/// `[run.databases]`: images of the databases for rehearsals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct DatabasesSection {
    /// The image of MySQL.
    pub mysql: Option<String>,
    /// The image of MariaDB.
    pub mariadb: Option<String>,
    /// The image of PostgreSQL.
    pub postgres: Option<String>,
}

/// `[registry."HOST"]`: how one registry is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct RegistrySection {
    /// Whether to speak plain HTTP.
    pub plain_http: Option<bool>,
    /// A file of certificates to trust.
    pub ca_file: Option<String>,
    /// The client's certificate.
    pub client_cert: Option<String>,
    /// The key of that certificate.
    pub client_key: Option<String>,
    /// Registries to ask first, each a host and perhaps a path.
    #[serde(deserialize_with = "words::read")]
    pub mirrors: Option<Vec<String>>,
    /// The URL the registry really answers at.
    pub endpoint: Option<String>,
    /// The profile of AWS's config files to log in with.
    pub profile: Option<String>,
    /// The AWS role to take on.
    pub role_arn: Option<String>,
}

/// `[repository]`: what a repository is made with where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct RepositorySection {
    /// Whether tags may move.
    pub tag_mutability: Option<String>,
    /// Patterns of the tags that are excluded from that.
    #[serde(deserialize_with = "words::read")]
    pub tag_mutability_exclusions: Option<Vec<String>>,
    /// Whether images are scanned when they are pushed.
    pub scan_on_push: Option<bool>,
    /// How images are encrypted.
    pub encryption: Option<String>,
    /// The key of AWS KMS.
    pub kms_key: Option<String>,
    /// A file with a lifecycle policy.
    pub lifecycle_policy: Option<String>,
    /// Tags of the repository.
    pub tags: BTreeMap<String, String>,
}

impl Project {
    /// Reads the text of a project file; `file` is where it came from.
    ///
    /// # Errors
    /// The text is not TOML, holds a key nobody reads, or a value of the wrong type. Each names the place.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ProjectError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let place = |error: &toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            Position::of(text, start)
        };
        let table = toml::de::DeTable::parse(text).map_err(|error| ProjectError::Syntax {
            file: file.to_owned(),
            position: place(&error),
            message: error.message().to_owned(),
        })?;
        if let Some(unknown) = keys::unknown(table.get_ref()) {
            return Err(ProjectError::UnknownKey {
                file: file.to_owned(),
                position: Position::of(text, unknown.start),
                section: unknown.section,
                key: unknown.key,
                nearest: unknown.nearest,
            });
        }
        let mut project: Self = toml::from_str(text).map_err(|error| ProjectError::Value {
            file: file.to_owned(),
            position: place(&error),
            message: error.message().to_owned(),
        })?;
        file.clone_into(&mut project.file);
        project.folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(project)
    }
}

#[cfg(test)]
mod tests;
