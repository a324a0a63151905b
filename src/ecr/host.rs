//! Which account and region a registry's host name stands for.

use std::fmt;

/// The domains of private registries, with the partition each belongs to.
///
/// As the credential helper of AWS knows them (`amazon-ecr-credential-helper`, `ecr-login/api/client.go`).
const DOMAINS: [(&str, &str); 9] = [
    ("amazonaws.com.cn", "aws-cn"),
    ("amazonaws.com", "aws"),
    ("amazonaws.eu", "aws-eusc"),
    ("on.amazonwebservices.com.cn", "aws-cn"),
    ("on.aws", "aws"),
    ("sc2s.sgov.gov", "aws-iso-b"),
    ("c2s.ic.gov", "aws-iso"),
    ("cloud.adc-e.uk", "aws-iso-e"),
    ("csp.hci.ic.gov", "aws-iso-f"),
];

/// Hosts of the public gallery.
const PUBLIC: [&str; 2] = ["public.ecr.aws", "ecr-public.aws.com"];

/// The region that gives logins for the public gallery (ECR Public API reference).
const PUBLIC_REGION: &str = "us-east-1";

/// A registry of Amazon ECR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EcrHost {
    /// One of an account, in a region.
    Private(PrivateHost),
    /// The public gallery.
    Public,
}

/// The registry of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateHost {
    /// The account: twelve digits. Also what the API calls the registry's id.
    pub account: String,
    /// The region, such as `eu-west-1`.
    pub region: String,
    /// The partition of ARNs there, such as `aws` or `aws-cn`.
    pub partition: &'static str,
    /// Whether the host's cryptography is validated to FIPS 140.
    pub is_fips: bool,
    /// Whether the host is reachable by IPv6 as well.
    pub is_dual_stack: bool,
}

impl EcrHost {
    /// Reads a registry's host name; `None` where it is not one of Amazon ECR.
    #[must_use]
    pub fn parse(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        if PUBLIC.contains(&host.as_str()) {
            return Some(Self::Public);
        }
        let (account, rest) = host.split_at_checked(12)?;
        if !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // `.dkr.ecr.` is the original form, `.dkr-ecr.` the one that is dual-stack.
        let rest = rest.strip_prefix(".dkr")?;
        let (is_dual_stack, rest) = match rest.strip_prefix(".ecr") {
            Some(rest) => (false, rest),
            None => (true, rest.strip_prefix("-ecr")?),
        };
        let (is_fips, rest) = match rest.strip_prefix("-fips") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (region, domain) = rest.strip_prefix('.')?.split_once('.')?;
        let is_region = !region.is_empty()
            && !region.starts_with('-')
            && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let (_, partition) = DOMAINS.iter().find(|(known, _)| *known == domain)?;
        is_region.then(|| {
            Self::Private(PrivateHost {
                account: account.to_owned(),
                partition: if region.starts_with("us-gov-") {
                    "aws-us-gov"
                } else {
                    partition
                },
                region: region.to_owned(),
                is_fips,
                is_dual_stack,
            })
        })
    }

    /// The region whose service gives logins for it.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Self::Private(host) => &host.region,
            Self::Public => PUBLIC_REGION,
        }
    }

    /// The command that logs Docker in to `host`, which is the one this was read from.
    #[must_use]
    pub fn login_command(&self, host: &str) -> String {
        let service = match self {
            Self::Private(_) => "ecr",
            Self::Public => "ecr-public",
        };
        let region = self.region();
        format!(
            "aws {service} get-login-password --region {region} | docker login --username AWS --password-stdin {host}"
        )
    }

    /// The command that creates a repository there.
    #[must_use]
    pub fn creation_command(&self, path: &str) -> String {
        match self {
            Self::Private(host) => host.creation_command(path),
            Self::Public => {
                // Before the name stands the alias of the account's gallery.
                let own = path.split_once('/').map_or(path, |(_, own)| own);
                format!("aws ecr-public create-repository --region {PUBLIC_REGION} --repository-name {own}")
            }
        }
    }

    /// The account, where the host belongs to one.
    #[must_use]
    pub fn private(&self) -> Option<&PrivateHost> {
        match self {
            Self::Private(host) => Some(host),
            Self::Public => None,
        }
    }
}

impl PrivateHost {
    /// The ARN of a repository there, as policies name it.
    #[must_use]
    pub fn repository_arn(&self, path: &str) -> String {
        format!(
            "arn:{}:ecr:{}:{}:repository/{path}",
            self.partition, self.region, self.account
        )
    }

