//! `shipway diff`.

use std::sync::Arc;

use shipway::migrations::compare::Comparison;
use shipway::progress::Progress;

use super::origin::{project_name, provenance};
use super::sets::{FoundSet, Search, hosts};
use crate::args::{CheckOptions, DiffArguments, DiffFormat, Format, GlobalArguments};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit};
use crate::places::Places;
use crate::printer::Printer;
use crate::progress::Display;
use crate::results::{DiffResult, DiffSide};
use crate::settings::{self, CheckSettings, Logins};

/// Shows how two sets of migrations differ.
pub(crate) async fn run(
    arguments: &DiffArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    let settings = CheckSettings::resolve(&CheckOptions::default(), &arguments.inputs, environment, &project)?;
    let logins = Logins::gather(global, environment)?;
    let progress: Arc<dyn Progress> = Arc::new(Display::new(printer.clone()));
    let store = logins.store(&hosts([arguments.before.as_str(), &arguments.after], &settings));
    let places = Places::new(global, environment, &project, store, progress)?;
    let provenance = provenance(&settings.folder, environment, printer).await?;
    let name = project_name(settings.project.as_deref(), provenance.as_ref(), &settings.folder);
    let search = Search {
        settings: &settings,
        arguments: &arguments.inputs,
        environment,
        places: &places,
        project: &name,
        wants_files: arguments.patch,
    };
    let before = find(&search, &arguments.before).await?;
    let after = find(&search, &arguments.after).await?;
    let comparison = Comparison::of(&before.manifest, &after.manifest);
    let (old, new) = (side(&before), side(&after));
    let result = DiffResult {
        before: &old,
        after: &new,
        comparison: &comparison,
        patch: arguments.patch,
    };
    printer.data(&match (printer.format(), arguments.style) {
        (Format::Json, _) => result.json()?,
        (Format::Text, DiffFormat::Text) => result.text()?,
        (Format::Text, DiffFormat::Markdown) => result.markdown()?,
    })?;
    if arguments.exit_code && comparison.breaks_shipped() {
        return Err(CommandError::new(Exit::Findings, "something that was shipped has changed").into());
    }
    Ok(())
}

async fn find(search: &Search<'_>, name: &str) -> anyhow::Result<FoundSet> {
    let nothing = || {
        CommandError::usage(format!("{name}: there are no migrations under this name"))
            .hint("name an image, a git revision (git:REV), or a folder (./DIR)")
    };
    Ok(search.find(name).await?.ok_or_else(nothing)?)
}

fn side(found: &FoundSet) -> DiffSide<'_> {
    DiffSide {
        name: &found.name,
        identity: found.identity.as_deref(),
        manifest: &found.manifest,
        set: found.set.as_deref(),
    }
}
