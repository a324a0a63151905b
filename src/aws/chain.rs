//! Where an identity is found: the places the SDKs of AWS look in, in their order, each named.
//!
//! The chain is the SDK's own, taken apart: it tells which place answered, or which were empty, and it gives
//! up on instance metadata within seconds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as ProviderResult, SharedCredentialsProvider, future};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::clock::Clock;
use super::failure::{self, Call, Refusal};
use super::identity::{Identity, WebIdentity};
use super::session::Observer;
use crate::content::{ContentError, Kind, Result};

/// How long the instance metadata service has for one step. It answers in milliseconds where it is; where it is not,
/// packets may vanish.
const METADATA_STEP: Duration = Duration::from_secs(1);
/// How long it has in all.
const METADATA_LIMIT: Duration = Duration::from_secs(3);

/// How long any place has: a profile may run a program, or ask two services.
const PLACE_LIMIT: Duration = Duration::from_secs(60);

/// An identity that was found, and that can be asked for again when it has run out.
#[derive(Debug)]
pub(super) struct Chain {
    provider: SharedCredentialsProvider,
    first: Credentials,
    first_is_taken: AtomicBool,
    origin: String,
}

impl Chain {
    /// Finds an identity.
    pub(super) async fn open(identity: &Identity, config: &SdkConfig, clock: &Arc<Clock>) -> Result<Self> {
        let exchange = |proof: Proof, role: &str| Exchange {
            proof,
            role: role.to_owned(),
            session_name: identity.session_name.clone(),
            config: config.clone(),
            clock: Arc::clone(clock),
        };
        if let Some(web_identity) = &identity.web_identity {
            let exchange = exchange(Proof::Token(web_identity.clone()), &web_identity.role);
            let origin = format!("token in {}, traded for {}", web_identity.variable, web_identity.role);
            return Self::trading(exchange, origin).await;
        }
        let found = find(identity, config, clock).await?;
        let Some(role) = &identity.role else { return Ok(found) };
        let origin = format!("{}, as {role}", found.origin);
        // What was found is used, and not asked for again: a process may want a second factor.
        let proof = Proof::Identity(SharedCredentialsProvider::new(found));
        Self::trading(exchange(proof, role), origin).await
    }

    async fn trading(exchange: Exchange, origin: String) -> Result<Self> {
        let first = exchange.trade().await?;
        Ok(Self::of(SharedCredentialsProvider::new(exchange), first, origin))
    }

    fn of(provider: SharedCredentialsProvider, first: Credentials, origin: String) -> Self {
        Self {
            provider,
            first,
            first_is_taken: AtomicBool::new(false),
            origin,
        }
    }

    /// Where it was found.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        if !self.first_is_taken.swap(true, Ordering::Relaxed) {
            return future::ProvideCredentials::ready(Ok(self.first.clone()));
        }
        self.provider.provide_credentials()
    }
}

/// A place that may hold an identity.
struct Place {
    /// What it is, for people.
    name: String,
    provider: SharedCredentialsProvider,
}

/// Asks one place after the other; the first that holds an identity, or fails, ends it.
async fn find(identity: &Identity, config: &SdkConfig, clock: &Clock) -> Result<Chain> {
    let mut empty = Vec::new();
    for place in places(identity, config) {
        let Ok(answer) = tokio::time::timeout(PLACE_LIMIT, place.provider.provide_credentials()).await else {
            return Err(ContentError::new(
                Kind::Temporary,
                format!("cannot become somebody at AWS: {}", place.name),
            )
            .because(format!("no answer within {} seconds", PLACE_LIMIT.as_secs())));
        };
        match answer {
            Ok(first) => return Ok(Chain::of(place.provider, first, place.name)),
            Err(CredentialsError::CredentialsNotLoaded(_)) if identity.profile.is_some() => {
                return Err(ContentError::new(Kind::Usage, format!("{} cannot be used", place.name))
                    .because("there is no such profile, or it names no identity")
                    .hint("`aws configure list-profiles` shows the profiles there are; AWS_CONFIG_FILE names another file"));
            }
            Err(CredentialsError::CredentialsNotLoaded(_)) => empty.push(place.name),
            Err(error) => return Err(failure::of_provider(&place.name, clock, &error)),
        }
    }
    let nobody = ContentError::new(Kind::Denied, "no AWS identity was found")
        .because(format!("looked in: {}", empty.join("; ")));
    let told = identity.remarks.iter().fold(nobody, |error, remark| error.hint(remark));
    Err(told
        .hint("on a laptop: `aws sso login --profile NAME`, then pass --aws-profile NAME")
        .hint("in a GitLab job: an id_tokens entry SHIPWAY_ID_TOKEN, and --aws-role-arn or AWS_ROLE_ARN (docs/ecr.md)"))
}

