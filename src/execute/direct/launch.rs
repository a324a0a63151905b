//! Asking ECS for a task.

use std::time::Duration;

use tokio::time::timeout;

use super::super::ecs::Started;
use super::super::pin::{Pinned, is_capacity};
use super::super::store::{CLAIM_SECONDS, Claim};
use super::super::{Answered, Failure, Order, RunId, Status, View};
use super::start::started_by;
use super::{Direct, Known, tasks, view};
use crate::content::{ContentError, Kind, Result};

/// How long ECS may take to answer, all repetitions together. A request must not reach it when the lock may be somebody else's already.
const ASKED_LIMIT: Duration = Duration::from_secs(CLAIM_SECONDS as u64 * 3 / 4);

/// What became of the wish to have a task.
pub(super) enum Launched {
    /// It was started.
    Task(Known),
    /// One of the same name was there.
    There(Known),
    /// Nothing was started.
    Not(Box<View>),
}

impl Direct {
    /// Registers the revision where that is needed, and asks for the task.
    pub(super) async fn launch(&self, id: &RunId, order: &Order, pinned: &Pinned, claim: &Claim) -> Result<Launched> {
        let attempt = claim.attempt;
        let revision = match &pinned.register {
            Some(input) if !order.no_register => {
                let registered = self.ecs.register(input).await?;
                let Some(arn) = registered["taskDefinitionArn"].as_str().map(str::to_owned) else {
                    return Err(ContentError::new(
                        Kind::Invalid,
                        "ECS registered a revision and does not say which",
                    ));
                };
                self.know(&arn, order.container.as_deref(), pinned);
                arn
            }
            _ => pinned.arn.clone(),
        };
        let input = self.input(id, order, pinned, &revision, attempt)?;
        if order.purpose.is_none()
            && let Some(busy) = self.keep_lock(claim).await?
        {
            return Ok(Launched::Not(Box::new(busy)));
        }
        let asked = timeout(ASKED_LIMIT, self.ecs.run_task(&input)).await;
        let answered = match asked.unwrap_or_else(|_| Err(unanswered())) {
            Ok(Started::Answered(answered)) => answered,
            Ok(Started::Conflict(arns)) => {
                let known = self.described(&arns).await?.into_iter().next();
                return known.map(Launched::There).ok_or_else(|| {
                    ContentError::new(Kind::Temporary, "ECS has a task of this run, and does not show it yet")
                });
            }
            Ok(Started::NoCapacity(why)) => Answered {
                tasks: Vec::new(),
                failures: vec![serde_json::json!({ "reason": why, "isCapacity": true })],
            },
            // The answer may have been lost, and not the request.
            Err(error) if error.kind() == Kind::Temporary => {
                let known = self
                    .tasks_of_family(&started_by(id, order), self.family_of(order))
                    .await;
                let known = known.unwrap_or_default();
                return match newest(known, attempt) {
                    Some(known) => Ok(Launched::Task(known)),
                    None => Err(error),
                };
            }
            Err(error) => return Err(error),
        };
        let failures = answered.failures.clone();
        if let Some(known) = tasks(answered)?.into_iter().next() {
            return Ok(Launched::Task(known));
        }
        // A failure does not prove that nothing was started.
        let known = self
            .tasks_of_family(&started_by(id, order), self.family_of(order))
            .await?;
        if let Some(known) = newest(known, attempt) {
            return Ok(Launched::Task(known));
        }
        Ok(Launched::Not(Box::new(refused(failures))))
    }
}

/// ECS did not answer, however often it was asked.
fn unanswered() -> ContentError {
    let seconds = ASKED_LIMIT.as_secs();
    ContentError::new(Kind::Temporary, format!("ECS did not answer within {seconds} s"))
}

fn newest(known: Vec<Known>, attempt: u32) -> Option<Known> {
    known.into_iter().find(|known| view::attempt(&known.task) == attempt)
}

/// Nothing was started, for reasons ECS gives.
fn refused(failures: Vec<serde_json::Value>) -> View {
    let reasons: Vec<&str> = failures
        .iter()
        .filter_map(|failure| failure["reason"].as_str())
        .collect();
    let has_no_capacity = !failures.is_empty()
        && failures
            .iter()
            .all(|failure| failure["isCapacity"] == true || failure["reason"].as_str().is_some_and(is_capacity));
    let (status, failure) = match has_no_capacity {
        true => (
            Status::NoCapacity,
            Failure::new("there is no capacity to run the task on")
                .hint("name subnets of more zones, or run the same command again later"),
        ),
        false => (
            Status::StartFailed,
            Failure::new("ECS did not start the task")
                .hint("check the cluster, the subnets and the platform of the task definition"),
        ),
    };
    let failure = match reasons.is_empty() {
        true => failure.because("it gives no reason"),
        false => failure.because(reasons.join("; ")),
    };
    View {
        status,
        done: true,
        failure: Some(failure),
        answered: Answered {
            tasks: Vec::new(),
            failures,
        },
        ..View::default()
    }
}
