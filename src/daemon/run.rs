//! Running an image once on the daemon, and telling what happened.
//!
//! What is made for it (containers, their anonymous volumes, a network) has a name before it is made, and is removed
//! whatever happens; only a container that may still be at work where nobody can see it is left alone.

mod container;
mod database;
mod exec;
mod follow;
mod image;
mod pump;
mod reach;
mod tidy;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::{Daemon, DaemonError};
use crate::content::Kind;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::execute::{
    Address, Ending, Engine, Failure, History, Outcome, Piece, Rehearsal, Status, Stop, Timings, Variables, verdict,
};
use crate::oci::Repository;
use crate::progress::{Event, Progress};
use tidy::Made;

/// The label of everything that is made for a run; its value is the name of the run.
pub const LABEL: &str = "io.shipway.run";

/// An image to run, and how.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The image, as the daemon or a registry knows it.
    pub image: String,
    /// When it is got from its registry.
    pub pull: Pull,
    /// What it is told; none leaves the image's own arguments in place.
    pub arguments: Vec<String>,
    /// Another program than the image's.
    pub entrypoint: Option<Vec<String>>,
    /// Its environment, besides the image's own.
    pub variables: Variables,
    /// The daemon's network it is in.
    pub network: Option<String>,
    /// What it sees of this machine, or of the daemon's volumes.
    pub mounts: Vec<Mount>,
    /// Another user than the image's.
    pub user: Option<String>,
    /// Another working directory than the image's.
    pub workdir: Option<String>,
    /// The memory it may use, in bytes, with no swap besides.
    pub memory: Option<u64>,
    /// Servers that must answer before it starts.
    pub wait_for: Vec<Address>,
    /// How long each of them is waited for.
    pub wait_timeout: Duration,
    /// How long its program has to end once it is asked to.
    pub stop_timeout: Duration,
    /// The database that is made for it.
    pub database: Option<DatabaseRequest>,
}

/// When an image is got from its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// When the daemon does not have it.
    Missing,
    /// Each time.
    Always,
    /// Never.
    Never,
}

/// Something from outside that a container sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// A path on the daemon's machine, or the name of one of its volumes.
    pub source: String,
    /// Where the container sees it.
    pub target: String,
    /// Whether it may not write there.
    pub is_read_only: bool,
}

impl Mount {
    /// Whether the source is a path, which has to exist, and not a volume.
    fn is_bind(&self) -> bool {
        self.source.contains(['/', '\\'])
    }
}

/// A database that is made for a run, and removed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseRequest {
    /// Which.
    pub engine: Engine,
    /// Its image.
    pub image: String,
    /// How long it may take until it answers.
    pub timeout: Duration,
}

/// Finds the login the daemon uses at a registry. Asked only when something is pulled from there.
pub type PullLogin = Arc<dyn Fn(Repository) -> BoxFuture<'static, Result<Credentials, Error>> + Send + Sync>;

/// What watches a run and has a say in it.
pub struct Watch<'a> {
    /// Is told what happens.
    pub progress: &'a dyn Progress,
    /// Gets what the image's program writes. If nobody takes it any more, the run goes on all the same.
    pub output: mpsc::Sender<Piece>,
    /// Says when the run is to end early.
    pub stop: watch::Receiver<Option<Stop>>,
    /// Finds logins.
    pub login: PullLogin,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Daemon {
    /// Runs an image once, from beginning to end, and removes what was made for it.
    ///
    /// The future must be run to its end: what is dropped in the middle leaves containers behind.
    pub async fn run(&self, request: &RunRequest, watch: Watch<'_>) -> Outcome {
        let begun = Instant::now();
        let run = Run {
            daemon: self,
            request,
            watch,
            name: format!("shipway-{:012x}", fastrand::u64(..1 << 48)),
        };
        let mut made = Made::default();
        let mut outcome = run.nothing_yet();
        if let Err(halt) = run.attempt(&mut made, &mut outcome).await {
            (outcome.status, outcome.failure) = match halt {
                Halt::Stopped => (Status::Interrupted, None),
                Halt::Failed(status, failure) => (status, Some(failure)),
            };
        }
        if outcome.status == Status::Unknown && request.database.is_none() {
            // It may still be at work on a real database: that is not for us to end.
            outcome.left_behind = made.names();
        } else {
            outcome.left_behind = run.tidy(made).await;
        }
        outcome.timings.total = begun.elapsed();
        outcome
    }
}

/// Why a run does not go on.
enum Halt {
    /// It was asked to stop before the image's program was started.
    Stopped,
    /// Something failed.
    Failed(Status, Failure),
}

impl Halt {
    /// Nothing has been started, and nothing will be.
    fn not_started(failure: Failure) -> Self {
        Self::Failed(Status::StartFailed, failure)
    }
}

impl From<DaemonError> for Halt {
    /// A failure before anything was started. A daemon that is not there may be there later.
    fn from(error: DaemonError) -> Self {
        let status = match error.kind() {
            Kind::Temporary => Status::Unreachable,
            _ => Status::StartFailed,
        };
        Self::Failed(status, failure(&error))
    }
}

