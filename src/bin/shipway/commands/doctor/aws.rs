//! What only AWS can tell.

use serde_json::Value;
use shipway::aws::{RepositoryFacts, Session};
use shipway::content::{ContentError, Kind, Location, TagRule};
use shipway::ecr::{CreationNeeds, EcrHost, Needs, PrivateHost};
use shipway::oci::Tag;
use shipway::project::RepositorySection;

use super::Patient;
use super::report::{Report, Status};
use crate::args::DoctorArguments;
use crate::places::Places;

/// A clock this far off is worth a word: signatures of a clock five minutes off are refused.
const NOTABLE_SKEW_SECONDS: i64 = 60;
/// A clock this far off makes AWS refuse signatures (AWS Signature Version 4).
const REFUSED_SKEW_SECONDS: i64 = 300;

/// What the policy of whoever pushes has to allow.
///
/// `None` where Amazon ECR has no part in it.
pub(super) fn policy(arguments: &DoctorArguments, patient: &Patient<'_>) -> Option<Value> {
    let policy = needs(arguments, patient).policy();
    let is_empty = policy["Statement"].as_array().is_none_or(Vec::is_empty);
    (!is_empty).then_some(policy)
}

fn needs(arguments: &DoctorArguments, patient: &Patient<'_>) -> Needs {
    let of = |registry: &str, path: &str| EcrHost::parse(registry).map(|host| (host, path.to_owned()));
    let section = &patient.project.repository;
    let creates = arguments.create_repository || *section != RepositorySection::default();
    let base = match &patient.base {
        Some(Location::Registry(reference)) => of(reference.repository.registry(), reference.repository.path()),
        _ => None,
    };
    Needs {
        push: of(patient.repository.registry(), patient.repository.path())
            .into_iter()
            .collect(),
        pull: base.into_iter().collect(),
        creation: creates.then(|| CreationNeeds {
            tags: !section.tags.is_empty(),
            lifecycle_policy: section.lifecycle_policy.is_some(),
            kms_key: section.kms_key.clone(),
        }),
        scan: arguments.wait_for_scan,
    }
}

/// Who AWS takes us for, and whether it gives us a login. Returns whether it makes sense to ask the registry.
pub(super) async fn look_at_identity(host: &str, places: &Places, report: &mut Report) -> bool {
    let session = match places.aws.at(host) {
        Ok(Some(session)) => session,
        Ok(None) => return true,
        Err(error) => {
            report.add_error("login", Status::Failed, error);
            return false;
        }
    };
    match session.origin().await {
        Ok(origin) => report.add("login", Status::Ok, format!("AWS, {origin}")),
        Err(error) => {
            report.add_error("login", Status::Failed, error);
            look_at_clock(&session, false, report);
            return false;
        }
    };
    match session.caller().await {
        Ok(caller) => match session.host().private() {
            Some(private) if private.account != caller.account => {
                report
                    .add(
                        "identity",
                        Status::Warning,
                        format!("{}, and the registry is of account {}", caller.arn, private.account),
                    )
                    .hint(format!(
                        "the repository's policy must allow account {} to push; or take on a role of account {}: --aws-role-arn",
                        caller.account, private.account
                    ));
            }
            _ => {
                report.add("identity", Status::Ok, caller.arn.clone());
            }
        },
        Err(error) => report.add_error("identity", Status::Failed, error),
    }
    let token = session.login(false).await.err();
    look_at_clock(&session, token.is_none(), report);
    match token {
        Some(error) => {
            report.add_error("token", Status::Failed, error);
            false
        }
        None => {
            report.add("token", Status::Ok, format!("AWS gives logins for {host}"));
            true
        }
    }
}

