//! Starting a run, unless it is there already.

use std::collections::BTreeMap;

use super::super::ending::ending;
use super::super::pin::{Launch, Network, Pin, Pinned, RunTask, pin, run_task_input};
use super::super::store::Claim;
use super::super::{Look, Order, Record, RunId, Status, View, given};
use super::launch::Launched;
use super::same::{Kept, same};
use super::{Direct, Guard, Known, conclude, unusable, view};
use crate::content::{ContentError, Kind, Result};

/// What a run is called that nobody named.
const UNNAMED: &str = "run";

impl Direct {
    pub(super) async fn start_run(&self, order: &Order) -> Result<View> {
        let id = self.name(order);
        let is_main = order.purpose.is_none();
        let started_by = started_by(&id, order);
        let definition = self.definition(order);
        let family = self.family_of(order);
        let record = async {
            match self.store() {
                Some(store) if is_main => store.latest(&id, family, self.place.environment()).await,
                _ => Ok(None),
            }
        };
        let (known, described, record) = tokio::try_join!(
            self.tasks_of_family(&started_by, family),
            self.ecs.definition(&definition),
            record
        )?;
        let mut attempt = order.attempt.unwrap_or(1);
        for existing in &known {
            attempt = attempt.max(view::attempt(&existing.task) + 1);
        }
        if let Some(record) = &record {
            attempt = attempt.max(record.attempt + 1);
        }
        if let Some(view) = self.found(&id, order, known, record).await? {
            return Ok(view);
        }
        let pinned = pin(&described, &wish(&id, order)).map_err(unusable)?;
        // Everything that can be wrong with it is found before anything is changed.
        self.input(&id, order, &pinned, &pinned.arn, attempt)?;
        let claim = self.claim(&id, order, attempt);
        if is_main && let Some(busy) = self.lock(&claim, order).await? {
            return Ok(busy);
        }
        let started = self.launch(&id, order, &pinned, &claim).await;
        match started {
            Ok(Launched::Task(known)) => {
                if is_main && let Some(store) = self.store() {
                    // It runs, whatever the table says now. A lock that does not name it makes others look for it, and its end is kept
                    // without its beginning.
                    let _ = store.hold(&claim, &self.place.cluster, &known.task.task_arn).await;
                    let _ = store.begin(&self.begun(&id, order, &known, &pinned, attempt)).await;
                }
                let mut view = view::of_task(&known.task, known.raw, &pinned);
                view.run_id = Some(id);
                view.attempt = attempt;
                Ok(view)
            }
            Ok(Launched::There(known)) => {
                same(&id, order, &Kept::of_task(&known, &pinned.container))?;
                let mut view = view::of_task(&known.task, known.raw, &pinned);
                view.reused = true;
                Ok(view)
            }
            Ok(Launched::Not(view)) => {
                let mut view = *view;
                self.let_go(&claim, is_main).await?;
                view.run_id = Some(id);
                view.attempt = attempt;
                Ok(view)
            }
            // Whether something runs is not known: the lock stays until somebody has looked.
            Err(error) if error.kind() == Kind::Temporary => Err(error),
            Err(error) => {
                self.let_go(&claim, is_main).await?;
                Err(error)
            }
        }
    }

    /// The run, where it is there already: it runs, or has succeeded.
    ///
    /// # Errors
    /// When that is a run of something else: its end would be told as ours.
    async fn found(
        &self,
        id: &RunId,
        order: &Order,
        known: Vec<Known>,
        record: Option<Record>,
    ) -> Result<Option<View>> {
        let look = Look {
            container: order.container.clone(),
            ..Look::default()
        };
        let mut last = None;
        for existing in known {
            let container = view::container(&existing.task, order.container.as_deref());
            let pinned = self.revision(&existing.task.task_definition_arn, container).await?;
            let kept = Kept::of_task(&existing, &pinned.container);
            if !existing.task.is_stopped() {
                let has_ended = ending(&existing.task, &pinned.container, &[]).is_some();
                let mut view = self.view_of(existing, &look).await?;
                // What has ended just now may still write; what is done is kept by now.
                if !has_ended || !view.done {
                    same(id, order, &kept)?;
                    view.reused = true;
                    return Ok(Some(view));
                }
                last.get_or_insert((view, kept));
                continue;
            }
            let view = self.settle(existing, &pinned).await?;
            if last.is_none() {
                last = Some((view, kept));
            }
        }
        if order.rerun {
            return Ok(None);
        }
        let last = match (last, record) {
            (Some(last), _) => Some(last),
            (None, Some(record)) => Some((conclude::of_record(&record), Kept::of_record(&record))),
            (None, None) => None,
        };
        match last {
            Some((mut view, kept)) if view.status == Status::Succeeded => {
                same(id, order, &kept)?;
                view.reused = true;
                Ok(Some(view))
            }
            _ => Ok(None),
        }
    }

    /// Keeps how a task ended that has stopped, and tells of it. What is there to be read of its log is read.
    pub(super) async fn settle(&self, known: Known, pinned: &Pinned) -> Result<View> {
        match self.concluded(&known.raw, Some(&pinned.container)).await? {
            Some((view, _)) => Ok(view),
            None => {
                let mut view = view::of_task(&known.task, known.raw, pinned);
                if let Some(end) = ending(&known.task, &pinned.container, &[]) {
                    view.status = end.status;
                    view.exit_code = end.exit_code;
                    view.failure = end.failure;
                    view.done = true;
                }
                Ok(view)
            }
        }
    }

