//! Why an image cannot be built.

use std::io;
use std::path::PathBuf;

use crate::content::ContentError;
use crate::content::tree::WayError;
use crate::dockerfile::DockerfileError;
use crate::migrations::check::Finding;
use crate::oci::Platform;
use crate::oci::config::ConfigError;
use crate::recipe::{ImagePath, PathError, READABLE};

/// Why an image cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Content could not be read or written.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The config of a base or of the new image makes no sense.
    #[error("the config of {image} cannot be used")]
    Config {
        /// Which image.
        image: String,
        /// Why.
        source: ConfigError,
    },
    /// A Dockerfile cannot be followed.
    #[error(transparent)]
    Dockerfile(#[from] DockerfileError),
    /// The base is not there for a platform.
    #[error("the base {base} is not there for {wanted}")]
    NoPlatform {
        /// The base.
        base: String,
        /// What was asked for.
        wanted: Platform,
        /// What there is.
        offered: Vec<Platform>,
    },
    /// The base is an index of something else than images.
    #[error("the base {base} holds no image that could be run")]
    NoImage {
        /// The base.
        base: String,
    },
    /// The base's config lists another number of layers than its manifest.
    #[error("the base {base} is damaged: its config lists {listed} layers, its manifest {named}")]
    Layers {
        /// The base.
        base: String,
        /// Number of diff ids.
        listed: usize,
        /// Number of layers.
        named: usize,
    },
    /// The image would hold secrets, which everybody who may pull it could read.
    #[error("the image would hold {}", listed(found))]
    Secrets {
        /// Where they are.
        found: Vec<Finding>,
    },
    /// Two inputs would be the same file of the image.
    #[error("two inputs for {path} in the image: {one} and {other}")]
    Twice {
        /// The path in the image.
        path: ImagePath,
        /// The first input.
        one: String,
        /// The second input.
        other: String,
    },
    /// Whoever looked at the recipe stopped the build, and knows why.
    #[error("the build was stopped")]
    Stopped,
    /// An input would be where the manifest of the migrations is.
    #[error("{path} in the image is where shipway lists the migrations")]
    Reserved {
        /// The path in the image.
        path: ImagePath,
    },
    /// The base has a directory where a file is to go.
    #[error("{input} would replace the directory {path} of the base")]
    Directory {
        /// The path in the image.
        path: ImagePath,
        /// The file.
        input: String,
    },
    /// The base has a link where a file is to go.
    #[error("{path} is a link in the base, to {to}")]
    Linked {
        /// The path in the image.
        path: ImagePath,
        /// What the link points to.
        to: String,
    },
    /// There is no way to a directory of the base.
    #[error(transparent)]
    Way(#[from] WayError),
    /// A path makes no sense.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A local file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A local file changed while it was packed.
    #[error("{path} changed while it was packed")]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// A packed layer cannot be written.
    #[error("cannot write a temporary file in {folder}")]
    Spool {
        /// The folder for temporary files.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A layer of the base has no name in the wanted family of media types.
    #[error("a layer of the base {base} is compressed with zstd, which Docker's media types have no word for")]
    Zstd {
        /// The base.
        base: String,
    },
    /// Annotations were asked for in a format that has none.
    #[error("annotations need an OCI manifest, and the base {base} has a Docker one")]
    Annotations {
        /// The base.
        base: String,
    },
    /// A part of the program ended early.
    #[error("a task was given up")]
    Task(#[from] tokio::task::JoinError),
    /// A manifest cannot be written.
    #[error("a manifest cannot be written")]
    Json(#[from] serde_json::Error),
}

impl BuildError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Content(error) => error.hints().to_vec(),
            Self::Secrets { found } => {
                let mut hints = vec![
                    "leave it out and pass it when the image runs: FLYWAY_USER and FLYWAY_PASSWORD, from a secret store"
                        .to_owned(),
                    "on Amazon ECS the task definition's `secrets`, with `valueFrom` an ARN of Secrets Manager, set such variables".to_owned(),
                    "in a configuration file, ${env.NAME} takes the value from the environment".to_owned(),
                ];
                let first = found.first().and_then(|finding| Some((finding, finding.key.as_ref()?)));
                hints.extend(
                    first.map(|(finding, key)| {
                        format!("if it is no secret: --allow-secret {}:{key}", finding.place.path)
                    }),
                );
                hints
            }
            Self::Dockerfile(error) => error.hints(),
            Self::NoPlatform { offered, .. } => {
                let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
                vec![format!("there is: {}; choose with --platform", offered.join(", "))]
            }
            Self::Way(error) => error.hints(),
            Self::Directory { path, .. } => vec![format!(
                "to put the file into the directory, end its path with a slash: {path}/"
            )],
            Self::Linked { .. } => vec!["name the path it points to, or another place in the image".to_owned()],
            Self::Reserved { .. } => vec!["put the file somewhere else in the image".to_owned()],
            Self::Twice { .. } => vec!["rename one of them, or leave one out".to_owned()],
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => vec![READABLE.to_owned()],
            Self::Changed { .. } => vec!["build again when nothing writes to it any more".to_owned()],
            Self::Spool { .. } => vec!["name a folder with enough room: --temp-dir DIR, or TMPDIR".to_owned()],
            Self::Zstd { .. } | Self::Annotations { .. } => vec!["add --image-format oci".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Where the secrets are, never what they are.
fn listed(found: &[Finding]) -> String {
    let what = if found.len() == 1 { "a secret" } else { "secrets" };
    let places: Vec<String> = found.iter().map(ToString::to_string).collect();
    format!("{what}: {}", places.join("; "))
}
