//! Amazon ECS: clusters, revisions of task definitions, and tasks whose lives are scripted.
//!
//! Time passes when somebody looks: each `DescribeTasks` takes every task it names one step further, and every clock of the fake some
//! seconds. So nothing depends on how fast a test runs.

mod check;
mod definition;
mod script;
mod task;

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::super::registry::Reply;
use super::call::Asked;
use super::error::refusal;
use super::signature::Signer;
use super::{FakeAws, State};
pub(crate) use script::Script;
use task::FakeTask;

/// How many seconds pass when tasks are looked at.
const STEP_SECONDS: i64 = 2;

/// Everything of ECS.
#[derive(Default)]
pub(super) struct Ecs {
    /// The names of clusters.
    clusters: Vec<String>,
    /// Revisions, as `DescribeTaskDefinition` answers them.
    definitions: Vec<Value>,
    tasks: Vec<FakeTask>,
    /// The lives of tasks to come; those after the last one succeed.
    scripts: VecDeque<Script>,
    /// `RunTask` that starts nothing, or does not say so.
    refusals: VecDeque<Refusal>,
    /// How many tasks a page of a list holds.
    page: usize,
}

/// A `RunTask` whose answer names a failure.
struct Refusal {
    reason: String,
    /// Whether the task is started all the same.
    starts: bool,
}

impl FakeAws {
    /// Makes a cluster.
    pub(crate) fn cluster(&self, name: &str) {
        self.state().ecs.clusters.push(name.to_owned());
    }

    /// Registers a revision, as it stands in `RegisterTaskDefinition`; gives its ARN.
    pub(crate) fn task_definition(&self, input: &Value) -> String {
        self.state().ecs.register(input)
    }

    /// The revisions of a family, as `DescribeTaskDefinition` answers them.
    pub(crate) fn revisions(&self, family: &str) -> Vec<Value> {
        let mut all = self.state().ecs.definitions.clone();
        all.retain(|one| one["taskDefinition"]["family"] == family);
        all
    }

    /// Sets fields of the newest revision that only ECS sets, or that are newer than any SDK.
    pub(crate) fn amend_definition(&self, change: impl FnOnce(&mut Value)) {
        change(self.state().ecs.definitions.last_mut().unwrap());
    }

    /// Scripts the life of the next task.
    pub(crate) fn next_task(&self, script: Script) {
        self.state().ecs.scripts.push_back(script);
    }

    /// Has the next `RunTask` answered with a failure.
    pub(crate) fn refuse_task(&self, reason: &str) {
        self.state().ecs.refusals.push_back(Refusal {
            reason: reason.to_owned(),
            starts: false,
        });
    }

    /// Has the next `RunTask` answered with a failure although the task starts (apache/airflow#16150).
    pub(crate) fn hide_task(&self, reason: &str) {
        self.state().ecs.refusals.push_back(Refusal {
            reason: reason.to_owned(),
            starts: true,
        });
    }

    /// How many tasks a page of a list holds.
    pub(crate) fn page_of_tasks(&self, count: usize) {
        self.state().ecs.page = count;
    }

    /// Lets tasks go on that are held.
    pub(crate) fn proceed(&self) {
        for task in &mut self.state().ecs.tasks {
            task.proceed();
        }
    }

    /// Stops a task as somebody at the console does.
    pub(crate) fn stop_task(&self, number: usize, reason: &str) {
        self.state().ecs.tasks[number].stop(reason);
    }

    /// From now on ECS does not know any task any more, as an hour after they stopped.
    pub(crate) fn forget_tasks(&self) {
        self.state().ecs.tasks.clear();
    }

    /// Starts a task as something else does that does not know the command, with `RunTask`'s input.
    pub(crate) fn foreign_task(&self, input: &Value, script: Script) -> String {
        let mut state = self.state();
        let created = state.seconds();
        state.ecs.start(input, script, created)
    }

    /// The tasks, as `DescribeTasks` tells them now.
    pub(crate) fn tasks(&self) -> Vec<Value> {
        self.state().ecs.tasks.iter().map(|task| task.told(true)).collect()
    }

    /// Takes every task one step further without being asked, as time does.
    pub(crate) fn pass_time(&self) {
        let mut state = self.state();
        for index in 0..state.ecs.tasks.len() {
            state.step(index);
        }
        state.passed_seconds += STEP_SECONDS;
    }

    /// The event that EventBridge sends of a task as it is now.
    pub(crate) fn event(&self, number: usize) -> Value {
        let state = self.state();
        let task = &state.ecs.tasks[number];
        json!({
            "version": "0", "id": format!("3317b2af-7005-947d-b652-{number:012x}"), "detail-type": "ECS Task State Change",
            "source": "aws.ecs", "account": task.account(), "time": state.now().to_string(), "region": task.region(),
            "resources": [task.arn()], "detail": task.detail(),
        })
    }

