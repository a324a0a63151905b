//! The lock that lets one run at a time.

use super::Store;
use super::item::{Item, Key, PK, number, number_of, string, text_of};
use super::table::{Condition, Update, Written};
use super::words::Words;
use crate::content::{ContentError, Kind, Result};
use crate::execute::RunId;

/// How long a holder that has no task yet is presumed alive, since it last showed life: longer than it may take to ask for a task after that.
pub const CLAIM_SECONDS: i64 = 120;
/// How often the lock is tried for when it is let go between two calls. Each time somebody else must have held it.
const TRIES: u32 = 4;

/// Who asks for the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The family of task definitions.
    pub family: String,
    /// The cluster, by its name.
    pub environment: String,
    /// The run.
    pub run_id: RunId,
    /// Which attempt of it.
    pub attempt: u32,
    /// Now, in seconds since the epoch.
    pub now_seconds: i64,
    /// Who wants the run, to be told to others that want one.
    pub requested_by: Option<String>,
}

/// Who has the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The run.
    pub run_id: RunId,
    /// Which attempt of it.
    pub attempt: u32,
    /// Its task, once there is one: the lock is taken over only after that has ended.
    pub task_arn: Option<String>,
    /// The cluster of the task.
    pub cluster: Option<String>,
    /// When it was taken, in seconds since the epoch.
    pub taken_at: i64,
    /// Until when a holder without a task is presumed alive, in seconds since the epoch.
    pub claimed_until: i64,
    /// Who wants that run.
    pub requested_by: Option<String>,
}

/// Whether the lock was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// It is ours now, or was already.
    Taken,
    /// Somebody else has it.
    Held(Holder),
}

impl Store {
    /// Takes the lock, if nobody has it. The same attempt of the same run may take it again: it keeps its task.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn lock(&self, claim: &Claim) -> Result<Lock> {
        let what = claim.what("take");
        for _ in 0..TRIES {
            let mut words = Words::default();
            let is_free = format!("attribute_not_exists({})", words.name(PK));
            let condition = Condition { holds: is_free, words };
            match self.table.put(&what, &claim.key(), claim.item(), condition).await? {
                Written::Done(_) => return Ok(Lock::Taken),
                Written::Refused(Some(item)) => return claim.met(&item),
                // It was let go just now.
                Written::Refused(None) => {}
            }
        }
        Err(ContentError::new(Kind::Temporary, what).because("others take it and let it go all the time"))
    }

    /// Takes the lock from a holder that is known to be gone: only if the lock still is exactly as it was seen.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn take_over(&self, from: &Holder, claim: &Claim) -> Result<Lock> {
        let mut words = Words::default();
        let mut conditions = owner(&mut words, "old", &from.run_id, from.attempt);
        for (name, seen) in [("taken_at", from.taken_at), ("claimed_until", from.claimed_until)] {
            conditions = format!("{conditions} AND {}", words.equals(name, number(seen)));
        }
        let task = match &from.task_arn {
            Some(arn) => words.equals("task_arn", string(arn)),
            None => format!("attribute_not_exists({})", words.name("task_arn")),
        };
        let condition = Condition {
            holds: format!("{conditions} AND {task}"),
            words,
        };
        let what = claim.what("take over");
        match self.table.put(&what, &claim.key(), claim.item(), condition).await? {
            Written::Done(_) => Ok(Lock::Taken),
            Written::Refused(Some(item)) => claim.met(&item),
            Written::Refused(None) => self.lock(claim).await,
        }
    }

    /// Says that who holds the lock, and has no task yet, is still alive. Takes it again where whoever took it over has let it go since.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn keep(&self, claim: &Claim) -> Result<Lock> {
        let mut words = Words::default();
        // It begins anew: how old a lock is tells how long ago its task may have been made.
        let taken = words.equals("taken_at", number(claim.now_seconds));
        let change = format!("SET {taken}, {}", words.equals("claimed_until", number(claim.until())));
        let holds = owner(&mut words, "our", &claim.run_id, claim.attempt);
        let update = Update { change, holds, words };
        match self.table.update(&claim.what("keep"), &claim.key(), update).await? {
            Written::Done(_) => Ok(Lock::Taken),
            Written::Refused(Some(item)) => claim.met(&item),
            Written::Refused(None) => self.lock(claim).await,
        }
    }

    /// Notes in the lock which task it is held for.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the lock is not ours any more, or when the table cannot be written to.
    pub async fn hold(&self, claim: &Claim, cluster: &str, task_arn: &str) -> Result<()> {
        let mut words = Words::default();
        let task = words.equals("task_arn", string(task_arn));
        let change = format!("SET {task}, {}", words.equals("cluster", string(cluster)));
        let what = claim.what("name the task in");
        let holds = owner(&mut words, "our", &claim.run_id, claim.attempt);
        let update = Update { change, holds, words };
        let cause = match self.table.update(&what, &claim.key(), update).await? {
            Written::Done(_) => return Ok(()),
            Written::Refused(None) => "nobody holds it any more".to_owned(),
            Written::Refused(Some(item)) => match Holder::read(&item) {
                Some(holder) => format!("run {} has it now (attempt {})", holder.run_id, holder.attempt),
                None => return Err(strange(&what)),
            },
        };
        Err(ContentError::new(Kind::Refused, what).because(cause))
    }

    /// Lets the lock go; false if it is not, or not any more, that attempt's.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn unlock(&self, family: &str, environment: &str, run_id: &RunId, attempt: u32) -> Result<bool> {
        let mut words = Words::default();
        let holds = owner(&mut words, "our", run_id, attempt);
        let what = format!("cannot let go of {}", lock_of(family, environment));
        let key = Key::of_lock(family, environment);
        self.table.delete(&what, &key, Condition { holds, words }).await
    }

    /// Who has the lock.
    ///
    /// # Errors
    /// When the table cannot be read, or what stands there is not ours.
    pub async fn holder(&self, family: &str, environment: &str) -> Result<Option<Holder>> {
        let place = lock_of(family, environment);
        let what = format!("cannot see who holds {place}");
        let item = self.table.get(&what, &Key::of_lock(family, environment)).await?;
        item.map(|item| Holder::read(&item).ok_or_else(|| strange(&what)))
            .transpose()
    }
}

