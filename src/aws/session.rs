//! One identity at the services of one region.

use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::sync::{Mutex, OnceCell};

use super::chain::Chain;
use super::clock::Clock;
use super::failure::{self, Call};
use super::identity::Identity;
use super::login::EcrLogin;
use crate::content::{ContentError, Kind, Result};
use crate::ecr::EcrHost;

/// How the SDK behaves; named, so that an update of it changes nothing by itself.
pub(super) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Most tries of one call: a network without a way to AWS should be told soon, and what is called may be retried by
/// running the command again.
const MOST_TRIES: u32 = 4;

/// How patient calls are.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the second try; doubles from there.
    pub first_wait: Duration,
    /// How long one try may take.
    pub limit: Duration,
}

/// Who somebody is at AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The ARN, such as `arn:aws:sts::123456789012:assumed-role/deploy/GitLabRunner-1-2`.
    pub arn: String,
    /// The account.
    pub account: String,
}

/// One identity at the services of the region of one registry. Nothing is asked before something is needed.
#[derive(Debug)]
pub struct Session {
    pub(super) name: String,
    pub(super) host: EcrHost,
    pub(super) clock: Arc<Clock>,
    identity: Identity,
    patience: Patience,
    pub(super) login: Mutex<Option<EcrLogin>>,
    opened: OnceCell<Opened>,
    caller: OnceCell<Caller>,
}

/// An identity that was found, and what clients are made with.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) config: SdkConfig,
    pub(super) origin: String,
}

impl Session {
    /// The session that gives logins for the registry `name`, which is `host`.
    #[must_use]
    pub fn new(name: &str, host: EcrHost, identity: Identity, patience: Patience, clock: Arc<Clock>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            host,
            clock,
            identity,
            patience,
            login: Mutex::default(),
            opened: OnceCell::new(),
            caller: OnceCell::new(),
        })
    }

    /// The same identity at another region, to look for what is not where it should be.
    #[must_use]
    pub fn elsewhere(&self, region: &str) -> Option<Arc<Self>> {
        let mut host = self.host.private()?.clone();
        host.region = region.to_owned();
        Some(Self::new(
            &self.name,
            EcrHost::Private(host),
            self.identity.clone(),
            self.patience,
            Arc::clone(&self.clock),
        ))
    }

    /// The registry's host.
    #[must_use]
    pub fn host(&self) -> &EcrHost {
        &self.host
    }

    /// How patient calls are.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// The clock, and what answers said about it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where the identity was found, for people.
    ///
    /// # Errors
    /// When there is none, or the place that should hold one fails.
    pub async fn origin(&self) -> Result<&str> {
        Ok(&self.opened().await?.origin)
    }

    /// Who this is, as STS tells it. Asked once.
    ///
    /// # Errors
    /// When there is no identity, or STS does not know it.
    pub async fn caller(&self) -> Result<&Caller> {
        self.caller.get_or_try_init(|| self.ask_caller()).await
    }

    async fn ask_caller(&self) -> Result<Caller> {
        let config = aws_sdk_sts::config::Builder::from(self.config().await?).interceptor(self.observer());
        let client = aws_sdk_sts::Client::from_conf(config.build());
        let answer = client.get_caller_identity().send().await.map_err(|error| {
            let call = Call {
                what: "cannot ask AWS who this is",
                action: "sts:GetCallerIdentity",
                resource: "*",
            };
            failure::of_call(call, &self.clock, &error)
        })?;
        match (answer.arn, answer.account) {
            (Some(arn), Some(account)) => Ok(Caller { arn, account }),
            _ => Err(ContentError::new(Kind::Invalid, "STS does not say who this is")),
        }
    }

    /// Settings for clients, with an identity that was found.
    pub(super) async fn config(&self) -> Result<&SdkConfig> {
        Ok(&self.opened().await?.config)
    }

    /// Takes note of the time in every answer.
    pub(super) fn observer(&self) -> Observer {
        Observer(Arc::clone(&self.clock))
    }

    async fn opened(&self) -> Result<&Opened> {
        self.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<Opened> {
        let opened = open(Some(self.host.region()), &self.identity, self.patience, &self.clock).await?;
        // The host's form is about the registry and who is asked for it. Where the host does not say so, and for whatever
        // gives the identity, the user's own settings for the SDK hold.
        let EcrHost::Private(host) = &self.host else {
            return Ok(opened);
        };
        if self.identity.has_own_endpoints {
            return Ok(opened);
        }
        let mut config = opened.config.into_builder();
        if host.is_fips {
            config = config.use_fips(true);
        }
        if host.is_dual_stack {
            config = config.use_dual_stack(true);
        }
        Ok(Opened {
            config: config.build(),
            origin: opened.origin,
        })
    }
}

/// Finds the identity, and settings for clients of one region.
pub(super) async fn open(
    region: Option<&str>,
    identity: &Identity,
    patience: Patience,
    clock: &Arc<Clock>,
) -> Result<Opened> {
    let region = match region {
        Some(region) => Region::new(region.to_owned()),
        None => region_of_profile(identity).await?,
    };
    let tries = patience.retries.saturating_add(1).min(MOST_TRIES);
    let mut loader = aws_config::defaults(behavior())
        .region(region)
        .no_credentials()
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(tries)
                .with_initial_backoff(patience.first_wait),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(patience.limit)
                .build(),
        );
    if let Some(profile) = &identity.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    let chain = Chain::open(identity, &config, clock).await?;
    let origin = chain.origin().to_owned();
    let config = config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(chain));
    Ok(Opened {
        config: config.build(),
        origin,
    })
}

/// The region the profile names, where nothing else says one.
async fn region_of_profile(identity: &Identity) -> Result<Region> {
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(profile) = &identity.profile {
        provider = provider.profile_name(profile);
    }
    provider.build().region().await.ok_or_else(|| {
        ContentError::new(Kind::Usage, "it is not said in which region of AWS")
            .hint("name it: --region eu-west-1, AWS_REGION, or region of the profile in ~/.aws/config")
    })
}

/// Looks at the `Date` of answers.
#[derive(Debug)]
pub(super) struct Observer(pub(super) Arc<Clock>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "Observer"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.0.observe(date);
        }
        Ok(())
    }
}
