//! One task.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::super::logs::Place;
use super::super::{ACCOUNT, REGION};
use super::script::{Script, Step, stopping};

/// The ARN of something of ECS.
pub(super) fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{name}")
}

/// A task, and what is to become of it.
pub(super) struct FakeTask {
    /// What `RunTask` was asked.
    pub(super) input: Value,
    definition: Value,
    /// As `DescribeTasks` tells it.
    told: Value,
    tags: Value,
    steps: VecDeque<Step>,
    script: Script,
    is_missing: bool,
    is_held: bool,
    has_started: bool,
    is_stopping: bool,
}

impl FakeTask {
    pub(super) fn new(number: usize, input: &Value, described: &Value, script: Script, created: f64) -> Self {
        let (definition, inherited) = (&described["taskDefinition"], &described["tags"]);
        let cluster = super::cluster(input["cluster"].as_str().unwrap_or_default());
        // No digit of it is another task's: tests look for it in texts.
        let id = format!("0a11ce{:026x}", 0xf1ee7_u64 + number as u64);
        let arn_of_task = arn("task", &format!("{cluster}/{id}"));
        let containers = definition["containerDefinitions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let containers: Vec<_> = containers
            .iter()
            .enumerate()
            .map(|(index, container)| {
                json!({
                    "containerArn": format!("{}-{index}", arn_of_task.replace(":task/", ":container/")), "taskArn": arn_of_task,
                    "name": container["name"], "image": container["image"], "lastStatus": "PENDING", "networkInterfaces": [],
                    "cpu": "0", "healthStatus": "UNKNOWN",
                })
            })
            .collect();
        let family = definition["family"].as_str().unwrap_or_default();
        let mut told = json!({
            "taskArn": arn_of_task, "clusterArn": arn("cluster", &cluster), "taskDefinitionArn": definition["taskDefinitionArn"],
            "containers": containers, "lastStatus": "PROVISIONING", "desiredStatus": "RUNNING", "createdAt": created,
            "group": format!("family:{family}"), "version": 1, "attachments": [], "attributes": [], "connectivity": "CONNECTED",
            "cpu": definition["cpu"], "memory": definition["memory"], "overrides": input["overrides"], "enableExecuteCommand": false,
            "healthStatus": "UNKNOWN", "platformFamily": "Linux",
        });
        for (name, value) in [("startedBy", &input["startedBy"]), ("launchType", &input["launchType"])] {
            if !value.is_null() {
                told[name] = value.clone();
            }
        }
        let provider = &input["capacityProviderStrategy"][0]["capacityProvider"];
        if !provider.is_null() {
            told["capacityProviderName"] = provider.clone();
        }
        // Those of the task win over those of the definition.
        let mut tags = input["tags"].as_array().cloned().unwrap_or_default();
        if input["propagateTags"] == "TASK_DEFINITION" {
            for tag in inherited.as_array().into_iter().flatten() {
                if !tags.iter().any(|other| other["key"] == tag["key"]) {
                    tags.push(tag.clone());
                }
            }
        }
        Self {
            input: input.clone(),
            definition: definition.clone(),
            told,
            tags: tags.into(),
            is_missing: script.steps.first().is_some_and(|step| step.missing),
            steps: script.steps.iter().cloned().collect(),
            script,
            is_held: false,
            has_started: false,
            is_stopping: false,
        }
    }

    pub(super) fn arn(&self) -> &str {
        self.told["taskArn"].as_str().unwrap_or_default()
    }

    pub(super) fn account(&self) -> &'static str {
        ACCOUNT
    }

