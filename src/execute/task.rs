//! A task of ECS, as far as a verdict needs it: read from JSON as `DescribeTasks`, `RunTask` and the events of EventBridge write it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A task, at the time it was asked about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Task {
    /// Its ARN.
    pub task_arn: String,
    /// The revision of the task definition it runs, by ARN.
    pub task_definition_arn: String,
    /// The cluster, by ARN.
    pub cluster_arn: String,
    /// Where it is on its way from `PROVISIONING` to `STOPPED`.
    pub last_status: String,
    /// Where it is to be: `RUNNING`, or `STOPPED`.
    pub desired_status: String,
    /// Who started it, in whoever's own words.
    pub started_by: Option<String>,
    /// Its group, such as `family:flyway`.
    pub group: Option<String>,
    /// Why it was stopped, as a code: `EssentialContainerExited`, `TaskFailedToStart`, ….
    pub stop_code: Option<String>,
    /// Why it was stopped, in words.
    pub stopped_reason: Option<String>,
    /// Counts its changes.
    pub version: Option<i64>,
    /// When `RunTask` made it, in seconds since the epoch.
    #[serde(deserialize_with = "time")]
    pub created_at: Option<f64>,
    /// When its image began to be pulled.
    #[serde(deserialize_with = "time")]
    pub pull_started_at: Option<f64>,
    /// When its image was there.
    #[serde(deserialize_with = "time")]
    pub pull_stopped_at: Option<f64>,
    /// When it was `RUNNING`.
    #[serde(deserialize_with = "time")]
    pub started_at: Option<f64>,
    /// When its containers had ended.
    #[serde(deserialize_with = "time")]
    pub execution_stopped_at: Option<f64>,
    /// When it was `STOPPED`.
    #[serde(deserialize_with = "time")]
    pub stopped_at: Option<f64>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its tags; only told where they are asked for.
    pub tags: Vec<Tag>,
}

/// One container of a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Its name in the task definition.
    pub name: String,
    /// The image, as the task definition names it.
    pub image: Option<String>,
    /// The digest of what was pulled; only told of images of Amazon ECR.
    pub image_digest: Option<String>,
    /// Where it is: `PENDING`, `RUNNING`, `STOPPED`.
    pub last_status: Option<String>,
    /// The status its program ended with.
    pub exit_code: Option<i64>,
    /// Why it ended, or did not start, in words.
    pub reason: Option<String>,
}

/// A tag of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl Task {
    /// Reads a task; what is not understood is left out.
    ///
    /// # Errors
    /// When it is no task: a part has another type than ECS gives it.
    pub fn read(value: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(value)
    }

    /// The last part of its ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        self.task_arn.rsplit('/').next().unwrap_or_default()
    }

    /// The revision it runs, such as `flyway:43`.
    #[must_use]
    pub fn definition(&self) -> &str {
        self.task_definition_arn.rsplit('/').next().unwrap_or_default()
    }

    /// The family of its task definition, such as `flyway`.
    #[must_use]
    pub fn family(&self) -> &str {
        let definition = self.definition();
        definition.rsplit_once(':').map_or(definition, |(family, _)| family)
    }

    /// The container of a name.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tag = self.tags.iter().find(|tag| tag.key == key);
        tag.map(|tag| tag.value.as_str())
    }

    /// Whether nothing of it runs any more, and nothing will.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.last_status == "STOPPED"
    }
}

/// Seconds since the epoch, as the API writes them, or RFC 3339, as EventBridge does.
fn time<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<f64>, D::Error> {
    Ok(match Option::<Value>::deserialize(source)? {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => {
            let time: Option<jiff::Timestamp> = text.parse().ok();
            time.map(|time| time.as_duration().as_secs_f64())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_api_and_events_write_times_in_their_own_way() {
        let api = json!({"taskArn": "arn:aws:ecs:eu-west-3:1:task/c/0a", "startedAt": 1_795_333_531.25, "futureField": {"a": 1}});
        let event = json!({"taskArn": "arn:aws:ecs:eu-west-3:1:task/c/0a", "startedAt": "2026-11-22T07:05:31.25Z", "stoppedAt": null});
        let (api, event) = (Task::read(&api).unwrap(), Task::read(&event).unwrap());
        assert_eq!(api.id(), "0a");
        assert_eq!(api.started_at.map(|time| time.fract()), Some(0.25));
        assert_eq!(event.started_at.map(|time| time.fract()), Some(0.25));
        assert_eq!(event.stopped_at, None);
    }
}
