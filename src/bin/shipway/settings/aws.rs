//! Who we are at AWS, and what repositories are made with there.

use std::collections::BTreeMap;
use std::fs;

use shipway::aws::{Encryption, Identity, Mutability, RepositorySettings, WebIdentity};
use shipway::content::{ContentError, Kind};
use shipway::credentials::Secret;
use shipway::project::{Project, RepositorySection};

use super::registries::canonical;
use crate::args::GlobalArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// Variables a token is looked for in where none is named.
const TOKEN_VARIABLES: [&str; 2] = ["SHIPWAY_ID_TOKEN", "AWS_ID_TOKEN"];
/// Session name of a role where nothing better is known.
const SESSION_NAME: &str = "shipway";
/// Longest name of a session (AssumeRole, RoleSessionName).
const SESSION_NAME_LENGTH: usize = 64;
/// Most filters of tags that are excluded from a repository's mutability (CreateRepository).
const MOST_EXCLUSIONS: usize = 5;
/// Longest lifecycle policy (PutLifecyclePolicy).
const LONGEST_POLICY: usize = 30_720;

/// Who to be at AWS, registry by registry.
#[derive(Debug)]
pub(crate) struct Identities {
    profile: Option<String>,
    role: Option<String>,
    by_host: BTreeMap<String, (Option<String>, Option<String>)>,
    token: Option<Token>,
    /// `AWS_ROLE_ARN`, meant for the token.
    token_role: Option<String>,
    session_name: String,
    has_own_endpoints: bool,
    remarks: Vec<String>,
    /// The region the environment names.
    pub(crate) region: Option<String>,
}

#[derive(Debug)]
struct Token {
    variable: String,
    value: Secret,
    is_named: bool,
}

impl Identities {
    /// Settles who to be: flags over the project file.
    pub(crate) fn resolve(
        arguments: &GlobalArguments,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Self> {
        let mut by_host = BTreeMap::new();
        for (host, section) in &project.registry {
            by_host.insert(canonical(host)?, (section.profile.clone(), section.role_arn.clone()));
        }
        let project_and_pipeline = environment.get("CI_PROJECT_ID").zip(environment.get("CI_PIPELINE_ID"));
        let session_name = match (environment.get("AWS_ROLE_SESSION_NAME"), project_and_pipeline) {
            (Some(name), _) => name.to_owned(),
            (None, Some((project, pipeline))) => format!("GitLabRunner-{project}-{pipeline}"),
            (None, None) => SESSION_NAME.to_owned(),
        };
        let region = environment
            .get("AWS_REGION")
            .or_else(|| environment.get("AWS_DEFAULT_REGION"));
        Ok(Self {
            profile: arguments.aws_profile.clone(),
            role: arguments.aws_role_arn.clone(),
            by_host,
            token: token(arguments, environment)?,
            token_role: environment.get("AWS_ROLE_ARN").map(str::to_owned),
            session_name: session_name.chars().take(SESSION_NAME_LENGTH).collect(),
            has_own_endpoints: has_own_endpoints(environment)?,
            remarks: remarks(environment),
            region: region.map(str::to_owned),
        })
    }

    /// Who to be at one registry.
    ///
    /// # Errors
    /// When a token was named and there is no role to trade it for.
    pub(crate) fn at(&self, host: &str) -> Result<Identity, ContentError> {
        let (profile, role) = self.by_host.get(host).cloned().unwrap_or_default();
        let profile = self.profile.clone().or(profile);
        let role = self.role.clone().or(role);
        let mut identity = Identity {
            profile,
            role,
            web_identity: None,
            has_own_endpoints: self.has_own_endpoints,
            remarks: self.remarks.clone(),
            session_name: self.session_name.clone(),
        };
        let Some(token) = &self.token else { return Ok(identity) };
        // Who names a profile in the command does not mean a token that happens to be there. One in the project file is
        // for laptops, and a job with a token has no profiles.
        if self.profile.is_some() && !token.is_named {
            return Ok(identity);
        }
        match identity.role.clone().or_else(|| self.token_role.clone()) {
            Some(role) => {
                identity.web_identity = Some(WebIdentity {
                    token: token.value.clone(),
                    variable: token.variable.clone(),
                    role,
                });
                Ok(identity)
            }
            None if token.is_named => Err(ContentError::new(
                Kind::Usage,
                format!("there is a token in {}, and no role to trade it for", token.variable),
            )
            .hint("name the role with --aws-role-arn or AWS_ROLE_ARN, or role_arn of the registry in shipway.toml")),
            None => {
                identity.remarks.push(format!(
                    "{} holds a token, and no role is named to trade it for: --aws-role-arn or AWS_ROLE_ARN",
                    token.variable
                ));
                Ok(identity)
            }
        }
    }
}

/// Variables by which the services shipway asks are reached at other addresses.
const ENDPOINT_VARIABLES: [&str; 4] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_ECR",
    "AWS_ENDPOINT_URL_ECR_PUBLIC",
    "AWS_ENDPOINT_URL_STS",
];

