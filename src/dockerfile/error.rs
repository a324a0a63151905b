//! What can be wrong with a Dockerfile, and where.

use super::archive::ArchiveError;
use super::context::ContextError;
use super::ignore::RuleError;
use super::instruction::{Dockerfile, Position};
use super::mode::ModeError;
use super::select::SelectError;
use crate::content::ContentError;
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
            Self::Config(_) | Self::Platform(_) => Vec::new(),
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
