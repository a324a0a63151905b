//! Liquibase: changelogs below `/liquibase/changelog`, and drivers, of which it brings none since version 5.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::numbered::words;
use super::{Inputs, Prepared, RunnerError, below};
use crate::migrations::Tool;
use crate::migrations::inventory::Listed;
use crate::migrations::liquibase::config::{CHANGELOG_VARIABLE, LiquibaseConfig, SEARCH_PATH_VARIABLE, properties};
use crate::migrations::liquibase::{FOLDER, root_by_name};
use crate::recipe::{self, Change, ImagePath, Recipe, ScanError, Step};

/// Where the configuration goes.
const CONFIG: &str = "/liquibase/liquibase.properties";
/// Where drivers go: its launcher puts every jar there on the class path.
const DRIVERS: &str = "/liquibase/lib";
/// What the image of Liquibase starts.
const PROGRAM: &str = "/liquibase/docker-entrypoint.sh";

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    let folder = inputs.scripts.as_ref().ok_or(RunnerError::NoScripts("liquibase"))?;
    let path: ImagePath = FOLDER.parse()?;
    let mut files = recipe::scan(folder, &path)?;
    let mut settings = BTreeMap::new();
    let mut command = Vec::new();
    match inputs.config.as_slice() {
        [] => {}
        [config] => {
            files.push(recipe::single(config, CONFIG.parse()?)?);
            settings = read(config)?;
            // Its entrypoint names a file of its own otherwise, and this one is never read.
            command.push(format!("--defaults-file={CONFIG}"));
        }
        [_, config, ..] => {
            return Err(RunnerError::NoConfig {
                profile: "liquibase",
                path: config.clone(),
            });
        }
    }
    files.extend(inputs.driver_files(DRIVERS)?);
    files.extend(inputs.added()?);
    let scripts = below(&files, &path)?;
    let words_given: Vec<String> = [&inputs.entrypoint, &inputs.command]
        .into_iter()
        .flatten()
        .flatten()
        .cloned()
        .collect();
    let mut config = LiquibaseConfig::effective(&settings, &inputs.environment, &words_given);
    let mut variables = Vec::new();
    if config.changelog.is_none() {
        let root = root(&scripts).ok_or(RunnerError::Changelog)?;
        variables.push((CHANGELOG_VARIABLE, root.to_owned()));
        config.changelog = Some(root.to_owned());
    }
    if !config.has_search_path {
        // Otherwise it depends on the working directory, and on whether that can be written to.
        variables.push((SEARCH_PATH_VARIABLE, FOLDER.to_owned()));
    }
    if !inputs.config.is_empty() && !inputs.environment.contains_key("LIQUIBASE_HEADLESS") {
        // Its own file, in the place of which ours is read, says so as well: nobody is there to answer a question.
        variables.push(("LIQUIBASE_HEADLESS", "true".to_owned()));
    }
    let mut steps = vec![Step::Files(files)];
    steps.extend(variables.into_iter().map(|(name, value)| {
        Step::Change(Change::Environment {
            name: name.to_owned(),
            value,
            unless_set: false,
        })
    }));
    steps.push(Step::Change(Change::Entrypoint {
        arguments: words(&[PROGRAM]),
        unless_set: true,
    }));
    if inputs.command.is_none() {
        command.push("update".to_owned());
        steps.push(Step::Change(Change::Command(command)));
    }
    Ok(Prepared {
        recipe: Recipe {
            steps,
            known_base: None,
        },
        scripts,
        tool: Tool::Liquibase(Box::new(config)),
    })
}

/// The changelog that is the only one to start from, by its name.
fn root(scripts: &[Listed]) -> Option<&str> {
    root_by_name(scripts.iter().map(|script| script.path.as_str()))
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, RunnerError> {
    let bytes = fs::read(path).map_err(|source| ScanError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(properties(&String::from_utf8_lossy(&bytes)))
}