/// Whether the SDK is told other addresses; what is no address is named before the SDK trips over it.
fn has_own_endpoints(environment: &Environment) -> anyhow::Result<bool> {
    let mut has_any = false;
    for variable in ENDPOINT_VARIABLES {
        let Some(value) = environment.any(variable) else {
            continue;
        };
        let is_address = ["http://", "https://"]
            .iter()
            .any(|scheme| value.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        if !is_address || value.contains(char::is_whitespace) {
            return Err(CommandError::usage(format!("{variable}: {value:?} is not an address"))
                .hint("such as https://vpce-0123.api.ecr.eu-west-1.vpce.amazonaws.com")
                .into());
        }
        has_any = true;
    }
    Ok(has_any)
}

/// What about the environment may explain that no identity is found.
fn remarks(environment: &Environment) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_set = |name| environment.any(name).is_some();
    match (is_set("AWS_ACCESS_KEY_ID"), is_set("AWS_SECRET_ACCESS_KEY")) {
        (true, false) => remarks.push("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not".to_owned()),
        (false, true) => remarks.push("AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not".to_owned()),
        _ => {}
    }
    if let Some(profile) = environment.any("AWS_PROFILE") {
        remarks.push(format!(
            "AWS_PROFILE names the profile {profile:?}, which is not there or names no identity"
        ));
    }
    remarks
}

fn token(arguments: &GlobalArguments, environment: &Environment) -> anyhow::Result<Option<Token>> {
    let of = |variable: &str, is_named| {
        let value = environment.any(variable)?.trim();
        (!value.is_empty()).then(|| Token {
            variable: variable.to_owned(),
            value: Secret::new(value.to_owned()),
            is_named,
        })
    };
    let Some(variable) = &arguments.aws_web_identity_token_env else {
        return Ok(TOKEN_VARIABLES.iter().find_map(|variable| of(variable, false)));
    };
    match of(variable, true) {
        Some(token) => Ok(Some(token)),
        None => Err(CommandError::usage(format!(
            "--aws-web-identity-token-env {variable}: the variable is not set"
        ))
        .hint(format!(
            "in a GitLab job: id_tokens: {{ {variable}: {{ aud: https://gitlab.example.com }} }}"
        ))
        .into()),
    }
}

/// What repositories are made with.
pub(crate) fn repository(project: &Project) -> anyhow::Result<RepositorySettings> {
    let section = &project.repository;
    let lifecycle_policy = match &section.lifecycle_policy {
        None => None,
        Some(path) => Some(lifecycle_policy(&project.folder.join(path))?),
    };
    Ok(RepositorySettings {
        mutability: mutability(section)?,
        scan_on_push: section.scan_on_push,
        encryption: encryption(section)?,
        lifecycle_policy,
        tags: section.tags.clone(),
    })
}

