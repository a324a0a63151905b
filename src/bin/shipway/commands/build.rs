//! `shipway build`.

use std::sync::Arc;

use shipway::build::ship;
use shipway::error::Error;
use shipway::oci::{Family, Reference};
use shipway::progress::Progress;

use super::check::{self, Previous};
use super::loads::Loads;
use super::sets::Search;
use crate::args::{BuildArguments, Engine, Format, GlobalArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::places::Places;
use crate::printer::Printer;
use crate::progress::Display;
use crate::results::{BuildResult, FileKind, ResultFiles};
use crate::settings::{self, BuildSettings, DockerfileSettings, Logins, Output};

mod checked;
mod deliveries;
mod docker;
mod dockerfile;
#[cfg(feature = "daemon")]
mod engine;
mod facts;
mod names;
mod order;
#[cfg(feature = "aws")]
mod scan;

#[cfg(feature = "aws")]
use scan::ScanGate;

use checked::CheckedDockerfile;
use deliveries::deliveries;
#[cfg(feature = "daemon")]
use docker::for_daemon;
use facts::Facts;
use names::{Name, names, repositories};
use order::order;

/// Builds, and delivers what was built.
pub(crate) async fn run(
    arguments: &BuildArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    #[cfg_attr(
        not(feature = "daemon"),
        expect(unused_mut, reason = "only a daemon has a platform of its own")
    )]
    let mut settings = BuildSettings::resolve(arguments, environment, &project)?;
    settings.notices.iter().for_each(|notice| printer.notice(notice));
    if global.password_stdin
        && settings
            .dockerfile
            .as_ref()
            .is_some_and(DockerfileSettings::reads_stdin)
    {
        return Err(CommandError::usage(
            "--password-stdin takes standard input, and so does the Dockerfile or its context",
        )
        .hint("hand one of them over as a file, or log in before: docker login")
        .into());
    }
    let logins = Logins::gather(global, environment)?;
    let facts = Facts::gather(&settings, environment, printer).await?;
    let names = names(&settings, &facts, environment)?;

    let progress: Arc<dyn Progress> = Arc::new(Display::new(printer.clone()));
    let hosts = repositories(&names)
        .iter()
        .map(|name| name.registry().to_owned())
        .collect::<Vec<_>>();
    #[cfg_attr(not(feature = "aws"), expect(unused_mut, reason = "only AWS makes repositories"))]
    let mut places = Places::new(
        global,
        environment,
        &project,
        logins.store(&hosts),
        Arc::clone(&progress),
    )?;
    #[cfg(feature = "aws")]
    if arguments.create_repository {
        places.create_repositories(&project, &repositories(&names))?;
    }
    let pushed_to = if settings.push { hosts } else { Vec::new() };
    let places = places.lax(&settings.laxity, pushed_to);
    let places = Arc::new(match settings.is_rehearsal {
        true => places.rehearsing(),
        false => places,
    });
    #[cfg(feature = "aws")]
    let gate = ScanGate::of(arguments, settings.push, &repositories(&names))?;
    #[cfg(feature = "daemon")]
    for_daemon(&mut settings, &places).await?;
    let checked = settings.checked();
    let previous = match !settings.no_check {
        true => {
            let search = Search {
                settings: &checked,
                arguments: &arguments.inputs,
                environment,
                places: &places,
                project: &facts.project,
                wants_files: false,
                platform: None,
            };
            check::previous(&search).await?
        }
        false => Previous::none(),
    };
    let previous = Arc::new(previous);
    let mut loads = Loads::default();
    let shipped = previous.found.as_ref();
    let deliveries = deliveries(&settings, &facts.project, &names, &places, shipped, &mut loads).await?;
    let files = match arguments.dry_run {
        true => None,
        false => Some(ResultFiles::prepare(&[
            (FileKind::Digest, "--digest-file", &arguments.digest_file),
            (FileKind::References, "--image-refs", &arguments.image_refs),
            (FileKind::Dotenv, "--dotenv", &arguments.dotenv),
            (FileKind::Metadata, "--metadata-file", &arguments.metadata_file),
            (
                FileKind::NamedDigests,
                "--image-name-with-digest-file",
                &arguments.kaniko.image_name_with_digest_file,
            ),
            (
                FileKind::TaggedDigests,
                "--image-name-tag-with-digest-file",
                &arguments.kaniko.image_name_tag_with_digest_file,
            ),
        ])?),
    };
    let mut built = match &settings.dockerfile {
        Some(dockerfile) if dockerfile.engine == Engine::Docker => {
            #[cfg(feature = "daemon")]
            {
                engine::build(dockerfile, &settings, &deliveries, &places).await?
            }
            #[cfg(not(feature = "daemon"))]
            return Err(settings::no_daemon("--engine docker").into());
        }
        _ => {
            let mut order = order(&settings, &facts, &places).await?;
            if let Some((prepared, set)) = &facts.prepared {
                let secrets = check::secrets(&prepared.recipe, &checked)?;
                let report = check::report(set, secrets, &checked, &previous, settings.no_check);
                check::tell(&report, set, checked.options.fail_on, printer);
                check::verdict(&report, checked.options.fail_on)?;
            }
            let verdict = Arc::default();
            if let Some(dockerfile) = &settings.dockerfile {
                order.blueprint = Arc::new(CheckedDockerfile {
                    dockerfile: order.blueprint,
                    root: dockerfile.root(),
                    settings: checked,
                    project: facts.project.clone(),
                    previous: Arc::clone(&previous),
                    printer: printer.clone(),
                    no_check: settings.no_check,
                    verdict: Arc::clone(&verdict),
                });
            }
            let built = ship(&order, &deliveries, &progress).await;
            built.map_err(|error| match verdict.lock() {
                Ok(mut verdict) => verdict.take().unwrap_or_else(|| Error::from(error).into()),
                Err(_) => Error::from(error).into(),
            })?
        }
    };
    loads.correct(&mut built.delivered);
    let pushed = if settings.push {
        repositories(&names)
    } else {
        Vec::new()
    };
    let images: Vec<Reference> = pushed
        .iter()
        .zip(&built.delivered)
        .map(|(repository, delivered)| repository.pinned(delivered.image.digest))
        .collect();
    let writes_layout = settings
        .outputs
        .iter()
        .any(|output| matches!(output, Output::Layout(_) | Output::OciArchive(_)));
    let is_the_daemons = settings
        .dockerfile
        .as_ref()
        .is_some_and(|dockerfile| dockerfile.engine == Engine::Docker);
    if writes_layout && built.root.family() == Family::Docker && !is_the_daemons {
        printer.notice(
            "the base has Docker's media types, and so has the image; some readers of layouts (skopeo, umoci) find OCI ones only: --image-format oci",
        );
    }
    let tags = names.iter().map(Name::text).collect();
    let mut result = BuildResult::of(&built, images, tags, settings.output_texts.clone());
    result.base_name = match &settings.dockerfile {
        Some(_) => built.base_name.clone(),
        None => settings.base.as_ref().map(|(name, _)| name.clone()),
    };
    result.version = facts.highest_version().map(str::to_owned);
    result.scripts = facts.set().map_or(0, |set| set.inventory.entries().len());
    let mut told = result.json();
    loads.tell(&mut told);
    #[cfg(feature = "aws")]
    if let Some(gate) = gate.filter(|_| !arguments.dry_run) {
        let scans = gate.wait(&result.scannable(), &places).await;
        scans.lines().iter().for_each(|line| printer.line(line));
        told["scans"] = scans.json();
        if let Some(verdict) = scans.verdict() {
            // The image is there, and its name is told; files are for what comes next, which must not come.
            print(printer, &result, &told)?;
            return Err(verdict);
        }
    }
    if let Some(files) = files {
        files.write(&result.summary)?;
    }
    print(printer, &result, &told)
}

fn print(printer: &Printer, result: &BuildResult<'_>, told: &serde_json::Value) -> anyhow::Result<()> {
    match printer.format() {
        Format::Text => printer.data(&result.summary.text())?,
        Format::Json => printer.data(&format!("{told}\n"))?,
    }
    Ok(())
}
