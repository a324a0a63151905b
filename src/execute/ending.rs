//! How a task ended: success is proved, never assumed.
//!
//! ECS says it in three places that do not always agree: the container's exit status, the task's stop code, and reasons in words.

use super::{Container, Failure, Status, Task};
use crate::oci::Digest;

/// The exit status of a process that was killed (128 and SIGKILL).
const KILLED: i64 = 137;
/// What to do where a migration may have been cut off.
const LOOK_FIRST: &str =
    "what it was doing may be done in part: look at the database before the same command is run again";

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEnding {
    /// In one word.
    pub status: Status,
    /// What went wrong, in a word of ours: `pull`, `resources`, `out_of_memory`, ….
    pub class: &'static str,
    /// The status the container's program ended with.
    pub exit_code: Option<i64>,
    /// Why it is not a success, and what to do.
    pub failure: Option<Failure>,
    /// Whether what was pulled is what was asked for; `None` where ECS does not say, or nothing was asked for.
    pub digest_verified: Option<bool>,
}

/// Says how a task ended; `None` where that is not to be told yet.
///
/// It is told as soon as the exit status of the watched container and the stop code are both there, else once the task has stopped. `asked` are the
/// digests the image may have; of an image for several platforms also those of its parts.
#[must_use]
pub fn ending(task: &Task, container: &str, asked: &[Digest]) -> Option<TaskEnding> {
    let watched = task.container(container);
    let exit_code = watched.and_then(|container| container.exit_code);
    let stop_code = stop_code(task);
    let is_told = exit_code.is_some() && stop_code.is_some();
    if !is_told && !task.is_stopped() {
        return None;
    }
    let (status, class) = match (stop_code, exit_code) {
        (Some("TaskFailedToStart"), _) | (_, None) => (Status::StartFailed, start_class(task, watched)),
        (_, Some(KILLED)) if is_out_of_memory(task, watched) => (Status::OutOfMemory, "out_of_memory"),
        (Some("SpotInterruption" | "TerminationNotice" | "InfrastructureHealth"), _) => {
            (Status::Infrastructure, "infrastructure")
        }
        (Some("UserInitiated"), _) => (Status::Stopped, "stopped"),
        (_, Some(code)) if code != 0 => (Status::Failed, "failed"),
        (Some("EssentialContainerExited"), Some(0)) => (Status::Succeeded, "succeeded"),
        _ => (Status::Unknown, "unknown"),
    };
    let failure = (status != Status::Succeeded).then(|| failure(status, class, task, container, watched));
    let digest_verified = verified(watched, asked);
    Some(TaskEnding {
        status,
        class,
        exit_code,
        failure,
        digest_verified,
    })
}

/// The stop code. ministack writes an empty one for a task that has none yet.
fn stop_code(task: &Task) -> Option<&str> {
    task.stop_code.as_deref().filter(|code| !code.is_empty())
}

/// Compares what was pulled with what was asked for: with the image's own digest where nothing else is named.
fn verified(watched: Option<&Container>, asked: &[Digest]) -> Option<bool> {
    let watched = watched?;
    let pulled: Digest = watched.image_digest.as_deref()?.parse().ok()?;
    if !asked.is_empty() {
        return Some(asked.contains(&pulled));
    }
    let (_, digest) = watched.image.as_deref()?.rsplit_once('@')?;
    Some(digest.parse::<Digest>().ok()? == pulled)
}

