//! Revisions of task definitions.

use serde_json::{Value, json};

use super::task::arn;
use super::{Ecs, Refused};

impl Ecs {
    /// Registers a revision, with what only ECS sets.
    pub(super) fn register(&mut self, input: &Value) -> String {
        let family = input["family"].as_str().unwrap_or_default();
        let revisions = self.definitions.iter();
        let revision = 1 + revisions
            .filter(|one| one["taskDefinition"]["family"] == family)
            .count();
        let arn = arn("task-definition", &format!("{family}:{revision}"));
        let mut definition = input.clone();
        let tags = definition.as_object_mut().and_then(|fields| fields.remove("tags"));
        definition["taskDefinitionArn"] = arn.as_str().into();
        definition["revision"] = revision.into();
        definition["status"] = "ACTIVE".into();
        definition["registeredAt"] = json!(1_795_000_000.25);
        definition["registeredBy"] = "arn:aws:iam::123456789012:user/dev".into();
        definition["compatibilities"] = json!(["EC2", "FARGATE"]);
        definition["requiresAttributes"] = json!([{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}]);
        for name in ["volumes", "placementConstraints"] {
            if definition[name].is_null() {
                definition[name] = json!([]);
            }
        }
        self.definitions
            .push(json!({"taskDefinition": definition, "tags": tags.unwrap_or_else(|| json!([]))}));
        arn
    }

    /// What `RegisterTaskDefinition` answers.
    pub(super) fn register_answer(&mut self, input: &Value) -> Value {
        self.register(input);
        self.definitions.last().cloned().unwrap_or_default()
    }

    /// The revision that is named by family, `family:revision` or ARN.
    pub(super) fn definition(&self, name: &str) -> Option<&Value> {
        let name = name.rsplit('/').next().unwrap_or_default();
        let is_named = |one: &&Value| match name.split_once(':') {
            Some((family, revision)) => {
                let found = &one["taskDefinition"];
                found["family"] == family && revision.parse::<u64>().is_ok_and(|number| found["revision"] == number)
            }
            None => one["taskDefinition"]["family"] == name && one["taskDefinition"]["status"] == "ACTIVE",
        };
        self.definitions.iter().rev().find(is_named)
    }

    /// What `DescribeTaskDefinition` answers.
    pub(super) fn describe_definition(&self, input: &Value) -> Result<Value, Refused> {
        let name = input["taskDefinition"].as_str().unwrap_or_default();
        let found = self.definition(name);
        let found = found.ok_or_else(|| Refused::new("ClientException", "Unable to describe task definition."))?;
        let with_tags = input["include"]
            .as_array()
            .is_some_and(|all| all.contains(&"TAGS".into()));
        Ok(match with_tags {
            true => found.clone(),
            false => json!({"taskDefinition": found["taskDefinition"]}),
        })
    }

    /// What `RunTask` refuses before it tries.
    pub(super) fn refuses(&self, input: &Value) -> Result<(), Refused> {
        let invalid = |message: &str| Err(Refused::new("InvalidParameterException", message));
        let Some(definition) = self.definition(input["taskDefinition"].as_str().unwrap_or_default()) else {
            return Err(Refused::new("ClientException", "TaskDefinition not found."));
        };
        let definition = &definition["taskDefinition"];
        if definition["status"] != "ACTIVE" {
            return Err(Refused::new("ClientException", "TaskDefinition is inactive"));
        }
        let network = &input["networkConfiguration"]["awsvpcConfiguration"];
        match (definition["networkMode"] == "awsvpc", network.is_null()) {
            (true, true) => {
                return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
            }
            (false, false) => {
                return invalid(
                    "Network Configuration is not valid for the given networkMode of this task definition.",
                );
            }
            _ => {}
        }
        if !network.is_null() && network["subnets"].as_array().is_none_or(Vec::is_empty) {
            return invalid("subnets can not be empty.");
        }
        let on_fargate = definition["requiresCompatibilities"].as_array();
        let on_fargate = on_fargate.is_some_and(|all| all.contains(&"FARGATE".into()));
        if input["launchType"] == "FARGATE" && !on_fargate {
            return invalid("Task definition does not support launch_type FARGATE.");
        }
        let containers = definition["containerDefinitions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let overrides = input["overrides"]["containerOverrides"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for one in overrides {
            if !containers.iter().any(|container| container["name"] == one["name"]) {
                let name = one["name"].as_str().unwrap_or_default();
                return invalid(&format!(
                    "Override for container named {name} is not a container in the TaskDefinition."
                ));
            }
        }
        Ok(())
    }
}
