//! What only AWS can tell.

use serde_json::Value;
use shipway::aws::Session;
use shipway::content::Kind;
use shipway::ecr::{CreationNeeds, EcrHost, Needs};
use shipway::project::RepositorySection;

use super::Patient;
use super::report::{Report, Status};
use crate::args::DoctorArguments;
use crate::places::Places;
use crate::settings;

mod repository;

pub(super) use repository::look_at_repository;

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
    let base = patient
        .base_repository()
        .and_then(|base| of(base.registry(), base.path()));
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

/// Whether repositories can be made as `[repository]` says.
pub(super) fn look_at_creation(arguments: &DoctorArguments, patient: &Patient<'_>, report: &mut Report) {
    let is_meant = arguments.create_repository || patient.project.repository != RepositorySection::default();
    if is_meant && let Err(error) = settings::repository(patient.project) {
        report.add_failure("creation", Status::Failed, &error);
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
    let caller = session.caller().await;
    let token = session.login(false).await.err();
    match caller {
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
        // A push does not ask who we are; where it gets a token, it does not have to.
        Err(error) => {
            let status = match (&token, error.kind()) {
                (Some(_), _) => Status::Failed,
                (None, Kind::Denied) => Status::Warning,
                (None, _) => Status::Skipped,
            };
            report.add_error("identity", status, error);
        }
    }
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
