//! Files where the user wants them, in any base.

use super::{Inputs, Prepared, RunnerError, below};
use crate::migrations::Tool;
use crate::recipe::{Change, ImagePath, Recipe, Step};

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    if inputs.scripts.is_some() || !inputs.config.is_empty() {
        return Err(RunnerError::NoPlace);
    }
    if !inputs.drivers.is_empty() {
        return Err(RunnerError::NoDrivers("custom"));
    }
    let files = inputs.added()?;
    if files.is_empty() {
        return Err(RunnerError::Nothing);
    }
    let mut steps = Vec::new();
    if inputs.entrypoint.is_some() && inputs.command.is_none() {
        // The base's command are arguments for the base's entrypoint.
        steps.push(Step::Change(Change::Command(Vec::new())));
    }
    let scripts = below(&files, &ImagePath::default())?;
    steps.insert(0, Step::Files(files));
    Ok(Prepared {
        recipe: Recipe {
            steps,
            known_base: None,
        },
        scripts,
        tool: Tool::Unknown,
    })
}
