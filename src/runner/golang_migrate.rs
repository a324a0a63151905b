//! golang-migrate: scripts below `/migrations`, and a shell that gives it the address of the database.

use super::numbered::{self, Layout, refuse_config, words};
use super::{Inputs, Prepared, RunnerError};
use crate::migrations::Tool;
use crate::migrations::golang_migrate::FOLDER;

/// It reads no variable, only arguments. The shell of its own image, which is an Alpine, puts the variable in; a missing one is told.
const START: &str = r#"exec migrate -path=/migrations -database="${DATABASE_URL:?DATABASE_URL is not set}" "$@""#;

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    refuse_config("golang-migrate", inputs)?;
    let layout = Layout {
        tool: Tool::GolangMigrate,
        folder: FOLDER,
        files: Vec::new(),
        variables: Vec::new(),
        entrypoint: (words(&["/bin/sh", "-c", START, "migrate"]), false),
        command: words(&["up"]),
    };
    numbered::prepare(inputs, layout)
}
