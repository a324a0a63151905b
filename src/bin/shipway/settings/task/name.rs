//! What a run is called that nobody named: so that a job of a pipeline which is run again finds its run, and no other job does.

use std::collections::BTreeMap;

use shipway::execute::{RunId, given};
use shipway::oci::Digest;

use super::WantedImage;
use crate::args::RunArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// Hexadecimal digits of a digest in a run's name.
const DIGEST_LENGTH: usize = 12;
/// Characters of a command in a run's name.
const COMMAND_LENGTH: usize = 24;

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
    let words = &arguments.arguments;
    // Not a flag: its value may be a password.
    let command = words.iter().find(|word| !word.starts_with('-'));
    let command: String = command
        .map_or("run", String::as_str)
        .chars()
        .take(COMMAND_LENGTH)
        .collect();
    let digest = match digest {
        Some(digest) => digest.short(DIGEST_LENGTH),
        None => "definition".to_owned(),
    };
    let name = match (environment.get("CI_PROJECT_ID"), environment.get("CI_PIPELINE_ID")) {
        (Some(project), Some(pipeline)) => {
            // One that migrates this database, and one that migrates that one, are two.
            let more = if words.first() == Some(&command) {
                words.get(1..)
            } else {
                words.get(..)
            };
            let mut name = format!("gl-{project}-{pipeline}-{digest}-{command}");
            let given = given::fingerprint(more.unwrap_or_default(), variables);
            if !given.is_empty() {
                name = format!("{name}-{given}");
            }
            name
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
