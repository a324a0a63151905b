//! What is to be done, settled: flags over environment over `shipway.toml` over defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shipway::build::Platforms;
use shipway::content::{Location, TagRule};
use shipway::error::Error;
use shipway::oci::{Family, Platform};
use shipway::project::Project;
use shipway::runner::{Inputs, Profile};

use crate::args::{BuildArguments, GlobalArguments, ImageFormat};
use crate::environment::Environment;
use crate::failure::CommandError;

#[cfg(feature = "aws")]
mod aws;
mod check;
mod copy;
#[cfg(feature = "daemon")]
mod daemon;
mod dockerfile;
#[cfg(any(feature = "aws", feature = "daemon"))]
mod given;
mod inputs;
mod kaniko;
#[cfg(feature = "aws")]
mod lambda;
mod origin;
mod output;
mod registries;
#[cfg(feature = "daemon")]
mod run;
#[cfg(feature = "aws")]
mod task;
mod texts;

#[cfg(feature = "aws")]
pub(crate) use aws::{Identities, repository};
pub(crate) use check::{CheckLevels, CheckSettings};
pub(crate) use copy::{CopySettings, CopyTarget, bare_tag, location, required, rule};
#[cfg(feature = "daemon")]
pub(crate) use daemon::surroundings;
pub(crate) use dockerfile::{ContextLocation, DockerfileSettings};
pub(crate) use kaniko::Laxity;
#[cfg(feature = "aws")]
pub(crate) use lambda::LambdaSettings;
pub(crate) use output::Output;
#[cfg(not(feature = "daemon"))]
pub(crate) use output::no_daemon;
pub(crate) use registries::{Logins, registries};
#[cfg(feature = "daemon")]
pub(crate) use run::RunSettings;

#[cfg(feature = "aws")]
pub(crate) use task::{Lock, Reach, TaskSettings, Via, pipeline_run_id};

use origin::{Setting, first};
use texts::pairs;

/// The project file looked for where no other is named.
pub(crate) const PROJECT_FILE: &str = "shipway.toml";

/// What `shipway build` is to do.
#[derive(Debug)]
pub(crate) struct BuildSettings {
    /// The project's name, if somebody said it.
    pub(crate) project: Option<String>,
    pub(crate) folder: PathBuf,
    /// What is built from a Dockerfile; profile, inputs and base say nothing then.
    pub(crate) dockerfile: Option<DockerfileSettings>,
    pub(crate) profile: Profile,
    pub(crate) inputs: Inputs,
    /// The base as written, and where it is; `None` to start from nothing.
    pub(crate) base: Option<(String, Location)>,
    pub(crate) platforms: Platforms,
    pub(crate) family: Option<Family>,
    pub(crate) repository: Option<String>,
    /// Names and tags, templates not filled in yet.
    pub(crate) tags: Vec<Setting<String>>,
    pub(crate) push: bool,
    pub(crate) outputs: Vec<Output>,
    /// The same as text.
    pub(crate) output_texts: Vec<String>,
    /// Whether nothing is written but the files of results.
    pub(crate) is_rehearsal: bool,
    /// How careless to be with registries.
    pub(crate) laxity: Laxity,
    /// Secrets that may go into the image: each a file and a key in it.
    pub(crate) allowed_secrets: BTreeSet<(String, String)>,
    /// What is looked for in the migrations.
    pub(crate) check: CheckLevels,
    /// Whether nothing is looked for but secrets.
    pub(crate) no_check: bool,
    /// What the user should know before anything is done.
    pub(crate) notices: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) version: Option<String>,
    pub(crate) rule: TagRule,
    pub(crate) source_date_epoch: Option<u64>,
}

/// Reads the project file, if there is one.
pub(crate) fn project(arguments: &GlobalArguments) -> anyhow::Result<Project> {
    let path = arguments
        .project_file
        .clone()
        .unwrap_or_else(|| PathBuf::from(PROJECT_FILE));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && arguments.project_file.is_none() => String::new(),
        Err(error) => {
            return Err(
                CommandError::usage(format!("cannot read the project file {}", path.display()))
                    .hint("name another with --project-file; without one the flags say it all")
                    .because(error)
                    .into(),
            );
        }
    };
    Ok(Project::parse(&text, &path).map_err(Error::from)?)
}

