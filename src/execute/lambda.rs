//! Runs through the function that stands before ECS: whoever may call it needs no other right.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::Value;

use super::function::{Call, NO_ACTION, NotOurs, Refusal, Request, read_findings, read_records, read_view, status_of};
use super::{Answered, Failure, Finding, Health, Look, Order, Past, Record, Runs, Status, View};
use crate::aws::Services;
use crate::content::{ContentError, Kind, Result};

/// How long an answer may take. The function answers within seconds, and is never asked to wait for the end of a run; a cold start in a
/// closed network and the slowest answers of ECS are in it.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);
/// The right that is needed.
const ACTION: &str = "lambda:InvokeFunction";

/// A function that starts and watches runs.
#[derive(Debug, Clone)]
pub struct Function {
    client: Client,
    services: Services,
    name: String,
}

impl Function {
    /// The function of a name, of an ARN, or of `NAME:ALIAS`.
    #[must_use]
    pub fn new(services: &Services, name: &str) -> Self {
        let limits = TimeoutConfig::builder().operation_attempt_timeout(ANSWER_LIMIT);
        let config = Builder::from(services.config())
            .timeout_config(limits.build())
            .retry_classifier(NotAfterSilence)
            // The function says nothing until it has its answer.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(services.observer());
        Self {
            client: Client::from_conf(config.build()),
            services: services.clone(),
            name: name.to_owned(),
        }
    }

    /// Calls the function: what it answers, or the error it ends with.
    async fn invoke(&self, call: Call) -> Result<std::result::Result<Value, Refusal>> {
        let what = format!("cannot call the function {}", self.name);
        let event = Request::of(call).write().to_string();
        let sent = self
            .client
            .invoke()
            .function_name(&self.name)
            .invocation_type(InvocationType::RequestResponse)
            .payload(Blob::new(event))
            .send()
            .await;
        let output = sent.map_err(|error| {
            let code = error.as_service_error().and_then(|service| service.code());
            let refused = self.services.refused(&what, ACTION, &self.name, &error);
            match code {
                Some("ResourceNotFoundException") => ContentError::new(Kind::NotFound, &what)
                    .because(format!("there is none of that name in {}", self.services.region()))
                    .hint("name it by --via-lambda, and its region by --region or AWS_REGION"),
                // It is being made, or updated.
                Some("ResourceConflictException" | "ResourceNotReadyException") => {
                    ContentError::new(Kind::Temporary, &what).because(refused)
                }
                _ => refused,
            }
        })?;
        let payload = output.payload().map(Blob::as_ref).unwrap_or_default();
        let answer: Value = match payload {
            [] => Value::Null,
            text => serde_json::from_slice(text)
                .map_err(|error| ContentError::new(Kind::Invalid, &what).because(error).hint(NOT_OURS))?,
        };
        if output.function_error().is_none() {
            return Ok(Ok(answer));
        }
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Err(Refusal {
            error_type: text("errorType"),
            message: text("errorMessage"),
        }))
    }

    /// Asks how a run is. That it is not as it should be may come as an error, by a function that is set so.
    async fn view(&self, call: Call) -> Result<View> {
        let action = call.action();
        match self.invoke(call).await? {
            Ok(answer) => read_view(&answer).map_err(|error| self.not_ours(error)),
            Err(refusal) => match status_of(&refusal.error_type) {
                Some(status) => Ok(failed(status, &refusal)),
                None => Err(self.failed(action, &refusal)),
            },
        }
    }

    /// Has the function look at what a run of `order` meets, with the rights it has itself; nothing is started or written.
    ///
    /// A function that is something else does what it does with any event.
    pub async fn examine(&self, order: &Order) -> Vec<Finding> {
        let answered = match self.invoke(Call::Check(Box::new(order.clone()))).await {
            Ok(Ok(answer)) => read_findings(&answer).map_err(|error| self.not_ours(error)),
            Ok(Err(refusal)) if refusal.text().starts_with(NO_ACTION) => self.last_run(order).await,
            Ok(Err(refusal)) => Err(self.failed("check", &refusal)),
            Err(error) => Err(error),
        };
        match answered {
            Ok(findings) => {
                let answers = Finding::new("function", Health::Ok, format!("{} answers", self.name));
                std::iter::once(answers).chain(findings).collect()
            }
            Err(error) => vec![Finding::of_error("function", Health::Failed, &error)],
        }
    }

    /// What a function of a version shows that cannot look: its settings are whole, and it reads its table.
    async fn last_run(&self, order: &Order) -> Result<Vec<Finding>> {
        let past = Past {
            family: order.family.clone(),
            limit: 1,
            ..Past::default()
        };
        let records = self.history(&past).await?;
        let told = match records.first().and_then(|record| record.run_id.as_ref()) {
            Some(id) => format!("the last run is {id}"),
            None => "no run is kept so far".to_owned(),
        };
        Ok(vec![
            Finding::new("table", Health::Ok, told),
            Finding::new(
                "cluster",
                Health::Skipped,
                "the function is of another version, which cannot look at more",
            )
            .hint("put the function of this version there: docs/lambda.md"),
        ])
    }

    fn not_ours(&self, error: NotOurs) -> ContentError {
        let hint = match &error {
            NotOurs::Other(_) => {
                "the function is another version of shipway: put the one of this version there (docs/lambda.md)"
            }
            _ => NOT_OURS,
        };
        let what = format!("the function {} is not one of shipway", self.name);
        ContentError::new(Kind::Invalid, what).because(error).hint(hint)
    }

    /// Puts an error of the function into words.
    fn failed(&self, action: &str, refusal: &Refusal) -> ContentError {
        let done = match action {
            "start" => "start the run",
            "stop" => "stop the run",
            "history" => "tell of earlier runs",
            "check" => "look at what a run needs",
            _ => "say how the run is",
        };
        let what = format!("the function {} could not {done}", self.name);
        let text = refusal.text();
        if let Some(kind) = refusal.kind() {
            let error = ContentError::new(kind, what).because(text);
            return refusal.hints().into_iter().fold(error, ContentError::hint);
        }
        // Lambda's own words, when the function did not come to an end.
        let log = format!("its log says why: /aws/lambda/{}", self.log_name());
        let told = match refusal.error_type.as_str() {
            "" => text.clone(),
            name => format!("{text} ({name})"),
        };
        if refusal.error_type == "Sandbox.Timedout" || text.contains("Task timed out after") {
            return ContentError::new(Kind::Temporary, what)
                .because(told)
                .hint("give the function more time: a Timeout of 60 seconds or more");
        }
        if refusal.error_type.starts_with("Runtime.") {
            return ContentError::new(Kind::Other, what).because(told).hint(log).hint(
                "the function's package holds the program as bootstrap (mode 755), built for the function's architecture: ci/lambda.sh makes it",
            );
        }
        ContentError::new(Kind::Other, what)
            .because(told)
            .hint(log)
            .hint(NOT_OURS)
    }

    /// The name in the name of the function's log group.
    fn log_name(&self) -> &str {
        let name = self
            .name
            .split_once(":function:")
            .map_or(self.name.as_str(), |(_, name)| name);
        name.split(':').next().unwrap_or(name)
    }
}

