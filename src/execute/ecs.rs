//! The calls of ECS that a run takes, with answers as ECS wrote them.
//!
//! The SDK finds the endpoint, signs, and tries again. What it makes of bodies is passed over: a task definition has fields that are newer than any
//! SDK, and one that is copied must keep them all.

mod raw;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{DesiredStatus, TaskDefinitionField, TaskField};
use serde_json::Value;

use super::Answered;
use super::pin::is_capacity_exception;
use crate::aws::Services;
use crate::content::{ContentError, Kind, Result};
use raw::Raw;

/// ECS, for one identity in one region.
#[derive(Debug, Clone)]
pub struct Ecs {
    client: Client,
    services: Services,
}

/// What became of the wish to have a task.
#[derive(Debug, Clone)]
pub enum Started {
    /// Tasks, and why there are none.
    Answered(Answered),
    /// There is a task for the same client token, with other parameters: these.
    Conflict(Vec<String>),
    /// There is no capacity, for this reason.
    NoCapacity(String),
}

/// Which tasks are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListBy {
    /// Those with this `startedBy`.
    StartedBy(String),
    /// Those of this family of task definitions.
    Family(String),
}

/// What tasks are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desired {
    /// Running: on their way there, too.
    Running,
    /// Stopped, or about to be.
    Stopped,
}

impl Ecs {
    /// ECS in the region of these services.
    #[must_use]
    pub fn new(services: &Services) -> Self {
        let config = aws_sdk_ecs::config::Builder::from(services.config()).interceptor(services.observer());
        Self {
            client: Client::from_conf(config.build()),
            services: services.clone(),
        }
    }

    /// A task definition with its tags: the newest revision of a family, `family:revision`, or an ARN. The whole answer.
    ///
    /// # Errors
    /// When there is none, or ECS cannot be asked.
    pub async fn definition(&self, name: &str) -> Result<Value> {
        let raw = Raw::default();
        let call = self.client.describe_task_definition().task_definition(name);
        let call = call
            .include(TaskDefinitionField::Tags)
            .customize()
            .interceptor(raw.clone());
        match call.send().await {
            Ok(_) => raw.answer(),
            Err(error) => {
                let is_missing = error
                    .as_service_error()
                    .and_then(ProvideErrorMetadata::message)
                    .is_some_and(|message| message.contains("Unable to describe"));
                if is_missing {
                    let region = self.services.region();
                    return Err(ContentError::new(
                        Kind::NotFound,
                        format!("there is no task definition {name} in {region}"),
                    )
                    .hint("make it with deploy/cloudformation.yaml, or name another one: --family"));
                }
                let what = format!("cannot read the task definition {name}");
                Err(self.services.refused(&what, "ecs:DescribeTaskDefinition", "*", &error))
            }
        }
    }

    /// Registers a revision; `input` is the body of `RegisterTaskDefinition`. The answer's `taskDefinition`.
    ///
    /// # Errors
    /// When ECS refuses it.
    pub async fn register(&self, input: &Value) -> Result<Value> {
        let family = input["family"].as_str().unwrap_or_default();
        let raw = Raw::sending(input);
        let call = self.client.register_task_definition().family(family);
        // What the SDK asks for before it sends; the body is ours.
        let call = call
            .set_container_definitions(Some(Vec::new()))
            .customize()
            .interceptor(raw.clone());
        match call.send().await {
            Ok(_) => Ok(raw.answer()?["taskDefinition"].take()),
            Err(error) => {
                let what = format!("cannot register a revision of the task definition {family}");
                let action = match code_is(&error, "AccessDeniedException") && says(&error, "iam:PassRole") {
                    true => "iam:PassRole",
                    false => "ecs:RegisterTaskDefinition",
                };
                Err(self.services.refused(&what, action, "*", &error))
            }
        }
    }

    /// Starts a task; `input` is the body of `RunTask`.
    ///
    /// # Errors
    /// When ECS refuses it for another reason than capacity.
    pub async fn run_task(&self, input: &Value) -> Result<Started> {
        let definition = input["taskDefinition"].as_str().unwrap_or_default();
        let raw = Raw::sending(input);
        let call = self.client.run_task().task_definition(definition);
        match call.customize().interceptor(raw.clone()).send().await {
            // What cannot be read may have started something.
            Ok(_) => Ok(Started::Answered(answered(raw.answer().map_err(unsure)?))),
            Err(error) => {
                if code_is(&error, "ConflictException") {
                    let ids = raw
                        .answer()
                        .ok()
                        .and_then(|answer| answer["resourceIds"].as_array().cloned());
                    let ids = ids.unwrap_or_default();
                    return Ok(Started::Conflict(
                        ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
                    ));
                }
                let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
                if code_is(&error, "ClientException") && message.is_some_and(is_capacity_exception) {
                    return Ok(Started::NoCapacity(message.unwrap_or_default().to_owned()));
                }
                let what = format!("cannot start a task of {definition}");
                let (action, resource) = match says(&error, "iam:PassRole") {
                    true => ("iam:PassRole", "the roles of the task definition"),
                    false => ("ecs:RunTask", definition),
                };
                let refused = self.services.refused(&what, action, resource, &error);
                Err(match error.as_service_error().and_then(ProvideErrorMetadata::code) {
                    Some("ClusterNotFoundException") => {
                        refused.hint("name the cluster with --cluster, and its region with --region")
                    }
                    _ => refused,
                })
            }
        }
    }

