//! Looking at a run, and keeping what became of it: once, by whoever sees it first.

use serde_json::Value;

use super::super::ending::ending;
use super::super::pin::Pinned;
use super::super::report::Reader;
use super::super::{Failure, Lines, LogEvent, Logs, Look, Record, Report, RunId, Status, Task, View};
use super::locking::FORGOTTEN_SECONDS;
use super::{Direct, Known, nobody, view};
use crate::content::{Kind, Result};

/// How long after a container's end its last lines may still be on their way.
const QUIET_SECONDS: f64 = 5.0;
/// When waiting for the end of a log stops.
const DRAIN_SECONDS: f64 = 30.0;
/// Lines of a log that are read at a time when it is read as a whole.
const PAGE: u32 = 10_000;
/// Pages that are read of a log for what the tool reports: about 100 MB.
const MOST_PAGES: usize = 100;
/// What is said of a run whose task ECS does not show any more.
const FORGOTTEN: &str = "ECS has forgotten the task, and nobody saw how it ended";
/// How many of the last lines go with what is concluded.
const TAIL: usize = 20;

impl Direct {
    /// Says how a run is; keeps what became of it once that is certain.
    pub(super) async fn look_at(&self, look: &Look) -> Result<View> {
        let Some(known) = self.find(look).await? else {
            return self.unknown(look).await;
        };
        self.view_of(known, look).await
    }

    /// A run of which ECS knows no task: the table may know how it ended.
    pub(super) async fn unknown(&self, look: &Look) -> Result<View> {
        if let Some(id) = &look.run_id
            && let Some(record) = self.recorded(id).await?
        {
            let mut view = of_record(&record);
            if record.status == Status::Running {
                let age = self.services.clock().there_seconds() - record.started_at / 1000;
                if age <= FORGOTTEN_SECONDS {
                    return Ok(view);
                }
                let failure = Failure::new(FORGOTTEN)
                    .hint("look at the database, and at the log if it is still there, before it is run again");
                view.status = Status::Unknown;
                view.done = true;
                view.failure = Some(failure);
                self.forget(&record).await?;
            }
            if look.limit > 0 {
                view.logs = self.log_of(&record, look).await?;
            }
            return Ok(view);
        }
        match &look.task_arn {
            // ECS may not know yet what it has just made.
            Some(arn) => Ok(View {
                run_id: look.run_id.clone(),
                status: Status::Running,
                task_arn: Some(arn.clone()),
                ..View::default()
            }),
            None => Err(nobody(look.run_id.as_ref())),
        }
    }

    /// Keeps that nobody will ever know how a run ended, and lets the next one go.
    pub(super) async fn forget(&self, record: &Record) -> Result<()> {
        let (Some(store), Some(id)) = (self.store(), &record.run_id) else {
            return Ok(());
        };
        let unknown = Record {
            status: Status::Unknown,
            error: Some(FORGOTTEN.to_owned()),
            ..record.clone()
        };
        store.finish(&unknown).await?;
        store
            .unlock(&record.family, &record.environment, id, record.attempt)
            .await?;
        Ok(())
    }

    /// A page of the log of a task that ECS has forgotten: its log is kept for longer.
    async fn log_of(&self, record: &Record, look: &Look) -> Result<Logs> {
        let (Some(arn), Some(definition)) = (&record.task_arn, &record.task_definition) else {
            return Ok(Logs::default());
        };
        let pinned = match self.revision(definition, look.container.as_deref()).await {
            Ok(pinned) => pinned,
            Err(error) if error.kind() == Kind::Temporary => return Err(error),
            Err(error) => {
                return Ok(Logs {
                    problem: Some(error.in_one_line()),
                    ..Logs::default()
                });
            }
        };
        let task = Task {
            task_arn: arn.clone(),
            ..Task::default()
        };
        let place = view::place_of_logs(&task, &pinned);
        self.page(place, look.logs_token.as_deref(), look.limit, true).await
    }

