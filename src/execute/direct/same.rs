//! Whether a run of a name that is there already is the run that is asked for.

use serde_json::Value;

use super::super::{Order, Record, RunId, given};
use super::{Known, view};
use crate::content::{ContentError, Kind, Result};

/// What is kept of what a run ran.
pub(super) struct Kept {
    image: Option<String>,
    command: Option<Vec<String>>,
    variables: String,
}

impl Kept {
    /// As ECS tells of a task.
    pub(super) fn of_task(known: &Known, container: &str) -> Self {
        let overrides = known.raw.pointer("/overrides/containerOverrides");
        let overrides = overrides.and_then(Value::as_array).into_iter().flatten();
        let command = overrides
            .filter(|of| of["name"] == container)
            .find_map(|of| of["command"].as_array());
        Self {
            image: known.task.container(container).and_then(|of| of.image.clone()),
            command: command.map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            variables: known.task.tag(view::VARIABLES_TAG).unwrap_or_default().to_owned(),
        }
    }

    /// As the table tells.
    pub(super) fn of_record(record: &Record) -> Self {
        Self {
            image: record.image.clone(),
            command: record.command.clone(),
            variables: record.variables.clone(),
        }
    }
}

/// Fails where the run of this name was of something else: a success of it would be told as one of the order.
pub(super) fn same(id: &RunId, order: &Order, kept: &Kept) -> Result<()> {
    let other = |what: &str, had: String, asked: String| {
        let error = ContentError::new(Kind::Refused, format!("run {id} is of another {what}"));
        Err(error.because(format!("it is of {had}, and {asked} is asked for")).hint(
            "name this run otherwise: --run-id; or leave that out, and each call, or pipeline, has a name of its own",
        ))
    };
    if let (Some(had), Some(asked)) = (&kept.image, &order.image)
        && digest_of(had) != digest_of(asked)
    {
        return other("image", had.clone(), asked.clone());
    }
    // An empty list is none, to ECS.
    let words = |command: &Option<Vec<String>>| given::shown(command.as_deref().unwrap_or_default());
    if words(&kept.command) != words(&order.command) {
        let told = |command: &Option<Vec<String>>| match words(command) {
            words if words.is_empty() => "the task definition's command".to_owned(),
            words => format!("{words:?}"),
        };
        return other("command", told(&kept.command), told(&order.command));
    }
    let asked = given::fingerprint(&[], &order.environment);
    if kept.variables != asked {
        let told = |variables: &str| match variables {
            "" => "no variables".to_owned(),
            print => format!("variables with the fingerprint {print}"),
        };
        return other("set of variables", told(&kept.variables), told(&asked));
    }
    Ok(())
}

fn digest_of(image: &str) -> &str {
    image.rsplit('@').next().unwrap_or_default()
}
