//! What is checked, and at which levels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use shipway::migrations::check::{Level, RULES, Rule};
use shipway::project::Project;
use shipway::runner::{Inputs, Profile};
use shipway::sql::Dialect;

use super::origin::{Setting, first};
use super::{BuildSettings, inputs};
use crate::args::{CheckOptions, InputArguments};
use crate::environment::Environment;
use crate::failure::CommandError;

/// What a set of migrations is checked for, and what it is made of.
#[derive(Debug, Clone)]
pub(crate) struct CheckSettings {
    /// The project's name, if somebody said it.
    pub(crate) project: Option<String>,
    pub(crate) folder: PathBuf,
    pub(crate) profile: Profile,
    pub(crate) inputs: Inputs,
    /// The repository of the image, if it has one.
    pub(crate) repository: Option<String>,
    /// The base as written, if somebody said it.
    pub(crate) base: Option<String>,
    pub(crate) options: CheckLevels,
    pub(crate) allowed_secrets: BTreeSet<(String, String)>,
}

/// What is looked for, and how bad it is.
#[derive(Debug, Clone)]
pub(crate) struct CheckLevels {
    /// What the migrations are compared with; `None` for nothing.
    pub(crate) against: Option<Setting<String>>,
    /// The database they are for.
    pub(crate) database: Option<Dialect>,
    /// Names of placeholders that get a value when the image runs.
    pub(crate) placeholders: Vec<String>,
    /// The least level that fails; `Off` if none does.
    pub(crate) fail_on: Level,
    /// The levels of rules, by code.
    pub(crate) levels: BTreeMap<String, Level>,
}

impl CheckSettings {
    /// Settles what is checked.
    pub(crate) fn resolve(
        options: &CheckOptions,
        arguments: &InputArguments,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Self> {
        let profile = inputs::profile(arguments, environment, project)?;
        let repository = first(&[
            Setting::variable(environment, "SHIPWAY_REPOSITORY"),
            Setting::file("image.repository", project.image.repository.clone()),
        ]);
        let base = first(&[
            Setting::variable(environment, "SHIPWAY_BASE"),
            Setting::file("runner.base", project.runner.base.clone()),
        ]);
        Ok(Self {
            project: inputs::project_name(environment, project),
            folder: project.folder.clone(),
            profile,
            inputs: inputs::inputs(profile, arguments, environment, project)?,
            repository: repository.map(|setting| setting.value),
            base: base.map(|setting| setting.value),
            options: CheckLevels::resolve(options, environment, project)?,
            allowed_secrets: inputs::allowed_secrets(&arguments.allow_secret)?,
        })
    }
}

impl BuildSettings {
    /// What is checked before a build.
    pub(crate) fn checked(&self) -> CheckSettings {
        CheckSettings {
            project: self.project.clone(),
            folder: self.folder.clone(),
            profile: self.profile,
            inputs: self.inputs.clone(),
            repository: self.repository.clone(),
            base: self.base.as_ref().map(|(text, _)| text.clone()),
            options: self.check.clone(),
            allowed_secrets: self.allowed_secrets.clone(),
        }
    }
}

impl CheckLevels {
    /// Settles what is looked for.
    pub(crate) fn resolve(
        options: &CheckOptions,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Self> {
        let against = first(&[
            Setting::flag("--against", options.against.clone()),
            Setting::variable(environment, "SHIPWAY_AGAINST"),
            Setting::file("check.against", project.check.against.clone()),
        ]);
        let database = first(&[
            Setting::flag("--database", options.database.clone()),
            Setting::file("check.database", project.check.database.clone()),
        ]);
        let fail_on = first(&[
            Setting::flag("--fail-on", options.fail_on.clone()),
            Setting::file("check.fail_on", project.check.fail_on.clone()),
        ]);
        let mut levels = BTreeMap::new();
        for (code, level) in &project.check.rules {
            insert("check.rules in the project file", code, level, &mut levels)?;
        }
        for text in &options.rule {
            let (code, level) = text.split_once('=').unwrap_or((text, ""));
            insert("--rule", code, level, &mut levels)?;
        }
        Ok(Self {
            against: against.filter(|setting| setting.value != "none"),
            database: database.map(|setting| parsed(&setting)).transpose()?,
            placeholders: match options.placeholder.is_empty() {
                true => project.check.placeholders.clone().unwrap_or_default(),
                false => options.placeholder.clone(),
            },
            fail_on: fail_on.map_or(Ok(Level::Error), |setting| parsed(&setting))?,
            levels,
        })
    }
}

fn parsed<T>(setting: &Setting<String>) -> anyhow::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let wrong = |error| CommandError::usage(setting.origin.to_string()).because(error);
    Ok(setting.value.parse().map_err(wrong)?)
}

fn insert(origin: &str, code: &str, level: &str, levels: &mut BTreeMap<String, Level>) -> anyhow::Result<()> {
    let wrong = || CommandError::usage(format!("{origin}: {code} = {level:?} cannot be used"));
    let code = code.to_ascii_uppercase();
    let Some(rule) = Rule::of_code(&code) else {
        let (first, last) = (RULES.first(), RULES.last());
        let all = first.zip(last).map_or(String::new(), |(first, last)| {
            format!("{} to {}", first.code, last.code)
        });
        return Err(wrong()
            .because(format!("there is no rule {code}; codes go from {all}"))
            .hint("shipway check --explain CODE prints what a rule is about")
            .into());
    };
    if code.starts_with('S') {
        return Err(wrong()
            .because("secrets cannot be switched off")
            .hint("let a single one in with --allow-secret PATH:KEY")
            .into());
    }
    let level = level.parse().map_err(|error| wrong().because(error))?;
    levels.insert(rule.code.to_owned(), level);
    Ok(())
}
