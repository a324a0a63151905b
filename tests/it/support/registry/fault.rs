//! Faults a test scripts: which request, and what happens to it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What happens to a request that a [`Fault`] matches.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// The request is read and answered with this.
    Respond {
        /// The status.
        status: u16,
        /// Headers beside the content type.
        headers: Vec<(String, String)>,
        /// The body, usually the JSON of a registry error.
        body: String,
    },
    /// A body of spaces of this size, with status 200 and the manifest's media type.
    Huge(u64),
    /// The true answer comes after this time.
    Delay(Duration),
    /// No answer ever comes; the request's body is not read either.
    Stall,
    /// The connection closes before any answer.
    Drop,
    /// The connection closes after so many bytes of the request's body.
    ResetAfter(u64),
    /// The true answer breaks off after so many bytes of its body.
    CutAfter(u64),
    /// The true answer stops coming after so many bytes of its body; the connection stays.
    StallAfter(u64),
    /// The true answer with one byte of its body changed.
    Lie,
}

/// A scripted fault: the first request from `after` on that matches, `times` times.
#[derive(Debug)]
pub(crate) struct Fault {
    method: String,
    path: String,
    after: usize,
    times: usize,
    action: Action,
    seen: AtomicUsize,
}

impl Fault {
    /// Matches requests of `method` whose path and query contain `path`; drops the connection of the first.
    pub(crate) fn on(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            after: 0,
            times: 1,
            action: Action::Drop,
            seen: AtomicUsize::new(0),
        }
    }

    /// Matches calls of an operation of AWS: `ecr:CreateRepository`.
    #[cfg(feature = "aws")]
    pub(crate) fn on_operation(name: &str) -> Self {
        Self::on("AWS", name)
    }

    /// Lets the first `count` matching requests pass.
    pub(crate) fn after(mut self, count: usize) -> Self {
        self.after = count;
        self
    }

    /// Strikes `count` times.
    pub(crate) fn times(mut self, count: usize) -> Self {
        self.times = count;
        self
    }

    /// Strikes every time.
    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Does `action`.
    pub(crate) fn with(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Answers `status` with an error of the registry's form.
    pub(crate) fn respond(self, status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"errors": [{"code": code, "message": message}]}).to_string();
        self.with(Action::Respond {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body,
        })
    }

    /// Adds a header to an answer made with [`Fault::respond`].
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let Action::Respond { headers, .. } = &mut self.action {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// What happens to this request, if the fault strikes it.
    pub(crate) fn strike(&self, method: &str, target: &str) -> Option<Action> {
        if self.method != method || !target.contains(&self.path) {
            return None;
        }
        let occurrence = self.seen.fetch_add(1, Ordering::Relaxed);
        let end = self.after.saturating_add(self.times);
        (self.after..end).contains(&occurrence).then(|| self.action.clone())
    }

    /// Whether the fault struck at least once.
    pub(crate) fn struck(&self) -> bool {
        self.seen.load(Ordering::Relaxed) > self.after
    }
}
