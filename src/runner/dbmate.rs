//! dbmate: scripts below `/db/migrations`, everything else in the environment.

use super::numbered::{self, Layout, refuse_config, words};
use super::{Inputs, Prepared, RunnerError};
use crate::migrations::Tool;
use crate::migrations::dbmate::FOLDER;

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    refuse_config("dbmate", inputs)?;
    let layout = Layout {
        tool: Tool::Dbmate,
        folder: FOLDER,
        files: Vec::new(),
        variables: vec![
            ("DBMATE_MIGRATIONS_DIR", FOLDER.to_owned()),
            // A database that starts together with the container is not ready yet.
            ("DBMATE_WAIT", "true".to_owned()),
            // There is nobody to read the file, and writing it needs the client of the database in its very version.
            ("DBMATE_NO_DUMP_SCHEMA", "true".to_owned()),
        ],
        entrypoint: (words(&["dbmate"]), true),
        // `up` would create the database, too.
        command: words(&["migrate"]),
    };
    numbered::prepare(inputs, layout)
}
