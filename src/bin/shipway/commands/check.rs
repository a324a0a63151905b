//! `shipway check`, and the check before a build.

use std::path::Path;
use std::sync::Arc;

use shipway::build::secrets_of;
use shipway::error::Error;
use shipway::migrations::MigrationSet;
use shipway::migrations::check::{Circumstances, Drift, Excerpts, Finding, Level, Place, Report, collect, drift};
use shipway::progress::Progress;
use shipway::recipe::Recipe;

use super::origin::{project_name, provenance};
use super::sets::{FoundSet, Search, hosts, read};
use crate::args::{CheckArguments, Format, GlobalArguments};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, exit_of};
use crate::places::Places;
use crate::printer::Printer;
use crate::progress::Display;
use crate::results::{CheckResult, Folders, ReportKind, ResultFiles, explain, explain_all};
use crate::settings::{self, CheckSettings, Logins};

/// Checks the migrations of a project.
pub(crate) async fn run(
    arguments: &CheckArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    if let Some(code) = &arguments.explain {
        let text = match code.eq_ignore_ascii_case("all") {
            true => explain_all(printer.format()),
            false => explain(code, printer.format())?,
        };
        return Ok(printer.data(&text)?);
    }
    let files = ResultFiles::prepare(&[
        (ReportKind::Sarif, "--sarif", &arguments.sarif),
        (ReportKind::CodeQuality, "--code-quality", &arguments.code_quality),
        (ReportKind::JUnit, "--junit", &arguments.junit),
    ])?;
    let project = settings::project(global)?;
    let settings = CheckSettings::resolve(&arguments.options, &arguments.inputs, environment, &project)?;
    let logins = Logins::gather(global, environment)?;
    let progress: Arc<dyn Progress> = Arc::new(Display::new(printer.clone()));
    let places = Places::new(
        global,
        environment,
        &project,
        logins.store(&hosts(
            settings.options.against.iter().map(|against| against.value.as_str()),
            &settings,
        )),
        progress,
    )?;
    let provenance = provenance(&settings.folder, environment, printer).await?;
    let name = project_name(settings.project.as_deref(), provenance.as_ref(), &settings.folder);
    let (wanted, named) = (settings.clone(), name.clone());
    let (prepared, set) = tokio::task::spawn_blocking(move || read(&wanted, &named)).await??;
    let search = Search {
        settings: &settings,
        arguments: &arguments.inputs,
        environment,
        places: &places,
        project: &name,
        wants_files: false,
        platform: None,
    };
    let previous = previous(&search).await?;
    let report = report(&set, secrets(&prepared.recipe, &settings)?, &settings, &previous, false);
    let (excerpts, folders) = (Excerpts::read(&set, &report.findings), folders(&settings.folder));
    let result = CheckResult {
        report: &report,
        excerpts: &excerpts,
        fail_on: settings.options.fail_on,
        folders: &folders,
    };
    files.fill(|kind| Ok(result.file(kind)))?;
    match printer.format() {
        Format::Text => printer.data(&result.text(false))?,
        Format::Json => printer.data(&format!("{}\n", result.json()))?,
    }
    verdict(&report, settings.options.fail_on)
}

/// What the migrations are compared with, and how that went.
#[derive(Debug)]
pub(super) struct Previous {
    pub(super) found: Option<FoundSet>,
    pub(super) drift: Drift,
}

impl Previous {
    /// Nothing to compare with.
    pub(super) fn none() -> Self {
        Self {
            found: None,
            drift: Drift::Off,
        }
    }
}

/// Tells what was found, beside the result of a build.
pub(super) fn tell(report: &Report, set: &MigrationSet, fail_on: Level, printer: &Printer) {
    if report.findings.is_empty() && !matches!(report.drift, Drift::First { .. } | Drift::Unchecked { .. }) {
        return;
    }
    let (excerpts, folders) = (Excerpts::read(set, &report.findings), Folders::default());
    let result = CheckResult {
        report,
        excerpts: &excerpts,
        fail_on,
        folders: &folders,
    };
    result
        .text(printer.has_colours())
        .lines()
        .for_each(|line| printer.line(line));
}

