//! The task definition, what it is started on, and where it writes to.

use serde_json::Value;

use super::super::super::finding::{Finding, Health};
use super::super::super::pin::{Pinned, pin, stream};
use super::super::super::{Order, RunId};
use super::super::start::wish;
use super::super::{Direct, unusable};
use super::NOBODYS_TASK;

/// The name that is planned with; no run gets it.
const NOBODYS_RUN: &str = "examined";

impl Direct {
    pub(super) async fn examine_definition(&self, order: &Order, cluster: Option<&Value>) -> Vec<Finding> {
        let described = match self.ecs.definition(&self.definition(order)).await {
            Ok(described) => described,
            Err(error) => return vec![Finding::of_error("task definition", Health::Failed, &error)],
        };
        let id = RunId::of(NOBODYS_RUN);
        let pinned = match pin(&described, &wish(&id, order)) {
            Ok(pinned) => pinned,
            Err(error) => return vec![Finding::of_error("task definition", Health::Failed, &unusable(error))],
        };
        let definition = &described["taskDefinition"];
        let revision = pinned.arn.rsplit('/').next().unwrap_or_default();
        let mut findings = vec![Finding::new(
            "task definition",
            Health::Ok,
            format!("{revision}, container {}", pinned.container),
        )];
        findings.extend(self.examine_launch(revision, &pinned, cluster));
        findings.push(match self.input(&id, order, &pinned, &pinned.arn, 1) {
            Ok(_) => self.examine_network(definition, &pinned),
            Err(error) => Finding::of_error("network", Health::Failed, &error),
        });
        findings.extend(role(definition, &pinned));
        findings.push(self.examine_log(definition, &pinned).await);
        findings
    }

    /// What it would be started on, where it cannot be.
    fn examine_launch(&self, revision: &str, pinned: &Pinned, cluster: Option<&Value>) -> Option<Finding> {
        if pinned.is_fargate {
            return None;
        }
        let remedy = "register the task definition for Fargate: requiresCompatibilities [\"FARGATE\"]";
        match self.place.capacity_provider.as_deref() {
            Some(name) if name.starts_with("FARGATE") => Some(
                Finding::new(
                    "launch",
                    Health::Failed,
                    format!("{revision} is not for Fargate, and {name} is nothing else"),
                )
                .hint(remedy),
            ),
            Some(_) => None,
            None => {
                let machines = cluster?["registeredContainerInstancesCount"].as_i64()?;
                (machines == 0).then(|| {
                    let name = &self.place.cluster;
                    Finding::new(
                        "launch",
                        Health::Failed,
                        format!("{revision} is not for Fargate, and {name} has no machines of its own"),
                    )
                    .hint(remedy)
                    .hint("or name what has machines: --capacity-provider NAME")
                })
            }
        }
    }

    /// The network of a task that can be started.
    fn examine_network(&self, definition: &Value, pinned: &Pinned) -> Finding {
        let place = &self.place;
        if !pinned.is_awsvpc {
            let mode = definition["networkMode"].as_str().unwrap_or("bridge");
            if place.subnets.is_empty() && place.security_groups.is_empty() {
                return Finding::new("network", Health::Ok, format!("{mode}, the machine's"));
            }
            let text = format!("its network mode is {mode}: subnets and security groups are not used");
            return Finding::new("network", Health::Warning, text)
                .hint("leave them out, or register the task definition with networkMode awsvpc");
        }
        if place.assign_public_ip && !pinned.is_fargate {
            let text = "a public address is for tasks on Fargate, and this one is not";
            return Finding::new("network", Health::Failed, text)
                .hint("leave out --assign-public-ip, and assign_public_ip under [run] in shipway.toml");
        }
        let groups = match place.security_groups.is_empty() {
            true => "the network's default security group".to_owned(),
            false => place.security_groups.join(", "),
        };
        Finding::new(
            "network",
            Health::Ok,
            format!("{} with {groups}", place.subnets.join(", ")),
        )
    }

    /// Whether what it writes can be shown.
    async fn examine_log(&self, definition: &Value, pinned: &Pinned) -> Finding {
        let Some(log) = &pinned.log else {
            let text = format!(
                "{} writes to no log that can be read: its lines cannot be shown, and reports of the migration tool are not found",
                pinned.container
            );
            return Finding::new("log", Health::Warning, text)
                .hint("give it the log driver awslogs with awslogs-group, awslogs-region and awslogs-stream-prefix");
        };
        let group = &log.group;
        let stream = stream(&log.prefix, &pinned.container, NOBODYS_TASK);
        match self.reader(log.region.as_deref()).has_group(group, &stream).await {
            Ok(true) => Finding::new("log", Health::Ok, format!("{group} can be read")),
            Ok(false) if creates_group(definition, &pinned.container) => {
                Finding::new("log", Health::Ok, format!("{group} is created by the first task"))
            }
            Ok(false) => {
                let region = log.region.as_deref().unwrap_or_else(|| self.services.region());
                let text = format!("there is no log group {group} in {region}, and no task starts without it");
                Finding::new("log", Health::Failed, text).hint(format!(
                    "aws logs create-log-group --region {region} --log-group-name {group}"
                ))
            }
            Err(error) => Finding::of_error("log", Health::Failed, &error),
        }
    }
}

/// Whether the log group is made with the first task (awslogs-create-group).
fn creates_group(definition: &Value, container: &str) -> bool {
    let containers = definition["containerDefinitions"].as_array();
    let found = containers.and_then(|all| all.iter().find(|one| one["name"] == container));
    found.is_some_and(|found| found["logConfiguration"]["options"]["awslogs-create-group"] == "true")
}

/// The role that ECS itself takes on, where it has to: for secrets always, on Fargate for images of Amazon ECR and for the log.
fn role(definition: &Value, pinned: &Pinned) -> Option<Finding> {
    if let Some(role) = definition["executionRoleArn"].as_str().filter(|role| !role.is_empty()) {
        let name = role.rsplit('/').next().unwrap_or(role);
        return Some(Finding::new("execution role", Health::Ok, name));
    }
    let containers = definition["containerDefinitions"].as_array().into_iter().flatten();
    let has_secrets = containers
        .flat_map(|container| [&container["secrets"], &container["logConfiguration"]["secretOptions"]])
        .any(|secrets| secrets.as_array().is_some_and(|secrets| !secrets.is_empty()));
    let host = pinned.image.split('/').next().unwrap_or_default();
    let is_of_ecr = crate::ecr::EcrHost::parse(host).is_some_and(|host| host.private().is_some());
    let reasons: Vec<&str> = [
        (has_secrets, "its secrets"),
        (pinned.is_fargate && is_of_ecr, "its image in Amazon ECR"),
        (pinned.is_fargate && pinned.log.is_some(), "its log"),
    ]
    .into_iter()
    .filter_map(|(is_so, reason)| is_so.then_some(reason))
    .collect();
    if reasons.is_empty() {
        return None;
    }
    let text = format!(
        "the task definition has none, and ECS needs it for {}",
        reasons.join(", ")
    );
    Some(
        Finding::new("execution role", Health::Failed, text)
            .hint("set executionRoleArn; deploy/cloudformation.yaml makes such a role"),
    )
}
