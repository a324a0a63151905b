//! One run at a time: the lock in the table, and what becomes of one whose owner is gone.

use super::super::store::{Claim, Holder, Lock};
use super::super::{Failure, Order, Status, View};
use super::{Desired, Direct, Guard, ListBy, view};
use crate::content::Result;

/// How long after it was taken a lock may outlive a task that ECS has forgotten: it shows stopped tasks for at least an hour, and forgets no
/// task that runs.
pub(super) const FORGOTTEN_SECONDS: i64 = 3600;
/// How often a lock is looked at again that changed while it was looked at.
const MOST_LOOKS: usize = 5;

impl Direct {
    /// Takes the lock. Tells of who has it instead.
    pub(super) async fn lock(&self, claim: &Claim, order: &Order) -> Result<Option<View>> {
        match &self.guard {
            Guard::None => Ok(None),
            Guard::Family => self.look_around(claim).await,
            Guard::Table(store) => {
                let mut lock = store.lock(claim).await?;
                for _ in 0..MOST_LOOKS {
                    let holder = match lock {
                        Lock::Taken => return Ok(None),
                        Lock::Held(holder) => holder,
                    };
                    if !self.is_gone(&holder, order, &claim.family).await? {
                        return Ok(Some(busy(claim, &holder)));
                    }
                    lock = match store.holder(&claim.family, &claim.environment).await? {
                        // Whoever kept what became of it has let it go.
                        None => store.lock(claim).await?,
                        Some(now) if now == holder => store.take_over(&holder, claim).await?,
                        Some(other) => Lock::Held(other),
                    };
                }
                match lock {
                    Lock::Taken => Ok(None),
                    Lock::Held(holder) => Ok(Some(busy(claim, &holder))),
                }
            }
        }
    }

    /// Makes sure that the lock still is ours, right before a task is asked for: what came between may have taken long, and whoever has no task
    /// for too long is presumed gone. Tells of who has it instead.
    pub(super) async fn keep_lock(&self, claim: &Claim) -> Result<Option<View>> {
        let Guard::Table(store) = &self.guard else {
            return Ok(None);
        };
        let claim = Claim {
            now_seconds: self.services.clock().there_seconds(),
            ..claim.clone()
        };
        Ok(match store.keep(&claim).await? {
            Lock::Taken => None,
            Lock::Held(holder) => Some(busy(&claim, &holder)),
        })
    }

    /// Whether the task a lock was taken for has stopped, or never was. How a task ended that has stopped is kept first, which lets the lock go.
    async fn is_gone(&self, holder: &Holder, order: &Order, family: &str) -> Result<bool> {
        let now = self.services.clock().there_seconds();
        let known = match &holder.task_arn {
            Some(arn) => {
                let known = self.described(std::slice::from_ref(arn)).await?.into_iter().next();
                if known.is_none() {
                    return self.is_forgotten(holder, now, family).await;
                }
                known
            }
            None => {
                let all = self.tasks_of_family(&holder.run_id.started_by(), family).await?;
                let found = all
                    .into_iter()
                    .find(|known| view::attempt(&known.task) == holder.attempt);
                if found.is_none() {
                    // Its owner may be about to start it.
                    return Ok(now >= holder.claimed_until);
                }
                found
            }
        };
        let Some(known) = known else { return Ok(false) };
        if !known.task.is_stopped() {
            return Ok(false);
        }
        let container = view::container(&known.task, order.container.as_deref());
        let pinned = self.revision(&known.task.task_definition_arn, container).await?;
        self.settle(known, &pinned).await?;
        Ok(true)
    }

    /// Whether the task of a lock is one that ECS has forgotten, and not one that it does not show yet.
    async fn is_forgotten(&self, holder: &Holder, now: i64, family: &str) -> Result<bool> {
        if now - holder.taken_at <= FORGOTTEN_SECONDS {
            return Ok(false);
        }
        if let Some(store) = self.store()
            && let Some(record) = store.latest(&holder.run_id, family, self.place.environment()).await?
            && record.attempt == holder.attempt
            && record.status == Status::Running
        {
            self.forget(&record).await?;
        }
        Ok(true)
    }

    /// Without a table: whether a task of the family runs.
    async fn look_around(&self, claim: &Claim) -> Result<Option<View>> {
        let by = ListBy::Family(claim.family.clone());
        let running = self.ecs.list(&self.place.cluster, &by, Desired::Running).await?;
        let Some(task) = running.first() else { return Ok(None) };
        let failure = Failure::new(format!("a task of {} runs already", claim.family))
            .because(task.clone())
            .hint("wait for it with --wait-for-lock, or let several run at once with --lock none");
        Ok(Some(View {
            run_id: Some(claim.run_id.clone()),
            status: Status::Busy,
            done: true,
            failure: Some(failure),
            ..View::default()
        }))
    }
}

fn busy(claim: &Claim, holder: &Holder) -> View {
    let id = &holder.run_id;
    let mut failure = Failure::new(format!("run {id} is in progress"));
    failure = match (&holder.task_arn, &holder.requested_by) {
        (Some(task), Some(who)) => failure.because(format!("{task}, for {who}")),
        (Some(task), None) => failure.because(task.clone()),
        (None, _) => failure.because("its task is about to be started"),
    };
    let failure = failure
        .hint(format!(
            "see how it goes: shipway status {id}; wait for it with --wait-for-lock"
        ))
        .hint("a run that was given up is let go by itself once its task has stopped");
    View {
        run_id: Some(claim.run_id.clone()),
        status: Status::Busy,
        done: true,
        failure: Some(failure),
        ..View::default()
    }
}