    /// The calls to ECS before the first `RunTask`.
    pub(crate) fn calls_before_run_task(&self) -> Vec<String> {
        let names = self.calls().into_iter().map(|call| call.operation);
        let ecs = names.filter(|name| name.starts_with("ecs:"));
        ecs.take_while(|name| name != "ecs:RunTask").collect()
    }
}

impl State {
    /// Now, in seconds since the epoch.
    pub(super) fn seconds(&self) -> f64 {
        self.now().as_duration().as_secs_f64()
    }

    /// Answers a call to ECS.
    pub(super) fn ecs(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        let operation = asked.operation.strip_prefix("ecs:").unwrap_or_default();
        self.violations.extend(check::complaints(operation, &asked.input));
        if let Some(refused) = self.passed_role(asked, signer) {
            return refused;
        }
        let is_of_cluster = !operation.ends_with("TaskDefinition") && operation != "DescribeClusters";
        if is_of_cluster && !self.ecs.clusters.contains(&cluster(asked.text("cluster"))) {
            return refusal(&asked.operation, 400, "ClusterNotFoundException", "Cluster not found.");
        }
        let answer = match operation {
            "DescribeTaskDefinition" => self.ecs.describe_definition(&asked.input),
            "RegisterTaskDefinition" => Ok(self.ecs.register_answer(&asked.input)),
            "RunTask" => self.run_task(&asked.input),
            "DescribeTasks" => Ok(self.describe_tasks(&asked.input)),
            "ListTasks" => Ok(self.ecs.list_tasks(&asked.input)),
            "StopTask" => self.ecs.stop_task(&asked.input),
            "DescribeClusters" => Ok(self.ecs.describe_clusters(&asked.input)),
            _ => Err(Refused::new("InvalidAction", "no such operation of the fake")),
        };
        match answer {
            Ok(value) => Reply::json(200, &value),
            Err(Refused { code, message, more }) => {
                let mut body = more;
                body["__type"] = code.into();
                body["message"] = message.into();
                Reply::json(400, &body)
            }
        }
    }

    /// Rights besides the operation's own, in the names IAM gives them.
    fn passed_role(&self, asked: &Asked, signer: &Signer) -> Option<Reply> {
        let refuse = |action: &str, resource: &str| {
            let message = format!(
                "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the \
                 {action} action",
                signer.arn
            );
            Some(refusal(&asked.operation, 400, "AccessDeniedException", &message))
        };
        if asked.operation == "ecs:RegisterTaskDefinition" && self.denied.contains("iam:PassRole") {
            return refuse("iam:PassRole", asked.text("executionRoleArn"));
        }
        let has_tags = asked.input["tags"].as_array().is_some_and(|tags| !tags.is_empty());
        if has_tags && self.denied.contains("ecs:TagResource") {
            return refuse("ecs:TagResource", "*");
        }
        None
    }

    fn describe_tasks(&mut self, input: &Value) -> Value {
        let with_tags = input["include"]
            .as_array()
            .is_some_and(|all| all.contains(&"TAGS".into()));
        let cluster = cluster(input["cluster"].as_str().unwrap_or_default());
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        let named = input["tasks"].as_array().cloned().unwrap_or_default();
        for name in named.iter().filter_map(Value::as_str) {
            let mut all = self.ecs.tasks.iter();
            let index = all.position(|task| task.is_called(name) && task.is_in(&cluster));
            let is_known = index.is_some_and(|index| self.step(index));
            match index.filter(|_| is_known) {
                Some(index) => tasks.push(self.ecs.tasks[index].told(with_tags)),
                None => failures.push(json!({"arn": name, "reason": "MISSING"})),
            }
        }
        self.passed_seconds += STEP_SECONDS;
        json!({"tasks": tasks, "failures": failures})
    }

    /// Takes a task one step further; false if ECS does not show it yet.
    fn step(&mut self, index: usize) -> bool {
        let now = self.seconds();
        let task = &mut self.ecs.tasks[index];
        let lines = task.step(now);
        if let Some(place) = task.log() {
            self.streams.write(&place, task.has_started(), &lines, now);
        }
        !task.is_missing()
    }