    /// The name that is meant where a path begins with what belongs before it: a registry's host, or the account.
    #[must_use]
    pub fn name_within<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (first, rest) = path.split_once('/')?;
        if first == self.account {
            return Some(rest);
        }
        let mut rest = path;
        while let Some((component, behind)) = rest.split_once('/') {
            if EcrHost::parse(component).is_some_and(|host| host.private().is_some()) {
                return Some(behind);
            }
            rest = behind;
        }
        None
    }

    /// The command that lets blobs be mounted there, which is off unless an account says otherwise
    /// (aws/containers-roadmap#531).
    #[must_use]
    pub fn mounting_command(&self) -> String {
        format!(
            "aws ecr put-account-setting --region {} --name BLOB_MOUNTING --value ENABLED",
            self.region
        )
    }

    /// The command that creates a repository there.
    #[must_use]
    pub fn creation_command(&self, path: &str) -> String {
        format!(
            "aws ecr create-repository --region {} --repository-name {path}",
            self.region
        )
    }
}

impl fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {} in {}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(host: &str) -> PrivateHost {
        match EcrHost::parse(host) {
            Some(EcrHost::Private(private)) => private,
            other => panic!("{host}: {other:?}"),
        }
    }

    #[test]
    fn every_private_form_tells_account_region_and_partition() {
        for (host, region, partition, is_fips, is_dual_stack) in [
            ("dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", "aws", false, false),
            ("dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", "aws", true, false),
            (
                "dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                "aws-us-gov",
                true,
                false,
            ),
            (
                "dkr.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
                "aws-cn",
                false,
                false,
            ),
            (
                "dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
                "aws-eusc",
                false,
                false,
            ),
            ("dkr-ecr.eu-west-1.on.aws", "eu-west-1", "aws", false, true),
            ("dkr-ecr-fips.us-west-2.on.aws", "us-west-2", "aws", true, true),
            (
                "dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                "cn-north-1",
                "aws-cn",
                false,
                true,
            ),
            (
                "dkr.ecr.us-iso-east-1.c2s.ic.gov",
                "us-iso-east-1",
                "aws-iso",
                false,
                false,
            ),
            (
                "dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
                "us-isob-east-1",
                "aws-iso-b",
                false,
                false,
            ),
            (
                "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
                "aws-iso-e",
                false,
                false,
            ),
            (
                "dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
                "us-isof-south-1",
                "aws-iso-f",
                false,
                false,
            ),
            ("DKR.ECR.eu-west-1.AmazonAWS.com", "eu-west-1", "aws", false, false),
        ] {
            let known = private(&format!("123456789012.{host}"));
            assert_eq!(known.account, "123456789012", "{host}");
            assert_eq!(
                (
                    known.region.as_str(),
                    known.partition,
                    known.is_fips,
                    known.is_dual_stack
                ),
                (region, partition, is_fips, is_dual_stack),
                "{host}"
            );
        }
        assert_eq!(EcrHost::parse("public.ecr.aws"), Some(EcrHost::Public));
        assert_eq!(EcrHost::parse("ecr-public.aws.com"), Some(EcrHost::Public));
    }

    #[test]
    fn other_hosts_are_not_taken_for_it() {
        for host in [
            "",
            "docker.io",
            "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
            "1234567890123.dkr.ecr.eu-west-1.amazonaws.com",
            "12345678901a.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.org",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.amazonaws.com",
            "evil.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "xpublic.ecr.aws",
            "ééééééé.dkr.ecr.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }

    #[test]
    fn a_host_within_a_name_is_found() {
        let known = private("123456789012.dkr.ecr.eu-west-1.amazonaws.com");
        for (path, name) in [
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/orders",
                Some("team/orders"),
            ),
            ("x/999999999999.dkr.ecr.us-east-1.amazonaws.com/orders", Some("orders")),
            ("123456789012/orders", Some("orders")),
            ("123456789012", None),
            ("team/orders", None),
            ("docker.io/library/alpine", None),
        ] {
            assert_eq!(known.name_within(path), name, "{path}");
        }
    }

    #[test]
    fn arns_and_commands_name_the_place() {
        let known = private("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
        assert_eq!(
            known.repository_arn("team/orders"),
            "arn:aws-cn:ecr:cn-north-1:123456789012:repository/team/orders"
        );
        assert_eq!(
            known.creation_command("orders"),
            "aws ecr create-repository --region cn-north-1 --repository-name orders"
        );
    }
}
