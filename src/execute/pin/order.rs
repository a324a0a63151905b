//! What `RunTask` is asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{LONGEST_TAG, MOST_TAGS, PinError};

/// Longest overrides, as JSON with its punctuation (RunTask, containerOverrides).
const LONGEST_OVERRIDES: usize = 8192;

/// What runs a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// Fargate.
    Fargate,
    /// Machines of one's own.
    Ec2,
    /// A capacity provider.
    CapacityProvider(String),
}

/// Where a task is reached, and what it reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Subnets.
    pub subnets: Vec<String>,
    /// Security groups; the network's default where there are none.
    pub security_groups: Vec<String>,
    /// Whether it gets a public address.
    pub assign_public_ip: bool,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTask {
    /// The cluster.
    pub cluster: String,
    /// The revision, by ARN or `family:revision`; never the family alone, whose newest revision may change.
    pub definition: String,
    /// What makes it one task, however often it is asked for.
    pub client_token: String,
    /// Who starts it, by which it is found.
    pub started_by: String,
    /// What runs it.
    pub launch: Launch,
    /// Its network, where it has one of its own.
    pub network: Option<Network>,
    /// The container that is watched.
    pub container: String,
    /// Arguments of its program, instead of the definition's.
    pub command: Option<Vec<String>>,
    /// Variables, besides the definition's.
    pub environment: BTreeMap<String, String>,
    /// CPU units, instead of the definition's.
    pub cpu: Option<String>,
    /// Memory in MiB, instead of the definition's.
    pub memory: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The body of `RunTask`.
///
/// # Errors
/// When ECS would not take it.
pub fn run_task_input(task: &RunTask) -> Result<Value, PinError> {
    let mut input = Map::from_iter([
        ("cluster".to_owned(), json!(task.cluster)),
        ("taskDefinition".to_owned(), json!(task.definition)),
        ("count".to_owned(), json!(1)),
        ("clientToken".to_owned(), json!(task.client_token)),
        ("startedBy".to_owned(), json!(task.started_by)),
        ("propagateTags".to_owned(), json!("TASK_DEFINITION")),
        ("enableECSManagedTags".to_owned(), json!(true)),
    ]);
    match &task.launch {
        Launch::Fargate => input.insert("launchType".to_owned(), json!("FARGATE")),
        Launch::Ec2 => input.insert("launchType".to_owned(), json!("EC2")),
        Launch::CapacityProvider(name) => input.insert(
            "capacityProviderStrategy".to_owned(),
            json!([{ "capacityProvider": name, "weight": 1 }]),
        ),
    };
    if let Some(network) = &task.network {
        let mut configuration = json!({
            "subnets": network.subnets,
            "assignPublicIp": if network.assign_public_ip { "ENABLED" } else { "DISABLED" },
        });
        if !network.security_groups.is_empty() {
            configuration["securityGroups"] = json!(network.security_groups);
        }
        input.insert(
            "networkConfiguration".to_owned(),
            json!({ "awsvpcConfiguration": configuration }),
        );
    }
    if let Some(overrides) = overrides(task)? {
        input.insert("overrides".to_owned(), overrides);
    }
    if !task.tags.is_empty() {
        input.insert("tags".to_owned(), tags(&task.tags)?);
    }
    Ok(Value::Object(input))
}

fn overrides(task: &RunTask) -> Result<Option<Value>, PinError> {
    let mut container = json!({ "name": task.container });
    if let Some(command) = &task.command {
        container["command"] = json!(command);
    }
    if !task.environment.is_empty() {
        let variables = task
            .environment
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }));
        container["environment"] = variables.collect();
    }
    let mut overrides = Map::new();
    if task.command.is_some() || !task.environment.is_empty() {
        overrides.insert("containerOverrides".to_owned(), json!([container]));
    }
    for (key, value) in [("cpu", &task.cpu), ("memory", &task.memory)] {
        if let Some(value) = value {
            overrides.insert(key.to_owned(), json!(value));
        }
    }
    if overrides.is_empty() {
        return Ok(None);
    }
    let overrides = Value::Object(overrides);
    let length = overrides.to_string().chars().count();
    match length > LONGEST_OVERRIDES {
        true => Err(PinError::TooLong {
            length,
            limit: LONGEST_OVERRIDES,
        }),
        false => Ok(Some(overrides)),
    }
}

/// Tags as the API writes them. A value that is too long is cut: most are the commit's or the run's.
pub(super) fn tags(tags: &BTreeMap<String, String>) -> Result<Value, PinError> {
    if tags.len() > MOST_TAGS {
        return Err(PinError::TooManyTags(tags.len()));
    }
    let tags = tags.iter().map(|(key, value)| {
        let value: String = value.chars().take(LONGEST_TAG).collect();
        json!({ "key": key, "value": value })
    });
    Ok(tags.collect())
}

/// The name of the stream a container of a task writes to.
#[must_use]
pub fn stream(prefix: &str, container: &str, task_id: &str) -> String {
    format!("{prefix}/{container}/{task_id}")
}

/// Whether a task was not started for want of capacity, by the `reason` of a failure of `RunTask`: the same may work later.
#[must_use]
pub fn is_capacity(reason: &str) -> bool {
    reason.contains("Capacity is unavailable") || reason.starts_with("RESOURCE:") || reason == "AGENT"
}

/// Whether a `ClientException` of `RunTask` is about capacity, or a quota of what runs or is provisioned at once: the same may work later.
///
/// A capacity *provider* that is not there is a mistake, which waiting does not mend.
#[must_use]
pub fn is_capacity_exception(message: &str) -> bool {
    let message = message.to_lowercase().replace("capacity provider", "");
    ["capacity", "provisioning", "quota", "limit on the number of"]
        .iter()
        .any(|word| message.contains(word))
}
