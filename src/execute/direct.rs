//! Runs on ECS itself: tasks, their logs, and the table that knows of runs and lets one at a time.

mod conclude;
mod examine;
mod launch;
mod locking;
mod plan;
mod same;
mod start;
mod view;

pub use plan::Plan;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::ecs::{Desired, Ecs, ListBy};
use super::logs::LogReader;
use super::pin::{Pin, Pinned, pin};
use super::store::Store;
use super::{Answered, Look, Order, Past, Record, RunId, Runs, Task, View};
use crate::aws::Services;
use crate::content::{ContentError, Kind, Result};

/// The family of task definitions where none is named: the one of the article.
pub const FAMILY: &str = "flyway";
/// Most tasks that are asked about at once (DescribeTasks).
const TASKS_AT_ONCE: usize = 100;

/// Where tasks run, and how they are reached there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The cluster, by name or ARN.
    pub cluster: String,
    /// Subnets; of several zones, since capacity is a matter of the zone.
    pub subnets: Vec<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Whether the task gets a public address.
    pub assign_public_ip: bool,
    /// The capacity provider, instead of the launch type.
    pub capacity_provider: Option<String>,
}

impl Place {
    /// What runs here are kept under: the cluster's name.
    #[must_use]
    pub fn environment(&self) -> &str {
        self.cluster.rsplit('/').next().unwrap_or_default()
    }
}

/// What lets one run at a time.
#[derive(Debug, Clone)]
pub enum Guard {
    /// A lock in a table, which also keeps what became of runs.
    Table(Box<Store>),
    /// A look at the tasks of the family, which two runs at once may both take.
    Family,
    /// Nothing.
    None,
}

/// Runs on ECS.
pub struct Direct {
    services: Services,
    ecs: Ecs,
    guard: Guard,
    place: Place,
    family: String,
    /// Log readers by region, and what is known of revisions by ARN: neither changes.
    readers: Mutex<HashMap<String, Arc<LogReader>>>,
    revisions: Mutex<HashMap<String, Arc<Pinned>>>,
}

impl Direct {
    /// Runs of one family in one cluster.
    #[must_use]
    pub fn new(services: Services, guard: Guard, place: Place, family: Option<&str>) -> Self {
        Self {
            ecs: Ecs::new(&services),
            services,
            guard,
            place,
            family: family.unwrap_or(FAMILY).to_owned(),
            readers: Mutex::default(),
            revisions: Mutex::default(),
        }
    }

    /// The table, if there is one.
    fn store(&self) -> Option<&Store> {
        match &self.guard {
            Guard::Table(store) => Some(store),
            Guard::Family | Guard::None => None,
        }
    }

    /// Now, in milliseconds since the epoch, by AWS's clock.
    fn now_milliseconds(&self) -> i64 {
        self.services.clock().there_seconds().saturating_mul(1000)
    }

    fn reader(&self, region: Option<&str>) -> Arc<LogReader> {
        let region = region.unwrap_or_else(|| self.services.region());
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = readers
            .entry(region.to_owned())
            .or_insert_with(|| Arc::new(LogReader::new(&self.services.elsewhere(region))));
        Arc::clone(reader)
    }

    /// What a revision says of the container that is watched, and of its log.
    async fn revision(&self, arn: &str, container: Option<&str>) -> Result<Arc<Pinned>> {
        let key = format!("{arn} {}", container.unwrap_or_default());
        let known = self
            .revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let described = self.ecs.definition(arn).await?;
        let wish = Pin {
            container: container.map(str::to_owned),
            ..Pin::default()
        };
        let pinned = Arc::new(pin(&described, &wish).map_err(unusable)?);
        self.remember(&key, &pinned);
        Ok(pinned)
    }

    /// Takes note of a revision that was just registered, so that it is not asked for.
    fn know(&self, arn: &str, container: Option<&str>, pinned: &Pinned) {
        let pinned = Arc::new(Pinned {
            register: None,
            arn: arn.to_owned(),
            ..pinned.clone()
        });
        for name in [container, Some(pinned.container.as_str())] {
            self.remember(&format!("{arn} {}", name.unwrap_or_default()), &pinned);
        }
    }

    fn remember(&self, key: &str, pinned: &Arc<Pinned>) {
        let mut revisions = self.revisions.lock().unwrap_or_else(PoisonError::into_inner);
        revisions.insert(key.to_owned(), Arc::clone(pinned));
    }

    /// What the table knows of a run: of our family, or of another one in our cluster where ours has none.
    async fn recorded(&self, id: &RunId) -> Result<Option<Record>> {
        let Some(store) = self.store() else { return Ok(None) };
        let environment = self.place.environment();
        match store.latest(id, &self.family, environment).await? {
            None => store.latest_of_any_family(id, environment).await,
            found => Ok(found),
        }
    }

    /// The tasks of a run of one family: the same name in another one is another run.
    async fn tasks_of_family(&self, started_by: &str, family: &str) -> Result<Vec<Known>> {
        let mut known = self.tasks_of(started_by).await?;
        known.retain(|known| known.task.family() == family);
        Ok(known)
    }

    /// All tasks of a run that ECS still knows, the newest first, and their raw form.
    async fn tasks_of(&self, started_by: &str) -> Result<Vec<Known>> {
        let by = ListBy::StartedBy(started_by.to_owned());
        let (running, stopped) = tokio::try_join!(
            self.ecs.list(&self.place.cluster, &by, Desired::Running),
            self.ecs.list(&self.place.cluster, &by, Desired::Stopped),
        )?;
        let mut arns = running;
        arns.extend(stopped);
        arns.sort();
        arns.dedup();
        self.described(&arns).await
    }

