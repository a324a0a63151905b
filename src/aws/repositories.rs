//! Repositories of Amazon ECR: what they are like, and making one.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, RctAppliedFor, Tag,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::failure::{self, Call, Refusal, code};
use super::session::Session;
use crate::content::{ContentError, Kind, Result};
use crate::ecr::{EcrHost, PrivateHost};

/// Whether tags of a repository may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// All may.
    Mutable,
    /// None may.
    Immutable,
    /// None but those that fit a filter.
    ImmutableWithExclusion,
    /// All but those that fit a filter.
    MutableWithExclusion,
}

/// How a repository's images are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// With keys of Amazon S3.
    Aes256,
    /// With a key of AWS KMS; the service's own if none is named.
    Kms(Option<String>),
    /// Twice, with a key of AWS KMS.
    KmsDsse(Option<String>),
}

/// What a repository is made with. What is not set is up to Amazon ECR.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Whether tags may move, and filters for the exclusions.
    pub mutability: Option<(Mutability, Vec<String>)>,
    /// Whether images are scanned when they are pushed.
    pub scan_on_push: Option<bool>,
    /// Encryption of the images.
    pub encryption: Option<Encryption>,
    /// A lifecycle policy, as JSON.
    pub lifecycle_policy: Option<String>,
    /// Tags of the repository itself.
    pub tags: BTreeMap<String, String>,
}

/// What a repository is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// Whether tags may move: `MUTABLE`, `IMMUTABLE`, with `_WITH_EXCLUSION`.
    pub mutability: String,
    /// Filters of the exclusions.
    pub exclusions: Vec<String>,
    /// Whether the repository itself asks for scans.
    pub scan_on_push: bool,
    /// `AES256`, `KMS` or `KMS_DSSE`.
    pub encryption: String,
}

/// What making a repository led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Created,
    /// It was there already; nothing about it was changed.
    Existed,
}

/// When images of a repository are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanFrequency {
    /// When somebody asks for it.
    Manual,
    /// When they are pushed.
    OnPush,
    /// All the time.
    Continuous,
}

impl fmt::Display for ScanFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manual => "on request",
            Self::OnPush => "on push",
            Self::Continuous => "continuously",
        })
    }
}

impl Session {
    /// The account and region; the public gallery has none of the things asked for here.
    pub(super) fn private(&self) -> Result<&PrivateHost> {
        self.host
            .private()
            .ok_or_else(|| ContentError::new(Kind::Usage, format!("{} is not the registry of an account", self.name)))
    }

    /// Makes sure that the registry is one of the caller's own account: some settings are told of that one only.
    async fn own_account(&self, what: &str) -> Result<()> {
        let (host, caller) = (self.private()?, self.caller().await?);
        if host.account == caller.account {
            return Ok(());
        }
        Err(ContentError::new(
            Kind::Denied,
            format!("{what} of account {} can only be read from within it", host.account),
        )
        .because(format!("this is {}", caller.arn)))
    }

    /// What a repository is like; `None` if there is no such one.
    ///
    /// # Errors
    /// When it may not be asked for.
    pub async fn repository(&self, path: &str) -> Result<Option<RepositoryFacts>> {
        let host = self.private()?;
        let answer = self
            .ecr()
            .await?
            .describe_repositories()
            .registry_id(&host.account)
            .repository_names(path)
            .send()
            .await;
        let answer = match answer {
            Err(error) if code(&error) == "RepositoryNotFoundException" => return Ok(None),
            other => other.map_err(|error| self.failed("look at", path, "ecr:DescribeRepositories", &error))?,
        };
        let Some(found) = answer.repositories.unwrap_or_default().into_iter().next() else {
            return Ok(None);
        };
        let filters = found.image_tag_mutability_exclusion_filters.unwrap_or_default();
        Ok(Some(RepositoryFacts {
            mutability: found
                .image_tag_mutability
                .map_or_else(|| "MUTABLE".to_owned(), |mutability| mutability.as_str().to_owned()),
            exclusions: filters.into_iter().map(|filter| filter.filter).collect(),
            scan_on_push: found
                .image_scanning_configuration
                .is_some_and(|scanning| scanning.scan_on_push),
            encryption: found.encryption_configuration.map_or_else(
                || "AES256".to_owned(),
                |encryption| encryption.encryption_type.as_str().to_owned(),
            ),
        }))
    }