    pub(super) async fn view_of(&self, known: Known, look: &Look) -> Result<View> {
        let Known { task, raw } = known;
        let container = view::container(&task, look.container.as_deref());
        let pinned = self.revision(&task.task_definition_arn, container).await?;
        let lines = Lines::of_task(&raw);
        let mut view = view::of_task(&task, raw, &pinned);
        let end = ending(&task, &pinned.container, &[]);
        let limit = match (look.limit, &end) {
            (0, Some(_)) => 1,
            (limit, _) => limit,
        };
        if limit > 0 {
            let token = look.logs_token.as_deref();
            view.logs = self
                .page(view.logs, token, limit, end.is_some() || task.started_at.is_some())
                .await?;
            if look.limit == 0 {
                view.logs.events.clear();
                // Nobody reads it here, so nobody waits for its end but the clock.
                view.logs.is_at_end = true;
                view.logs.next_token = None;
            }
        }
        let Some(end) = end else { return Ok(view) };
        view.status = end.status;
        view.exit_code = end.exit_code;
        view.digest_verified = end.digest_verified;
        view.failure = end.failure;
        // The seconds since the container's end, by the clock it was noted by. It may not be noted before the task has stopped.
        let now = self.services.clock().there_seconds() as f64;
        let unnoted = if task.is_stopped() { DRAIN_SECONDS } else { 0.0 };
        let passed = view::ended_at(&task).map_or(unnoted, |ended| now - ended);
        let never_ran = task.started_at.is_none() && view.exit_code.is_none();
        let is_drained = view.logs.is_at_end && (passed >= QUIET_SECONDS || never_ran);
        let is_readable = view.logs.problem.is_none();
        if !is_drained && is_readable && passed < DRAIN_SECONDS {
            return Ok(view);
        }
        view.logs.complete = is_drained && is_readable;
        view.done = true;
        if self.store().is_some() && is_main(&task) {
            let (report, _) = self.read(&view.logs, &lines).await;
            view.report = report;
            self.keep(&task, &pinned, &mut view).await?;
        }
        Ok(view)
    }

    /// Keeps what became of a task that has stopped, told of by an event; its container is the only essential one where none is named.
    /// `None` where it is not ours, has not stopped, or its end was told before: whoever is told here tells people. That is not whoever kept the
    /// end first, which is a client that follows its run as a rule. `teller` names whoever asks, and is the same when it is asked once more.
    ///
    /// # Errors
    /// When the log or the table cannot be asked.
    pub async fn conclude(&self, raw: &Value, container: Option<&str>, teller: &str) -> Result<Option<(View, Record)>> {
        let Some((view, record)) = self.concluded(raw, container).await? else {
            return Ok(None);
        };
        let is_ours_to_tell = match self.store() {
            Some(store) => store.announce(&record, teller).await?,
            None => true,
        };
        Ok(is_ours_to_tell.then_some((view, record)))
    }

    /// Keeps what became of a task that has stopped. `None` where it is not ours, or has not stopped.
    pub(super) async fn concluded(&self, raw: &Value, container: Option<&str>) -> Result<Option<(View, Record)>> {
        let Ok(mut task) = Task::read(raw) else {
            return Ok(None);
        };
        if !task.is_stopped() || !self.is_ours(&task) || !is_main(&task) {
            return Ok(None);
        }
        if task.tags.is_empty()
            && let Some(known) = self.described(&[task.task_arn.clone()]).await?.into_iter().next()
        {
            // Events do not tell tags, and one of them says which attempt it is.
            task.tags = known.task.tags;
        }
        let container = view::container(&task, container);
        let pinned = self.revision(&task.task_definition_arn, container).await?;
        let mut view = view::of_task(&task, raw.clone(), &pinned);
        let Some(end) = ending(&task, &pinned.container, &[]) else {
            return Ok(None);
        };
        view.status = end.status;
        view.exit_code = end.exit_code;
        view.digest_verified = end.digest_verified;
        view.failure = end.failure;
        view.done = true;
        let (report, tail) = self.read(&view.logs, &Lines::of_task(raw)).await;
        view.report = report;
        let record = self.keep(&task, &pinned, &mut view).await?;
        view.logs.events = tail;
        Ok(Some((view, record)))
    }

    /// Keeps how a run ended, and lets the next one go.
    async fn keep(&self, task: &Task, pinned: &Pinned, view: &mut View) -> Result<Record> {
        let Some(store) = self.store() else {
            return Ok(self.record(task, pinned, view));
        };
        let begun = match &view.run_id {
            Some(id) => {
                store
                    .attempt(id, view.attempt, task.family(), self.place.environment())
                    .await?
            }
            None => None,
        };
        let record = Record {
            started_at: begun
                .as_ref()
                .map_or_else(|| task.created_at.map_or(0, milliseconds), |begun| begun.started_at),
            command: begun.as_ref().and_then(|begun| begun.command.clone()),
            variables: task.tag(view::VARIABLES_TAG).unwrap_or_default().to_owned(),
            requested_by: begun.as_ref().and_then(|begun| begun.requested_by.clone()),
            git: begun.map(|begun| begun.git).unwrap_or_default(),
            ..self.record(task, pinned, view)
        };
        store.finish(&record).await?;
        if let Some(id) = &record.run_id {
            store
                .unlock(&record.family, &record.environment, id, record.attempt)
                .await?;
        }
        Ok(record)
    }