    async fn described(&self, arns: &[String]) -> Result<Vec<Known>> {
        let mut known = Vec::new();
        for some in arns.chunks(TASKS_AT_ONCE) {
            known.extend(tasks(self.ecs.tasks(&self.place.cluster, some).await?)?);
        }
        known.sort_by(|one, other| {
            other
                .task
                .created_at
                .unwrap_or(0.0)
                .total_cmp(&one.task.created_at.unwrap_or(0.0))
        });
        Ok(known)
    }

    /// Whether it is a task of shipway, or of our family, as something else may have started it: only those are looked at, stopped and kept.
    fn is_ours(&self, task: &Task) -> bool {
        let by = task.started_by.as_deref().unwrap_or_default();
        by.starts_with("shipway/") || task.group.as_deref() == Some(&format!("family:{}", self.family))
    }

    /// The task that is meant: by its ARN, by the table, or by who started it.
    async fn find(&self, look: &Look) -> Result<Option<Known>> {
        if let Some(arn) = &look.task_arn {
            let known = self.described(std::slice::from_ref(arn)).await?.into_iter().next();
            return match known {
                Some(known) if !self.is_ours(&known.task) => Err(foreign(&known.task, &self.family)),
                known => Ok(known),
            };
        }
        let Some(id) = &look.run_id else {
            return Err(ContentError::new(Kind::Usage, "neither a run nor a task is named"));
        };
        let record = self.recorded(id).await?;
        let family = record
            .as_ref()
            .map_or(self.family.as_str(), |record| record.family.as_str());
        let recorded = match record.as_ref().and_then(|record| record.task_arn.clone()) {
            Some(arn) => self.described(&[arn]).await?.into_iter().next(),
            None => None,
        };
        if recorded.as_ref().is_some_and(|known| !known.task.is_stopped()) {
            return Ok(recorded);
        }
        // There may be a later attempt, whose client was killed before it kept that.
        let mut known = self.tasks_of(&id.started_by()).await?;
        known.retain(|known| record.is_none() || known.task.family() == family);
        // Of several families ours comes first, and then the newest.
        known.sort_by_key(|known| known.task.family() != family);
        Ok(known.into_iter().next().or(recorded))
    }
}

/// A task, and what ECS wrote of it.
struct Known {
    task: Task,
    raw: Value,
}

fn tasks(answered: Answered) -> Result<Vec<Known>> {
    let read = |raw: Value| match Task::read(&raw) {
        Ok(task) => Ok(Known { task, raw }),
        Err(error) => {
            Err(ContentError::new(Kind::Invalid, "ECS answered with a task that cannot be read").because(error))
        }
    };
    answered.tasks.into_iter().map(read).collect()
}

/// A task definition that cannot be used.
fn unusable(error: super::pin::PinError) -> ContentError {
    let hints = error.hints();
    let mut refused = ContentError::new(Kind::Usage, "the task definition cannot be used").because(error);
    for hint in hints {
        refused = refused.hint(hint);
    }
    refused
}

/// A task of somebody else: whoever may call the function may not for that reason see or stop what else runs in the cluster.
fn foreign(task: &Task, family: &str) -> ContentError {
    let what = format!(
        "{} is no migration: shipway did not start it, and it is not of the family {family}",
        task.task_arn
    );
    ContentError::new(Kind::Refused, what)
}

/// A run that nobody knows.
fn nobody(id: Option<&RunId>) -> ContentError {
    let what = match id {
        Some(id) => format!("there is no run {id}"),
        None => "there is no such task".to_owned(),
    };
    ContentError::new(Kind::NotFound, what).hint(
        "ECS forgets tasks about an hour after they stopped; with a table (--lock) runs are kept: shipway history",
    )
}

#[async_trait]
impl Runs for Direct {
    async fn start(&self, order: &Order) -> Result<View> {
        self.start_run(order).await
    }

    async fn look(&self, look: &Look) -> Result<View> {
        self.look_at(look).await
    }

    async fn stop(&self, look: &Look, reason: &str) -> Result<View> {
        let Some(known) = self.find(look).await? else {
            let view = self.unknown(look).await?;
            return match view.done {
                true => Ok(view),
                false => Err(nobody(look.run_id.as_ref())),
            };
        };
        if known.task.is_stopped() {
            return self.look_at(look).await;
        }
        let raw = self.ecs.stop(&self.place.cluster, &known.task.task_arn, reason).await?;
        let task = Task::read(&raw).unwrap_or(known.task);
        let container = view::container(&task, look.container.as_deref());
        let pinned = self.revision(&task.task_definition_arn, container).await?;
        Ok(view::of_task(&task, raw, &pinned))
    }

    async fn history(&self, past: &Past) -> Result<Vec<Record>> {
        let Some(store) = self.store() else {
            return Err(
                ContentError::new(Kind::Usage, "no table is named, so nothing is kept of runs")
                    .hint("name the table: --lock TABLE, SHIPWAY_TABLE, or lock under [run] in shipway.toml"),
            );
        };
        if let Some(id) = &past.run_id {
            return Ok(self.recorded(id).await?.into_iter().collect());
        }
        let family = past.family.as_deref().unwrap_or(&self.family);
        store
            .history(family, self.place.environment(), past.limit as usize)
            .await
    }
}
