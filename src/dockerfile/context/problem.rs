//! What can be wrong with a build context.

use std::io;
use std::path::PathBuf;

use crate::recipe::{PathError, READABLE};

/// The context cannot be read, or holds what cannot be in an image.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such folder.
    #[error("the context {path} does not exist")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// It is no folder.
    #[error("the context {path} is not a folder")]
    NotAFolder {
        /// The context.
        path: PathBuf,
    },
    /// What is to be read is no file.
    #[error("{path} is not a file")]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// What is to be read is longer than such a file can be.
    #[error("{path} has more than {limit} bytes")]
    Large {
        /// Which.
        path: PathBuf,
        /// How long it may be.
        limit: u64,
    },
    /// Something that is to be copied cannot be in an image.
    #[error("{path:?} cannot be in an image")]
    Unfit {
        /// Its path in the context.
        path: String,
        /// Why.
        #[source]
        reason: Unfit,
    },
}

/// Why something cannot be in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is neither file, directory nor link.
    #[error("it is a socket, a pipe or a device")]
    Special,
    /// Only its pieces are in the archive.
    #[error("it is a sparse file, of which the archive holds only the pieces between the holes")]
    Sparse,
    /// Its name is not UTF-8.
    #[error("its name is not UTF-8")]
    Name,
    /// It is a link whose target is not UTF-8.
    #[error("it is a link whose target is not UTF-8")]
    Target,
    /// Its name is longer than any system takes it.
    #[error("its name is too long")]
    Long,
    /// Its path makes no sense in an image.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A tar file says it is something nobody knows.
    #[error("it is an entry of the kind {0:?}, which Docker does not know either")]
    Kind(char),
    /// It is another name of what is not there.
    #[error("it is a hard link to {0:?}, which is no file before it in the archive")]
    HardLink(String),
    /// It lies below something that is no directory.
    #[error("it lies below {0:?}, which is no directory")]
    Below(String),
    /// It lies behind links that lead nowhere.
    #[error("{0:?} leads through too many links, or in a circle")]
    Links(String),
}

impl ContextError {
    /// Something that cannot be in an image.
    pub(super) fn unfit(path: &str, reason: Unfit) -> Self {
        Self::Unfit {
            path: path.to_owned(),
            reason,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => READABLE,
            Self::Missing { .. } => "name the folder that COPY and ADD take files from: --context DIR",
            Self::NotAFolder { .. } => "a tar file is a context as tar://FILE",
            Self::Unfit { reason, .. } => {
                let mut hints = reason.hints();
                hints.push("or leave it out: name it in .dockerignore".to_owned());
                return hints;
            }
            Self::Read { .. } | Self::NotAFile { .. } | Self::Large { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl Unfit {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Special => "remove it",
            Self::Sparse => "write the archive without --sparse",
            Self::Name | Self::Target => "rename it: names in an image are UTF-8",
            Self::HardLink(_) => "write the archive with the file before its links",
            Self::Path(error) => return error.hints(),
            Self::Long | Self::Kind(_) | Self::Below(_) | Self::Links(_) => "write the archive anew, with GNU tar",
        };
        vec![hint.to_owned()]
    }
}
