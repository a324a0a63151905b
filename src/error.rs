//! Any failure of the library: what kind it is, and what to do about it.

use crate::build::BuildError;
use crate::content::tree::WayError;
use crate::content::{ContentError, Kind};
use crate::credentials::CredentialsError;
#[cfg(feature = "daemon")]
use crate::daemon::DaemonError;
use crate::dockerfile::{DockerfileError, Problem};
use crate::migrations::inventory::InventoryError;
use crate::oci::platform::PlatformError;
use crate::oci::reference::ReferenceError;
use crate::project::ProjectError;
use crate::provenance::ProvenanceError;
use crate::recipe::{PathError, ScanError};
use crate::runner::RunnerError;

/// The kinds of failure a caller may react to differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// It failed, and will fail again.
    Failed,
    /// It was asked for in a way that makes no sense.
    Usage,
    /// A rule forbids it.
    Refused,
    /// The network or a service failed for now; nothing ran, and the same may be tried again.
    Temporary,
}

/// Any failure of the library.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Error {
    /// An image cannot be built.
    Build(#[from] BuildError),
    /// Content cannot be read or written.
    Content(#[from] ContentError),
    /// Credentials cannot be read.
    Credentials(#[from] CredentialsError),
    /// Something failed with the Docker daemon.
    #[cfg(feature = "daemon")]
    Daemon(#[from] DaemonError),
    /// A Dockerfile cannot be built.
    Dockerfile(#[from] DockerfileError),
    /// The scripts cannot be read.
    Inventory(#[from] InventoryError),
    /// A text is not a path in an image.
    Path(#[from] PathError),
    /// A text is not a platform.
    Platform(#[from] PlatformError),
    /// The project file makes no sense.
    Project(#[from] ProjectError),
    /// The git repository cannot be read.
    Provenance(#[from] ProvenanceError),
    /// A text does not name an image.
    Reference(#[from] ReferenceError),
    /// A profile cannot do what it is asked.
    Runner(#[from] RunnerError),
    /// A folder cannot be packed.
    Scan(#[from] ScanError),
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn category(&self) -> Category {
        match self {
            Self::Build(error) => of_build(error),
            Self::Content(error) => of_kind(error.kind()),
            #[cfg(feature = "daemon")]
            Self::Daemon(error) => of_kind(error.kind()),
            Self::Credentials(
                CredentialsError::Malformed { .. }
                | CredentialsError::Entry { .. }
                | CredentialsError::HelperName { .. },
            ) => Category::Usage,
            Self::Dockerfile(error) => of_dockerfile(error),
            Self::Inventory(error) => of_inventory(error),
            Self::Credentials(_) | Self::Provenance(_) => Category::Failed,
            Self::Path(_)
            | Self::Platform(_)
            | Self::Project(_)
            | Self::Reference(_)
            | Self::Runner(_)
            | Self::Scan(_) => Category::Usage,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Build(error) => error.hints(),
            Self::Content(error) => error.hints().to_vec(),
            Self::Credentials(error) => error.hints(),
            #[cfg(feature = "daemon")]
            Self::Daemon(error) => error.hints(),
            Self::Dockerfile(error) => error.hints(),
            Self::Inventory(error) => error.hints(),
            Self::Project(error) => error.hints(),
            Self::Provenance(error) => error.hints(),
            Self::Reference(error) => error.hints(),
            Self::Runner(error) => error.hints(),
            Self::Scan(error) => error.hints(),
            Self::Path(error) => error.hints(),
            Self::Platform(_) => Vec::new(),
        }
    }
}

fn of_build(error: &BuildError) -> Category {
    match error {
        BuildError::Content(error) => of_content(error),
        BuildError::Read { source, .. } => of_local(source),
        BuildError::Dockerfile(error) => of_dockerfile(error),
        BuildError::Secrets { .. } => Category::Refused,
        BuildError::NoPlatform { .. }
        | BuildError::Twice { .. }
        | BuildError::Reserved { .. }
        | BuildError::Way(WayError::Occupied { .. } | WayError::Path(_))
        | BuildError::Directory { .. }
        | BuildError::Linked { .. }
        | BuildError::Zstd { .. }
        | BuildError::Annotations { .. }
        | BuildError::Path(_) => Category::Usage,
        BuildError::Config { .. }
        | BuildError::NoImage { .. }
        | BuildError::Layers { .. }
        | BuildError::Way(WayError::Circle { .. })
        | BuildError::Changed { .. }
        | BuildError::Spool { .. }
        | BuildError::Stopped
        | BuildError::Task(_)
        | BuildError::Json(_) => Category::Failed,
    }
}

/// What a Dockerfile says is the caller's affair; an image that cannot be read is not.
fn of_dockerfile(error: &DockerfileError) -> Category {
    of_problem(&error.problem)
}

fn of_problem(problem: &Problem) -> Category {
    match problem {
        Problem::Content(error) => of_content(error),
        Problem::Build(error) => of_build(error),
        Problem::Stage(error) => of_dockerfile(error),
        Problem::Trigger { problem, .. } => of_problem(problem),
        Problem::Spool { .. } | Problem::Task(_) | Problem::Config(_) => Category::Failed,
        _ => Category::Usage,
    }
}

fn of_inventory(error: &InventoryError) -> Category {
    let InventoryError::Read { source, .. } = error;
    of_local(source)
}

/// An input that was named and may not be read is the caller's affair; one that breaks while it is read is not.
fn of_local(error: &std::io::Error) -> Category {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Category::Usage,
        _ => Category::Failed,
    }
}

fn of_content(error: &ContentError) -> Category {
    of_kind(error.kind())
}

fn of_kind(kind: Kind) -> Category {
    match kind {
        Kind::Usage => Category::Usage,
        Kind::Refused => Category::Refused,
        Kind::Temporary => Category::Temporary,
        Kind::NotFound | Kind::Denied | Kind::Incomplete | Kind::Invalid | Kind::File | Kind::Other => Category::Failed,
    }
}
