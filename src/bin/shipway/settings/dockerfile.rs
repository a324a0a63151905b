//! What is built from a Dockerfile, if anything is.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use shipway::project::Project;

use super::origin::{Setting, first};
use crate::args::{BuildArguments, Engine};
use crate::environment::Environment;
use crate::failure::CommandError;

/// The name of standard input.
const STDIN: &str = "-";

/// What is built from a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DockerfileSettings {
    /// The Dockerfile, `-` for standard input; `None` for the one that is called so in the context.
    pub(crate) dockerfile: Option<PathBuf>,
    /// What it copies from.
    pub(crate) context: ContextLocation,
    /// The stage, by name or number.
    pub(crate) target: Option<String>,
    /// Values of `ARG`s.
    pub(crate) arguments: BTreeMap<String, String>,
    /// What `--from` and `FROM` know by a name.
    pub(crate) contexts: BTreeMap<String, String>,
    /// Whether files of the context keep their modes.
    pub(crate) preserve_modes: bool,
    /// Who builds.
    pub(crate) engine: Engine,
    /// The network of `RUN`, where a daemon builds.
    pub(crate) network: Option<String>,
}

impl DockerfileSettings {
    /// Whether standard input is the Dockerfile or its context.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.context == ContextLocation::Stdin || self.dockerfile.as_deref() == Some(Path::new(STDIN))
    }
}

/// Where a build context is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContextLocation {
    /// A folder.
    Folder(PathBuf),
    /// A tar archive, compressed or not.
    Archive(PathBuf),
    /// A tar archive on standard input.
    Stdin,
}

impl fmt::Display for ContextLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Archive(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// Settles what is built from a Dockerfile; `None` if nothing is.
pub(super) fn settle(
    arguments: &BuildArguments,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<Option<DockerfileSettings>> {
    let (given, section) = (&arguments.dockerfile, &project.dockerfile);
    let path = first(&[
        Setting::flag("--dockerfile", given.dockerfile.clone()),
        Setting::variable(environment, "SHIPWAY_DOCKERFILE"),
        Setting::file("dockerfile.path", section.path.clone()),
    ]);
    let context = first(&[
        Setting::flag("--context", given.context.clone()),
        Setting::variable(environment, "SHIPWAY_CONTEXT"),
        Setting::file("dockerfile.context", section.context.clone()),
    ]);
    // A context alone in the project file waits for a Dockerfile.
    let said = path
        .as_ref()
        .or_else(|| context.as_ref().filter(|context| !context.is_from_file()));
    let Some(said) = said else {
        needs_dockerfile(arguments)?;
        return Ok(None);
    };
    exclusive(&said.origin.to_string(), said.is_from_file(), arguments, project)?;
    let context = match &context {
        None => ContextLocation::Folder(PathBuf::from(".")),
        Some(setting) => self::context(setting, project)?,
    };
    let context = within(context, arguments.kaniko.context_sub_path.as_deref())?;
    let dockerfile = match &path {
        None => None,
        Some(setting) => Some(dockerfile(setting, &context, project)?),
    };
    let target = first(&[
        Setting::flag("--target", given.target.clone()),
        Setting::variable(environment, "SHIPWAY_TARGET"),
        Setting::file("dockerfile.target", section.target.clone()),
    ]);
    let mut values = section.args.clone();
    values.extend(build_arguments(&given.build_arg, environment)?);
    let mut contexts = BTreeMap::new();
    for (name, value) in &section.contexts {
        contexts.insert(name.clone(), in_folder(value, project));
    }
    contexts.extend(super::texts::pairs("--build-context", &given.build_context)?);
    if given.network.is_some() && given.engine != Some(Engine::Docker) {
        return Err(CommandError::usage("--network is for RUN, which only --engine docker does").into());
    }
    Ok(Some(DockerfileSettings {
        dockerfile,
        context,
        target: target.map(|setting| setting.value),
        arguments: values,
        contexts,
        preserve_modes: given.preserve_modes,
        engine: given.engine.unwrap_or(Engine::Shipway),
        network: given.network.clone(),
    }))
}

/// Refuses flags that mean nothing without a Dockerfile.
fn needs_dockerfile(arguments: &BuildArguments) -> anyhow::Result<()> {
    let given = &arguments.dockerfile;
    let flags = [
        ("--target", given.target.is_some()),
        ("--build-arg", !given.build_arg.is_empty()),
        ("--build-context", !given.build_context.is_empty()),
        ("--preserve-modes", given.preserve_modes),
        ("--engine", given.engine.is_some()),
        ("--network", given.network.is_some()),
        ("--context-sub-path", arguments.kaniko.context_sub_path.is_some()),
    ];
    match flags.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(
            CommandError::usage(format!("{flag} is for Dockerfiles, and none is named"))
                .hint("name it with --dockerfile FILE, and the folder it copies from with --context DIR")
                .into(),
        ),
    }
}

/// Refuses what says in another way what goes into the image.
fn exclusive(said: &str, is_from_file: bool, arguments: &BuildArguments, project: &Project) -> anyhow::Result<()> {
    let flags = [
        ("--scripts", arguments.inputs.scripts.is_some()),
        ("--config", !arguments.inputs.config.is_empty()),
        ("--profile", arguments.inputs.profile.is_some()),
        ("--base", arguments.base.is_some()),
        ("--add", !arguments.inputs.add.is_empty()),
        ("--workdir", arguments.inputs.workdir.is_some()),
        ("--env", !arguments.inputs.env.is_empty()),
        ("--user", arguments.inputs.user.is_some()),
        ("--entrypoint", arguments.inputs.entrypoint.is_some()),
        ("--cmd", arguments.inputs.cmd.is_some()),
    ];
    let keys = [
        (
            "migrations.scripts in the project file",
            project.migrations.scripts.is_some(),
        ),
        ("runner.base in the project file", project.runner.base.is_some()),
        ("runner.profile in the project file", project.runner.profile.is_some()),
    ];
    // What is said on the command line replaces the file; two ways in one file are a mistake.
    let keys = keys.iter().filter(|_| is_from_file);
    match flags.iter().chain(keys).find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((other, _)) => Err(CommandError::usage(format!("{said} and {other} exclude each other"))
            .hint("a Dockerfile says itself what goes into the image, and on what")
            .into()),
    }
}

