//! Seeing a run through: from the wish to have it to what became of it.
//!
//! The same for everybody who can be asked for runs. Nothing here ends a task that somebody else may want: what is given up is left
//! alone unless it was said that it is to be stopped.

mod farewell;
mod waiting;
mod watcher;

pub use waiting::{Parting, Waiting};
pub use watcher::{Followed, Watcher};

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::lines::Tail;
use super::report::Reader;
use super::{Failure, Look, Order, Piece, Runs, Status, Stop, Stream, View};
use crate::content::{Kind, Result};
use crate::progress::Event;
use farewell::{Cause, blame, give_up, lost};

/// Waits between attempts that find no capacity, the last one for all further ones.
const BACKOFF_SECONDS: [f64; 5] = [5.0, 10.0, 20.0, 40.0, 60.0];
/// How often it is tried again to start a run when a service fails for now. Each call has its own repetitions besides.
const MOST_AGAIN: usize = 3;
/// How often a task that does not run yet is asked about, unless that is to be more often anyway.
const POLL_BEFORE_RUNNING: Duration = Duration::from_secs(2);
/// How often the end of a log is looked for once the task has ended.
const POLL_AT_END: Duration = Duration::from_secs(1);
/// For how long ECS may not know a task that it has just made: its answers are eventually consistent (DescribeTasks, `MISSING`).
const MISSING_LIMIT: Duration = Duration::from_secs(30);
/// How many lines of a log are asked for at a time.
const LINES_AT_A_TIME: u32 = 1000;
/// How long a task that was told to stop may take to have stopped: Fargate kills it after 120 seconds at most, and takes its network down.
const STOP_LIMIT: Duration = Duration::from_secs(240);
/// For how long the services may be out of reach before the end of a run counts as unknown, where nothing else limits it.
const OUTAGE_LIMIT: Duration = Duration::from_secs(300);

/// Starts a run, or finds it, and sees it through.
///
/// # Errors
/// When it cannot be started, or it cannot be told whether it was. Whatever became of a task that was started is told by the view.
pub async fn follow(runs: &dyn Runs, order: &Order, waiting: &Waiting, watcher: Watcher<'_>) -> Result<Followed> {
    let begun = Instant::now();
    let mut pursuit = Pursuit::new(waiting, watcher);
    let view = pursuit.start(runs, order).await?;
    let mut followed = match view.status {
        Status::Running if !view.done => pursuit.watch(runs, view).await,
        _ if !view.done && view.task_arn.is_some() => pursuit.watch(runs, view).await,
        _ => pursuit.end(view),
    };
    followed.total = begun.elapsed();
    Ok(followed)
}

/// Starts a run, or finds it, and leaves it to itself.
///
/// # Errors
/// When it cannot be started, or it cannot be told whether it was.
pub async fn begin(runs: &dyn Runs, order: &Order, waiting: &Waiting, watcher: Watcher<'_>) -> Result<Followed> {
    let begun = Instant::now();
    let mut pursuit = Pursuit::new(waiting, watcher);
    let view = pursuit.start(runs, order).await?;
    let mut followed = pursuit.end(view);
    followed.total = begun.elapsed();
    Ok(followed)
}

/// The way of one run, as far as we have followed it.
struct Pursuit<'a> {
    waiting: &'a Waiting,
    watcher: Watcher<'a>,
    tail: Tail,
    reader: Reader,
    lines: u64,
    told: Option<String>,
    is_problem_told: bool,
    is_interrupted: bool,
}

impl<'a> Pursuit<'a> {
    fn new(waiting: &'a Waiting, watcher: Watcher<'a>) -> Self {
        Self {
            waiting,
            tail: Tail::of(waiting.tail),
            watcher,
            reader: Reader::default(),
            lines: 0,
            told: None,
            is_problem_told: false,
            is_interrupted: false,
        }
    }

    fn step(&self, text: &str) {
        self.watcher.progress.on(&Event::Step(text));
    }

    /// Waits, unless we are interrupted; tells whether we are.
    async fn pause(&mut self, time: Duration) -> bool {
        let interrupt = &mut self.watcher.interrupt;
        tokio::select! {
            () = sleep(time) => false,
            changed = interrupt.wait_for(Option::is_some) => match changed {
                Ok(_) => true,
                // Nobody can interrupt us any more.
                Err(_) => { sleep(time).await; false }
            },
        }
    }

    fn interruption(&self) -> Option<Stop> {
        *self.watcher.interrupt.borrow()
    }

    /// How long to wait after so many tries.
    fn backoff(&self, tries: usize) -> Duration {
        let seconds = BACKOFF_SECONDS[tries.min(BACKOFF_SECONDS.len() - 1)];
        let wait = Duration::from_secs_f64(seconds * (0.8 + 0.4 * fastrand::f64()));
        // Whoever polls quickly does not mean to wait long.
        wait.min(self.waiting.poll * 12)
    }