/// What ECS says in words: what it says of the container first, since of the task it nearly always says the same.
fn reasons<'a>(task: &'a Task, watched: Option<&'a Container>) -> Vec<&'a str> {
    let own = watched.and_then(|container| container.reason.as_deref());
    // Where our container did not start because of another one, the other one knows why.
    let others = task
        .containers
        .iter()
        .filter_map(|container| container.reason.as_deref());
    let mut reasons: Vec<&str> = Vec::new();
    for reason in own.into_iter().chain(others).chain(task.stopped_reason.as_deref()) {
        if !reason.is_empty() && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

fn is_out_of_memory(task: &Task, watched: Option<&Container>) -> bool {
    // What another container used says nothing of ours: ours is then killed with the task, and ends with the same status.
    let own = watched.and_then(|container| container.reason.as_deref());
    own.into_iter()
        .chain(task.stopped_reason.as_deref())
        .any(|reason| reason.contains("OutOfMemory"))
}

/// Why a task did not start, as a word of ours.
fn start_class(task: &Task, watched: Option<&Container>) -> &'static str {
    let says = |word: &str| reasons(task, watched).iter().any(|reason| reason.contains(word));
    let words = [
        ("CannotPull", "pull"),
        ("ResourceInitializationError", "resources"),
        ("CannotStartContainer", "program"),
        ("CannotCreateContainer", "program"),
        ("CannotCreateVolume", "volume"),
        ("ContainerRuntimeTimeout", "runtime"),
        ("OutOfMemory", "out_of_memory"),
    ];
    let found = words.iter().find(|(word, _)| says(word));
    match (found, stop_code(task)) {
        (Some((_, class)), _) => class,
        (None, Some("UserInitiated")) => "stopped_before_start",
        (None, Some("SpotInterruption" | "TerminationNotice" | "InfrastructureHealth")) => "infrastructure",
        (None, _) => "start",
    }
}

fn failure(status: Status, class: &str, task: &Task, container: &str, watched: Option<&Container>) -> Failure {
    let code = watched.and_then(|container| container.exit_code);
    let known = stop_code(task);
    let stop_code = known.unwrap_or("no stop code");
    let is_cut_off = status == Status::StartFailed && task.started_at.is_some();
    let message = match status {
        Status::StartFailed if is_cut_off => {
            format!("the task had started, and container {container} has no exit status ({stop_code})")
        }
        Status::StartFailed => match known {
            Some("TaskFailedToStart") | None => {
                format!("the task did not start: container {container} has no exit status")
            }
            Some(stop_code) => {
                format!("the task did not start: container {container} has no exit status ({stop_code})")
            }
        },
        Status::OutOfMemory => "it ran, and was killed because it used all its memory".to_owned(),
        Status::Infrastructure => format!("it was cut off: {stop_code}"),
        Status::Stopped => format!("it was stopped by somebody{}", with(code)),
        Status::Failed => format!(
            "it ran and failed: container {container} exited with {}",
            code.unwrap_or_default()
        ),
        _ => format!("it is not known how it ended: {stop_code}{}", with(code)),
    };
    let reasons = reasons(task, watched);
    let failure = match reasons.is_empty() {
        true => Failure::new(message),
        false => Failure::new(message).because(reasons.join("; ")),
    };
    // Without an exit status the table calls it not started; that nothing ran can only be said where ECS never saw it run.
    let hint = if is_cut_off { Some(LOOK_FIRST) } else { hint(class) };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn with(code: Option<i64>) -> String {
    code.map_or_else(String::new, |code| format!(", and exited with {code}"))
}

/// What to do next.
fn hint(class: &str) -> Option<&'static str> {
    Some(match class {
        "pull" => {
            "nothing ran. The execution role must be allowed to pull (AmazonECSTaskExecutionRolePolicy), and the task must reach the registry: a public address, NAT, or VPC endpoints for ecr.api, ecr.dkr and S3"
        }
        "resources" => {
            "nothing ran. The execution role must be allowed to pull and to write the log (AmazonECSTaskExecutionRolePolicy), and to read the secrets (secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own); the task must reach all three: a public address, NAT, or VPC endpoints for ecr.api, ecr.dkr, S3, logs and secretsmanager"
        }
        "program" => {
            "nothing ran. The image has no such program, or is for another processor: look at the entry point and the command of image and task definition, and at runtimePlatform"
        }
        "volume" => {
            "nothing ran. A volume of the task definition cannot be made: look at its file system and the security groups"
        }
        "runtime" => "nothing ran. The same command may be run again",
        "stopped_before_start" => "somebody stopped it before it started; nothing ran",
        "infrastructure" => LOOK_FIRST,
        "out_of_memory" => {
            "give it more memory: --memory, or memory of the task definition. What it was doing may be done in part: look at the database first"
        }
        "stopped" | "unknown" => LOOK_FIRST,
        "failed" => "its log says what failed",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(task: Value) -> Option<TaskEnding> {
        ending(&Task::read(&task).expect("a task"), "flyway", &[])
    }

    fn stopped(stop_code: &str, exit_code: Option<i64>, reason: &str) -> (Status, &'static str) {
        let mut container = json!({"name": "flyway", "reason": reason});
        if let Some(code) = exit_code {
            container["exitCode"] = json!(code);
        }
        let task = json!({
            "lastStatus": "STOPPED", "stopCode": stop_code, "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "sidecar", "exitCode": 0}, container],
        });
        let ending = told(task).expect("it has ended");
        assert_eq!(ending.exit_code, exit_code);
        assert_eq!(ending.failure.is_none(), ending.status == Status::Succeeded);
        (ending.status, ending.class)
    }

    #[test]
    fn each_row_of_the_table() {
        const ESSENTIAL: &str = "EssentialContainerExited";
        for (stop_code, exit_code, reason, status, class) in [
            // 1: it did not start, in all its forms
            (
                "TaskFailedToStart",
                None,
                "CannotPullContainerError: not found",
                Status::StartFailed,
                "pull",
            ),
            (
                "TaskFailedToStart",
                None,
                "CannotPullImageManifestError: x",
                Status::StartFailed,
                "pull",
            ),
            (
                "TaskFailedToStart",
                None,
                "CannotPullECRContainerError: x",
                Status::StartFailed,
                "pull",
            ),
            (
                "TaskFailedToStart",
                None,
                "ResourceInitializationError: secret",
                Status::StartFailed,
                "resources",
            ),
            (
                "TaskFailedToStart",
                Some(127),
                "CannotStartContainerError: x",
                Status::StartFailed,
                "program",
            ),
            (
                "TaskFailedToStart",
                None,
                "CannotCreateVolumeError: x",
                Status::StartFailed,
                "volume",
            ),
            (
                "TaskFailedToStart",
                None,
                "ContainerRuntimeTimeoutError: x",
                Status::StartFailed,
                "runtime",
            ),
            (ESSENTIAL, None, "", Status::StartFailed, "start"),
            ("UserInitiated", None, "", Status::StartFailed, "stopped_before_start"),
            ("SpotInterruption", None, "", Status::StartFailed, "infrastructure"),
            // 2: out of memory; killed by somebody else is not
            (
                ESSENTIAL,
                Some(137),
                "OutOfMemoryError: Container killed",
                Status::OutOfMemory,
                "out_of_memory",
            ),
            (ESSENTIAL, Some(137), "", Status::Failed, "failed"),
            // 3: the machine went away
            (
                "SpotInterruption",
                Some(143),
                "",
                Status::Infrastructure,
                "infrastructure",
            ),
            (
                "TerminationNotice",
                Some(0),
                "",
                Status::Infrastructure,
                "infrastructure",
            ),
            (
                "InfrastructureHealth",
                Some(1),
                "",
                Status::Infrastructure,
                "infrastructure",
            ),
            // 4: somebody stopped it, whatever it exited with
            ("UserInitiated", Some(0), "", Status::Stopped, "stopped"),
            ("UserInitiated", Some(143), "", Status::Stopped, "stopped"),
            // 5: it failed
            (ESSENTIAL, Some(1), "", Status::Failed, "failed"),
            ("ServiceSchedulerInitiated", Some(1), "", Status::Failed, "failed"),
            // 6: the only success
            (ESSENTIAL, Some(0), "", Status::Succeeded, "succeeded"),
            // 7: anything else
            ("ServiceSchedulerInitiated", Some(0), "", Status::Unknown, "unknown"),
            ("SomethingNew", Some(0), "", Status::Unknown, "unknown"),
        ] {
            assert_eq!(
                stopped(stop_code, exit_code, reason),
                (status, class),
                "{stop_code} {exit_code:?} {reason}"
            );
        }
    }

    #[test]
    fn nothing_is_told_too_early_and_nothing_without_a_stop_code_is_success() {
        let container = json!([{"name": "flyway", "exitCode": 0}]);
        assert_eq!(told(json!({"lastStatus": "RUNNING", "containers": container})), None);
        assert_eq!(
            told(json!({"lastStatus": "STOPPING", "stopCode": "UserInitiated", "containers": [{"name": "flyway"}]})),
            None
        );
        let early = told(
            json!({"lastStatus": "DEPROVISIONING", "stopCode": "EssentialContainerExited", "containers": container}),
        );
        assert_eq!(early.expect("both are there").status, Status::Succeeded);
        let without = told(json!({"lastStatus": "STOPPED", "containers": container}));
        assert_eq!(without.expect("it stopped").status, Status::Unknown);
        let elsewhere = told(
            json!({"lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "containers": [{"name": "other", "exitCode": 0}]}),
        );
        assert_eq!(elsewhere.expect("it stopped").status, Status::StartFailed);
    }

    #[test]
    fn an_empty_stop_code_is_none() {
        let task = |status: &str| {
            let containers = json!([{"name": "flyway", "exitCode": 0}]);
            told(json!({"lastStatus": status, "stopCode": "", "stoppedReason": "", "containers": containers}))
        };
        assert_eq!(task("DEPROVISIONING"), None);
        let ending = task("STOPPED").expect("it stopped");
        assert_eq!(ending.status, Status::Unknown);
        assert!(
            ending
                .failure
                .is_some_and(|failure| failure.message.contains("no stop code"))
        );
    }

    #[test]
    fn memory_of_another_container_is_not_ours() {
        let task = |own: Value, stopped_reason: &str| {
            told(json!({
                "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "stoppedReason": stopped_reason,
                "containers": [
                    {"name": "sidecar", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},
                    {"name": "flyway", "exitCode": 137, "reason": own},
                ],
            }))
            .map(|ending| ending.status)
        };
        assert_eq!(
            task(Value::Null, "Essential container in task exited"),
            Some(Status::Failed)
        );
        assert_eq!(task(json!("OutOfMemoryError"), ""), Some(Status::OutOfMemory));
        assert_eq!(task(Value::Null, "OutOfMemoryError: killed"), Some(Status::OutOfMemory));
    }

    #[test]
    fn that_nothing_ran_is_not_said_of_a_task_that_had_started() {
        for stop_code in ["InfrastructureHealth", "UserInitiated", "EssentialContainerExited"] {
            let task = |started_at: Value| {
                let task = json!({
                    "lastStatus": "STOPPED", "stopCode": stop_code, "startedAt": started_at,
                    "containers": [{"name": "flyway", "reason": "ContainerRuntimeTimeoutError: no answer"}],
                });
                let ending = told(task).expect("it stopped");
                assert_eq!(ending.status, Status::StartFailed, "row 1");
                ending.failure.expect("it is no success")
            };
            let started = task(json!(1_795_333_531.5));
            assert!(
                started.message.contains(stop_code) && !started.message.contains("did not start"),
                "{started:?}"
            );
            assert_eq!(started.hints, [LOOK_FIRST]);
            let never = task(Value::Null);
            assert!(
                never.message.contains("did not start") && never.hints[0].contains("nothing ran"),
                "{never:?}"
            );
        }
    }

    #[test]
    fn the_containers_reason_comes_before_the_tasks() {
        let task = json!({
            "lastStatus": "STOPPED", "stopCode": "TaskFailedToStart", "stoppedReason": "Task failed to start",
            "containers": [{"name": "flyway", "reason": "CannotPullContainerError: denied"}],
        });
        let failure = told(task).and_then(|ending| ending.failure).expect("it failed");
        assert_eq!(
            failure.cause.as_deref(),
            Some("CannotPullContainerError: denied; Task failed to start")
        );
        assert!(failure.hints[0].contains("pull"), "{failure:?}");
    }

    #[test]
    fn what_was_pulled_is_compared_where_it_is_known() {
        let digests = [Digest::of(b"index"), Digest::of(b"child"), Digest::of(b"other")];
        let verified = |pulled: Value, asked: &[Digest]| {
            let task = json!({
                "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
                "containers": [{"name": "flyway", "exitCode": 0, "image": format!("a.b/c@{}", digests[0]), "imageDigest": pulled}],
            });
            ending(&Task::read(&task).expect("a task"), "flyway", asked)
                .expect("it ended")
                .digest_verified
        };
        assert_eq!(verified(Value::Null, &[]), None);
        assert_eq!(verified(json!(digests[0]), &[]), Some(true));
        assert_eq!(verified(json!(digests[1]), &[]), Some(false));
        assert_eq!(verified(json!(digests[1]), &digests[..2]), Some(true));
        assert_eq!(verified(json!(digests[2]), &digests[..2]), Some(false));
    }
}