    async fn let_go(&self, claim: &Claim, is_main: bool) -> Result<()> {
        if let Guard::Table(store) = &self.guard
            && is_main
        {
            store
                .unlock(&claim.family, &claim.environment, &claim.run_id, claim.attempt)
                .await?;
        }
        Ok(())
    }

    pub(super) fn name(&self, order: &Order) -> RunId {
        order.run_id.clone().unwrap_or_else(|| {
            let now = self.services.clock().there_seconds();
            RunId::of(&format!("{UNNAMED}-{now}-{:08x}", fastrand::u32(..)))
        })
    }

    /// The family of an order.
    pub(super) fn family_of<'a>(&'a self, order: &'a Order) -> &'a str {
        order.family.as_deref().unwrap_or(&self.family)
    }

    /// How the revision to start from is named.
    pub(super) fn definition(&self, order: &Order) -> String {
        let family = self.family_of(order);
        match order.revision {
            Some(revision) => format!("{family}:{revision}"),
            None => family.to_owned(),
        }
    }

    fn claim(&self, id: &RunId, order: &Order, attempt: u32) -> Claim {
        Claim {
            family: self.family_of(order).to_owned(),
            environment: self.place.environment().to_owned(),
            run_id: id.clone(),
            attempt,
            now_seconds: self.services.clock().there_seconds(),
            requested_by: order.requested_by.clone(),
        }
    }

    pub(super) fn input(
        &self,
        id: &RunId,
        order: &Order,
        pinned: &Pinned,
        revision: &str,
        attempt: u32,
    ) -> Result<serde_json::Value> {
        let launch = match (&self.place.capacity_provider, pinned.is_fargate) {
            (Some(name), _) => Launch::CapacityProvider(name.clone()),
            (None, true) => Launch::Fargate,
            (None, false) => Launch::Ec2,
        };
        if pinned.is_awsvpc && self.place.subnets.is_empty() {
            return Err(ContentError::new(Kind::Usage, "no subnet is named for the task to run in")
                .hint("name subnets, best of several zones: --subnet ID,…, ENV_SUBNET, or subnets under [run] in shipway.toml"));
        }
        let network = pinned.is_awsvpc.then(|| Network {
            subnets: self.place.subnets.clone(),
            security_groups: self.place.security_groups.clone(),
            assign_public_ip: self.place.assign_public_ip,
        });
        let mut tags: BTreeMap<String, String> = order.tags.clone();
        tags.insert("shipway:run-id".to_owned(), id.to_string());
        tags.insert(view::ATTEMPT_TAG.to_owned(), attempt.to_string());
        tags.insert(view::CONTAINER_TAG.to_owned(), pinned.container.clone());
        let variables = given::fingerprint(&[], &order.environment);
        if !variables.is_empty() {
            tags.insert(view::VARIABLES_TAG.to_owned(), variables);
        }
        if let Some(sha) = &order.git.sha {
            tags.insert("shipway:git-sha".to_owned(), sha.clone());
        }
        let named = match &order.purpose {
            Some(purpose) => RunId::of(&format!("{id}-{purpose}")),
            None => id.clone(),
        };
        let token = named.client_token(self.place.environment(), self.family_of(order), attempt);
        run_task_input(&RunTask {
            cluster: self.place.cluster.clone(),
            definition: revision.to_owned(),
            client_token: token,
            started_by: started_by(id, order),
            launch,
            network,
            container: pinned.container.clone(),
            command: order.command.clone(),
            environment: order.environment.clone(),
            cpu: order.cpu.clone(),
            memory: order.memory.clone(),
            tags,
        })
        .map_err(unusable)
    }

    fn begun(&self, id: &RunId, order: &Order, known: &Known, pinned: &Pinned, attempt: u32) -> Record {
        Record {
            run_id: Some(id.clone()),
            attempt,
            family: self.family_of(order).to_owned(),
            environment: self.place.environment().to_owned(),
            status: Status::Running,
            image: Some(pinned.image.clone()),
            task_arn: Some(known.task.task_arn.clone()),
            task_definition: Some(known.task.definition().to_owned()),
            command: order.command.as_deref().map(given::shown),
            variables: given::fingerprint(&[], &order.environment),
            requested_by: order.requested_by.clone(),
            git: order.git.clone(),
            started_at: self.now_milliseconds(),
            ..Record::default()
        }
    }
}

pub(super) fn started_by(id: &RunId, order: &Order) -> String {
    match &order.purpose {
        Some(purpose) => format!("{}/{purpose}", id.started_by()),
        None => id.started_by(),
    }
}

pub(super) fn wish(id: &RunId, order: &Order) -> Pin {
    let mut tags = BTreeMap::from([("shipway:run-id".to_owned(), id.to_string())]);
    if let Some(sha) = &order.git.sha {
        tags.insert("shipway:git-sha".to_owned(), sha.clone());
    }
    if let Some((_, digest)) = order.image.as_deref().and_then(|image| image.rsplit_once('@')) {
        tags.insert("shipway:digest".to_owned(), digest.to_owned());
    }
    Pin {
        container: order.container.clone(),
        image: order.image.clone().filter(|_| !order.no_register),
        tags,
    }
}
