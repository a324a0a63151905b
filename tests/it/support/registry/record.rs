//! What the fake registry remembers of each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which of the fake's hosts a request reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// The registry itself.
    Registry,
    /// The registry's token endpoint.
    Token,
    /// The storage host that blob reads are redirected to.
    Storage,
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// Where it went.
    pub(crate) host: Host,
    /// The method.
    pub(crate) method: String,
    /// The path without query.
    pub(crate) path: String,
    /// The query, empty if there is none.
    pub(crate) query: String,
    /// The authority of an absolute-form or HTTP/2 request, else the `Host` header.
    pub(crate) authority: String,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The `Accept` headers, joined.
    pub(crate) accept: String,
    /// The `User-Agent` header.
    pub(crate) user_agent: String,
    /// Whether it came over HTTP/2.
    pub(crate) http2: bool,
    /// The peer's port: one number per connection.
    pub(crate) connection: u16,
    /// Which round it belonged to, if the registry answers in rounds (from 1).
    pub(crate) round: usize,
    /// The status, or 0 if there was no answer.
    pub(crate) status: u16,
    /// Bytes of the request's body that were read.
    pub(crate) bytes_in: u64,
    /// Bytes of the answer's body that were sent.
    pub(crate) bytes_out: Arc<AtomicU64>,
}

impl Recorded {
    /// Whether the request changes what the registry holds.
    pub(crate) fn writes(&self) -> bool {
        self.host == Host::Registry && !matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Bytes of the answer's body that were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    /// Whether it is `method` on a path that contains `part`.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    /// The request on one line, with `name` giving digests a name that does not change.
    pub(crate) fn line(&self, name: &dyn Fn(&str) -> String) -> String {
        let path = self.path.trim_start_matches("/v2/").trim_start_matches('/');
        let mut words: Vec<String> = Vec::new();
        for (index, word) in path.split('/').enumerate() {
            if word.starts_with("sha256:") {
                words.push(name(word));
            } else if index > 0 && words.last().is_some_and(|last| last == "uploads") {
                words.push(if word.is_empty() { "" } else { "session" }.to_owned());
            } else {
                words.push(word.to_owned());
            }
        }
        let mut line = format!("{} {}", self.method, words.join("/"));
        for pair in self.query.split('&') {
            if let Some(("digest" | "mount", value)) = pair.split_once('=') {
                line.push(' ');
                line.push_str(&name(&value.replace("%3A", ":").replace("%3a", ":")));
            }
        }
        format!("{line} {}", self.status)
    }
}