fn places(identity: &Identity, config: &SdkConfig) -> Vec<Place> {
    let settings = settings(config);
    let mut profile = ProfileFileCredentialsProvider::builder().configure(&settings);
    if let Some(name) = &identity.profile {
        profile = profile.profile_name(name);
        return vec![Place {
            name: format!("profile {name:?} of AWS's config files"),
            provider: SharedCredentialsProvider::new(profile.build()),
        }];
    }
    let metadata = imds::Client::builder()
        .configure(&settings)
        .max_attempts(1)
        .connect_timeout(METADATA_STEP)
        .read_timeout(METADATA_STEP)
        .operation_timeout(METADATA_STEP)
        .operation_attempt_timeout(METADATA_STEP)
        .build();
    let metadata = Metadata(
        ImdsCredentialsProvider::builder()
            .configure(&settings)
            .imds_client(metadata)
            .build(),
    );
    vec![
        Place {
            name: "environment (AWS_ACCESS_KEY_ID)".to_owned(),
            provider: SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
        },
        Place {
            name: "AWS's config files (AWS_PROFILE, or the profile default)".to_owned(),
            provider: SharedCredentialsProvider::new(profile.build()),
        },
        Place {
            name: "token file (AWS_WEB_IDENTITY_TOKEN_FILE)".to_owned(),
            provider: SharedCredentialsProvider::new(
                WebIdentityTokenCredentialsProvider::builder()
                    .configure(&settings)
                    .build(),
            ),
        },
        Place {
            name: "container (AWS_CONTAINER_CREDENTIALS_…)".to_owned(),
            provider: SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&settings).build()),
        },
        Place {
            name: "instance metadata".to_owned(),
            provider: SharedCredentialsProvider::new(metadata),
        },
    ]
}

/// What the providers need to know of the settings for clients.
fn settings(config: &SdkConfig) -> ProviderConfig {
    let mut settings = ProviderConfig::default()
        .with_behavior_version(config.behavior_version())
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack());
    if let Some(client) = config.http_client() {
        settings = settings.with_http_client(client);
    }
    if let Some(retry) = config.retry_config() {
        settings = settings.with_retry_config(retry.clone());
    }
    if let Some(limits) = config.timeout_config() {
        settings = settings.with_timeout_config(limits.clone());
    }
    settings
}

/// Instance metadata within a bound, where no answer means that there is none.
#[derive(Debug)]
struct Metadata(ImdsCredentialsProvider);

impl ProvideCredentials for Metadata {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match tokio::time::timeout(METADATA_LIMIT, self.0.provide_credentials()).await {
                // Where there is no such service, something else may answer in its place: a proxy, a sandbox.
                Ok(Err(error @ CredentialsError::ProviderError(_))) => Err(CredentialsError::not_loaded(error)),
                Ok(result) => result,
                Err(_) => Err(CredentialsError::not_loaded("no answer in time")),
            }
        })
    }
}

/// Who asks for a role.
#[derive(Debug)]
enum Proof {
    /// An identity of AWS.
    Identity(SharedCredentialsProvider),
    /// A token. It is in a variable, not in a file where the SDK would find it.
    Token(WebIdentity),
}

/// Trades a proof for a role.
#[derive(Debug)]
struct Exchange {
    proof: Proof,
    role: String,
    session_name: String,
    config: SdkConfig,
    clock: Arc<Clock>,
}

impl Exchange {
    async fn trade(&self) -> Result<Credentials> {
        let config = aws_sdk_sts::config::Builder::from(&self.config).interceptor(Observer(Arc::clone(&self.clock)));
        let role = &self.role;
        let given = match &self.proof {
            Proof::Token(web_identity) => {
                let answer = aws_sdk_sts::Client::from_conf(config.build())
                    .assume_role_with_web_identity()
                    .role_arn(role)
                    .role_session_name(&self.session_name)
                    .web_identity_token(web_identity.token.expose())
                    .send()
                    .await;
                let what = format!("cannot trade the token in {} for {role}", web_identity.variable);
                answer
                    .map_err(|error| self.refused(&what, "sts:AssumeRoleWithWebIdentity", &error))?
                    .credentials
            }
            Proof::Identity(provider) => {
                let config = config.credentials_provider(provider.clone()).build();
                let answer = aws_sdk_sts::Client::from_conf(config)
                    .assume_role()
                    .role_arn(role)
                    .role_session_name(&self.session_name)
                    .send()
                    .await;
                answer
                    .map_err(|error| self.refused(&format!("cannot take on {role}"), "sts:AssumeRole", &error))?
                    .credentials
            }
        };
        let given = given.ok_or_else(|| ContentError::new(Kind::Invalid, format!("STS gave no keys for {role}")))?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            std::time::SystemTime::try_from(given.expiration).ok(),
            "shipway",
        ))
    }

    fn refused<E>(&self, what: &str, action: &str, error: &Refusal<E>) -> ContentError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let call = Call {
            what,
            action,
            resource: &self.role,
        };
        failure::of_call(call, &self.clock, error)
    }
}

impl ProvideCredentials for Exchange {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let traded: Pin<Box<dyn Future<Output = ProviderResult> + Send + 'a>> =
            Box::pin(async { self.trade().await.map_err(CredentialsError::provider_error) });
        future::ProvideCredentials::new(traded)
    }
}