    /// Makes a repository. One that is there stays as it is.
    ///
    /// # Errors
    /// When it may not be made, or a setting makes no sense to Amazon ECR.
    pub async fn create_repository(&self, path: &str, settings: &RepositorySettings) -> Result<Creation> {
        let EcrHost::Private(host) = &self.host else {
            return self.create_public(path).await;
        };
        let what = |error: aws_sdk_ecr::error::BuildError| {
            ContentError::new(Kind::Usage, format!("cannot create the repository {path}")).because(error)
        };
        let client = self.ecr().await?;
        let mut request = client
            .create_repository()
            .registry_id(&host.account)
            .repository_name(path);
        if let Some((mutability, exclusions)) = &settings.mutability {
            request = request.image_tag_mutability(mutability.into());
            for exclusion in exclusions {
                let filter = ImageTagMutabilityExclusionFilter::builder()
                    .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
                    .filter(exclusion)
                    .build()
                    .map_err(what)?;
                request = request.image_tag_mutability_exclusion_filters(filter);
            }
        }
        if let Some(scan_on_push) = settings.scan_on_push {
            let scanning = ImageScanningConfiguration::builder().scan_on_push(scan_on_push);
            request = request.image_scanning_configuration(scanning.build());
        }
        if let Some(encryption) = &settings.encryption {
            let (kind, key) = match encryption {
                Encryption::Aes256 => (EncryptionType::Aes256, None),
                Encryption::Kms(key) => (EncryptionType::Kms, key.clone()),
                Encryption::KmsDsse(key) => (EncryptionType::KmsDsse, key.clone()),
            };
            let encryption = EncryptionConfiguration::builder()
                .encryption_type(kind)
                .set_kms_key(key);
            request = request.encryption_configuration(encryption.build().map_err(what)?);
        }
        for (key, value) in &settings.tags {
            request = request.tags(Tag::builder().key(key).value(value).build().map_err(what)?);
        }
        match request.send().await {
            Ok(_) => {}
            Err(error) if code(&error) == "RepositoryAlreadyExistsException" => return Ok(Creation::Existed),
            Err(error) => return Err(self.failed("create", path, "ecr:CreateRepository", &error)),
        }
        if let Some(policy) = &settings.lifecycle_policy {
            let answer = client
                .put_lifecycle_policy()
                .registry_id(&host.account)
                .repository_name(path)
                .lifecycle_policy_text(policy)
                .send()
                .await;
            answer.map_err(|error| {
                self.failed("set the lifecycle policy of", path, "ecr:PutLifecyclePolicy", &error)
                    .hint("the repository is there now, without the policy, and will not be changed by another run")
            })?;
        }
        Ok(Creation::Created)
    }

    async fn create_public(&self, path: &str) -> Result<Creation> {
        // The alias of an account comes first in the name and is no part of what is made.
        let name = path.split_once('/').map_or(path, |(_, name)| name);
        let config = aws_sdk_ecrpublic::config::Builder::from(self.config().await?).interceptor(self.observer());
        let client = aws_sdk_ecrpublic::Client::from_conf(config.build());
        match client.create_repository().repository_name(name).send().await {
            Ok(_) => Ok(Creation::Created),
            Err(error) if code(&error) == "RepositoryAlreadyExistsException" => Ok(Creation::Existed),
            Err(error) => Err(self.failed("create", path, "ecr-public:CreateRepository", &error)),
        }
    }

    /// The prefix of the template by which a push would make a repository, if there is one.
    ///
    /// # Errors
    /// When templates may not be asked for, or are another account's.
    pub async fn creation_template(&self, path: &str) -> Result<Option<String>> {
        self.own_account("the creation templates").await?;
        let client = self.ecr().await?;
        let mut pages = client
            .describe_repository_creation_templates()
            .into_paginator()
            .items()
            .send();
        let mut best: Option<String> = None;
        while let Some(template) = pages.next().await {
            let template = template.map_err(|error| {
                self.failed(
                    "look for creation templates for",
                    path,
                    "ecr:DescribeRepositoryCreationTemplates",
                    &error,
                )
            })?;
            let applies = template
                .applied_for
                .unwrap_or_default()
                .contains(&RctAppliedFor::CreateOnPush);
            let prefix = template.prefix.unwrap_or_default();
            // The longest prefix wins, `ROOT` is for what no other fits.
            let is_better = |best: &Option<String>| match best.as_deref() {
                None | Some(ROOT) => true,
                Some(best) => prefix != ROOT && prefix.len() > best.len(),
            };
            if applies && is_below(path, &prefix) && is_better(&best) {
                best = Some(prefix);
            }
        }
        Ok(best)
    }

