//! Logins for a daemon, which pulls by itself.

use shipway::credentials::Credentials;
use shipway::error::Error;
use shipway::oci::Repository;

use super::{Intent, Places};

impl Places {
    /// The login for pulls from a repository, as it is now.
    pub(crate) async fn login(&self, repository: &Repository) -> Result<Credentials, Error> {
        let (host, path) = (repository.registry(), repository.path());
        let identity = self.identity(host, path, Intent::Read).await?;
        let assistance = self.assistance(host, path, &identity)?;
        Ok((assistance.login)(false).await?.credentials)
    }
}
