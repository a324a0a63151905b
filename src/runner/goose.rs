//! goose: scripts below `/migrations`, everything else in the environment. There is no image of its makers.

use super::numbered::{self, Layout, refuse_config, words};
use super::{Inputs, Prepared, RunnerError};
use crate::migrations::Tool;
use crate::migrations::goose::FOLDER;

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    refuse_config("goose", inputs)?;
    let layout = Layout {
        tool: Tool::Goose,
        folder: FOLDER,
        files: Vec::new(),
        variables: vec![("GOOSE_MIGRATION_DIR", FOLDER.to_owned())],
        entrypoint: (words(&["goose"]), true),
        command: words(&["up"]),
    };
    numbered::prepare(inputs, layout)
}
