//! The function's own side: one event after the other, from whoever calls it or from EventBridge, until Lambda ends it.
//!
//! It answers within seconds, unless the caller wants it to wait, and keeps nothing between two events: what is known of runs is in ECS and in the
//! table.

mod console;
mod event;
mod mail;
mod mailer;
mod metric;
mod rules;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::function::{Call, Refusal, Request, is_good, of_conclusion, of_findings, of_records, of_view};
use super::{Direct, Finding, Look, Order, Record, RunId, Runs, Status, View};
use crate::aws::Services;
use crate::content::{ContentError, Kind, Result};

pub use mailer::Mailer;
pub use rules::Rules;

use event::{Event, Received};

/// What is kept of the time an event has, for the answer's way back.
const RESERVE: Duration = Duration::from_secs(10);

/// Whoever also keeps what became of a task that an event tells of.
#[async_trait]
pub trait Concludes: Runs {
    /// Keeps how a task ended, lets the next run go, and tells what became of it, with the last lines it wrote. `None` where the task is
    /// nobody's of ours, has not ended, or was told of before: who is told writes mails.
    async fn conclude(&self, task: &Value, container: Option<&str>, teller: &str) -> Result<Option<(View, Record)>>;

    /// Looks at what a run meets, and starts nothing.
    async fn examine(&self, order: &Order) -> Vec<Finding>;
}

#[async_trait]
impl Concludes for Direct {
    async fn conclude(&self, task: &Value, container: Option<&str>, teller: &str) -> Result<Option<(View, Record)>> {
        Self::conclude(self, task, container, teller).await
    }

    async fn examine(&self, order: &Order) -> Vec<Finding> {
        Self::examine(self, order).await
    }
}

/// What the function does, and for whom.
pub struct Service {
    /// Starts and watches tasks.
    pub runs: Box<dyn Concludes>,
    /// The identity it has.
    pub services: Services,
    /// What callers may start.
    pub rules: Rules,
    /// Where mails about failures go.
    pub mailer: Option<Mailer>,
    /// What it is called in metrics and mails.
    pub name: String,
    /// The container that is watched where no event says so.
    pub container: Option<String>,
    /// Whether a run without success is an error of the function, unless the caller says how it wants that.
    pub is_strict: bool,
}

/// What the library has no eyes and no voice for.
#[derive(Clone)]
pub struct Surroundings {
    /// The wall clock, in milliseconds since the epoch. It goes on while Lambda keeps the process frozen; a monotonic clock may not.
    pub now_milliseconds: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Writes a line to the function's log.
    pub line: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Answers events until Lambda ends the process. Where there is no service, each is answered with the reason: a caller sees it, and not only
/// whoever finds the function's log.
///
/// # Errors
/// When the Runtime API cannot be reached.
///
/// # Panics
/// Where the variables that Lambda sets are not set (AWS_LAMBDA_RUNTIME_API and others).
pub async fn serve(service: Result<Service>, surroundings: Surroundings) -> Result<()> {
    let service = Arc::new(service.map_err(|error| Refusal::of_error(&error)));
    let answer = service_fn(move |event: LambdaEvent<Received>| {
        let (service, surroundings) = (Arc::clone(&service), surroundings.clone());
        async move {
            let LambdaEvent { payload, context } = event;
            let invocation = Invocation {
                id: context.request_id,
                deadline_milliseconds: i64::try_from(context.deadline).unwrap_or(i64::MAX),
            };
            answered(service.as_ref(), &surroundings, payload, &invocation).await
        }
    });
    lambda_runtime::run(answer)
        .await
        .map_err(|error| ContentError::new(Kind::Other, "cannot go on serving").because(error))
}

/// What Lambda says of one event.
struct Invocation {
    /// Its id, which stays the same when Lambda tries again.
    id: String,
    /// When it has to be answered, in milliseconds since the epoch.
    deadline_milliseconds: i64,
}

/// Answers one event, and writes a line about it.
async fn answered(
    service: &std::result::Result<Service, Refusal>,
    surroundings: &Surroundings,
    event: Received,
    invocation: &Invocation,
) -> std::result::Result<Value, Diagnostic> {
    let answer = match service {
        Ok(service) => service.answer(event, invocation, surroundings).await,
        Err(refusal) => Err(refusal.clone()),
    };
    if let Err(refusal) = &answer {
        let told = json!({"error_type": refusal.error_type, "error": refusal.message, "request_id": invocation.id});
        (surroundings.line)(&told.to_string());
    }
    answer.map_err(|refusal| Diagnostic {
        error_type: refusal.error_type,
        error_message: refusal.message,
    })
}

impl Service {
    async fn answer(
        &self,
        event: Received,
        invocation: &Invocation,
        surroundings: &Surroundings,
    ) -> std::result::Result<Value, Refusal> {
        let now = (surroundings.now_milliseconds)();
        self.services.clock().set(now / 1000);
        let refused = |error: ContentError| Refusal::of_error(&error);
        match event.read().map_err(refused)? {
            Event::Call(request) => {
                let left = u64::try_from(invocation.deadline_milliseconds.saturating_sub(now)).unwrap_or_default();
                let most = Duration::from_millis(left).saturating_sub(RESERVE);
                let until = Instant::now() + Duration::from_secs(request.wait_seconds).min(most);
                self.serve_call(*request, invocation, until, surroundings).await
            }
            Event::Stopped(task) => self.conclude(&task, invocation, now, surroundings).await,
            Event::Other => Ok(of_conclusion(None)),
        }
    }