fn mutability(section: &RepositorySection) -> anyhow::Result<Option<(Mutability, Vec<String>)>> {
    let exclusions = section.tag_mutability_exclusions.clone().unwrap_or_default();
    let mutability = match section.tag_mutability.as_deref() {
        None => None,
        Some("mutable") => Some(Mutability::Mutable),
        Some("immutable") => Some(Mutability::Immutable),
        Some("mutable-with-exclusion") => Some(Mutability::MutableWithExclusion),
        Some("immutable-with-exclusion") => Some(Mutability::ImmutableWithExclusion),
        Some(other) => {
            return Err(
                CommandError::usage(format!("repository.tag_mutability: {other:?} is none"))
                    .hint("there are: mutable, immutable, mutable-with-exclusion, immutable-with-exclusion")
                    .into(),
            );
        }
    };
    let takes_exclusions = matches!(
        mutability,
        Some(Mutability::MutableWithExclusion | Mutability::ImmutableWithExclusion)
    );
    if takes_exclusions == exclusions.is_empty() {
        return Err(CommandError::usage(
            "repository.tag_mutability_exclusions goes with a tag_mutability that ends in -with-exclusion",
        )
        .hint("such as tag_mutability = \"immutable-with-exclusion\" and tag_mutability_exclusions = [\"current\"]")
        .into());
    }
    if exclusions.len() > MOST_EXCLUSIONS {
        return Err(CommandError::usage(format!(
            "repository.tag_mutability_exclusions: {} patterns, and Amazon ECR takes {MOST_EXCLUSIONS}",
            exclusions.len()
        ))
        .into());
    }
    Ok(mutability.map(|mutability| (mutability, exclusions)))
}

fn encryption(section: &RepositorySection) -> anyhow::Result<Option<Encryption>> {
    let key = section.kms_key.clone();
    Ok(match section.encryption.as_deref() {
        Some("AES256") | None if key.is_some() => {
            return Err(
                CommandError::usage("repository.kms_key goes with encryption = \"KMS\" or \"KMS_DSSE\"").into(),
            );
        }
        None => None,
        Some("AES256") => Some(Encryption::Aes256),
        Some("KMS") => Some(Encryption::Kms(key)),
        Some("KMS_DSSE") => Some(Encryption::KmsDsse(key)),
        Some(other) => {
            return Err(CommandError::usage(format!("repository.encryption: {other:?} is none"))
                .hint("there are: AES256, KMS, KMS_DSSE")
                .into());
        }
    })
}

