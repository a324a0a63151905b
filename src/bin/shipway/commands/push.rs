//! `shipway push`.

use shipway::content::Location;

use super::copy::Work;
use crate::args::{GlobalArguments, PushArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::printer::Printer;
use crate::settings::{self, CopySettings, CopyTarget};

/// Pushes an image that is in a layout, an archive or the Docker daemon.
pub(crate) async fn run(
    arguments: &PushArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    let PushArguments {
        source,
        targets,
        options,
    } = arguments;
    let settings = CopySettings::resolve(source, targets, options, &project)?;
    if let Location::Registry(_) = settings.source {
        let error = CommandError::usage(format!(
            "{source} is an image in a registry, and push takes a layout, an archive or an image of the Docker daemon"
        ));
        let is_folder = std::path::Path::new(source).is_dir();
        return Err(match is_folder {
            true => error.hint(format!("for the layout in that folder: oci:{source}")),
            false => error.hint("between registries: shipway copy"),
        }
        .into());
    }
    let is_repository = |target: &CopyTarget| matches!(target, CopyTarget::Registry(..));
    if let Some(index) = settings.targets.iter().position(|target| !is_repository(target)) {
        let message = format!("{} is no repository, and push goes to registries", targets[index]);
        return Err(CommandError::usage(message)
            .hint("to write layouts and archives: shipway copy")
            .into());
    }
    let work = Work {
        source,
        outputs: Vec::new(),
        settings,
        options,
    };
    work.run(&project, global, environment, printer).await
}
