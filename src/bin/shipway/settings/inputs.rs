//! What goes into an image.

use std::collections::BTreeSet;
use std::path::PathBuf;

use shipway::content::Location;
use shipway::project::Project;
use shipway::runner::{Drivers, Inputs, Profile};

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

/// Which image there is to build on.
pub(super) fn usual_base(profile: Profile) -> String {
    match (profile, profile.usual_base()) {
        (_, Some(base)) => format!("such as {base}"),
        (Profile::Goose, None) => {
            "goose has no image of its makers: use one of your own that has goose in its PATH".to_owned()
        }
        (_, None) => "the custom profile works on any image".to_owned(),
    }
}

/// Refuses an image that could not speak to a database; returns what to say where that is not known.
pub(super) fn drivers(
    profile: Profile,
    inputs: &Inputs,
    base: Option<&(String, Location)>,
) -> anyhow::Result<Option<String>> {
    let Some((name, _)) = base else { return Ok(None) };
    match profile.drivers_on(name, inputs) {
        Drivers::Enough => Ok(None),
        Drivers::Unknown => Ok(Some(format!(
            "Liquibase has no drivers of its own since version 5, and none is given: {name} must have them"
        ))),
        Drivers::None => Err(CommandError::usage(format!("{name} has no drivers of databases, and none is given"))
            .hint("give it the jar of yours: --driver postgresql-42.7.8.jar, or drivers under [runner] in shipway.toml")
            .hint("Liquibase brings drivers up to version 4: --base liquibase/liquibase:4.33")
            .into()),
    }
}
