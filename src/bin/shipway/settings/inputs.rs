//! What goes into an image.

use std::collections::BTreeSet;
use std::path::PathBuf;

use shipway::project::Project;
use shipway::runner::{Inputs, Profile};

use super::origin::{Setting, first};
use super::texts::{addition, image_path, pairs, words};
use crate::args::InputArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

pub(super) fn profile(
    arguments: &InputArguments,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<Profile> {
    let profile = first(&[
        Setting::flag("--profile", arguments.profile.clone()),
        Setting::variable(environment, "SHIPWAY_PROFILE"),
        Setting::file("runner.profile", project.runner.profile.clone()),
    ]);
    profile.map_or(Ok(Profile::Flyway), |setting| setting.parse())
}

pub(super) fn project_name(environment: &Environment, project: &Project) -> Option<String> {
    let named = first(&[
        Setting::variable(environment, "SHIPWAY_PROJECT"),
        Setting::file("project.name", project.project.name.clone()),
    ]);
    named.map(|setting| setting.value)
}

pub(super) fn inputs(
    profile: Profile,
    arguments: &InputArguments,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<Inputs> {
    let in_folder = |text: &String| project.folder.join(text);
    // Scripts and configuration in the project file are meant for the profile it names, which a flag may replace.
    let is_meant = profile != Profile::Custom || project.runner.profile.as_deref() == Some("custom");
    let scripts = arguments
        .scripts
        .clone()
        .or_else(|| environment.path("SHIPWAY_SCRIPTS"))
        .or_else(|| project.migrations.scripts.as_ref().filter(|_| is_meant).map(in_folder));
    let config = if !arguments.config.is_empty() {
        arguments.config.clone()
    } else if let Some(list) = environment.list("SHIPWAY_CONFIG") {
        list.into_iter().map(PathBuf::from).collect()
    } else {
        project
            .migrations
            .config
            .iter()
            .flatten()
            .filter(|_| is_meant)
            .map(in_folder)
            .collect()
    };
    let drivers = if arguments.driver.is_empty() {
        let drivers = project.runner.drivers.iter().flatten();
        drivers.filter(|_| is_meant).map(in_folder).collect()
    } else {
        arguments.driver.clone()
    };
    let mut additions = Vec::new();
    if arguments.add.is_empty() {
        for addition in &project.runner.add {
            additions.push(self::addition("runner.add", in_folder(&addition.from), &addition.to)?);
        }
    }
    for text in &arguments.add {
        let Some((from, to)) = text.rsplit_once(':').filter(|(from, _)| !from.is_empty()) else {
            return Err(CommandError::usage(format!("--add {text}: not SOURCE:PATH"))
                .hint("such as --add sql:/migrations")
                .into());
        };
        additions.push(addition("--add", PathBuf::from(from), to)?);
    }
    let mut variables = project.runner.env.clone();
    variables.extend(pairs("--env", &arguments.env)?);
    if let Some(name) = variables
        .keys()
        .find(|name| name.is_empty() || name.contains(['=', '\0']))
    {
        return Err(CommandError::usage(format!("{name:?} is not the name of an environment variable")).into());
    }
    let workdir = match (&arguments.workdir, &project.runner.workdir) {
        (Some(text), _) => Some(image_path("--workdir", text)?),
        (None, Some(text)) => Some(image_path("runner.workdir", text)?),
        (None, None) => None,
    };
    Ok(Inputs {
        scripts,
        config,
        drivers,
        additions,
        environment: variables,
        working_directory: workdir,
        user: arguments.user.clone().or_else(|| project.runner.user.clone()),
        entrypoint: match &arguments.entrypoint {
            Some(text) => Some(words("--entrypoint", text)?),
            None => project.runner.entrypoint.clone(),
        },
        command: match &arguments.cmd {
            Some(text) => Some(words("--cmd", text)?),
            None => project.runner.command.clone(),
        },
    })
}

/// Secrets that may go into the image: each a file and a key in it.
pub(super) fn allowed_secrets(texts: &[String]) -> anyhow::Result<BTreeSet<(String, String)>> {
    texts
        .iter()
        .map(|text| match text.rsplit_once(':') {
            Some((path, key)) if !path.is_empty() && !key.is_empty() => Ok((path.to_owned(), key.to_owned())),
            _ => Err(CommandError::usage(format!("--allow-secret {text}: not PATH:KEY"))
                .hint("as the finding names them, such as --allow-secret conf/flyway.conf:flyway.password")
                .into()),
        })
        .collect()
}