/// Where this is, and the repository it is in.
fn folders(folder: &Path) -> Folders {
    let here = std::path::absolute(".").unwrap_or_default();
    let start = std::path::absolute(folder).unwrap_or_default();
    let repository = start.ancestors().find(|above| above.join(".git").exists());
    Folders {
        repository: repository.map(Path::to_owned),
        here,
    }
}

/// Looks for what was shipped last. What cannot be reached is told in the report, and stops nobody.
pub(super) async fn previous(search: &Search<'_>) -> anyhow::Result<Previous> {
    let Some(against) = &search.settings.options.against else {
        return Ok(Previous::none());
    };
    let against = against.value.clone();
    Ok(match search.find(&against).await {
        Ok(Some(found)) => Previous {
            drift: found.compared(),
            found: Some(found),
        },
        Ok(None) => Previous {
            found: None,
            drift: Drift::First { against },
        },
        // What makes no sense will make none the next time.
        Err(error) if exit_of(&error) == Exit::Usage => return Err(error),
        Err(error) => Previous {
            found: None,
            drift: Drift::Unchecked {
                against,
                reason: told(&error),
            },
        },
    })
}

/// An error with its causes, in a line.
fn told(error: &anyhow::Error) -> String {
    let mut texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

/// Checks a set.
pub(super) fn report(
    set: &MigrationSet,
    secrets: Vec<Finding>,
    settings: &CheckSettings,
    previous: &Previous,
    only_secrets: bool,
) -> Report {
    let mut others = secrets;
    if let (Some(found), false) = (&previous.found, only_secrets) {
        others.extend(of_previous(found, settings));
    }
    collect(
        set,
        Circumstances {
            previous: previous.found.as_ref().map(|found| &found.manifest),
            drift: previous.drift.clone(),
            levels: &settings.options.levels,
            others,
            allowed_secrets: &settings.allowed_secrets,
            only_secrets,
        },
    )
}

/// The secrets a recipe would put into the image.
pub(super) fn secrets(recipe: &Recipe, settings: &CheckSettings) -> anyhow::Result<Vec<Finding>> {
    Ok(secrets_of(recipe, Path::new(""), &settings.allowed_secrets).map_err(Error::from)?)
}

/// What is to be said of the image itself.
fn of_previous(found: &FoundSet, settings: &CheckSettings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if found.is_from_layers {
        let message = format!(
            "{} has no manifest of its migrations; they were read from its layers",
            found.name
        );
        findings.push(Finding::new("D014", Place::default(), message));
    }
    if let (Some(before), Some(after)) = (&found.base, &settings.base) {
        findings.extend(drift::of_base(before, after));
    }
    findings
}

/// Whether what was found lets this go on.
pub(super) fn verdict(report: &Report, fail_on: Level) -> anyhow::Result<()> {
    let fails = |finding: &&Finding| fail_on != Level::Off && finding.level >= fail_on;
    let count = report.findings.iter().filter(fails).count();
    if count == 0 && !report.has_secret() {
        return Ok(());
    }
    let noun = if count == 1 { "finding" } else { "findings" };
    let of = match fail_on {
        Level::Error | Level::Off => "of level error".to_owned(),
        level => format!("of level {level} or above"),
    };
    let exit = if report.has_secret() {
        Exit::Refused
    } else {
        Exit::Findings
    };
    let error = CommandError::new(exit, format!("{} {noun} {of}", count.max(1)));
    Err(match report.has_secret() {
        true => error
            .hint("a secret belongs into the task's environment, from Secrets Manager: shipway check --explain S001"),
        false => error.hint("shipway check --explain CODE tells why, and how to allow what is meant"),
    }
    .into())
}
