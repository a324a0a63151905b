//! Building a Dockerfile in the daemon: with BuildKit where it has it, else with what it has.
//!
//! The context is the body of the request, and there is no session beside it: BuildKit builds all the same, except what
//! it would ask the session for, which are secrets, SSH agents and logins of registries.

mod pack;
mod request;
mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;

use super::body::Sending;
use super::{Daemon, DaemonError};
use crate::dockerfile::FileTree;
use crate::oci::Platform;
use crate::progress::{Event, Progress};
use crate::recipe::ImagePath;
use pack::Packing;
use request::{Query, build};
use trace::Trace;

/// What the daemon is to build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// What the Dockerfile copies from, without what is ignored.
    pub context: Arc<dyn FileTree>,
    /// The Dockerfile.
    pub dockerfile: Bytes,
    /// Where it lies in the context, if it does.
    pub dockerfile_path: Option<ImagePath>,
    /// The stage that is wanted; the last one where none is named.
    pub target: Option<String>,
    /// Values of `ARG`.
    pub arguments: BTreeMap<String, String>,
    /// Labels the image gets besides those of the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// The platform, if not the daemon's own.
    pub platform: Option<Platform>,
    /// The network `RUN` has, if not the daemon's usual one.
    pub network: Option<String>,
}

/// Which of the daemon's builders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Builder {
    BuildKit,
    Classic,
}

/// Longest line of the answer: a step's output comes in pieces of some kilobytes.
const LINE_LIMIT: usize = 16 * 1024 * 1024;
/// Name of a Dockerfile that is not in the context.
const OUTSIDE: &str = ".shipway.Dockerfile";
/// Marks what BuildKit tells of its steps.
const TRACE: &str = "moby.buildkit.trace";

/// A line of the answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    id: Option<String>,
    stream: Option<String>,
    status: Option<String>,
    error: Option<String>,
    error_detail: Option<ErrorDetail>,
    aux: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct ErrorDetail {
    message: Option<String>,
}

impl Daemon {
    /// Builds; the log goes to `progress`. Returns the identity of the image, which has no name.
    ///
    /// # Errors
    /// When the context cannot be packed, or the build fails.
    pub async fn build(&self, request: &BuildRequest, progress: &Arc<dyn Progress>) -> Result<String, DaemonError> {
        let version = self.version();
        let has_build_kit = version.name == "Docker" && version.platform.os == "linux";
        if has_build_kit {
            match self.build_with(Builder::BuildKit, request, progress).await {
                Err(DaemonError::Refused { message, .. }) if is_lack_of_build_kit(&message) => {}
                result => return result,
            }
        }
        self.build_with(Builder::Classic, request, progress).await
    }

    async fn build_with(
        &self,
        builder: Builder,
        request: &BuildRequest,
        progress: &Arc<dyn Progress>,
    ) -> Result<String, DaemonError> {
        let packing = Packing::of(request, OUTSIDE).map_err(DaemonError::Content)?;
        if packing.is_outside {
            progress.on(&Event::Notice(&format!(
                "the Dockerfile is not in the context: it is sent as {OUTSIDE}, which a COPY of everything copies too"
            )));
        }
        let query = self.query(builder, request, &packing)?;
        let sending = Sending::default();
        let body = sending.watch(packing.stream(), |_| {});
        let client = build(self.patient(), &version_prefix(self), &query, body);
        let answers = std::pin::pin!(request::answers(&client));
        let result = tokio::select! {
            result = self.follow(answers, progress) => result,
            () = sending.stalled(self.timeout) => Err(DaemonError::Silent {
                what: WHAT.to_owned(),
                place: self.place.clone(),
            }),
        };
        match (result, sending.failure()) {
            (Err(_), Some(ours)) => Err(ours),
            (result, _) => result,
        }
    }

    fn query(&self, builder: Builder, request: &BuildRequest, packing: &Packing) -> Result<Query, DaemonError> {
        let json =
            |values: &BTreeMap<String, String>| serde_json::to_string(values).map_err(|error| self.strange(error));
        let mut query = Query::default();
        query.add("dockerfile", &packing.dockerfile);
        query.add("buildargs", &json(&request.arguments)?);
        query.add("labels", &json(&request.labels)?);
        query.add("rm", "1");
        query.add("forcerm", "1");
        if builder == Builder::BuildKit {
            query.add("version", "2");
        }
        for (name, value) in [("target", &request.target), ("networkmode", &request.network)] {
            if let Some(value) = value {
                query.add(name, value);
            }
        }
        // Daemons that emulate nothing refuse the word even for their own platform.
        if let Some(platform) = request
            .platform
            .as_ref()
            .filter(|wanted| !wanted.is_same(self.platform()))
        {
            query.add("platform", &platform.to_string());
        }
        Ok(query)
    }

    /// Reads the answer to its end.
    async fn follow(
        &self,
        mut answers: impl Stream<Item = Result<Bytes, bollard::errors::Error>> + Unpin,
        progress: &Arc<dyn Progress>,
    ) -> Result<String, DaemonError> {
        let mut log = Log {
            daemon: self,
            progress,
            trace: Trace::default(),
            image: None,
        };
        let mut waiting: Vec<u8> = Vec::new();
        while let Some(piece) = answers.next().await {
            let piece = piece.map_err(|error| self.failure(WHAT, error))?;
            waiting.extend_from_slice(&piece);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                log.take(&line)?;
            }
            if waiting.len() > LINE_LIMIT {
                return Err(self.strange(format!("a line of it has more than {LINE_LIMIT} bytes")));
            }
        }
        log.take(&waiting)?;
        log.image.ok_or_else(|| self.strange("it names no image at its end"))
    }

    fn strange(&self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DaemonError {
        DaemonError::Answer {
            what: WHAT.to_owned(),
            place: self.place.clone(),
            source: why.into(),
        }
    }
}

/// What fails when a build does.
const WHAT: &str = "cannot build the Dockerfile";

fn version_prefix(daemon: &Daemon) -> String {
    format!("/v{}", daemon.version().api_version)
}

fn is_lack_of_build_kit(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("buildkit") && message.contains("not supported")
}

/// What a build says while it goes on.
struct Log<'a> {
    daemon: &'a Daemon,
    progress: &'a Arc<dyn Progress>,
    trace: Trace,
    image: Option<String>,
}

impl Log<'_> {
    fn take(&mut self, line: &[u8]) -> Result<(), DaemonError> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let answer: Answer = serde_json::from_slice(line).map_err(|error| self.daemon.strange(error))?;
        let message = answer.error_detail.and_then(|detail| detail.message).or(answer.error);
        if let Some(message) = message {
            return Err(DaemonError::Refused {
                what: WHAT.to_owned(),
                status: None,
                message,
            });
        }
        if let Some(aux) = &answer.aux {
            match aux {
                Value::String(text) if answer.id.as_deref() == Some(TRACE) => {
                    for line in self.trace.take(text) {
                        self.say(&line);
                    }
                }
                aux => {
                    let id = aux.get("ID").and_then(Value::as_str);
                    self.image = id.map(str::to_owned).or(self.image.take());
                }
            }
        }
        for text in answer.stream.iter().chain(&answer.status) {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                self.say(line);
            }
        }
        Ok(())
    }

    fn say(&self, line: &str) {
        self.progress.on(&Event::BuildLog(line));
    }
}