    fn record(&self, task: &Task, pinned: &Pinned, view: &View) -> Record {
        let run = match (task.started_at, view::ended_at(task)) {
            (Some(started), Some(ended)) if ended >= started => Some(((ended - started) * 1000.0).round() as u64),
            _ => None,
        };
        Record {
            // What something else started has a name all the same: its task's.
            run_id: view
                .run_id
                .clone()
                .or_else(|| Some(RunId::of(&format!("task-{}", task.id())))),
            attempt: view.attempt,
            family: task.family().to_owned(),
            environment: self.place.environment().to_owned(),
            status: view.status,
            exit_code: view.exit_code,
            image: view.image.clone().or_else(|| Some(pinned.image.clone())),
            task_arn: Some(task.task_arn.clone()),
            task_definition: Some(task.definition().to_owned()),
            requested_by: None,
            started_at: task.created_at.map_or(0, milliseconds),
            ended_at: view::ended_at(task).map(milliseconds),
            run_milliseconds: run,
            stop_code: task.stop_code.clone(),
            report: view.report.clone(),
            error: view.failure.as_ref().map(ToString::to_string),
            task_version: task.version,
            ..Record::default()
        }
    }

    /// A page of a log, where there is one.
    async fn page(&self, logs: Logs, token: Option<&str>, limit: u32, is_due: bool) -> Result<Logs> {
        let (Some(group), Some(stream)) = (&logs.group, &logs.stream) else {
            return Ok(Logs {
                is_at_end: true,
                ..logs
            });
        };
        if !is_due && token.is_none() {
            return Ok(Logs {
                is_at_end: true,
                ..logs
            });
        }
        let page = self
            .reader(logs.region.as_deref())
            .page(group, stream, token, limit)
            .await;
        Ok(match page {
            Err(error) if error.kind() == Kind::Temporary => return Err(error),
            // How it ends is told by ECS, not by its log.
            Err(error) => Logs {
                problem: Some(error.in_one_line()),
                is_at_end: true,
                next_token: None,
                ..logs
            },
            Ok(None) => Logs {
                is_at_end: true,
                ..logs
            },
            Ok(Some(page)) => Logs {
                next_token: Some(page.next_token),
                events: page.events,
                is_at_end: page.is_at_end,
                ..logs
            },
        })
    }

    /// What the tool reports in the whole log, and its last lines. A log that cannot be read tells nothing, and stops nobody.
    async fn read(&self, logs: &Logs, lines: &Lines) -> (Option<Report>, Vec<LogEvent>) {
        let mut reader = Reader::default();
        let mut last: std::collections::VecDeque<LogEvent> = std::collections::VecDeque::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = match self.page(logs.clone(), token.as_deref(), PAGE, true).await {
                Ok(page) => page,
                Err(_) => break,
            };
            for mut event in page.events {
                reader.line(&event.message);
                event.message = lines.mask(&event.message).into_owned();
                last.push_back(event);
                if last.len() > TAIL {
                    last.pop_front();
                }
            }
            token = page.next_token;
            if page.is_at_end {
                break;
            }
        }
        let mut report = reader.finish();
        if let Some(report) = &mut report {
            report.mask(lines);
        }
        (report, last.into())
    }
}

/// Whether it is the task of the run itself, and not one that looks into what became of it.
fn is_main(task: &Task) -> bool {
    let by = task.started_by.as_deref().unwrap_or_default();
    by.strip_prefix("shipway/").is_none_or(|rest| !rest.contains('/'))
}

/// Seconds in milliseconds.
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// What the table knows of a run.
pub(super) fn of_record(record: &Record) -> View {
    View {
        run_id: record.run_id.clone(),
        attempt: record.attempt,
        status: record.status,
        done: record.status != Status::Running,
        exit_code: record.exit_code,
        image: record.image.clone(),
        task_arn: record.task_arn.clone(),
        task_definition: record.task_definition.clone(),
        stop_code: record.stop_code.clone(),
        report: record.report.clone(),
        failure: record.error.clone().map(Failure::new),
        ..View::default()
    }
}