/// Whether the clock agrees with AWS's. `works`: whether AWS took our signatures all the same; the SDK makes up for a
/// clock that is wrong once an answer has told it.
fn look_at_clock(session: &Session, works: bool, report: &mut Report) {
    let Some(skew) = session.clock().skew_seconds() else {
        report.add("clock", Status::Skipped, "AWS gave no answer to compare it with");
        return;
    };
    let direction = if skew > 0 { "ahead of" } else { "behind" };
    if skew.abs() < NOTABLE_SKEW_SECONDS {
        report.add("clock", Status::Ok, "agrees with AWS's");
        return;
    }
    let is_cause = !works && skew.abs() >= REFUSED_SKEW_SECONDS;
    let status = if is_cause { Status::Failed } else { Status::Warning };
    report
        .add("clock", status, format!("{} seconds {direction} AWS's", skew.abs()))
        .hint(format!(
            "set it right (NTP); AWS refuses signatures that are more than {REFUSED_SKEW_SECONDS} seconds off"
        ));
}

/// What the repository is like. `present`: the tags the registry has, if it let us look.
pub(super) async fn look_at_repository(
    arguments: &DoctorArguments,
    patient: &Patient<'_>,
    places: &Places,
    present: Option<&[Tag]>,
    report: &mut Report,
) {
    let repository = &patient.repository;
    let Ok(Some(session)) = places.aws.at(repository.registry()) else {
        return;
    };
    let Some(host) = session.host().private() else { return };
    let host = host.clone();
    match session.repository(repository.path()).await {
        Ok(Some(facts)) => {
            report.add("repository", Status::Ok, format!("{repository} is there"));
            look_at_facts(patient, present.unwrap_or_default(), &facts, report);
            look_at_scans(&session, repository.path(), report).await;
            look_at_mounting(&session, patient, &host, report).await;
        }
        Ok(None) => missing(arguments, patient, places, &session, &host, report).await,
        Err(error) if error.kind() == Kind::Denied && present.is_some() => {
            by_registry(arguments, patient, places, &host, report, error).await;
        }
        Err(error) => report.add_error("repository", Status::Skipped, error),
    }
    let needed = needs(arguments, patient).policy();
    let mut actions: Vec<&str> = needed["Statement"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|statement| statement["Action"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    actions.sort_unstable();
    actions.dedup();
    report
        .add("rights", Status::Skipped, format!("needed: {}", actions.join(", ")))
        .hint("those that only look were tried above; the ones that write cannot be tried without writing. --policy prints the whole policy");
}

/// Where the API may not be asked, the registry itself tells whether there is a repository.
async fn by_registry(
    arguments: &DoctorArguments,
    patient: &Patient<'_>,
    places: &Places,
    host: &PrivateHost,
    report: &mut Report,
    error: ContentError,
) {
    let repository = &patient.repository;
    let is_there = match places.repository_itself(repository).await {
        Ok(source) => source.is_there().await,
        Err(_) => return report.add_error("repository", Status::Skipped, error),
    };
    match is_there {
        Ok(true) => {
            report.add("repository", Status::Ok, format!("{repository} is there"));
        }
        Ok(false) => {
            let status = if arguments.create_repository {
                Status::Warning
            } else {
                Status::Failed
            };
            report
                .add("repository", status, format!("{repository} does not exist"))
                .hint(host.creation_command(repository.path()));
        }
        Err(error) => report.add_error("repository", Status::Failed, error),
    }
    report.add_error("settings", Status::Skipped, error);
}

async fn missing(
    arguments: &DoctorArguments,
    patient: &Patient<'_>,
    places: &Places,
    session: &Session,
    host: &PrivateHost,
    report: &mut Report,
) {
    let repository = &patient.repository;
    let path = repository.path();
    if let Ok(Some(prefix)) = session.creation_template(path).await {
        report.add(
            "repository",
            Status::Ok,
            format!("{repository} does not exist yet; the template for {prefix} creates it on push"),
        );
        return;
    }
    if arguments.create_repository {
        report.add(
            "repository",
            Status::Ok,
            format!("{repository} does not exist yet; build --create-repository creates it"),
        );
        return;
    }
    report
        .add(
            "repository",
            Status::Failed,
            format!("{repository} does not exist in {host}"),
        )
        .hint(format!("pass --create-repository, or: {}", host.creation_command(path)));
    // The region stands in the name of the host, where it is easily wrong.
    let named = places
        .aws
        .identities
        .region
        .as_deref()
        .filter(|region| *region != host.region);
    if let Some(elsewhere) = named.and_then(|region| session.elsewhere(region))
        && let Ok(Some(_)) = elsewhere.repository(path).await
        && let Some(there) = elsewhere.host().private()
    {
        report.hint(format!(
            "there is a repository {path} in {}, the region AWS_REGION names: is the region in the host wrong?",
            there.region
        ));
    }
    if let Some((first, name)) = path.split_once('/')
        && EcrHost::parse(first).is_some()
    {
        report.hint(format!("the name of a repository is what follows the host: {name}"));
    }
}

fn look_at_facts(patient: &Patient<'_>, present: &[Tag], facts: &RepositoryFacts, report: &mut Report) {
    let mut text = facts.mutability.clone();
    if !facts.exclusions.is_empty() {
        text = format!("{text}, except {}", facts.exclusions.join(", "));
    }
    let rule = TagRule {
        immutable: patient.project.image.immutable_tags.clone(),
        move_all: false,
    };
    let stuck: Vec<&Tag> = patient
        .tags
        .iter()
        .filter(|tag| !rule.is_fixed(tag) && !may_move(facts, tag.as_str()))
        .collect();
    if stuck.is_empty() {
        report.add("tags", Status::Ok, text);
    } else {
        // The first push of a tag does not move it.
        let status = if stuck.iter().any(|tag| present.contains(tag)) {
            Status::Failed
        } else {
            Status::Warning
        };
        let names: Vec<String> = stuck.iter().map(ToString::to_string).collect();
        report
            .add("tags", status, format!("{text}, and {} would have to move", names.join(", ")))
            .hint("exclude what moves: tag mutability IMMUTABLE_WITH_EXCLUSION with a filter for it (aws ecr put-image-tag-mutability)");
    }
    report.add("encryption", Status::Ok, facts.encryption.clone());
}

/// Whether a repository lets a tag move.
fn may_move(facts: &RepositoryFacts, tag: &str) -> bool {
    let is_excluded = facts
        .exclusions
        .iter()
        .any(|filter| wildmatch::WildMatch::new(filter).matches(tag));
    match facts.mutability.as_str() {
        "IMMUTABLE" => false,
        "IMMUTABLE_WITH_EXCLUSION" => is_excluded,
        "MUTABLE_WITH_EXCLUSION" => !is_excluded,
        _ => true,
    }
}

async fn look_at_scans(session: &Session, path: &str, report: &mut Report) {
    match session.scan_frequency(path).await {
        Ok(frequency) => {
            report.add("scans", Status::Ok, format!("images are scanned {frequency}"));
        }
        Err(error) => report.add_error("scans", Status::Skipped, error),
    }
}

/// Matters only where layers could be taken over from another repository.
async fn look_at_mounting(session: &Session, patient: &Patient<'_>, host: &PrivateHost, report: &mut Report) {
    let base = match &patient.base {
        Some(Location::Registry(reference)) => &reference.repository,
        _ => return,
    };
    if base.registry() != patient.repository.registry() || base.path() == patient.repository.path() {
        return;
    }
    match session.blob_mounting().await {
        Ok(true) => {
            report.add("mounting", Status::Ok, "layers of the base are mounted, not sent");
        }
        Ok(false) => {
            report
                .add(
                    "mounting",
                    Status::Warning,
                    "layers of the base are sent with the first push",
                )
                .hint(format!(
                    "aws ecr put-account-setting --region {} --name BLOB_MOUNTING --value ENABLED lets them be mounted",
                    host.region
                ));
        }
        Err(error) => report.add_error("mounting", Status::Skipped, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_turn_the_rule_around() {
        let facts = |mutability: &str| RepositoryFacts {
            mutability: mutability.to_owned(),
            exclusions: vec!["cur*".to_owned()],
            scan_on_push: false,
            encryption: "AES256".to_owned(),
        };
        for (mutability, current, release) in [
            ("MUTABLE", true, true),
            ("IMMUTABLE", false, false),
            ("IMMUTABLE_WITH_EXCLUSION", true, false),
            ("MUTABLE_WITH_EXCLUSION", false, true),
        ] {
            assert_eq!(may_move(&facts(mutability), "current"), current, "{mutability}");
            assert_eq!(may_move(&facts(mutability), "v1"), release, "{mutability}");
        }
    }
}