    /// Does what a caller wants.
    async fn serve_call(
        &self,
        request: Request,
        invocation: &Invocation,
        until: Instant,
        surroundings: &Surroundings,
    ) -> std::result::Result<Value, Refusal> {
        let refused = |error: ContentError| Refusal::of_error(&error);
        let action = request.call.action();
        let view = match request.call {
            Call::History(past) => {
                let records = self.runs.history(&past).await.map_err(refused)?;
                return Ok(of_records(&records));
            }
            Call::Check(mut order) => {
                order.container = order.container.or_else(|| self.container.clone());
                let mut findings = self.runs.examine(&order).await;
                findings.extend(self.rules.examine(&order));
                return Ok(of_findings(&findings));
            }
            Call::Stop(look, reason) => {
                let view = self
                    .runs
                    .stop(&self.of_container(look), &reason)
                    .await
                    .map_err(refused)?;
                note(surroundings, action, &view, invocation);
                // That it does not go well is what was wanted.
                return Ok(of_view(&view));
            }
            Call::Look(look) => {
                let look = self.of_container(look);
                let view = self.runs.look(&look).await.map_err(refused)?;
                wait::until_done(self.runs.as_ref(), view, look, until).await
            }
            Call::Start(mut order, limit) => {
                self.rules.check(&order).map_err(refused)?;
                order.container = order.container.or_else(|| self.container.clone());
                // Lambda may hand the same event over again; then it is the same run.
                order
                    .run_id
                    .get_or_insert_with(|| RunId::of(&format!("lambda-{}", invocation.id)));
                let view = self.runs.start(&order).await.map_err(refused)?;
                let look = Look {
                    run_id: view.run_id.clone(),
                    task_arn: view.task_arn.clone(),
                    container: order.container.clone(),
                    logs_token: None,
                    limit,
                };
                wait::until_done(self.runs.as_ref(), view, look, until).await
            }
        }
        .map_err(refused)?;
        note(surroundings, action, &view, invocation);
        if request.strict.unwrap_or(self.is_strict) && !is_good(&view) {
            return Err(Refusal::of_view(&view));
        }
        Ok(of_view(&view))
    }

    fn of_container(&self, look: Look) -> Look {
        Look {
            container: look.container.or_else(|| self.container.clone()),
            ..look
        }
    }

    /// Keeps what became of a task, and tells those who want to know.
    async fn conclude(
        &self,
        task: &Value,
        invocation: &Invocation,
        now_milliseconds: i64,
        surroundings: &Surroundings,
    ) -> std::result::Result<Value, Refusal> {
        let refused = |error: ContentError| Refusal::of_error(&error);
        let Some((view, record)) = self
            .runs
            .conclude(task, self.container.as_deref(), &invocation.id)
            .await
            .map_err(refused)?
        else {
            return Ok(of_conclusion(None));
        };
        (surroundings.line)(&metric::line(&self.name, &record, now_milliseconds).to_string());
        if record.status != Status::Succeeded
            && let Some(mailer) = &self.mailer
        {
            // After an error Lambda hands the event over again, under the same id, and it is tried once more; an alarm on the function's errors
            // tells of it.
            mailer
                .send(&mail::write(&self.name, &view, &record))
                .await
                .map_err(refused)?;
        }
        Ok(of_conclusion(Some(&view)))
    }
}

/// Writes who wanted what, and what came of it.
fn note(surroundings: &Surroundings, action: &str, view: &View, invocation: &Invocation) {
    let told = json!({
        "action": action,
        "run_id": view.run_id,
        "attempt": view.attempt,
        "status": view.status,
        "task_arn": view.task_arn,
        "request_id": invocation.id,
    });
    (surroundings.line)(&told.to_string());
}

#[cfg(test)]
mod tests;
