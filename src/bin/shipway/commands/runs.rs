//! `shipway status`, `logs`, `stop` and `history`: runs on ECS that were started before.

use std::sync::Arc;

use shipway::aws::{Clock, Patience, Services};
use shipway::error::Error;
use shipway::execute::{Direct, Failure, Function, Guard, Look, Past, RunId, Runs, Status, Store, View};
use shipway::project::Project;
use tokio::io::AsyncWriteExt as _;

use crate::args::{
    Format, GlobalArguments, HistoryArguments, LogsArguments, ReachOptions, StatusArguments, StopArguments,
};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit};
use crate::printer::{OutputError, Printer};
use crate::results::{history_json, record_lines, view_json, view_lines};
use crate::settings::{self, Identities, Lock, Reach, Via};

/// How many lines of a log are asked for at a time.
const LINES_AT_A_TIME: u32 = 1000;
/// How often a log is asked for more.
const POLL: std::time::Duration = std::time::Duration::from_secs(2);

/// Opens whoever is asked for runs; ECS itself is told apart, since only it can say what it would do.
pub(crate) enum Opened {
    /// ECS itself.
    Direct(Box<Direct>),
    /// The function.
    Function(Box<Function>),
}

impl Opened {
    /// Whoever is asked.
    pub(crate) fn runs(&self) -> &dyn Runs {
        match self {
            Self::Direct(direct) => direct.as_ref(),
            Self::Function(function) => function.as_ref(),
        }
    }
}

/// Opens the place where runs are.
pub(crate) async fn open(
    reach: &Reach,
    global: &GlobalArguments,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<Opened> {
    let identity = Identities::resolve(global, environment, project)?
        .at("")
        .map_err(Error::from)?;
    let patience = Patience {
        retries: global.retry,
        first_wait: std::time::Duration::from_secs_f64(global.retry_delay),
        limit: global.stall(),
    };
    let clock = Arc::new(Clock::new(environment.now_seconds()));
    let services = Services::open(reach.region.as_deref(), &identity, patience, clock)
        .await
        .map_err(Error::from)?;
    Ok(match &reach.via {
        Via::Function(name) => Opened::Function(Box::new(Function::new(&services, name))),
        Via::Cluster(place, lock) => {
            let guard = match lock {
                Lock::Table(name) => Guard::Table(Box::new(Store::new(&services, name))),
                Lock::Unsaid => Guard::Family,
                Lock::None => Guard::None,
            };
            Opened::Direct(Box::new(Direct::new(
                services,
                guard,
                place.clone(),
                reach.family.as_deref(),
            )))
        }
    })
}

async fn opened(
    options: &ReachOptions,
    global: &GlobalArguments,
    environment: &Environment,
) -> anyhow::Result<(Opened, Reach)> {
    let project = settings::project(global)?;
    let reach = Reach::required(options, environment, &project)?;
    Ok((open(&reach, global, environment, &project).await?, reach))
}

fn look(text: &str, reach: &Reach) -> anyhow::Result<Look> {
    let id = text
        .parse::<RunId>()
        .map_err(|error| CommandError::usage(format!("{text}: no run is called so")).because(error))?;
    Ok(Look {
        run_id: Some(id),
        container: reach.container.clone(),
        ..Look::default()
    })
}

/// Tells how a run is.
pub(crate) async fn status(
    arguments: &StatusArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let (opened, reach) = opened(&arguments.reach, global, environment).await?;
    let view = opened
        .runs()
        .look(&look(&arguments.run_id, &reach)?)
        .await
        .map_err(Error::from)?;
    tell(&view, printer)?;
    end(view)
}

/// Stops a run.
pub(crate) async fn stop(
    arguments: &StopArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let (opened, reach) = opened(&arguments.reach, global, environment).await?;
    let look = look(&arguments.run_id, &reach)?;
    let view = opened
        .runs()
        .stop(&look, &arguments.reason)
        .await
        .map_err(Error::from)?;
    if view.status == Status::Running {
        printer.notice(&format!(
            "the task was told to stop; see how it ended: shipway status {}{}",
            arguments.run_id,
            arguments.reach.whereabouts()
        ));
    } else {
        printer.notice("it was over already");
    }
    tell(&view, printer)
}

/// Shows what a run wrote.
pub(crate) async fn logs(
    arguments: &LogsArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let (opened, reach) = opened(&arguments.reach, global, environment).await?;
    let mut look = look(&arguments.run_id, &reach)?;
    look.limit = LINES_AT_A_TIME;
    let lines = shipway::execute::Lines::default();
    let mut output = tokio::io::stdout();
    let mut count = 0_usize;
    loop {
        let view = opened.runs().look(&look).await.map_err(Error::from)?;
        if let Some(problem) = view.logs.problem {
            let error = CommandError::new(Exit::Failed, "its log cannot be read").because(problem);
            return Err(error.into());
        }
        for event in &view.logs.events {
            count += 1;
            let line = match printer.format() {
                Format::Text => lines.show(&event.message),
                Format::Json => serde_json::json!({"time": event.time, "message": event.message}).to_string(),
            };
            output
                .write_all(format!("{line}\n").as_bytes())
                .await
                .map_err(OutputError)?;
        }
        output.flush().await.map_err(OutputError)?;
        look.logs_token = view.logs.next_token.clone().or(look.logs_token);
        look.task_arn = view.task_arn.clone().or(look.task_arn);
        if !view.logs.is_at_end && view.logs.next_token.is_some() {
            continue;
        }
        if view.done || !arguments.follow {
            if count == 0 {
                printer.notice(match view.logs.group {
                    Some(_) => "it has written nothing so far",
                    None => "nothing is known of its log: its task definition names no log group, or ECS has forgotten the task and no table was asked",
                });
            }
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Shows what became of earlier runs.
pub(crate) async fn history(
    arguments: &HistoryArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let (opened, reach) = opened(&arguments.reach, global, environment).await?;
    let run_id = match &arguments.run_id {
        Some(text) => look(text, &reach)?.run_id,
        None => None,
    };
    let past = Past {
        run_id,
        family: reach.family.clone(),
        limit: arguments.limit,
    };
    let records = opened.runs().history(&past).await.map_err(Error::from)?;
    if records.is_empty() && printer.format() == Format::Text {
        printer.notice("no run is kept so far");
    }
    match printer.format() {
        Format::Text => {
            let lines: String = record_lines(&records).iter().map(|line| format!("{line}\n")).collect();
            printer.data(&lines)?;
        }
        Format::Json => printer.data(&format!("{}\n", history_json(&records)))?,
    }
    Ok(())
}

fn tell(view: &View, printer: &Printer) -> anyhow::Result<()> {
    match printer.format() {
        Format::Text => {
            let lines: String = view_lines(view).iter().map(|line| format!("{line}\n")).collect();
            printer.data(&lines)?;
        }
        Format::Json => printer.data(&format!("{}\n", view_json(view)))?,
    }
    Ok(())
}

/// A run that is not over is no failure of `status`.
fn end(view: View) -> anyhow::Result<()> {
    if view.status == Status::Running {
        return Ok(());
    }
    let failure = view
        .failure
        .unwrap_or_else(|| Failure::new(format!("it ended as {}", view.status.as_str())));
    super::run::judge(view.status, failure)
}