    fn run_task(&mut self, input: &Value) -> Result<Value, Refused> {
        let created = self.seconds();
        if let Some(token) = input["clientToken"].as_str() {
            let same = self.ecs.tasks.iter().find(|task| task.input["clientToken"] == token);
            if let Some(task) = same {
                return match task.input == *input {
                    true => Ok(json!({"tasks": [task.told(true)], "failures": []})),
                    false => Err(Refused {
                        code: "ConflictException",
                        message: "The request was already processed with different parameters.".to_owned(),
                        more: json!({"resourceIds": [task.arn()]}),
                    }),
                };
            }
        }
        self.ecs.refuses(input)?;
        let refusal = self.ecs.refusals.pop_front();
        if refusal.as_ref().is_none_or(|refusal| refusal.starts) {
            let script = self.ecs.scripts.pop_front().unwrap_or_default();
            self.ecs.start(input, script, created);
        }
        Ok(match (refusal, self.ecs.tasks.last()) {
            (None, Some(task)) => json!({"tasks": [task.told(true)], "failures": []}),
            (refusal, _) => json!({"tasks": [], "failures": [{"reason": refusal.map(|refusal| refusal.reason)}]}),
        })
    }
}

/// An error of ECS.
struct Refused {
    code: &'static str,
    message: String,
    more: Value,
}

impl Refused {
    fn new(code: &'static str, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            more: json!({}),
        }
    }
}

impl Ecs {
    fn start(&mut self, input: &Value, script: Script, created: f64) -> String {
        let definition = self.definition(input["taskDefinition"].as_str().unwrap_or_default());
        let definition = definition.expect("the revision is there");
        let task = FakeTask::new(self.tasks.len(), input, definition, script, created);
        let arn = task.arn().to_owned();
        self.tasks.push(task);
        arn
    }

    fn list_tasks(&mut self, input: &Value) -> Value {
        let is_stopped = input["desiredStatus"] == "STOPPED";
        let cluster = cluster(input["cluster"].as_str().unwrap_or_default());
        let is_asked_for = |task: &&FakeTask| {
            let is_of = |name: &str, value: &str| input[name].is_null() || input[name] == value;
            task.is_listed(is_stopped)
                && task.is_in(&cluster)
                && is_of("startedBy", task.started_by())
                && is_of("family", task.family())
        };
        let unlisted: Vec<_> = self.tasks.iter_mut().map(FakeTask::is_unlisted).collect();
        let tasks = self
            .tasks
            .iter()
            .zip(unlisted)
            .filter(|(_, is_unlisted)| !is_unlisted)
            .map(|(task, _)| task);
        let arns: Vec<_> = tasks.filter(is_asked_for).map(FakeTask::arn).collect();
        let from = input["nextToken"]
            .as_str()
            .and_then(|token| token.strip_prefix("page-"));
        let from: usize = from.and_then(|number| number.parse().ok()).unwrap_or(0);
        let size = if self.page == 0 { 100 } else { self.page };
        let page: Vec<_> = arns.iter().skip(from).take(size).collect();
        match from + size < arns.len() {
            true => json!({"taskArns": page, "nextToken": format!("page-{}", from + size)}),
            false => json!({"taskArns": page}),
        }
    }

    fn stop_task(&mut self, input: &Value) -> Result<Value, Refused> {
        let name = input["task"].as_str().unwrap_or_default();
        let task = self.tasks.iter_mut().find(|task| task.is_called(name));
        let Some(task) = task else {
            let message = "The referenced task was not found.";
            return Err(Refused::new("InvalidParameterException", message));
        };
        task.stop(input["reason"].as_str().unwrap_or("Task stopped by user"));
        Ok(json!({"task": task.told(false)}))
    }

    fn describe_clusters(&self, input: &Value) -> Value {
        let (mut clusters, mut failures) = (Vec::new(), Vec::new());
        let named = input["clusters"].as_array().cloned().unwrap_or_default();
        for name in named.iter().filter_map(Value::as_str) {
            let arn = task::arn("cluster", &cluster(name));
            match self.clusters.contains(&cluster(name)) {
                true => clusters.push(json!({
                    "clusterArn": arn, "clusterName": cluster(name), "status": "ACTIVE", "runningTasksCount": 0, "pendingTasksCount": 0,
                    "activeServicesCount": 0, "registeredContainerInstancesCount": 0, "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                    "defaultCapacityProviderStrategy": [], "settings": [], "tags": [], "statistics": [],
                })),
                false => failures.push(json!({"arn": arn, "reason": "MISSING"})),
            }
        }
        json!({"clusters": clusters, "failures": failures})
    }
}

/// The name of a cluster that is named by name or ARN.
fn cluster(name: &str) -> String {
    match name.rsplit('/').next() {
        Some("") | None => "default".to_owned(),
        Some(name) => name.to_owned(),
    }
}
