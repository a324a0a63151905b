//! Whether a run could be started: everything it meets is looked at, and nothing is registered, started or written.

mod definition;
mod table;

use serde_json::Value;

use super::super::Order;
use super::super::finding::{Finding, Health};
use super::{Desired, Direct, ListBy};
use crate::content::Kind;

/// The id of a task that nobody has: it is asked for to learn whether tasks may be looked at.
const NOBODYS_TASK: &str = "00000000000000000000000000000000";
/// The rights of a run that cannot be tried without a run.
const WRITING: [&str; 5] = [
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:StopTask",
    "ecs:TagResource",
    "iam:PassRole",
];
/// The same of a table.
const WRITING_TABLE: [&str; 3] = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];

impl Direct {
    /// Looks at the cluster, the task definition, the log and the table as a run of `order` would meet them.
    ///
    /// What only this asks for (`ecs:DescribeClusters`, `dynamodb:DescribeTable`, `dynamodb:DescribeTimeToLive`) may be denied: then it is said that
    /// it is not known. A right that a run needs may not.
    pub async fn examine(&self, order: &Order) -> Vec<Finding> {
        let (cluster, mut findings) = self.examine_cluster(order).await;
        findings.extend(self.examine_definition(order, cluster.as_ref()).await);
        findings.extend(self.examine_guard().await);
        let mut needed = WRITING.to_vec();
        if self.store().is_some() {
            needed.extend(WRITING_TABLE);
        }
        findings.push(
            Finding::new(
                "run rights",
                Health::Skipped,
                format!("needed as well: {}", needed.join(", ")),
            )
            .hint("these cannot be tried without a run; the roles in deploy/cloudformation.yaml have them"),
        );
        findings
    }

    /// The cluster as ECS tells of it, where it does.
    async fn examine_cluster(&self, order: &Order) -> (Option<Value>, Vec<Finding>) {
        let name = &self.place.cluster;
        let family = order.family.as_deref().unwrap_or(&self.family);
        let cluster = match self.ecs.cluster(name).await {
            Ok(Some(cluster)) => Some(cluster),
            Ok(None) => {
                let text = format!("there is no cluster {name} in {}", self.services.region());
                let missing = Finding::new("cluster", Health::Failed, text)
                    .hint("name it with --cluster or ENV_CLUSTER, and its region with --region");
                return (None, vec![missing]);
            }
            Err(error) if error.kind() == Kind::Denied => None,
            Err(error) => return (None, vec![Finding::of_error("cluster", Health::Failed, &error)]),
        };
        let status = cluster.as_ref().and_then(|cluster| cluster["status"].as_str());
        if let Some(status) = status.filter(|status| *status != "ACTIVE") {
            let text = format!("{name} is {status}: no task can be started in it");
            let closed = Finding::new("cluster", Health::Failed, text).hint("name another one with --cluster");
            return (None, vec![closed]);
        }
        let by = ListBy::Family(family.to_owned());
        let running = match self.ecs.list(name, &by, Desired::Running).await {
            Ok(running) => running.len(),
            Err(error) if error.kind() == Kind::NotFound => {
                return (None, vec![Finding::of_error("cluster", Health::Failed, &error)]);
            }
            Err(error) => {
                let known = match &cluster {
                    Some(_) => Finding::new("cluster", Health::Ok, format!("{name} is there")),
                    None => Finding::new("cluster", Health::Skipped, format!("{name} may not be looked at")),
                };
                return (cluster, vec![known, Finding::of_error("tasks", Health::Failed, &error)]);
            }
        };
        let known = match &cluster {
            Some(_) => format!("{name} is there"),
            None => format!("{name} answers; more of it may not be asked for (ecs:DescribeClusters)"),
        };
        let mut findings = vec![Finding::new("cluster", Health::Ok, known)];
        findings.extend(self.examine_provider(cluster.as_ref()));
        findings.push(match self.ecs.tasks(name, &[NOBODYS_TASK.to_owned()]).await {
            Ok(_) => {
                let count = match running {
                    0 => "none runs".to_owned(),
                    1 => "1 runs".to_owned(),
                    count => format!("{count} run"),
                };
                Finding::new("tasks", Health::Ok, format!("of the family {family} {count} now"))
            }
            Err(error) => Finding::of_error("tasks", Health::Failed, &error),
        });
        (cluster, findings)
    }

    /// A capacity provider that the cluster does not have.
    fn examine_provider(&self, cluster: Option<&Value>) -> Option<Finding> {
        let name = self.place.capacity_provider.as_deref()?;
        let known: Vec<&str> = cluster?["capacityProviders"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if known.contains(&name) {
            return None;
        }
        let of = &self.place.cluster;
        let has = match known.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", known.join(", ")),
        };
        Some(
            Finding::new(
                "capacity",
                Health::Failed,
                format!("{name} is no capacity provider of {of}; {has}"),
            )
            .hint("name one of these with --capacity-provider, or add it: aws ecs put-cluster-capacity-providers"),
        )
    }
}