    /// Starts the run; waits for other runs and for capacity as long as it may.
    async fn start(&mut self, runs: &dyn Runs, order: &Order) -> Result<View> {
        let begun = Instant::now();
        let mut order = order.clone();
        let mut tries = 0_usize;
        let mut again = 0_usize;
        let mut is_waiting_told = false;
        loop {
            if self.interruption().is_some() {
                self.is_interrupted = true;
                let failure = Failure::new("interrupted before anything was started");
                return Ok(View {
                    run_id: order.run_id.clone(),
                    status: Status::Interrupted,
                    done: true,
                    failure: Some(failure),
                    ..View::default()
                });
            }
            // Not dropped in the middle: whether a task was started must be known.
            let view = match runs.start(&order).await {
                Ok(view) => view,
                // The same attempt: if it was started after all, it is found.
                Err(error) if error.kind() == Kind::Temporary && again < MOST_AGAIN => {
                    let wait = self.backoff(again);
                    again += 1;
                    let cause = error.in_one_line();
                    self.watcher.progress.on(&Event::Retry {
                        what: "starting the task",
                        cause: &cause,
                        wait,
                    });
                    self.pause(wait).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let wait = match view.status {
                Status::Busy if begun.elapsed() < self.waiting.lock_limit => {
                    if !std::mem::replace(&mut is_waiting_told, true) {
                        let why = view.failure.as_ref().map(ToString::to_string).unwrap_or_default();
                        self.step(&format!("waiting: {why}"));
                    }
                    self.waiting
                        .poll
                        .min(self.waiting.lock_limit.saturating_sub(begun.elapsed()))
                }
                Status::NoCapacity => {
                    let wait = self.backoff(tries);
                    if begun.elapsed() + wait > self.waiting.start_limit {
                        return Ok(view);
                    }
                    tries += 1;
                    order.attempt = Some(view.attempt + 1);
                    let cause = view.failure.as_ref().map(ToString::to_string).unwrap_or_default();
                    self.watcher.progress.on(&Event::Retry {
                        what: "starting the task",
                        cause: &cause,
                        wait,
                    });
                    wait
                }
                _ => return Ok(view),
            };
            self.pause(wait).await;
        }
    }

    /// Looks at the run until there is nothing more to see.
    async fn watch(&mut self, runs: &dyn Runs, started: View) -> Followed {
        let begun = Instant::now();
        let mut view = started;
        let mut known = Instant::now();
        let mut reached = Instant::now();
        let mut stopping: Option<(Cause, Instant)> = None;
        let mut lingering: Option<Instant> = None;
        self.tell(&view);
        let is_attached = view.reused;
        let mut look = Look {
            run_id: view.run_id.clone(),
            task_arn: view.task_arn.clone(),
            container: view.container.clone(),
            logs_token: None,
            limit: if self.waiting.wants_logs { LINES_AT_A_TIME } else { 0 },
        };
        loop {
            let answer = runs.look(&look).await;
            match answer {
                Ok(mut next) => {
                    reached = Instant::now();
                    next.reused |= is_attached;
                    if next.last_status.is_some() || next.done {
                        known = Instant::now();
                    } else if known.elapsed() > MISSING_LIMIT {
                        let failure = Failure::new("ECS does not know the task that it started")
                            .hint("look at it in the console; the same command attaches to it if it is there again");
                        return self.end(View {
                            status: Status::Unknown,
                            failure: Some(failure),
                            ..next
                        });
                    }
                    self.tell_problem(&next);
                    self.take_lines(&mut next).await;
                    look.logs_token = next.logs.next_token.clone().or(look.logs_token);
                    look.task_arn = next.task_arn.clone().or(look.task_arn);
                    let has_more = look.limit > 0 && next.logs.next_token.is_some() && !next.logs.is_at_end;
                    self.tell(&next);
                    view = next;
                    // Also when it is over: what it wrote is shown to the end.
                    if has_more && self.interruption().is_none() && begun.elapsed() <= self.waiting.limit {
                        continue;
                    }
                    if view.done {
                        view.logs.complete &= !has_more;
                        return self.end(blame(view, stopping.map(|(cause, _)| cause), self.waiting));
                    }
                }
                Err(error)
                    if error.kind() == Kind::Temporary && reached.elapsed() < OUTAGE_LIMIT.min(self.waiting.limit) =>
                {
                    let cause = error.in_one_line();
                    self.watcher.progress.on(&Event::Retry {
                        what: "looking at the task",
                        cause: &cause,
                        wait: self.waiting.poll,
                    });
                }
                Err(error) => return self.end(lost(view, &error, self.waiting)),
            }
            let is_started = !matches!(
                view.last_status.as_deref(),
                None | Some("PROVISIONING" | "PENDING" | "ACTIVATING")
            );
            let has_ended = view.status != Status::Running;
            if let Some((cause, since)) = stopping {
                if since.elapsed() > STOP_LIMIT
                    || (cause == Cause::Interrupt
                        && self.interruption() == Some(Stop::AtOnce)
                        && since.elapsed() > Duration::from_secs(1))
                {
                    return self.end(give_up(view, cause, self.waiting));
                }
            } else if has_ended {
                // What is left is the end of its log.
            } else if !is_started && begun.elapsed() > self.waiting.start_limit {
                let reason = format!(
                    "shipway: not running after {} s",
                    self.waiting.start_limit.as_secs_f64()
                );
                self.stop(runs, &look, &reason).await;
                stopping = Some((Cause::StartLimit, Instant::now()));
            } else if begun.elapsed() > self.waiting.limit {
                match self.waiting.at_limit {
                    Parting::Leave => return self.end(give_up(view, Cause::Limit, self.waiting)),
                    Parting::Stop => {
                        let reason = format!("shipway: still running after {} s", self.waiting.limit.as_secs_f64());
                        self.stop(runs, &look, &reason).await;
                        stopping = Some((Cause::Limit, Instant::now()));
                    }
                }
            }
            if let (Some(kind), None) = (self.interruption(), stopping) {
                self.is_interrupted = true;
                if kind == Stop::AtOnce || self.waiting.at_interrupt == Parting::Stop {
                    self.stop(runs, &look, "shipway: cancelled").await;
                    stopping = Some((Cause::Interrupt, Instant::now()));
                } else {
                    let linger = (self.watcher.linger)();
                    if lingering.unwrap_or_else(Instant::now).elapsed() >= linger {
                        return self.end(give_up(view, Cause::Interrupt, self.waiting));
                    }
                    if lingering.is_none() {
                        lingering = Some(Instant::now());
                        self.step("interrupted: the task goes on without us; interrupt again to stop it");
                    }
                }
            }
            let poll = if has_ended {
                self.waiting.poll.min(POLL_AT_END)
            } else if !is_started {
                self.waiting.poll.min(POLL_BEFORE_RUNNING)
            } else {
                self.waiting.poll
            };
            match lingering.is_some() || stopping.is_some() {
                true => sleep(poll.min(Duration::from_millis(200))).await,
                false => {
                    self.pause(poll).await;
                }
            }
        }
    }

    async fn stop(&mut self, runs: &dyn Runs, look: &Look, reason: &str) {
        self.step(&format!(
            "stopping the task: {}",
            reason.trim_start_matches("shipway: ")
        ));
        if let Err(error) = runs.stop(look, reason).await {
            let text = format!("the task cannot be stopped: {}", error.in_one_line());
            self.watcher.progress.on(&Event::Notice(&text));
        }
    }

    fn tell_problem(&mut self, view: &View) {
        if let Some(problem) = &view.logs.problem
            && self.waiting.wants_logs
            && !std::mem::replace(&mut self.is_problem_told, true)
        {
            let text = format!("what it writes cannot be shown: {problem}");
            self.watcher.progress.on(&Event::Notice(&text));
        }
    }

    async fn take_lines(&mut self, view: &mut View) {
        for event in std::mem::take(&mut view.logs.events) {
            self.reader.line(&event.message);
            let line = self.watcher.lines.show(&event.message);
            self.lines += 1;
            if let Some(output) = &self.watcher.output {
                let bytes = Bytes::from(format!("{line}\n"));
                // Nobody reads any more; the run goes on all the same.
                let _ = output
                    .send(Piece {
                        stream: Stream::Output,
                        bytes,
                    })
                    .await;
            }
            self.tail.push(line);
        }
    }

    fn tell(&mut self, view: &View) {
        if view.last_status.is_some() && view.last_status != self.told {
            self.told = view.last_status.clone();
            let status = self.told.as_deref().unwrap_or_default();
            let definition = view.task_definition.as_deref().unwrap_or("the task");
            self.step(&format!("{definition}: {status}"));
        }
    }

    fn end(&mut self, mut view: View) -> Followed {
        view.report = std::mem::take(&mut self.reader).finish().or(view.report);
        if let Some(report) = &mut view.report {
            report.mask(&self.watcher.lines);
        }
        Followed {
            view,
            tail: std::mem::take(&mut self.tail).into_lines(),
            lines: self.lines,
            is_interrupted: self.is_interrupted,
            total: Duration::ZERO,
        }
    }
}
