//! One identity at the services of one region, for whatever runs images there.

use std::error::Error as StdError;
use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::clock::Clock;
use super::failure::{self, Call};
use super::identity::Identity;
use super::session::{Observer, Opened, Patience, open};
use crate::content::ContentError;

/// One identity at the services of one region: clients are made from it, and their failures are put into words by it.
#[derive(Debug, Clone)]
pub struct Services {
    config: SdkConfig,
    origin: Arc<str>,
    clock: Arc<Clock>,
}

impl Services {
    /// Finds the identity; without a region, the one its profile names. No service is asked yet, unless the identity comes from one.
    ///
    /// # Errors
    /// When there is none, or the place that should hold one fails.
    pub async fn open(
        region: Option<&str>,
        identity: &Identity,
        patience: Patience,
        clock: Arc<Clock>,
    ) -> Result<Self, ContentError> {
        let Opened { config, origin } = open(region, identity, patience, &clock).await?;
        Ok(Self {
            config,
            origin: origin.into(),
            clock,
        })
    }

    /// The services of an identity that somebody else found, with settings of its own.
    #[must_use]
    pub fn of(config: SdkConfig, clock: Arc<Clock>) -> Self {
        Self {
            config,
            origin: "the caller".into(),
            clock,
        }
    }

    /// The same identity in another region.
    #[must_use]
    pub fn elsewhere(&self, region: &str) -> Self {
        let config = self
            .config
            .clone()
            .into_builder()
            .region(Region::new(region.to_owned()));
        Self {
            config: config.build(),
            ..self.clone()
        }
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.config.region().map_or("", AsRef::as_ref)
    }

    /// Where the identity was found, for people.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What clients are made with.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The clock, and what answers said about it.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Takes note of the time in every answer of a client it is given to.
    #[must_use]
    pub fn observer(&self) -> impl aws_smithy_runtime_api::client::interceptors::Intercept + use<> {
        Observer(Arc::clone(&self.clock))
    }

    /// Puts a failed call into words: `what` could not be done, which takes the right `action` on `resource`.
    #[must_use]
    pub fn refused<E>(
        &self,
        what: &str,
        action: &str,
        resource: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> ContentError
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let call = Call { what, action, resource };
        failure::of_call(call, &self.clock, error)
    }
}

#[cfg(test)]
impl Services {
    /// An identity that is nobody, at services that are all in this process.
    pub(crate) fn here(endpoint: &str) -> Self {
        use aws_credential_types::Credentials;
        use aws_credential_types::provider::SharedCredentialsProvider;

        let nobody = Credentials::new("AKIATEST", "secret", None, None, "test");
        let retries = aws_config::retry::RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(std::time::Duration::from_millis(1));
        let config = SdkConfig::builder()
            .behavior_version(super::session::behavior())
            .region(Region::new("eu-west-3"))
            .endpoint_url(endpoint)
            .retry_config(retries)
            .credentials_provider(SharedCredentialsProvider::new(nobody));
        Self {
            config: config.build(),
            origin: "the test".into(),
            clock: Arc::new(Clock::new(0)),
        }
    }
}
