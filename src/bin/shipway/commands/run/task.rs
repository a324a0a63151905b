//! `shipway run` on ECS.

mod after;
mod digest;

use std::time::Duration;

use shipway::error::Error;
use shipway::execute::report::summary::{error_line, executed};
use shipway::execute::{
    Failure, Followed, Lines, Order, Piece, Runs, Status, View, Waiting, Watcher, begin, follow, given,
};
use tokio::sync::mpsc;

use crate::args::{Diagnose, Format, GlobalArguments, RunArguments, ShowLogs};
use crate::commands::copy::places;
use crate::commands::runs::{Opened, open};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Interrupted};
use crate::interrupt::{Signals, until_interrupted};
use crate::places::Places;
use crate::printer::Printer;
use crate::relay::Relay;
use crate::results::{ResultFiles, RunFile, followed_json, run_file, view_lines};
use crate::settings::{self, TaskSettings, pipeline_run_id};

/// How long a second Ctrl-C is waited for after the first.
const LINGER: Duration = Duration::from_secs(10);

/// Runs an image once; tells whether that was asked for here.
pub(super) async fn run(
    arguments: &RunArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<bool> {
    let project = settings::project(global)?;
    let Some(mut settings) = TaskSettings::resolve(arguments, environment, &project)? else {
        return Ok(false);
    };
    for notice in &settings.notices {
        printer.notice(notice);
    }
    let options = &arguments.task;
    let files = ResultFiles::prepare(&[
        (RunFile::Dotenv, "--dotenv", &options.dotenv),
        (RunFile::Receipt, "--receipt", &options.receipt),
        (RunFile::Junit, "--junit", &options.junit),
    ])?;
    let hosts: Vec<String> = settings
        .image
        .iter()
        .map(|image| image.reference.repository.registry().to_owned())
        .collect();
    let places = places(&project, global, environment, printer, &hosts)?;
    // Nothing has been started so far: this may be dropped.
    let opened = until_interrupted(async {
        if let Some(image) = &mut settings.image {
            let digest = digest::resolve(&image.reference, &places).await?;
            settings.order.image = Some(format!("{}@{digest}", image.reference.repository));
            if settings.order.run_id.is_none() {
                let variables = &settings.order.environment;
                settings.order.run_id = Some(pipeline_run_id(arguments, environment, Some(&digest), variables));
            }
        }
        open(&settings.reach, global, environment, &project).await
    })
    .await?;
    if options.dry_run {
        return until_interrupted(plan(&opened, &settings.order, printer))
            .await
            .map(|()| true);
    }
    let run = Run {
        settings: &settings,
        opened: &opened,
        places: &places,
        printer,
        arguments,
        signals: Signals::take(),
    };
    let told = run.through().await?;
    files.fill(|file| run_file(file, &told.followed, &told.json))?;
    if printer.format() == Format::Json {
        printer.data(&format!("{}\n", told.json))?;
    }
    run.judge(told.followed).map(|()| true)
}

/// Says what would be started.
async fn plan(opened: &Opened, order: &Order, printer: &Printer) -> anyhow::Result<()> {
    let Opened::Direct(direct) = opened else {
        return Err(
            CommandError::usage("--dry-run goes with --cluster: only the function knows what it would start").into(),
        );
    };
    let plan = direct.plan(order).await.map_err(Error::from)?;
    match printer.format() {
        Format::Json => {
            let object = serde_json::json!({
                "schema": "shipway.run-plan/v1",
                "runId": plan.run_id,
                "taskDefinition": plan.revision,
                "registersRevision": plan.registers,
                "image": plan.image,
                "container": plan.container,
                "existingTask": plan.existing.as_ref().and_then(|view| view.task_arn.clone()),
                "runTask": given::without_values(plan.run_task),
            });
            printer.data(&format!("{object}\n"))?;
        }
        Format::Text => {
            let revision = match plan.registers {
                true => format!("a new one, from {}", plan.revision),
                false => plan.revision.clone(),
            };
            printer.data(&format!(
                "run         {}\nimage       {}\ncontainer   {}\nrevision    {revision}\n",
                plan.run_id, plan.image, plan.container
            ))?;
            if let Some(view) = &plan.existing {
                printer.data("there is a task of this run already:\n")?;
                let lines: String = view_lines(view).iter().map(|line| format!("  {line}\n")).collect();
                printer.data(&lines)?;
            }
        }
    }
    Ok(())
}

/// Says why it failed in the words of the migration tool: ECS knows no more than that it did.
fn explain(view: &mut View, asked: Diagnose) {
    let is_flyway = view.report.as_ref().is_some_and(|report| report.tool == "flyway");
    if let (Status::Failed, Diagnose::None, Some(failure)) = (view.status, asked, &mut view.failure)
        && is_flyway
    {
        failure
            .hints
            .push("--diagnose info shows the state of all migrations".to_owned());
    }
    let error = view.report.as_ref().and_then(|report| report.error.as_ref());
    if let (Status::Failed, Some(error), Some(failure)) = (view.status, error.map(error_line), &mut view.failure) {
        failure.cause = Some(error);
    }
}

/// A run, and everything it takes.
struct Run<'a> {
    settings: &'a TaskSettings,
    opened: &'a Opened,
    places: &'a Places,
    printer: &'a Printer,
    arguments: &'a RunArguments,
    signals: Signals,
}

/// What is told of a run.
struct Told {
    followed: Followed,
    json: serde_json::Value,
}