/// Puts an error into the words of an outcome.
fn failure(error: &dyn ErrorWithHints) -> Failure {
    let mut cause: Option<String> = None;
    let mut source = error.cause();
    while let Some(inner) = source {
        let text = inner.to_string();
        cause = Some(match cause {
            Some(before) if before.ends_with(&text) => before,
            Some(before) => format!("{before}: {text}"),
            None => text,
        });
        source = inner.source();
    }
    Failure {
        message: error.to_string(),
        cause,
        hints: error.ways_out(),
    }
}

/// Errors that know what to do about them.
trait ErrorWithHints: fmt::Display {
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)>;
    fn ways_out(&self) -> Vec<String>;
}

impl ErrorWithHints for DaemonError {
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self)
    }

    fn ways_out(&self) -> Vec<String> {
        self.hints()
    }
}

impl ErrorWithHints for Error {
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self)
    }

    fn ways_out(&self) -> Vec<String> {
        self.hints()
    }
}

/// A run that goes on.
struct Run<'a> {
    daemon: &'a Daemon,
    request: &'a RunRequest,
    watch: Watch<'a>,
    /// Its name, and that of its container.
    name: String,
}

impl Run<'_> {
    fn nothing_yet(&self) -> Outcome {
        Outcome {
            status: Status::Unknown,
            exit_code: None,
            image: self.request.image.clone(),
            image_id: None,
            digest: None,
            container: None,
            timings: Timings::default(),
            rehearsal: self.request.database.as_ref().map(|database| Rehearsal {
                engine: database.engine,
                image: database.image.clone(),
                container: None,
                ready: None,
                history: History::NotAsked,
            }),
            left_behind: Vec::new(),
            failure: None,
        }
    }

    /// Everything but tidying up.
    async fn attempt(&self, made: &mut Made, outcome: &mut Outcome) -> Result<(), Halt> {
        let begun = Instant::now();
        self.unless_stopped(self.have_images()).await?;
        outcome.timings.pull = begun.elapsed();

        let begun = Instant::now();
        let mut variables = self.request.variables.clone();
        let mut network = self.request.network.clone();
        let mut server = None;
        if let Some(database) = &self.request.database {
            let started = self.serve(database, made, outcome).await?;
            self.tell(database.engine, &started, &mut variables);
            network = Some(started.network.clone());
            server = Some(started);
        }
        for address in &self.request.wait_for {
            self.unless_stopped(self.reach(address, network.as_deref())).await?;
        }
        self.create(made, network, &variables).await?;
        outcome.container = Some(self.name.clone());
        if self.is_stopped() {
            return Err(Halt::Stopped);
        }
        let image = self.image_of_container().await;
        (outcome.image_id, outcome.digest) = (image.id, image.digest);
        // Before the start, so that not even the first byte is missed.
        let attached = self.attach().await?;
        self.start().await?;
        outcome.timings.prepare = begun.elapsed();

        let begun = Instant::now();
        self.step(&format!("started {} as {}", self.request.image, self.name));
        let followed = self.follow(attached).await;
        outcome.timings.run = begun.elapsed();
        let ended = followed.map_err(|failure| Halt::Failed(Status::Unknown, failure))?;
        self.judge(ended, outcome);

        if let (Some(server), Some(rehearsal)) = (&server, &mut outcome.rehearsal)
            && outcome.status != Status::Interrupted
        {
            let history = async { Ok(self.history(server).await) };
            rehearsal.history = self.unless_stopped(history).await.unwrap_or(History::NotAsked);
        }
        Ok(())
    }

    /// Says how the image's program did.
    fn judge(&self, ended: Ending, outcome: &mut Outcome) {
        outcome.exit_code = ended.exit_code;
        outcome.status = verdict(ended);
        let code = ended.exit_code.unwrap_or_default();
        let image = &self.request.image;
        outcome.failure = match outcome.status {
            Status::Failed => Some(Failure::new(format!("{image} ran and failed: it exited with {code}"))),
            Status::OutOfMemory => Some(
                Failure::new(format!(
                    "{image} ran out of memory and was killed: it exited with {code}"
                ))
                .hint("give it more: --memory, or the memory of the machine the daemon runs on"),
            ),
            _ => None,
        };
    }

    fn step(&self, text: &str) {
        self.watch.progress.on(&Event::Step(text));
    }

    /// Whether the run was asked to stop.
    fn is_stopped(&self) -> bool {
        self.watch.stop.borrow().is_some()
    }

    /// Does something that may be given up in the middle without leaving anything behind.
    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, Halt>>) -> Result<T, Halt> {
        tokio::select! {
            biased;
            _ = self.stopped_beyond(None) => Err(Halt::Stopped),
            result = work => result,
        }
    }

    /// Waits until the run is asked to stop sooner than it was.
    async fn stopped_beyond(&self, known: Option<Stop>) -> Stop {
        let mut stop = self.watch.stop.clone();
        let found = match stop.wait_for(|stop| *stop > known).await {
            Ok(stop) => *stop,
            Err(_) => None,
        };
        match found {
            Some(stop) => stop,
            // Nobody is left who could ask.
            None => std::future::pending().await,
        }
    }
}
