//! What the plain registry was asked, as its log tells.

use std::fs;
use std::time::Duration;

use crate::parts::setting;

/// The registry writes of a request when it has answered, and of one that was broken off when it notices.
const PATIENCE: Duration = Duration::from_millis(300);

/// The log from some moment on. Other tests use the same registry, so it has to be asked for a repository.
pub(crate) struct Traffic {
    start: usize,
}

/// A request that has been answered.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The size of the answer's body, as far as it was sent.
    pub(crate) sent_bytes: u64,
}

impl Traffic {
    pub(crate) fn from_now_on() -> Self {
        Self { start: log().len() }
    }

    /// The requests to a repository since then.
    pub(crate) fn of(&self, repository: &str) -> Vec<Request> {
        std::thread::sleep(PATIENCE);
        let log = log();
        let lines = log[self.start..].lines();
        let prefix = format!("/v2/{repository}/");
        lines
            .filter(|line| line.contains("msg=\"response completed"))
            .map(|line| Request {
                method: field(line, "http.request.method"),
                path: field(line, "http.request.uri"),
                sent_bytes: field(line, "http.response.written").parse().unwrap_or(0),
            })
            .filter(|request| request.path.starts_with(&prefix))
            .collect()
    }

    /// The requests since then that changed something in a repository.
    pub(crate) fn writes_to(&self, repository: &str) -> Vec<Request> {
        let mut requests = self.of(repository);
        requests.retain(|request| !matches!(request.method.as_str(), "GET" | "HEAD"));
        requests
    }
}

fn log() -> String {
    fs::read_to_string(setting("SHIPWAY_TEST_REGISTRY_LOG")).expect("the registry writes a log")
}

/// The value of `name=value` or `name="value"` in a line.
fn field(line: &str, name: &str) -> String {
    let value = line.split_once(&format!(" {name}=")).map_or("", |(_, rest)| rest);
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split(' ').next(),
    }
    .unwrap_or_default()
    .to_owned()
}