    pub(super) fn region(&self) -> &'static str {
        REGION
    }

    pub(super) fn started_by(&self) -> &str {
        self.told["startedBy"].as_str().unwrap_or_default()
    }

    pub(super) fn family(&self) -> &str {
        self.definition["family"].as_str().unwrap_or_default()
    }

    /// Whether it is meant by its id or ARN.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.arn() == name || self.arn().rsplit('/').next() == Some(name)
    }

    /// Whether it is in a cluster of this name.
    pub(super) fn is_in(&self, cluster: &str) -> bool {
        self.arn().contains(&format!(":task/{cluster}/"))
    }

    pub(super) fn is_missing(&self) -> bool {
        self.is_missing
    }

    pub(super) fn has_started(&self) -> bool {
        self.has_started
    }

    /// Whether a list lacks it once more.
    pub(super) fn is_unlisted(&mut self) -> bool {
        let is_unlisted = self.script.unlisted > 0;
        self.script.unlisted = self.script.unlisted.saturating_sub(1);
        is_unlisted
    }

    /// Whether a list of stopped, or of other, tasks has it.
    pub(super) fn is_listed(&self, stopped: bool) -> bool {
        !self.is_missing && (self.told["desiredStatus"] == "STOPPED") == stopped
    }

    /// As `DescribeTasks` tells it.
    pub(super) fn told(&self, with_tags: bool) -> Value {
        let mut told = self.told.clone();
        if with_tags {
            told["tags"] = self.tags.clone();
        }
        told
    }

    /// As an event tells it: with times as text.
    pub(super) fn detail(&self) -> Value {
        let mut detail = self.told.clone();
        for (name, value) in detail.as_object_mut().unwrap() {
            if let (true, Some(seconds)) = (name.ends_with("At"), value.as_f64()) {
                let time = jiff::Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap();
                *value = time.to_string().into();
            }
        }
        detail
    }

    /// Lets it go on, wherever it is, to its end.
    pub(super) fn proceed(&mut self) {
        self.is_held = false;
        for step in &mut self.steps {
            step.holds = false;
        }
    }

    /// Has it stopped, unless it has ended.
    pub(super) fn stop(&mut self, reason: &str) {
        if self.told["lastStatus"] == "STOPPED" || self.is_stopping {
            return;
        }
        self.is_stopping = true;
        self.is_held = false;
        self.told["desiredStatus"] = "STOPPED".into();
        self.steps = stopping(self.has_started, self.script.stopped_with, reason).into();
    }

    /// One step further; gives the lines it writes.
    pub(super) fn step(&mut self, now: f64) -> Vec<String> {
        if self.is_held {
            return Vec::new();
        }
        let Some(step) = self.steps.pop_front() else {
            return Vec::new();
        };
        self.is_missing = step.missing;
        self.is_held = step.holds;
        if let Some(status) = step.status {
            self.told["lastStatus"] = status.into();
        }
        let now = (now * 1000.0).round() / 1000.0;
        for name in &step.now {
            self.told[*name] = now.into();
        }
        if step.now.contains(&"startedAt") {
            self.has_started = true;
        }
        set(&mut self.told, &step.task);
        self.told["version"] = (self.told["version"].as_i64().unwrap_or(0) + 1).into();
        let name = match &self.script.container {
            Some(name) => name.clone(),
            None => self.definition["containerDefinitions"][0]["name"]
                .as_str()
                .unwrap()
                .to_owned(),
        };
        let has_ended = self.told["executionStoppedAt"].is_number();
        for container in self.told["containers"].as_array_mut().into_iter().flatten() {
            if container["name"] == name.as_str() {
                set(container, &step.container);
            } else if has_ended {
                // What an essential container takes with it.
                container["lastStatus"] = "STOPPED".into();
                container["exitCode"] = 137.into();
            } else if self.has_started {
                container["lastStatus"] = "RUNNING".into();
            }
            let image = container["image"].as_str().unwrap_or_default();
            let pulled = image.split_once('@').map(|(_, digest)| Value::from(digest));
            let pulled = self.script.digest.clone().or(pulled).unwrap_or_default();
            if self.has_started && !pulled.is_null() {
                container["imageDigest"] = pulled;
            }
        }
        step.lines
    }

    /// Where the container that the script is about writes to.
    pub(super) fn log(&self) -> Option<Place> {
        let containers = self.definition["containerDefinitions"].as_array()?;
        let container = match &self.script.container {
            Some(name) => containers.iter().find(|container| container["name"] == name.as_str())?,
            None => containers.first()?,
        };
        let log = &container["logConfiguration"];
        if log["logDriver"] != "awslogs" {
            return None;
        }
        let option = |name: &str| log["options"][name].as_str();
        let id = self.arn().rsplit('/').next().unwrap_or_default();
        Some(Place {
            region: option("awslogs-region").unwrap_or(REGION).to_owned(),
            group: option("awslogs-group")?.to_owned(),
            stream: format!(
                "{}/{}/{id}",
                option("awslogs-stream-prefix")?,
                container["name"].as_str()?
            ),
        })
    }
}

/// Sets fields; null takes one away.
fn set(object: &mut Value, fields: &Map<String, Value>) {
    for (name, value) in fields {
        match value {
            Value::Null => drop(object.as_object_mut().and_then(|object| object.remove(name))),
            value => object[name] = value.clone(),
        }
    }
}
