//! What can be wrong with a Dockerfile, and where.

use super::archive::ArchiveError;
use super::context::ContextError;
use super::ignore::RuleError;
use std::path::PathBuf;

use super::instruction::{Dockerfile, Position};
use super::mode::ModeError;
use super::select::SelectError;
use crate::build::BuildError;
use crate::content::ContentError;
use crate::content::tree::WayError;
use crate::oci::config::ConfigError;
use crate::oci::platform::PlatformError;
use crate::oci::reference::ReferenceError;
use crate::recipe::{PathError, ScanError};

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("{name}:{line}:{column}: {text}", line = position.line, column = position.column)]
pub struct DockerfileError {
    /// The Dockerfile.
    pub name: String,
    /// The place in it.
    pub position: Position,
    /// The line, as written.
    pub text: String,
    /// What is wrong there.
    #[source]
    pub problem: Box<Problem>,
}

impl DockerfileError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        self.problem.hints()
    }
}

/// What can be wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not one of the language.
    #[error("{message}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// An instruction that does not exist.
    #[error("{name} is no instruction")]
    UnknownInstruction {
        /// The word that stands in its place.
        name: String,
        /// The instruction that is most like it.
        nearest: Option<&'static str>,
    },
    /// A flag that an instruction does not have.
    #[error("{instruction} has no flag --{flag}")]
    UnknownFlag {
        /// The instruction.
        instruction: &'static str,
        /// The flag, without its dashes.
        flag: String,
        /// The flag that is most like it.
        nearest: Option<&'static str>,
    },
    /// A variable that must be set, and is not, or is empty.
    #[error("{name}{}", message.as_ref().map_or_else(|| " is not set, or empty".to_owned(), |message| format!(": {message}")))]
    Required {
        /// The variable.
        name: String,
        /// What the Dockerfile says about it.
        message: Option<String>,
    },
    /// A command would have to run.
    #[error("RUN needs a container to run in, and shipway starts none: it needs no daemon and no privileges")]
    Run,
    /// A mode of `--chmod` is none.
    #[error(transparent)]
    Mode(#[from] ModeError),
    /// A line of an ignore file, or a pattern of `--exclude`, is none.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A source of `COPY` or `ADD` cannot be found.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The build context, or a file of it, cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// An archive cannot be unpacked.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What a base wants to be done on images built on it cannot be.
    #[error("the base wants this to be done first: {text}")]
    Trigger {
        /// The instruction.
        text: String,
        /// Why it cannot.
        #[source]
        problem: Box<Problem>,
    },
    /// A stage that files are copied from cannot be built.
    #[error("the stage it copies from cannot be built")]
    Stage(#[source] DockerfileError),
    /// There is no way to a path of the image.
    #[error(transparent)]
    Way(#[from] WayError),
    /// A base cannot be used.
    #[error(transparent)]
    Build(Box<BuildError>),
    /// A temporary file cannot be written or read.
    #[error("cannot use a temporary file in {folder}")]
    Spool {
        /// The folder for temporary files.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A part of the program ended early.
    #[error("a task was given up")]
    Task(#[from] tokio::task::JoinError),
    /// A path makes no sense in an image.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A file cannot be read, or cannot be in an image.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// An image cannot be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A base's config cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A text names no image.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A text is no platform.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl Problem {
    /// A text that is not one of the language.
    #[must_use]
    pub fn syntax(message: impl Into<String>) -> Self {
        Self::Syntax {
            message: message.into(),
            hint: None,
        }
    }

    /// A text that is not one of the language, and what to do about it.
    #[must_use]
    pub fn syntax_with(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Syntax {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Syntax { hint, .. } => hint.iter().cloned().collect(),
            Self::UnknownInstruction { nearest, .. } => {
                nearest.iter().map(|name| format!("did you mean {name}?")).collect()
            }
            Self::UnknownFlag { nearest, .. } => nearest.iter().map(|flag| format!("did you mean --{flag}?")).collect(),
            Self::Required { name, .. } => vec![format!(
                "give it a value with --build-arg {name}=VALUE, or with ARG or ENV"
            )],
            Self::Run => vec![
                "move it into the base image, and build on that".to_owned(),
                "or let a Docker daemon build: --engine docker".to_owned(),
            ],
            Self::Mode(error) => error.hints(),
            Self::Rule(error) => error.hints(),
            Self::Select(error) => error.hints(),
            Self::Context(error) => error.hints(),
            Self::Archive(error) => error.hints(),
            Self::Path(error) => error.hints(),
            Self::Scan(error) => error.hints(),
            Self::Content(error) => error.hints().to_vec(),
            Self::Reference(error) => error.hints(),
            Self::Trigger { problem, .. } => problem.hints(),
            Self::Stage(error) => error.hints(),
            Self::Way(error) => error.hints(),
            Self::Build(error) => error.hints(),
            Self::Spool { .. } => vec!["name a folder with enough room: --temp-dir DIR, or TMPDIR".to_owned()],
            Self::Task(_) | Self::Config(_) | Self::Platform(_) => Vec::new(),
        }
    }

    /// The problem at a place of a Dockerfile.
    #[must_use]
    pub fn at(self, dockerfile: &Dockerfile, position: Position) -> DockerfileError {
        DockerfileError {
            name: dockerfile.name.clone(),
            position,
            text: dockerfile
                .lines
                .get(position.line.saturating_sub(1))
                .map(|line| line.trim().to_owned())
                .unwrap_or_default(),
            problem: Box::new(self),
        }
    }
}

impl From<BuildError> for Problem {
    fn from(error: BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}