fn lifecycle_policy(path: &std::path::Path) -> anyhow::Result<String> {
    let what = |problem: &str| CommandError::usage(format!("the lifecycle policy {} {problem}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| what("cannot be read").because(error))?;
    let policy: serde_json::Value = serde_json::from_str(&text).map_err(|error| what("is not JSON").because(error))?;
    if policy.get("rules").is_none() {
        return Err(what("has no \"rules\"").into());
    }
    if text.len() > LONGEST_POLICY {
        return Err(what(&format!(
            "is longer than the {LONGEST_POLICY} characters Amazon ECR takes"
        ))
        .into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn identities(flags: &[&str], variables: &[(&str, &str)], project: &str) -> anyhow::Result<Identities> {
        let arguments = ["shipway", "build"].iter().chain(flags);
        let arguments = crate::args::Arguments::try_parse_from(arguments).expect("flags");
        let project = Project::parse(project, std::path::Path::new("shipway.toml")).expect("project");
        Identities::resolve(&arguments.global, &Environment::of(variables), &project)
    }

    const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    const PROJECT: &str = r#"[registry."123456789012.dkr.ecr.eu-west-1.amazonaws.com"]
        profile = "staging"
        role_arn = "arn:aws:iam::123456789012:role/file""#;

    #[test]
    fn flags_win_over_the_file_and_a_token_needs_a_role() {
        let from_file = identities(&[], &[], PROJECT)
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("file");
        assert_eq!(from_file.profile.as_deref(), Some("staging"));
        assert_eq!(from_file.role.as_deref(), Some("arn:aws:iam::123456789012:role/file"));
        let flags = ["--aws-profile", "p", "--aws-role-arn", "arn:r"];
        let from_flags = identities(&flags, &[], PROJECT)
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("flags");
        assert_eq!(
            (from_flags.profile.as_deref(), from_flags.role.as_deref()),
            (Some("p"), Some("arn:r"))
        );
        let elsewhere = identities(&[], &[], PROJECT)
            .and_then(|all| Ok(all.at("a.b")?))
            .expect("other host");
        assert_eq!(elsewhere.profile, None);

        let token = [("AWS_ID_TOKEN", "jwt")];
        let idle = identities(&[], &token, "")
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("token, no role");
        assert_eq!(idle.web_identity, None);
        let named = ["--aws-web-identity-token-env", "AWS_ID_TOKEN"];
        assert!(
            identities(&named, &token, "")
                .and_then(|all| Ok(all.at(HOST)?))
                .is_err()
        );
        assert!(identities(&named, &[], "").is_err());
    }

    #[test]
    fn a_token_is_traded_for_the_nearest_role_unless_a_profile_is_meant() {
        let variables = [
            ("SHIPWAY_ID_TOKEN", "one"),
            ("AWS_ID_TOKEN", "two"),
            ("AWS_ROLE_ARN", "arn:env"),
            ("CI_PROJECT_ID", "7"),
            ("CI_PIPELINE_ID", "8"),
        ];
        let identity = identities(&[], &variables, "")
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("token");
        let traded = identity.web_identity.expect("it is traded");
        assert_eq!(
            (traded.variable.as_str(), traded.role.as_str()),
            ("SHIPWAY_ID_TOKEN", "arn:env")
        );
        assert_eq!(identity.session_name, "GitLabRunner-7-8");
        let profile = identities(&[], &variables, PROJECT)
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("profile");
        let traded = profile.web_identity.map(|traded| traded.role);
        assert_eq!(traded.as_deref(), Some("arn:aws:iam::123456789012:role/file"));
        let flags = ["--aws-profile", "mine"];
        let profile = identities(&flags, &variables, PROJECT)
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("flag");
        assert_eq!(profile.web_identity, None);
        let flags = ["--aws-role-arn", "arn:flag"];
        let identity = identities(&flags, &variables, "")
            .and_then(|all| Ok(all.at(HOST)?))
            .expect("flag");
        assert_eq!(
            identity.web_identity.map(|traded| traded.role).as_deref(),
            Some("arn:flag")
        );
    }

    #[test]
    fn settings_of_a_repository_that_make_no_sense_are_told() {
        let read = |text: &str| {
            let project = Project::parse(text, std::path::Path::new("shipway.toml")).expect("project");
            repository(&project)
        };
        let good = read(
            "[repository]\ntag_mutability = \"immutable-with-exclusion\"\ntag_mutability_exclusions = [\"current\"]\nencryption = \"KMS\"\nkms_key = \"alias/x\"\n",
        )
        .expect("good");
        assert_eq!(
            good.mutability,
            Some((Mutability::ImmutableWithExclusion, vec!["current".to_owned()]))
        );
        assert_eq!(good.encryption, Some(Encryption::Kms(Some("alias/x".to_owned()))));
        assert_eq!(read("").expect("nothing"), RepositorySettings::default());
        for bad in [
            "[repository]\ntag_mutability = \"IMMUTABLE\"",
            "[repository]\ntag_mutability = \"immutable\"\ntag_mutability_exclusions = [\"a\"]",
            "[repository]\ntag_mutability = \"immutable-with-exclusion\"",
            "[repository]\ntag_mutability_exclusions = [\"a\"]",
            "[repository]\ntag_mutability = \"immutable-with-exclusion\"\ntag_mutability_exclusions = [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]",
            "[repository]\nkms_key = \"k\"",
            "[repository]\nencryption = \"aes\"",
            "[repository]\nlifecycle_policy = \"no/such/file\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
