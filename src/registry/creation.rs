//! Writing to a repository that may have to be created first.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::Registry;
use super::assistance::{Creation, shared};
use super::error::Failure;
use super::retry::Retry;
use super::transport::Request;
use crate::content::ContentError;

/// Creates one repository, once.
pub(super) struct Creator {
    creation: Creation,
    outcome: OnceCell<Result<(), Arc<ContentError>>>,
}

impl fmt::Debug for Creator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creator").finish_non_exhaustive()
    }
}

impl Creator {
    pub(super) fn new(creation: Creation) -> Self {
        Self {
            creation,
            outcome: OnceCell::new(),
        }
    }

    /// Whether the repository was created by this run: the registry may need a moment to know it everywhere.
    pub(super) fn has_created(&self) -> bool {
        matches!(self.outcome.get(), Some(Ok(())))
    }

    /// Whether the repository could not be created.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.outcome.get(), Some(Err(_)))
    }

    /// Creates the repository; everybody who needs it waits for the first.
    async fn create(&self) -> Result<(), ContentError> {
        let outcome = self
            .outcome
            .get_or_init(|| async { (self.creation)().await.map_err(Arc::new) })
            .await;
        outcome
            .as_ref()
            .copied()
            .map_err(|cause| shared("the repository does not exist, and cannot be created", cause))
    }
}

/// Makes a request that writes. Where the repository is missing it is created, and the request made again.
///
/// # Errors
/// The failure of the request, or of the creation.
pub(super) async fn write(
    registry: &Registry,
    creator: Option<&Creator>,
    request: &Request,
) -> Result<reqwest::Response, Failure> {
    let first = registry.transport.send(request, |_| false).await;
    let (Err(failure), Some(creator)) = (&first, creator) else {
        return first;
    };
    if !failure.is_missing_repository() {
        return first;
    }
    creator.create().await.map_err(Failure::lasting)?;
    let mut retry = Retry::new();
    loop {
        match registry.transport.send(request, |_| false).await {
            Err(failure) if failure.is_missing_repository() => {
                let not_yet = Failure {
                    is_temporary: true,
                    ..failure
                };
                retry
                    .wait(&registry.transport, "the first request to the new repository", not_yet)
                    .await?;
            }
            result => return result,
        }
    }
}