/// That a lock is this attempt's.
fn owner(words: &mut Words, whose: &str, run_id: &RunId, attempt: u32) -> String {
    let (run, number_of_attempt) = (words.name("run_id"), words.name("attempt"));
    let this_run = words.value(&format!("{whose}_run_id"), string(run_id.as_str()));
    let this_attempt = words.value(&format!("{whose}_attempt"), number(attempt.into()));
    format!("{run} = {this_run} AND {number_of_attempt} = {this_attempt}")
}

/// For messages.
fn lock_of(family: &str, environment: &str) -> String {
    format!("the lock of {family} in {environment}")
}

/// What to say of an item that is not ours.
fn strange(what: &str) -> ContentError {
    ContentError::new(Kind::Invalid, what)
        .because("the item there was not written by shipway")
        .hint("is it the right table? its keys are pk and sk, both text")
}

impl Claim {
    fn key(&self) -> Key {
        Key::of_lock(&self.family, &self.environment)
    }

    fn what(&self, verb: &str) -> String {
        format!("cannot {verb} {}", lock_of(&self.family, &self.environment))
    }

    fn until(&self) -> i64 {
        self.now_seconds.saturating_add(CLAIM_SECONDS)
    }

    fn item(&self) -> Item {
        let mut item = Item::from([
            ("run_id".to_owned(), string(self.run_id.as_str())),
            ("attempt".to_owned(), number(self.attempt.into())),
            ("taken_at".to_owned(), number(self.now_seconds)),
            ("claimed_until".to_owned(), number(self.until())),
        ]);
        if let Some(who) = &self.requested_by {
            item.insert("requested_by".to_owned(), string(who));
        }
        item
    }

    /// Whether what was met is our own: of an earlier call, or of one whose answer got lost.
    fn met(&self, item: &Item) -> Result<Lock> {
        let holder = Holder::read(item).ok_or_else(|| strange(&self.what("take")))?;
        Ok(match holder.run_id == self.run_id && holder.attempt == self.attempt {
            true => Lock::Taken,
            false => Lock::Held(holder),
        })
    }
}

impl Holder {
    fn read(item: &Item) -> Option<Self> {
        let text = |name| text_of(item, name).map(str::to_owned);
        Some(Self {
            run_id: text_of(item, "run_id")?.parse().ok()?,
            attempt: number_of(item, "attempt")?.try_into().ok()?,
            task_arn: text("task_arn"),
            cluster: text("cluster"),
            taken_at: number_of(item, "taken_at")?,
            claimed_until: number_of(item, "claimed_until")?,
            requested_by: text("requested_by"),
        })
    }
}
