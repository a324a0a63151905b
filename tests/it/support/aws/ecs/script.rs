//! The life of a task, as a test writes it: a list of states, one for each time it is looked at.

use serde_json::{Map, Value, json};

/// What changes when a task is looked at once more.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// ECS does not show it.
    pub(super) missing: bool,
    /// The state, if it is another one.
    pub(super) status: Option<&'static str>,
    /// Lines it writes.
    pub(super) lines: Vec<String>,
    /// Fields of the task.
    pub(super) task: Map<String, Value>,
    /// Fields of the container that is watched.
    pub(super) container: Map<String, Value>,
    /// Times of the task that are now.
    pub(super) now: Vec<&'static str>,
    /// It stays so until it is let go on.
    pub(super) holds: bool,
}

/// The life of a task.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(super) steps: Vec<Step>,
    /// The container the script is about: the first one unless it is named.
    pub(super) container: Option<String>,
    /// What the program ends with when it is stopped.
    pub(super) stopped_with: i64,
    /// How many lists lack it, although it can be described.
    pub(super) unlisted: usize,
    /// What ECS says was pulled, instead of the digest in the image's name.
    pub(super) digest: Option<Value>,
}

/// The words of ECS for a task whose container ended.
const CONTAINER_ENDED: &str = "Essential container in task exited";

impl Default for Script {
    fn default() -> Self {
        Self::succeeds(&[
            "Successfully applied 1 migration to schema `orders`, now at version v2 (execution time 00:00.020s)",
        ])
    }
}

impl Script {
    /// A task that is provisioned and pulls its image: what comes next is to be added.
    pub(crate) fn begins() -> Self {
        let script = Self {
            steps: Vec::new(),
            container: None,
            stopped_with: 143,
            digest: None,
            unlisted: 0,
        };
        script
            .at("PROVISIONING")
            .at("PENDING")
            .now(&["pullStartedAt", "connectivityAt"])
    }

    /// A task that writes lines and ends well.
    pub(crate) fn succeeds(lines: &[&str]) -> Self {
        Self::begins().runs(lines).exits(0).stops()
    }

    /// A task that writes lines and ends with a status.
    pub(crate) fn fails(code: i64, lines: &[&str]) -> Self {
        Self::begins().runs(lines).exits(code).stops()
    }

    /// A task that never starts.
    pub(crate) fn fails_to_start(reason: &str) -> Self {
        Self::begins()
            .at("STOPPED")
            .now(&["stoppingAt", "stoppedAt"])
            .with("stopCode", "TaskFailedToStart")
            .with("stoppedReason", reason)
            .with("desiredStatus", "STOPPED")
            .container("lastStatus", "STOPPED")
    }

    /// The script is about the container of this name.
    pub(crate) fn watching(mut self, name: &str) -> Self {
        self.container = Some(name.to_owned());
        self
    }

    /// The program ends with this when it is stopped.
    pub(crate) fn stopped_with(mut self, code: i64) -> Self {
        self.stopped_with = code;
        self
    }

    /// ECS says it pulled this; null if it says nothing.
    pub(crate) fn pulls(mut self, digest: &Value) -> Self {
        self.digest = Some(digest.clone());
        self
    }

    /// At first ECS does not show the task, so many times.
    pub(crate) fn missing(mut self, times: usize) -> Self {
        let step = Step {
            missing: true,
            ..Step::default()
        };
        self.steps.splice(0..0, std::iter::repeat_n(step, times));
        self
    }

    /// So many lists lack it.
    pub(crate) fn unlisted(mut self, times: usize) -> Self {
        self.unlisted = times;
        self
    }

    /// It is in this state.
    pub(crate) fn at(mut self, status: &'static str) -> Self {
        self.steps.push(Step {
            status: Some(status),
            ..Step::default()
        });
        self
    }

    /// It runs and writes lines.
    pub(crate) fn runs(self, lines: &[&str]) -> Self {
        self.at("RUNNING")
            .now(&["pullStoppedAt", "startedAt"])
            .container("lastStatus", "RUNNING")
            .container("runtimeId", "0a11ce-527074092")
            .writes(lines)
    }

    /// It is in the same state and writes more.
    pub(crate) fn then(mut self, lines: &[&str]) -> Self {
        self.steps.push(Step::default());
        self.writes(lines)
    }

    /// Nothing changes, so many times.
    pub(crate) fn idles(mut self, times: usize) -> Self {
        self.steps.extend(std::iter::repeat_n(Step::default(), times));
        self
    }

    /// Its program has ended, and the network is taken down.
    pub(crate) fn exits(self, code: i64) -> Self {
        self.at("DEPROVISIONING")
            .now(&["stoppingAt", "executionStoppedAt"])
            .with("stopCode", "EssentialContainerExited")
            .with("stoppedReason", CONTAINER_ENDED)
            .with("desiredStatus", "STOPPED")
            .container("lastStatus", "STOPPED")
            .container("exitCode", code)
    }

    /// It has stopped.
    pub(crate) fn stops(self) -> Self {
        self.at("STOPPED").now(&["stoppedAt"])
    }

    /// It stays where it is until it is let go on.
    pub(crate) fn holds(mut self) -> Self {
        self.last().holds = true;
        self
    }

    /// A field of the task, from the last state on; null takes it away.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.last().task.insert(name.to_owned(), value.into());
        self
    }

    /// A field of the container, from the last state on; null takes it away.
    pub(crate) fn container(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.last().container.insert(name.to_owned(), value.into());
        self
    }

    fn now(mut self, times: &[&'static str]) -> Self {
        self.last().now.extend(times);
        self
    }

    fn writes(mut self, lines: &[&str]) -> Self {
        self.last().lines.extend(lines.iter().map(|line| (*line).to_owned()));
        self
    }

    fn last(&mut self) -> &mut Step {
        self.steps.last_mut().unwrap()
    }
}

/// How a task goes on that was told to stop.
pub(super) fn stopping(has_started: bool, code: i64, reason: &str) -> Vec<Step> {
    let script = Script {
        steps: Vec::new(),
        container: None,
        stopped_with: code,
        digest: None,
        unlisted: 0,
    };
    let script = match has_started {
        true => script.exits(code),
        false => script
            .at("DEPROVISIONING")
            .container("lastStatus", "STOPPED")
            .now(&["stoppingAt"]),
    };
    let script = script
        .with("stopCode", "UserInitiated")
        .with("stoppedReason", json!(reason));
    script.stops().steps
}
