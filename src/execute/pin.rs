//! Task definitions: pinning one to an image by its digest, and what it says of the container that is watched.
//!
//! All of it is JSON as ECS writes it, so that fields nobody here has heard of are kept.

mod order;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use order::{Launch, Network, RunTask, is_capacity, is_capacity_exception, run_task_input, stream};

/// What `RegisterTaskDefinition` refuses of what `DescribeTaskDefinition` answers.
const ANSWERED_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];
/// Tags nobody but AWS may set.
const RESERVED_TAGS: &str = "aws:";
/// Most tags of a task definition or a task (TagResource).
pub(super) const MOST_TAGS: usize = 50;
/// Longest value of a tag.
pub(super) const LONGEST_TAG: usize = 256;

/// What a revision is to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pin {
    /// The container that is watched; the only essential one where none is named.
    pub container: Option<String>,
    /// Its image, `repository@sha256:…`; the one it has where none is named.
    pub image: Option<String>,
    /// Tags of the revision, besides those it has.
    pub tags: BTreeMap<String, String>,
}

/// A task definition, as far as a run needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pinned {
    /// The body of `RegisterTaskDefinition`; `None` where the revision has that image already.
    pub register: Option<Value>,
    /// The revision that was read, by ARN.
    pub arn: String,
    /// The container that is watched.
    pub container: String,
    /// Its image.
    pub image: String,
    /// Where it writes to.
    pub log: Option<LogPlace>,
    /// Whether it is for Fargate.
    pub is_fargate: bool,
    /// Whether its tasks get a network interface of their own.
    pub is_awsvpc: bool,
}

/// Where a container writes to, with the log driver `awslogs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// The log group.
    pub group: String,
    /// Its region, where it is said.
    pub region: Option<String>,
    /// What the names of streams begin with.
    pub prefix: String,
}

/// A task definition that no run can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The answer is not what ECS answers.
    #[error("the answer of ECS holds no {0}")]
    Missing(&'static str),
    /// There is no such container.
    #[error("it has no container {name}; it has {known}")]
    NoContainer {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Several containers may be meant.
    #[error("it has {count} essential containers: {known}")]
    Ambiguous {
        /// How many.
        count: usize,
        /// The names there are.
        known: String,
    },
    /// Overrides are longer than ECS takes.
    #[error("the command and variables are {length} characters, and ECS takes {limit}")]
    TooLong {
        /// How long they are.
        length: usize,
        /// How long they may be.
        limit: usize,
    },
    /// More tags than ECS takes.
    #[error("{0} tags, and ECS takes {MOST_TAGS}")]
    TooManyTags(usize),
}

impl PinError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Missing(_) => return Vec::new(),
            Self::NoContainer { .. } | Self::Ambiguous { .. } => {
                "name the container whose end is the run's: --container NAME"
            }
            Self::TooLong { .. } => "put variables into the task definition, or into its secrets",
            Self::TooManyTags(_) => "leave some out: --tag",
        };
        vec![hint.to_owned()]
    }
}

/// Reads the answer of `DescribeTaskDefinition` (with its tags), and says what to register so that the image is the one that is wished for.
///
/// # Errors
/// When it is not said which container is meant, or the answer makes no sense.
pub fn pin(described: &Value, wish: &Pin) -> Result<Pinned, PinError> {
    let definition = described["taskDefinition"]
        .as_object()
        .ok_or(PinError::Missing("taskDefinition"))?;
    let text = |key: &str| definition.get(key).and_then(Value::as_str);
    let arn = text("taskDefinitionArn").ok_or(PinError::Missing("taskDefinitionArn"))?;
    let containers = definition.get("containerDefinitions").and_then(Value::as_array);
    let containers = containers.ok_or(PinError::Missing("containerDefinitions"))?;
    let index = watched(containers, wish.container.as_deref())?;
    let container = &containers[index];
    let image = container["image"].as_str().ok_or(PinError::Missing("image"))?;
    let register = match &wish.image {
        Some(wished) if wished != image => {
            Some(registration(definition, &described["tags"], index, wished, &wish.tags)?)
        }
        _ => None,
    };
    let lists = |key: &str, word: &str| {
        let list = definition.get(key).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|item| item == word))
    };
    // Whoever does not say what it is for may be for both; `compatibilities` is what ECS found.
    let is_said = definition
        .get("requiresCompatibilities")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty());
    let is_fargate = match is_said {
        true => lists("requiresCompatibilities", "FARGATE"),
        false => lists("compatibilities", "FARGATE"),
    };
    Ok(Pinned {
        register,
        arn: arn.to_owned(),
        container: container["name"]
            .as_str()
            .ok_or(PinError::Missing("name of a container"))?
            .to_owned(),
        image: wish.image.clone().unwrap_or_else(|| image.to_owned()),
        log: log(container),
        is_fargate,
        is_awsvpc: text("networkMode") == Some("awsvpc"),
    })
}

/// Which container is watched.
fn watched(containers: &[Value], name: Option<&str>) -> Result<usize, PinError> {
    let names = |list: &[&Value]| {
        let names: Vec<&str> = list.iter().filter_map(|container| container["name"].as_str()).collect();
        names.join(", ")
    };
    let all: Vec<&Value> = containers.iter().collect();
    if let Some(name) = name {
        let found = containers.iter().position(|container| container["name"] == name);
        return found.ok_or_else(|| PinError::NoContainer {
            name: name.to_owned(),
            known: names(&all),
        });
    }
    // A container is essential unless it says otherwise.
    let essential: Vec<usize> = (0..containers.len())
        .filter(|index| containers[*index]["essential"] != false)
        .collect();
    match essential.as_slice() {
        [only] => Ok(*only),
        several => Err(PinError::Ambiguous {
            count: several.len(),
            known: names(&several.iter().map(|index| &containers[*index]).collect::<Vec<_>>()),
        }),
    }
}

/// The definition once more, with another image of one container.
fn registration(
    definition: &Map<String, Value>,
    tags: &Value,
    index: usize,
    image: &str,
    added: &BTreeMap<String, String>,
) -> Result<Value, PinError> {
    let mut input: Map<String, Value> = definition
        .iter()
        .filter(|(key, value)| !ANSWERED_ONLY.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(container) = input
        .get_mut("containerDefinitions")
        .and_then(|containers| containers.get_mut(index))
    {
        container["image"] = json!(image);
    }
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for tag in tags.as_array().into_iter().flatten() {
        if let (Some(key), Some(value)) = (tag["key"].as_str(), tag["value"].as_str())
            && !key.starts_with(RESERVED_TAGS)
        {
            all.insert(key.to_owned(), value.to_owned());
        }
    }
    all.extend(added.iter().map(|(key, value)| (key.clone(), value.clone())));
    let tags = order::tags(&all)?;
    if !all.is_empty() {
        input.insert("tags".to_owned(), tags);
    }
    Ok(Value::Object(input))
}

/// Where a container writes to, where that can be read from the cloud.
fn log(container: &Value) -> Option<LogPlace> {
    let configuration = container.get("logConfiguration")?;
    if configuration["logDriver"] != "awslogs" {
        return None;
    }
    let option = |key: &str| configuration["options"][key].as_str().map(str::to_owned);
    Some(LogPlace {
        group: option("awslogs-group")?,
        region: option("awslogs-region"),
        prefix: option("awslogs-stream-prefix")?,
    })
}

#[cfg(test)]
mod tests;
