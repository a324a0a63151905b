//! `shipway inspect`.

use std::fmt::Write as _;
use std::sync::Arc;

use shipway::content::{Location, Selector, Source};
use shipway::error::Error;
use shipway::inspect::{Inspection, Shipped, inspect};
use shipway::migrations::manifest::Manifest;
use shipway::oci::Platform;
use shipway::progress::Progress;

use crate::args::{Format, GlobalArguments, InspectArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::places::Places;
use crate::printer::Printer;
use crate::progress::{Display, bytes};
use crate::settings::{self, Logins};

/// How many bytes of layers are read for migrations without being asked to.
const READ_UNASKED: u64 = 32 * 1024 * 1024;

/// Shows what an image holds.
pub(crate) async fn run(
    arguments: &InspectArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    if arguments.image == "scratch" {
        return Err(CommandError::usage(
            "scratch is no image: it stands for starting from nothing, and there is nothing to show",
        )
        .hint("name an image: REGISTRY/REPOSITORY:TAG, oci:DIR, oci-archive:FILE, docker-archive:FILE or docker-daemon:NAME")
        .into());
    }
    let location: Location = arguments.image.parse().map_err(Error::from)?;
    let wanted = match &arguments.platform {
        Some(text) => Some(
            text.parse::<Platform>()
                .map_err(|error| CommandError::usage("--platform").because(error))?,
        ),
        None => None,
    };
    let project = settings::project(global)?;
    let hosts = match &location {
        Location::Registry(reference) => vec![reference.repository.registry().to_owned()],
        _ => Vec::new(),
    };
    let store = Logins::gather(global, environment)?.store(&hosts);
    let progress: Arc<dyn Progress> = Arc::new(Display::new(printer.clone()));
    let places = Places::new(global, environment, &project, store, progress)?;
    let (source, selector) = places.source(&location).await?;
    let inspection = inspect(&source, &selector, wanted.as_ref())
        .await
        .map_err(Error::from)?;
    let migrations = migrations(arguments, &places, (&source, &selector), wanted.as_ref(), printer).await?;
    match printer.format() {
        Format::Text => {
            let mut text = text(&arguments.image, &inspection)?;
            if let Some(manifest) = &migrations {
                list(manifest, &mut text)?;
            }
            printer.data(&text)?;
        }
        Format::Json => {
            let mut value = serde_json::to_value(&inspection)?;
            value["reference"] = arguments.image.clone().into();
            value["migrations"] = serde_json::to_value(&migrations)?;
            printer.data(&format!("{value}\n"))?;
        }
    }
    Ok(())
}

/// The migrations, as the image lists them, or as its layers tell where that is not too much to read unasked.
async fn migrations(
    arguments: &InspectArguments,
    places: &Places,
    (source, selector): (&Arc<dyn Source>, &Selector),
    wanted: Option<&Platform>,
    printer: &Printer,
) -> anyhow::Result<Option<Manifest>> {
    let shipped = Shipped::open(source, selector, wanted).await.map_err(Error::from)?;
    if let Some(manifest) = shipped.manifest(&places.cache).await.map_err(Error::from)? {
        return Ok(Some(manifest));
    }
    if shipped.size_bytes() > READ_UNASKED && !arguments.migrations {
        printer.notice(&format!(
            "the image does not list its migrations; to look for them in its layers ({}), add --migrations",
            bytes(shipped.size_bytes())
        ));
        return Ok(None);
    }
    let set = shipped
        .set(&places.cache, &places.temp_folder)
        .await
        .map_err(Error::from)?;
    Ok(set.map(|set| set.manifest))
}

/// Writes a list of migrations, one line each.
fn list(manifest: &Manifest, text: &mut String) -> std::fmt::Result {
    let count = manifest.migrations.len();
    writeln!(
        text,
        "\nmigrations  {count} of {}, for {}",
        manifest.project, manifest.runner.profile
    )?;
    for migration in &manifest.migrations {
        let name = migration.version.as_deref().unwrap_or("-");
        writeln!(text, "  {name:<14} {:<40} {}", migration.description, migration.script)?;
    }
    for callback in &manifest.callbacks {
        writeln!(
            text,
            "  {:<14} {:<40} {}",
            callback.event, callback.description, callback.script
        )?;
    }
    Ok(())
}

fn text(reference: &str, inspection: &Inspection) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "{reference}")?;
    writeln!(text, "digest      {}", inspection.digest)?;
    writeln!(text, "media type  {}", inspection.media_type)?;
    if let Some(annotations) = inspection.annotations.as_object().filter(|all| !all.is_empty()) {
        writeln!(text, "annotations")?;
        for (key, value) in annotations {
            writeln!(text, "  {key} = {}", value.as_str().unwrap_or_default())?;
        }
    }
    for platform in &inspection.platforms {
        writeln!(text, "\nplatform    {}", platform.platform)?;
        writeln!(text, "manifest    {}", platform.digest)?;
        if let Some(config) = platform.config["config"].as_object() {
            writeln!(text, "config")?;
            for (key, value) in config.iter().filter(|(key, _)| *key != "Labels") {
                writeln!(text, "  {key} = {value}")?;
            }
        }
        if !platform.labels.is_empty() {
            writeln!(text, "labels")?;
            for (key, value) in &platform.labels {
                writeln!(text, "  {key} = {value}")?;
            }
        }
        writeln!(text, "layers")?;
        for layer in &platform.layers {
            let made_by = layer.created_by.as_deref().unwrap_or("-");
            let mark = if layer.new { "+" } else { " " };
            writeln!(
                text,
                "{mark} {}  {:>10}  {}",
                layer.digest.short(12),
                bytes(layer.size),
                one_line(made_by)
            )?;
            for file in layer.files.iter().flatten() {
                let link = file.link.as_ref().map(|to| format!(" -> {to}")).unwrap_or_default();
                writeln!(text, "    {} {:>10}  {}{link}", file.mode, bytes(file.size), file.path)?;
            }
        }
    }
    Ok(text)
}

/// What made a layer may be a whole shell script.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(std::iter::once('…')).collect()
}
