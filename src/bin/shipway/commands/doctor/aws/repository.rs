//! What the repository is like.

use serde_json::Value;
use shipway::aws::{RepositoryFacts, Session};
use shipway::ecr::{EcrHost, PrivateHost};
use shipway::error::Error;
use shipway::oci::Tag;

use super::super::Patient;
use super::super::report::{Report, Status};
use super::needs;
use crate::args::DoctorArguments;
use crate::places::Places;

/// What the repository is like. `present`: the tags the registry has, if it let us look.
pub(in crate::commands::doctor) async fn look_at_repository(
    arguments: &DoctorArguments,
    patient: &Patient<'_>,
    places: &Places,
    present: Option<&[Tag]>,
    report: &mut Report,
) {
    let repository = &patient.repository;
    let session = match places.aws.at(repository.registry()) {
        Ok(Some(session)) => session,
        Ok(None) => return,
        Err(error) => return report.add_error("repository", Status::Skipped, error),
    };
    match session.host().private() {
        None => {
            by_registry(arguments, patient, places, &session, report).await;
        }
        Some(host) => match session.repository(repository.path()).await {
            Ok(Some(facts)) => {
                report.add("repository", Status::Ok, format!("{repository} is there"));
                look_at_facts(patient, present.unwrap_or_default(), &facts, report);
                look_at_scans(&session, repository.path(), report).await;
                look_at_mounting(&session, patient, host, report).await;
            }
            Ok(None) => Box::pin(missing(arguments, patient, places, &session, report)).await,
            // What the registry would say has been said.
            Err(error) if present.is_none() => report.add_error("repository", Status::Skipped, error),
            Err(error) => {
                by_registry(arguments, patient, places, &session, report).await;
                report.add_error("settings", Status::Skipped, error);
            }
        },
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

/// Where the API cannot tell, the registry itself tells whether there is a repository.
async fn by_registry(
    arguments: &DoctorArguments,
    patient: &Patient<'_>,
    places: &Places,
    session: &Session,
    report: &mut Report,
) {
    let repository = &patient.repository;
    let is_there = async { Ok::<_, Error>(places.repository_itself(repository).await?.is_there().await?) };
    match is_there.await {
        Ok(true) => {
            report.add("repository", Status::Ok, format!("{repository} is there"));
        }
        // Boxed, since futures around those of the SDK are deeper than the compiler looks.
        Ok(false) => Box::pin(missing(arguments, patient, places, session, report)).await,
        Err(error) => report.add_error("repository", Status::Failed, error),
    }
}

/// What becomes of a push to a repository that is not there.
async fn missing(
    arguments: &DoctorArguments,
    patient: &Patient<'_>,
    places: &Places,
    session: &Session,
    report: &mut Report,
) {
    let repository = &patient.repository;
    let path = repository.path();
    if session.host().private().is_some()
        && let Ok(Some(prefix)) = session.creation_template(path).await
    {
        report.add(
            "repository",
            Status::Ok,
            format!("{repository} does not exist yet; the template for {prefix} creates it on push"),
        );
        return;
    }
    if arguments.create_repository {
        match session.origin().await {
            Ok(_) => {
                report.add(
                    "repository",
                    Status::Ok,
                    format!("{repository} does not exist yet; build --create-repository creates it"),
                );
            }
            Err(error) => {
                let error = error.within(format!("{repository} does not exist, and cannot be created"));
                report.add_error("repository", Status::Failed, error);
            }
        }
        return;
    }
    let place = match session.host() {
        EcrHost::Private(host) => host.to_string(),
        EcrHost::Public => "the public gallery".to_owned(),
    };
    report
        .add(
            "repository",
            Status::Failed,
            format!("{repository} does not exist in {place}"),
        )
        .hint(format!(
            "pass --create-repository, or: {}",
            session.host().creation_command(path)
        ));
    let Some(host) = session.host().private() else { return };
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
    let stuck: Vec<&Tag> = patient
        .tags
        .iter()
        .filter(|tag| !patient.rule.is_fixed(tag) && !may_move(facts, tag.as_str()))
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
    let Some(base) = patient.base_repository() else { return };
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
                .hint(format!("{} lets them be mounted", host.mounting_command()));
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