    /// Whether a repository is one that a pull-through cache rule fills.
    ///
    /// # Errors
    /// When rules may not be asked for.
    pub async fn is_pull_through(&self, path: &str) -> Result<bool> {
        let host = self.private()?;
        let client = self.ecr().await?;
        let request = client.describe_pull_through_cache_rules().registry_id(&host.account);
        let mut pages = request.into_paginator().items().send();
        while let Some(rule) = pages.next().await {
            let rule = rule.map_err(|error| {
                self.failed(
                    "look for cache rules for",
                    path,
                    "ecr:DescribePullThroughCacheRules",
                    &error,
                )
            })?;
            if rule.ecr_repository_prefix.is_some_and(|prefix| is_below(path, &prefix)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether layers may be mounted between repositories of the account: the setting `BLOB_MOUNTING`.
    ///
    /// # Errors
    /// When the setting may not be read, or is another account's.
    pub async fn blob_mounting(&self) -> Result<bool> {
        self.own_account("the setting BLOB_MOUNTING").await?;
        let answer = self
            .ecr()
            .await?
            .get_account_setting()
            .name("BLOB_MOUNTING")
            .send()
            .await;
        let answer = answer
            .map_err(|error| self.failed("read BLOB_MOUNTING for", &self.name, "ecr:GetAccountSetting", &error))?;
        Ok(answer.value.as_deref() == Some("ENABLED"))
    }

    /// When images of a repository are scanned, given the settings of registry and repository.
    ///
    /// # Errors
    /// When the settings may not be read, or are another account's.
    pub async fn scan_frequency(&self, path: &str) -> Result<ScanFrequency> {
        use aws_sdk_ecr::types::ScanFrequency as Told;
        let client = self.ecr().await?;
        let request = client
            .batch_get_repository_scanning_configuration()
            .repository_names(path);
        let answer = request.send().await.map_err(|error| {
            self.failed(
                "read the scan settings of",
                path,
                "ecr:BatchGetRepositoryScanningConfiguration",
                &error,
            )
        })?;
        // The answer is about the caller's own account, which may have a repository of this name as well.
        let arn = self.private()?.repository_arn(path);
        let mut told = answer.scanning_configurations.unwrap_or_default().into_iter();
        let Some(told) = told.find(|told| told.repository_arn.as_deref().is_none_or(|told| told == arn)) else {
            return Err(ContentError::new(
                Kind::NotFound,
                format!("the scan settings of {path} can only be read from within its account"),
            ));
        };
        Ok(match told.scan_frequency {
            Some(Told::ScanOnPush) => ScanFrequency::OnPush,
            Some(Told::ContinuousScan) => ScanFrequency::Continuous,
            _ => ScanFrequency::Manual,
        })
    }

    /// Puts a failed call about a repository into words.
    pub(super) fn failed<E>(&self, verb: &str, path: &str, action: &str, error: &Refusal<E>) -> ContentError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let what = match &self.host {
            EcrHost::Private(host) => format!("cannot {verb} {path} ({host})"),
            EcrHost::Public => format!("cannot {verb} {path}"),
        };
        let arn = self.host.private().map(|host| host.repository_arn(path));
        let call = Call {
            what: &what,
            action,
            resource: arn.as_deref().unwrap_or("*"),
        };
        failure::of_call(call, &self.clock, error)
    }
}

/// The prefix of a template or rule that is meant for all names no other fits.
const ROOT: &str = "ROOT";

/// Whether a name is below a prefix.
fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    prefix == ROOT || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
}

impl From<&Mutability> for ImageTagMutability {
    fn from(mutability: &Mutability) -> Self {
        match mutability {
            Mutability::Mutable => Self::Mutable,
            Mutability::Immutable => Self::Immutable,
            Mutability::ImmutableWithExclusion => Self::ImmutableWithExclusion,
            Mutability::MutableWithExclusion => Self::MutableWithExclusion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_part_of_the_name_does() {
        assert!(is_below("docker-hub/library/flyway", "docker-hub"));
        assert!(is_below("docker-hub/library/flyway", "docker-hub/library/"));
        assert!(is_below("anything", "ROOT"));
        assert!(!is_below("docker-hubs/flyway", "docker-hub"));
        assert!(!is_below("docker-hub", "docker-hub"));
    }
}