impl Run<'_> {
    fn runs(&self) -> &dyn Runs {
        self.opened.runs()
    }

    async fn through(&self) -> anyhow::Result<Told> {
        let options = &self.arguments.task;
        if let Some(id) = &self.settings.order.run_id {
            self.printer.line(&format!("run {id}"));
        }
        if options.detach {
            return self.detach().await;
        }
        let mut followed = self.follow(&self.settings.order, self.shows_lines()).await?;
        let mut notes = after::Notes::default();
        if followed.view.status == Status::Failed && !followed.is_interrupted {
            notes = self.look_into(&mut followed).await;
        }
        explain(&mut followed.view, options.diagnose);
        self.tell(&followed, &notes);
        let mut json = followed_json(&followed);
        notes.add_to(&mut json);
        Ok(Told { followed, json })
    }

    /// Starts it and goes.
    async fn detach(&self) -> anyhow::Result<Told> {
        let linger = || Duration::ZERO;
        let settings = self.settings;
        let begun = begin(
            self.runs(),
            &settings.order,
            &settings.waiting,
            self.watcher(None, self.lines(), &linger),
        )
        .await;
        let followed = begun.map_err(Error::from)?;
        let view = &followed.view;
        if view.status == Status::Running
            && let Some(id) = &view.run_id
        {
            self.printer
                .line(&format!("started {}", view.task_arn.as_deref().unwrap_or_default()));
            let whereabouts = &self.settings.waiting.whereabouts;
            self.printer
                .line(&format!("see how it ends: shipway status {id}{whereabouts}"));
        }
        let json = followed_json(&followed);
        Ok(Told { followed, json })
    }

    fn shows_lines(&self) -> bool {
        self.arguments.task.logs == ShowLogs::Follow
    }

    /// Sees a run through; its lines are shown as they come.
    async fn follow(&self, order: &Order, shows_lines: bool) -> anyhow::Result<Followed> {
        let (output, relay) = Relay::begin(self.printer.format());
        let waiting = &self.settings.waiting;
        let followed = self
            .watch(order, waiting, shows_lines.then_some(output), self.lines())
            .await;
        relay.end().await.0?;
        let mut followed = followed.map_err(Error::from)?;
        digest::verify(&mut followed.view, self.places).await;
        Ok(followed)
    }

    async fn watch(
        &self,
        order: &Order,
        waiting: &Waiting,
        output: Option<mpsc::Sender<Piece>>,
        lines: Lines,
    ) -> shipway::content::Result<Followed> {
        let signals = &self.signals;
        let linger = || match signals.first() {
            Interrupted::ByUser => LINGER,
            // Whoever ends a job does not ask twice.
            Interrupted::ByTermination => Duration::ZERO,
        };
        follow(self.runs(), order, waiting, self.watcher(output, lines, &linger)).await
    }

    fn watcher<'a>(
        &'a self,
        output: Option<mpsc::Sender<Piece>>,
        lines: Lines,
        linger: &'a (dyn Fn() -> Duration + Sync),
    ) -> Watcher<'a> {
        Watcher {
            progress: self.places.progress.as_ref(),
            output,
            interrupt: self.signals.stop.clone(),
            linger,
            lines,
        }
    }

    /// Lines without the values that the task is given.
    fn lines(&self) -> Lines {
        Lines::masking(self.settings.masked.iter().cloned())
    }

    fn tell(&self, followed: &Followed, notes: &after::Notes) {
        let view = &followed.view;
        let is_told = self.arguments.task.logs == ShowLogs::OnFailure;
        if view.status != Status::Succeeded && is_told && !followed.tail.is_empty() {
            self.printer
                .line(&format!("the last {} lines it wrote:", followed.tail.len()));
            for line in &followed.tail {
                self.printer.line(&format!("  {line}"));
            }
        }
        if let Some(report) = &view.report {
            for line in executed(report) {
                self.printer.line(&line);
            }
        }
        for line in &notes.lines {
            self.printer.line(line);
        }
        if view.reused && view.status == Status::Succeeded && followed.lines == 0 {
            self.printer
                .notice("this run has succeeded before, and was not started again; --rerun runs it once more");
        }
        if !view.logs.complete && view.done && followed.lines > 0 {
            self.printer.notice("the log may lack its last lines");
        }
        if view.status == Status::Succeeded
            && let (Some(from), Some(to)) = (view.times.started_at, view.times.stopped_at)
        {
            self.printer
                .line(&format!("succeeded after {:.1} s", (to - from).max(0.0)));
        }
    }

    /// The end of the command: an error, unless it succeeded, or nobody wanted to wait.
    fn judge(&self, followed: Followed) -> anyhow::Result<()> {
        let view = followed.view;
        if self.arguments.task.detach && view.status == Status::Running {
            return Ok(());
        }
        let failure = view.failure.unwrap_or_else(|| {
            Failure::new(format!(
                "it is not known how {} ended",
                view.task_arn.as_deref().unwrap_or("the task")
            ))
        });
        if followed.is_interrupted && view.status != Status::Succeeded {
            let exit = match self.signals.first() {
                Interrupted::ByUser => Exit::Interrupted,
                Interrupted::ByTermination => Exit::Terminated,
            };
            let mut error = CommandError::new(exit, failure.message).hints(failure.hints);
            if let Some(cause) = failure.cause {
                error = error.because(cause);
            }
            return Err(error.into());
        }
        super::judge(view.status, failure)
    }
}
