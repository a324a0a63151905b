//! `shipway run` on the local Docker daemon.

use std::sync::Arc;

use shipway::daemon::Watch;
use shipway::execute::report::summary;
use shipway::execute::{History, Lines, Outcome, Report, Status, Stop};

use crate::args::{Format, GlobalArguments, RunArguments};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Interrupted};
use crate::interrupt::{Signals, until_interrupted};
use crate::places::Places;
use crate::printer::Printer;
use crate::relay::Relay;
use crate::results::{history_lines, run_json};
use crate::settings::{self, RunSettings};

/// Runs an image once.
pub(crate) async fn run(
    arguments: &RunArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    let settings = RunSettings::resolve(arguments, environment, &project)?;
    let places = crate::commands::copy::places(&project, global, environment, printer, &settings.hosts())?;
    let places = Arc::new(places);
    for notice in &settings.notices {
        printer.notice(notice);
    }
    // Nothing has been made so far: this may be dropped.
    let daemon = until_interrupted(async { Ok(places.daemon().await?.clone()) }).await?;

    let signals = Signals::take();
    let (output, relay) = Relay::begin(printer.format());
    let watch = Watch {
        progress: places.progress.as_ref(),
        output,
        stop: signals.stop.clone(),
        login: login(&places),
    };
    let mut outcome = daemon.run(&settings.request, watch).await;
    // Whoever reads slowly gets it all; whoever does not want to wait for that interrupts twice.
    let mut stop = signals.stop.clone();
    let (written, mut report) = tokio::select! {
        ended = relay.end() => ended,
        _ = stop.wait_for(|stop| *stop == Some(Stop::AtOnce)) => (Ok(()), None),
    };
    // Only now: what the program wrote last is before it.
    if let Some(code) = outcome.exit_code {
        let seconds = outcome.timings.run.as_secs_f64();
        printer.line(&format!("finished after {seconds:.1} s with exit status {code}"));
    }
    if let Some(report) = &mut report {
        let values = settings.request.variables.iter().map(|(_, value)| value.clone());
        report.mask(&Lines::masking(values));
        explain(&mut outcome, report, printer);
    }
    tell(&outcome, report.as_ref(), printer)?;
    judge(outcome, &signals)?;
    Ok(written?)
}

/// Finds the daemon's login for a pull.
fn login(places: &Arc<Places>) -> shipway::daemon::PullLogin {
    let places = Arc::clone(places);
    Arc::new(move |repository| {
        let places = Arc::clone(&places);
        Box::pin(async move { places.login(&repository).await })
    })
}

/// Prints what the migration tool did, and says why the image failed in the tool's own words.
fn explain(outcome: &mut Outcome, report: &Report, printer: &Printer) {
    for line in summary::executed(report) {
        printer.line(&line);
    }
    let Some(error) = report.error.as_ref().map(summary::error_line) else {
        return;
    };
    match &mut outcome.failure {
        Some(failure) if outcome.status == Status::Failed => {
            failure.cause.get_or_insert(error);
        }
        // Flyway's `validate` with JSON ends with 0, whatever it finds.
        _ => printer.notice(&format!("{} says that it {error}", report.tool)),
    }
}

/// Prints what the database says, and the JSON object.
fn tell(outcome: &Outcome, report: Option<&Report>, printer: &Printer) -> anyhow::Result<()> {
    if let Some(rehearsal) = &outcome.rehearsal {
        match &rehearsal.history {
            History::NotAsked => {}
            History::Missing => {
                printer.notice("the database holds no flyway_schema_history: nothing was recorded in it")
            }
            History::Unreadable(why) => printer.notice(&format!("the history cannot be read: {why}")),
            History::Tables(tables) => {
                for table in tables {
                    printer.line(&format!("flyway_schema_history of {}:", table.schema));
                    for line in history_lines(table) {
                        printer.line(&line);
                    }
                }
            }
        }
    }
    if printer.format() == Format::Json {
        printer.data(&format!("{}\n", run_json(outcome, report)))?;
    }
    Ok(())
}

/// The end of the command: an error, unless the image's program succeeded.
fn judge(outcome: Outcome, signals: &Signals) -> anyhow::Result<()> {
    if outcome.status == Status::Interrupted {
        return Err(interrupted(&outcome, signals.first()).into());
    }
    let image = &outcome.image;
    let failure = outcome
        .failure
        .unwrap_or_else(|| shipway::execute::Failure::new(format!("it is not known how {image} ended")));
    super::judge(outcome.status, failure)
}

fn interrupted(outcome: &Outcome, by: Interrupted) -> CommandError {
    let exit = match by {
        Interrupted::ByUser => Exit::Interrupted,
        Interrupted::ByTermination => Exit::Terminated,
    };
    let image = &outcome.image;
    match outcome.exit_code {
        None => CommandError::new(exit, format!("interrupted before {image} was started")),
        Some(code) => CommandError::new(
            exit,
            format!("interrupted: {image} was stopped, and exited with {code}"),
        )
        .hint("what it was doing may be done in part: look at the database before the same command is run again"),
    }
}
