//! Whether a repository exists.

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};

use super::RepositorySource;
use crate::content::{ContentError, Result};
use crate::oci::{Tag, media_type};

impl RepositorySource {
    /// Whether the repository exists, as the registry tells it: a manifest that is not there has another code than a
    /// repository that is not there. Meant for Amazon ECR; other registries know no repository before its first push.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub async fn is_there(&self) -> Result<bool> {
        Ok(self.missing().await?.is_none())
    }

    /// Why the repository is missing; `None` where it exists.
    pub(super) async fn missing(&self) -> Result<Option<ContentError>> {
        let tag = Tag::latest();
        let mut request = self.request(Method::GET, &format!("manifests/{tag}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::ACCEPT_ALL_MANIFESTS)));
        match self.registry.transport.send(&request, |_| false).await {
            Ok(_) => Ok(None),
            Err(failure) if failure.is_missing_repository() => Ok(Some(failure.error)),
            Err(failure) if failure.status == Some(reqwest::StatusCode::NOT_FOUND) => Ok(None),
            Err(failure) => Err(failure.error.within(format!("cannot look at {}", self.repository))),
        }
    }
}
