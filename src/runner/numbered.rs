//! What the images of dbmate, golang-migrate, goose and Atlas have in common: one folder of scripts, and hardly any configuration.

use super::{Inputs, Prepared, RunnerError, below};
use crate::migrations::Tool;
use crate::recipe::{self, Change, File, ImagePath, Recipe, Step};

/// How one of these tools is started.
pub(super) struct Layout {
    /// The tool.
    pub(super) tool: Tool,
    /// Where scripts go.
    pub(super) folder: &'static str,
    /// More files.
    pub(super) files: Vec<File>,
    /// Variables of the image; what the base or the user sets stays.
    pub(super) variables: Vec<(&'static str, String)>,
    /// What is started, and whether a program of the base stays.
    pub(super) entrypoint: (Vec<String>, bool),
    /// What it is told to do.
    pub(super) command: Vec<String>,
}

/// Words of a program.
pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Refuses what such a tool has no place for.
pub(super) fn refuse_config(profile: &'static str, inputs: &Inputs) -> Result<(), RunnerError> {
    match inputs.config.first() {
        Some(config) => Err(RunnerError::NoConfig {
            profile,
            path: config.clone(),
        }),
        None => Ok(()),
    }
}

pub(super) fn prepare(inputs: &Inputs, layout: Layout) -> Result<Prepared, RunnerError> {
    let profile = layout.tool.name();
    let folder = inputs.scripts.as_ref().ok_or(RunnerError::NoScripts(profile))?;
    if !inputs.drivers.is_empty() {
        return Err(RunnerError::NoDrivers(profile));
    }
    let path: ImagePath = layout.folder.parse()?;
    let mut files = recipe::scan(folder, &path)?;
    files.extend(layout.files);
    files.extend(inputs.added()?);
    // Whatever else was added there is a script as well.
    let scripts = below(&files, &path)?;
    let mut steps = vec![Step::Files(files)];
    let is_new = |(name, _): &(&str, String)| !inputs.environment.contains_key(*name);
    steps.extend(layout.variables.into_iter().filter(is_new).map(|(name, value)| {
        Step::Change(Change::Environment {
            name: name.to_owned(),
            value,
            unless_set: true,
        })
    }));
    let (arguments, unless_set) = layout.entrypoint;
    if inputs.entrypoint.is_none() {
        steps.push(Step::Change(Change::Entrypoint { arguments, unless_set }));
    }
    if inputs.command.is_none() {
        steps.push(Step::Change(Change::Command(layout.command)));
    }
    Ok(Prepared {
        recipe: Recipe {
            steps,
            known_base: None,
        },
        scripts,
        tool: layout.tool,
    })
}