/// Reads a project file that is there.
pub(crate) fn project_at(path: &Path) -> anyhow::Result<Project> {
    let read = fs::read_to_string(path);
    let text = read.map_err(|error| CommandError::usage(format!("cannot read {}", path.display())).because(error))?;
    Ok(Project::parse(&text, path).map_err(Error::from)?)
}

impl BuildSettings {
    /// Settles everything about one build.
    pub(crate) fn resolve(
        arguments: &BuildArguments,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Self> {
        let dockerfile = dockerfile::settle(arguments, environment, project)?;
        let (profile, inputs, base) = match &dockerfile {
            Some(_) => (Profile::Custom, Inputs::default(), None),
            None => {
                let profile = inputs::profile(&arguments.inputs, environment, project)?;
                let inputs = inputs::inputs(profile, &arguments.inputs, environment, project)?;
                let base = base(profile, arguments.base.clone(), environment, project)?;
                (profile, inputs, base)
            }
        };
        let drivers = inputs::drivers(profile, &inputs, base.as_ref())?;
        let no_push = kaniko::no_push(arguments, environment)?;
        if no_push && arguments.push {
            return Err(CommandError::usage("--push and --no-push exclude each other").into());
        }
        let push = (arguments.push || !arguments.destination.is_empty()) && !no_push;
        let output_texts = output::texts(arguments);
        let outputs = output::outputs(&output_texts)?;
        let goes_nowhere = !push && outputs.is_empty();
        if goes_nowhere && !arguments.dry_run && !no_push {
            return Err(CommandError::usage("the image would go nowhere")
                .hint("push it with --push, write it with --output oci:DIR, or only look with --dry-run")
                .into());
        }
        let laxity = kaniko::laxity(arguments, environment)?;
        let mut notices: Vec<String> = kaniko::ignored(arguments).into_iter().collect();
        notices.extend(laxity.notices());
        notices.extend(drivers);
        let mut labels = project.image.labels.clone();
        labels.extend(pairs("--label", &arguments.label)?);
        let mut annotations = project.image.annotations.clone();
        annotations.extend(pairs("--annotation", &arguments.annotation)?);
        let version = first(&[
            Setting::flag("--image-version", arguments.image_version.clone()),
            Setting::variable(environment, "SHIPWAY_IMAGE_VERSION"),
            Setting::file("image.version", project.image.version.clone()),
        ]);
        let repository = first(&[
            Setting::variable(environment, "SHIPWAY_REPOSITORY"),
            Setting::file("image.repository", project.image.repository.clone()),
        ]);
        Ok(Self {
            project: inputs::project_name(environment, project),
            folder: project.folder.clone(),
            dockerfile,
            profile,
            inputs,
            base,
            platforms: platforms(arguments, environment, project)?,
            family: family(arguments, environment, project)?,
            repository: repository.map(|setting| setting.value),
            tags: tags(arguments, environment, project),
            push,
            outputs,
            output_texts,
            is_rehearsal: arguments.dry_run || goes_nowhere,
            laxity,
            allowed_secrets: inputs::allowed_secrets(&arguments.inputs.allow_secret)?,
            check: CheckLevels::resolve(&arguments.check, environment, project)?,
            no_check: arguments.no_check,
            notices,
            labels,
            annotations,
            version: version.map(|setting| setting.value),
            rule: rule(project, arguments.move_tags),
            source_date_epoch: source_date_epoch(environment)?,
        })
    }
}

/// The base as written, and where it is; `None` to start from nothing.
pub(crate) fn base(
    profile: Profile,
    flag: Option<String>,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<Option<(String, Location)>> {
    let setting = first(&[
        Setting::flag("--base", flag),
        Setting::variable(environment, "SHIPWAY_BASE"),
        Setting::file("runner.base", project.runner.base.clone()),
    ]);
    let Some(setting) = setting else {
        let error = CommandError::usage("there is no image to build on").hint(
            "name it with --base REF, or base under [runner] in shipway.toml; --base scratch starts from nothing",
        );
        return Err(error.hint(inputs::usual_base(profile)).into());
    };
    if setting.value == "scratch" {
        return Ok(None);
    }
    let mut location: Location = setting.parse()?;
    // Paths in the project file are relative to it.
    if setting.is_from_file()
        && let Location::Layout(path, _) | Location::OciArchive(path, _) | Location::DockerArchive(path, _) =
            &mut location
    {
        *path = project.folder.join(&*path);
    }
    Ok(Some((setting.value, location)))
}

fn platforms(arguments: &BuildArguments, environment: &Environment, project: &Project) -> anyhow::Result<Platforms> {
    let list = first(&[
        Setting::flag(
            "--platform",
            Some(arguments.platform.clone()).filter(|list| !list.is_empty()),
        ),
        Setting::flag(
            "--custom-platform",
            arguments.kaniko.custom_platform.clone().map(|platform| vec![platform]),
        ),
        Setting::variable_list(environment, "SHIPWAY_PLATFORMS"),
        Setting::file("image.platforms", project.image.platforms.clone()),
    ]);
    list.map_or(Ok(Platforms::Default), |setting| platform_list(&setting))
}

/// Platforms, or `all`. Each item may be several, separated by commas.
fn platform_list(setting: &Setting<Vec<String>>) -> anyhow::Result<Platforms> {
    let names: Vec<&str> = setting.value.iter().flat_map(|item| item.split(',')).collect();
    if names == ["all"] {
        return Ok(Platforms::All);
    }
    let mut platforms: Vec<Platform> = Vec::new();
    for name in names {
        let platform: Platform = setting.with(name.trim().to_owned()).parse()?;
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(if platforms.is_empty() {
        Platforms::Default
    } else {
        Platforms::List(platforms)
    })
}

fn family(arguments: &BuildArguments, environment: &Environment, project: &Project) -> anyhow::Result<Option<Family>> {
    if let Some(format) = arguments.image_format {
        return Ok(match format {
            ImageFormat::Auto => None,
            ImageFormat::Oci => Some(Family::Oci),
            ImageFormat::Docker => Some(Family::Docker),
        });
    }
    let setting = first(&[
        Setting::variable(environment, "SHIPWAY_IMAGE_FORMAT"),
        Setting::file("image.format", project.image.format.clone()),
    ]);
    match setting.as_ref().map(|setting| setting.value.as_str()) {
        None | Some("auto") => Ok(None),
        Some("oci") => Ok(Some(Family::Oci)),
        Some("docker") => Ok(Some(Family::Docker)),
        Some(other) => Err(CommandError::usage(format!("{other:?} is not an image format"))
            .hint("the formats are: auto, oci, docker")
            .into()),
    }
}

fn tags(arguments: &BuildArguments, environment: &Environment, project: &Project) -> Vec<Setting<String>> {
    if !arguments.tag.is_empty() || !arguments.destination.is_empty() {
        let tags = arguments.tag.iter().map(|tag| ("--tag", tag));
        let destinations = arguments.destination.iter().map(|name| ("--destination", name));
        return tags
            .chain(destinations)
            .filter_map(|(flag, text)| Setting::flag(flag, Some(text.clone())))
            .collect();
    }
    usual_tags(environment, project)
}

/// The tags where no flag names any.
pub(crate) fn usual_tags(environment: &Environment, project: &Project) -> Vec<Setting<String>> {
    let list = first(&[
        Setting::variable_list(environment, "SHIPWAY_TAGS"),
        Setting::file("image.tags", project.image.tags.clone()),
    ]);
    list.map(|setting| setting.value.iter().map(|tag| setting.with(tag.clone())).collect())
        .unwrap_or_default()
}

fn source_date_epoch(environment: &Environment) -> anyhow::Result<Option<u64>> {
    let Some(text) = environment.get("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) => Ok(Some(seconds)),
        Err(_) => Err(CommandError::usage(format!(
            "SOURCE_DATE_EPOCH is {text:?}, not a number of seconds since 1970"
        ))
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Arguments, Command};

    fn settle(flags: &[&str], variables: &[(&str, &str)], file: &str) -> anyhow::Result<BuildSettings> {
        let words = ["shipway", "build", "--dry-run"].iter().chain(flags);
        let arguments = Arguments::try_parse_from(words).expect("arguments");
        let Command::Build(build) = arguments.command else {
            panic!("build")
        };
        let project = Project::parse(file, Path::new("/p/shipway.toml")).expect("project");
        BuildSettings::resolve(&build, &Environment::of(variables), &project)
    }

    const FILE: &str =
        "[project]\nname='p'\n[runner]\nbase='a.b/file'\n[image]\nrepository='a.b/r'\ntags=['t']\nplatforms='all'\n";

    #[test]
    fn flags_win_over_variables_over_the_file() {
        let base = |settings: BuildSettings| settings.base.expect("base").0;
        assert_eq!(base(settle(&[], &[], FILE).expect("file")), "a.b/file");
        let variables = [("SHIPWAY_BASE", "a.b/variable")];
        assert_eq!(base(settle(&[], &variables, FILE).expect("variable")), "a.b/variable");
        assert_eq!(
            base(settle(&["--base", "a.b/flag"], &variables, FILE).expect("flag")),
            "a.b/flag"
        );
        assert!(
            settle(&["--base", "scratch"], &[], FILE)
                .expect("scratch")
                .base
                .is_none()
        );
    }

    #[test]
    fn tags_of_flags_replace_the_files() {
        let tags = |settings: BuildSettings| settings.tags.into_iter().map(|tag| tag.value).collect::<Vec<_>>();
        assert_eq!(tags(settle(&[], &[], FILE).expect("file")), ["t"]);
        let settings = settle(&["-t", "x", "--destination", "c.d/e:f"], &[], FILE).expect("flags");
        assert!(settings.push);
        assert_eq!(tags(settings), ["x", "c.d/e:f"]);
    }

    #[test]
    fn paths_of_the_file_are_relative_to_it() {
        let file = "[project]\nname='p'\n[migrations]\nscripts='sql'\nconfig='c'\n[runner]\nbase='oci:base'\n";
        let settings = settle(&[], &[], file).expect("settings");
        assert_eq!(settings.inputs.scripts, Some(PathBuf::from("/p/sql")));
        assert_eq!(settings.inputs.config, [PathBuf::from("/p/c")]);
        assert!(matches!(settings.base, Some((_, Location::Layout(path, _))) if path == Path::new("/p/base")));
    }

    #[test]
    fn an_error_names_where_the_value_came_from() {
        let error = settle(&["--platform", "amd64"], &[], FILE).expect_err("platform");
        assert!(format!("{error:#}").contains("--platform"), "{error:#}");
        let error = settle(&[], &[("SHIPWAY_PROFILE", "fly")], FILE).expect_err("profile");
        assert!(format!("{error:#}").contains("SHIPWAY_PROFILE"), "{error:#}");
        let error = settle(&[], &[("SOURCE_DATE_EPOCH", "-1")], FILE).expect_err("time");
        assert!(format!("{error:#}").contains("SOURCE_DATE_EPOCH"), "{error:#}");
    }

    #[test]
    fn platforms_are_a_list_or_all() {
        assert_eq!(settle(&[], &[], FILE).expect("all").platforms, Platforms::All);
        let settings = settle(
            &["--platform", "linux/arm64,linux/amd64", "--platform", "linux/arm64"],
            &[],
            FILE,
        );
        let Platforms::List(list) = settings.expect("list").platforms else {
            panic!("list")
        };
        assert_eq!(list.len(), 2);
    }
}