/// A path of the project file is meant from there.
fn in_folder(text: &str, project: &Project) -> String {
    match text.contains("://") {
        true => text.to_owned(),
        false => project.folder.join(text).to_string_lossy().into_owned(),
    }
}

fn context(setting: &Setting<String>, project: &Project) -> anyhow::Result<ContextLocation> {
    let text = &setting.value;
    let path = |path: &str| match setting.is_from_file() {
        true => project.folder.join(path),
        false => PathBuf::from(path),
    };
    let wrong = |message: &str, hint: &str| {
        let error = CommandError::usage(format!("{}: {text:?}: {message}", setting.origin));
        Err(error.hint(hint).into())
    };
    match text.split_once("://") {
        _ if text == STDIN => Ok(ContextLocation::Stdin),
        None => Ok(ContextLocation::Folder(path(text))),
        Some(("dir", "") | ("tar", "")) => {
            wrong("names nothing", "such as dir:///builds/orders or tar://context.tar.gz")
        }
        Some(("dir", folder)) => Ok(ContextLocation::Folder(path(folder))),
        Some(("tar", "stdin")) => Ok(ContextLocation::Stdin),
        Some(("tar", file)) => Ok(ContextLocation::Archive(path(file))),
        Some(("git", _)) => wrong(
            "shipway clones no repository",
            "in a CI job it is there already: --context . or --context $CI_PROJECT_DIR; elsewhere git clone it first",
        ),
        Some((scheme @ ("s3" | "gs" | "http" | "https"), _)) => wrong(
            &format!("shipway fetches no context over {scheme}://"),
            "fetch it first, and hand it over: --context tar://FILE, or --context - for standard input",
        ),
        Some(_) => wrong(
            "not a kind of context",
            "a folder, dir://DIR, tar://FILE, or - for standard input",
        ),
    }
}

/// The context below the context.
fn within(context: ContextLocation, below: Option<&Path>) -> anyhow::Result<ContextLocation> {
    let Some(below) = below else { return Ok(context) };
    match context {
        ContextLocation::Folder(folder) if below.is_relative() => Ok(ContextLocation::Folder(folder.join(below))),
        ContextLocation::Folder(_) => Err(CommandError::usage(format!(
            "--context-sub-path {}: not a path below the context",
            below.display()
        ))
        .hint("such as --context-sub-path database")
        .into()),
        ContextLocation::Archive(_) | ContextLocation::Stdin => Err(CommandError::usage(
            "--context-sub-path is for folders, and the context is an archive",
        )
        .hint("make the archive of that folder alone")
        .into()),
    }
}

fn dockerfile(setting: &Setting<String>, context: &ContextLocation, project: &Project) -> anyhow::Result<PathBuf> {
    let text = &setting.value;
    let wrong = |message: &str, hint: &str| {
        let error = CommandError::usage(format!("{}: {text:?}: {message}", setting.origin));
        Err(error.hint(hint).into())
    };
    if text == STDIN && *context == ContextLocation::Stdin {
        return wrong(
            "the context is on standard input already",
            "name a Dockerfile in the context, or hand one of the two over as a file",
        );
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return wrong(
            "shipway fetches no Dockerfile",
            "fetch it first: curl … | shipway build --dockerfile - …",
        );
    }
    Ok(match setting.is_from_file() && text != STDIN {
        true => project.folder.join(text),
        false => PathBuf::from(text),
    })
}

/// Values of arguments; one without a value has that of the environment, if there is one.
fn build_arguments(texts: &[String], environment: &Environment) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for text in texts {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text.as_str(), environment.any(text)),
        };
        if name.is_empty() {
            return Err(CommandError::usage(format!("--build-arg {text}: not NAME=VALUE, nor NAME")).into());
        }
        match value {
            Some(value) => values.insert(name.to_owned(), value.to_owned()),
            None => values.remove(name),
        };
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
