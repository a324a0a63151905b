//! What a run is called that nobody named: so that a job of a pipeline which is run again finds its run, and no other job does.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use shipway::execute::RunId;
use shipway::migrations::check::secret::shows_secret;
use shipway::oci::Digest;

use super::WantedImage;
use crate::args::RunArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// Hexadecimal digits of a digest in a run's name.
const DIGEST_LENGTH: usize = 12;
/// Bytes of what tells runs of one pipeline apart.
const DIFFERENCE_BYTES: usize = 4;

/// The run's name: as it was said, or of the pipeline, so that a job that is run again finds its run.
pub(super) fn run_id(
    arguments: &RunArguments,
    environment: &Environment,
    image: Option<&WantedImage>,
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<Option<RunId>> {
    if let Some(text) = &arguments.task.run_id {
        let id = text.parse::<RunId>();
        return Ok(Some(id.map_err(|error| {
            CommandError::usage(format!("--run-id {text}: no run can be called so")).because(error)
        })?));
    }
    // Where the digest is not known yet, the name is made once it is.
    let digest = match image {
        Some(image) => image.digest(),
        None => None,
    };
    if image.is_some() && digest.is_none() {
        return Ok(None);
    }
    Ok(Some(pipeline_run_id(
        arguments,
        environment,
        digest.as_ref(),
        variables,
    )))
}

/// What a run is called that nobody named.
pub(crate) fn pipeline_run_id(
    arguments: &RunArguments,
    environment: &Environment,
    digest: Option<&Digest>,
    variables: &BTreeMap<String, String>,
) -> RunId {
    let command = arguments.arguments.first().map_or("run", String::as_str);
    let digest = match digest {
        Some(digest) => digest.short(DIGEST_LENGTH),
        None => "definition".to_owned(),
    };
    let name = match (environment.get("CI_PROJECT_ID"), environment.get("CI_PIPELINE_ID")) {
        (Some(project), Some(pipeline)) => {
            let difference = difference(arguments, variables);
            format!("gl-{project}-{pipeline}-{digest}-{command}{difference}")
        }
        // On a laptop each call is a run of its own.
        _ => {
            let name = environment.get("USER").unwrap_or("run");
            format!(
                "{name}-{}-{:06x}-{command}",
                environment.now_seconds(),
                fastrand::u32(..0x100_0000)
            )
        }
    };
    RunId::of(&name)
}

/// Tells runs of one pipeline apart that differ in more than their command: one that migrates this database, and one that migrates that one.
/// Values that look like secrets do not count, since a name is read by many.
fn difference(arguments: &RunArguments, variables: &BTreeMap<String, String>) -> String {
    let words = arguments.arguments.get(1..).unwrap_or_default();
    if words.is_empty() && variables.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for word in words {
        hash.update(format!("{word}\0"));
    }
    for (name, value) in variables {
        let line = format!("{name}={value}");
        let told = if shows_secret(&line) { name } else { &line };
        hash.update(format!("\0{told}"));
    }
    let digits = hash.finalize();
    let digits = digits.iter().take(DIFFERENCE_BYTES).map(|byte| format!("{byte:02x}"));
    format!("-{}", digits.collect::<String>())
}