    /// Tasks by their ARNs, at most 100, with their tags. Those ECS does not know are among the failures.
    ///
    /// # Errors
    /// When ECS cannot be asked.
    pub async fn tasks(&self, cluster: &str, arns: &[String]) -> Result<Answered> {
        if arns.is_empty() {
            return Ok(Answered::default());
        }
        let raw = Raw::default();
        let call = self
            .client
            .describe_tasks()
            .cluster(cluster)
            .set_tasks(Some(arns.to_vec()));
        let call = call.include(TaskField::Tags).customize().interceptor(raw.clone());
        match call.send().await {
            Ok(_) => Ok(answered(raw.answer()?)),
            Err(error) => Err(self.refused(cluster, "cannot look at tasks", "ecs:DescribeTasks", &error)),
        }
    }

    /// The ARNs of tasks, all pages.
    ///
    /// # Errors
    /// When ECS cannot be asked.
    pub async fn list(&self, cluster: &str, by: &ListBy, desired: Desired) -> Result<Vec<String>> {
        let mut arns = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.client.list_tasks().cluster(cluster).set_next_token(token);
            let call = call.desired_status(match desired {
                Desired::Running => DesiredStatus::Running,
                Desired::Stopped => DesiredStatus::Stopped,
            });
            let call = match by {
                ListBy::StartedBy(name) => call.started_by(name),
                ListBy::Family(name) => call.family(name),
            };
            let page = match call.send().await {
                Ok(page) => page,
                Err(error) => return Err(self.refused(cluster, "cannot list tasks", "ecs:ListTasks", &error)),
            };
            arns.extend(page.task_arns.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    /// Has a task stopped. The task, as it is then.
    ///
    /// # Errors
    /// When there is none, or ECS refuses it.
    pub async fn stop(&self, cluster: &str, task: &str, reason: &str) -> Result<Value> {
        let raw = Raw::default();
        let call = self.client.stop_task().cluster(cluster).task(task).reason(reason);
        match call.customize().interceptor(raw.clone()).send().await {
            Ok(_) => Ok(raw.answer()?["task"].take()),
            Err(error) => Err(self.refused(cluster, &format!("cannot stop {task}"), "ecs:StopTask", &error)),
        }
    }

    /// A cluster; `None` where there is none of that name.
    ///
    /// # Errors
    /// When ECS cannot be asked.
    pub async fn cluster(&self, name: &str) -> Result<Option<Value>> {
        let raw = Raw::default();
        let call = self.client.describe_clusters().clusters(name);
        match call.customize().interceptor(raw.clone()).send().await {
            Ok(_) => Ok(raw.answer()?["clusters"].get_mut(0).map(Value::take)),
            Err(error) => Err(self.refused(name, "cannot look at the cluster", "ecs:DescribeClusters", &error)),
        }
    }

    fn refused<E>(&self, cluster: &str, what: &str, action: &str, error: &Refusal<E>) -> ContentError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let refused = self
            .services
            .refused(&format!("{what} in cluster {cluster}"), action, cluster, error);
        match code_is(error, "ClusterNotFoundException") {
            true => {
                let region = self.services.region();
                ContentError::new(Kind::NotFound, format!("there is no cluster {cluster} in {region}"))
                    .hint("name it with --cluster or ENV_CLUSTER, and its region with --region")
            }
            false => refused,
        }
    }
}

/// Whether anything was done is not known.
fn unsure(error: ContentError) -> ContentError {
    ContentError::new(Kind::Temporary, "it is not known whether ECS has started a task").because(error)
}

/// A call that failed.
type Refusal<E> = aws_sdk_ecs::error::SdkError<E, aws_sdk_ecs::config::http::HttpResponse>;

fn code_is<E: ProvideErrorMetadata>(error: &Refusal<E>, code: &str) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}

fn says<E: ProvideErrorMetadata>(error: &Refusal<E>, word: &str) -> bool {
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    message.is_some_and(|message| message.contains(word))
}

/// Tasks and failures of an answer.
fn answered(mut answer: Value) -> Answered {
    let mut list = |key: &str| match answer[key].take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    };
    Answered {
        tasks: list("tasks"),
        failures: list("failures"),
    }
}

#[cfg(test)]
mod tests;