/// What to do about a function that is something else.
const NOT_OURS: &str = "the function has to be shipway itself: docs/lambda.md says how it gets there";

/// What is known of a run by an error that tells how it is.
fn failed(status: Status, refusal: &Refusal) -> View {
    let failure = Failure::new(refusal.text());
    View {
        status,
        failure: Some(refusal.hints().into_iter().fold(failure, Failure::hint)),
        answered: Answered::default(),
        ..View::default()
    }
}

#[async_trait]
impl Runs for Function {
    async fn start(&self, order: &Order) -> Result<View> {
        self.view(Call::Start(Box::new(order.clone()), 0)).await
    }

    async fn look(&self, look: &Look) -> Result<View> {
        self.view(Call::Look(look.clone())).await
    }

    async fn stop(&self, look: &Look, reason: &str) -> Result<View> {
        self.view(Call::Stop(look.clone(), reason.to_owned())).await
    }

    async fn history(&self, past: &Past) -> Result<Vec<Record>> {
        match self.invoke(Call::History(past.clone())).await? {
            Ok(answer) => read_records(&answer).map_err(|error| self.not_ours(error)),
            Err(refusal) => Err(self.failed("history", &refusal)),
        }
    }
}

/// Forbids a second call where the first one was not answered in time: the function may still be at it (aws/aws-cli#2657).
#[derive(Debug)]
struct NotAfterSilence;

impl ClassifyRetry for NotAfterSilence {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if error.is_timeout_error() => RetryAction::RetryForbidden,
            Some(Err(error)) => match error.as_connector_error() {
                Some(error) if error.is_timeout() => RetryAction::RetryForbidden,
                _ => RetryAction::NoActionIndicated,
            },
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "not after silence"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[cfg(test)]
mod tests;
