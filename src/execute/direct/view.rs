//! What is told of a task.

use serde_json::Value;

use super::super::pin::{Pinned, stream};
use super::super::{Answered, Logs, RunId, Status, Task, Times, View};

/// The tag that tells which attempt a task is.
pub(super) const ATTEMPT_TAG: &str = "shipway:attempt";

/// The tag that tells which container is watched.
pub(super) const CONTAINER_TAG: &str = "shipway:container";
/// The tag that tells sets of variables apart.
pub(super) const VARIABLES_TAG: &str = "shipway:variables";

/// The container whose end is the run's: the one it was started with, and only else the one that is asked for.
pub(super) fn container<'a>(task: &'a Task, asked: Option<&'a str>) -> Option<&'a str> {
    task.tag(CONTAINER_TAG).or(asked)
}

/// What is known of a task that has not ended.
pub(super) fn of_task(task: &Task, raw: Value, pinned: &Pinned) -> View {
    View {
        run_id: task.started_by.as_deref().and_then(RunId::of_started_by),
        attempt: attempt(task),
        status: Status::Running,
        exit_code: task
            .container(&pinned.container)
            .and_then(|container| container.exit_code),
        image: task
            .container(&pinned.container)
            .and_then(|container| container.image.clone())
            .or_else(|| Some(pinned.image.clone())),
        pulled_digest: task
            .container(&pinned.container)
            .and_then(|container| container.image_digest.clone()),
        task_arn: Some(task.task_arn.clone()),
        task_definition: Some(task.definition().to_owned()),
        cluster: Some(task.cluster_arn.clone()),
        container: Some(pinned.container.clone()),
        last_status: Some(task.last_status.clone()),
        stop_code: task.stop_code.clone(),
        stopped_reason: task.stopped_reason.clone(),
        times: Times {
            created_at: task.created_at,
            pull_started_at: task.pull_started_at,
            pull_stopped_at: task.pull_stopped_at,
            started_at: task.started_at,
            stopped_at: ended_at(task),
        },
        logs: place_of_logs(task, pinned),
        answered: Answered {
            tasks: vec![raw],
            failures: Vec::new(),
        },
        ..View::default()
    }
}

/// Which attempt of its run a task is.
pub(super) fn attempt(task: &Task) -> u32 {
    let attempt = task.tag(ATTEMPT_TAG).and_then(|text| text.parse().ok());
    attempt.unwrap_or(1)
}

/// When its containers, or else it, had stopped.
pub(super) fn ended_at(task: &Task) -> Option<f64> {
    task.execution_stopped_at.or(task.stopped_at)
}

/// Where a task writes to.
pub(super) fn place_of_logs(task: &Task, pinned: &Pinned) -> Logs {
    let Some(log) = &pinned.log else {
        return Logs::default();
    };
    Logs {
        group: Some(log.group.clone()),
        stream: Some(stream(&log.prefix, &pinned.container, task.id())),
        region: log.region.clone(),
        ..Logs::default()
    }
}
