//! Waiting for what Amazon ECR finds in the image.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use shipway::aws::{Counts, ScanOutcome, Severity};
use shipway::content::ContentError;
use shipway::ecr::EcrHost;
use shipway::error::Error;
use shipway::oci::{Digest, Repository};

use crate::args::BuildArguments;
use crate::failure::{CommandError, Exit};
use crate::places::Places;

/// What is there all the same.
const PUSHED: &str = "the image is pushed; no result files were written";

/// What findings are waited for, and which of them fail.
pub(super) struct ScanGate {
    repositories: Vec<Repository>,
    threshold: Option<Severity>,
    limit: Duration,
}

/// One image, scanned.
struct Scan {
    repository: Repository,
    digest: Digest,
    /// How it ended, or why that could not be found out.
    outcome: Result<ScanOutcome, ContentError>,
}

/// All images, scanned.
pub(super) struct Scans {
    scans: Vec<Scan>,
    threshold: Option<Severity>,
}

impl ScanGate {
    /// Settles what to wait for; `None` where nothing is.
    pub(super) fn of(
        arguments: &BuildArguments,
        push: bool,
        repositories: &[Repository],
    ) -> anyhow::Result<Option<Self>> {
        if !arguments.wait_for_scan {
            return Ok(None);
        }
        let is_scanned =
            |repository: &&Repository| matches!(EcrHost::parse(repository.registry()), Some(EcrHost::Private(_)));
        let repositories: Vec<Repository> = repositories.iter().filter(is_scanned).cloned().collect();
        if !push || repositories.is_empty() {
            return Err(
                CommandError::usage("--wait-for-scan: the image is not pushed to a registry of Amazon ECR")
                    .hint("only Amazon ECR's private registries scan what is pushed: add --push and a repository there")
                    .into(),
            );
        }
        Ok(Some(Self {
            repositories,
            threshold: threshold(arguments.fail_on_severity.as_deref())?,
            limit: Duration::from_secs_f64(arguments.scan_timeout),
        }))
    }

    /// Waits for the scans of images: an index is not scanned, what it lists is. All of them have the same time.
    pub(super) async fn wait(&self, digests: &[Digest], places: &Places) -> Scans {
        let end = Instant::now() + self.limit;
        let scans = self.repositories.iter().map(async |repository| {
            let outcomes = match places.aws.at(repository.registry()) {
                Ok(Some(session)) => {
                    let progress = places.progress.as_ref();
                    session.wait_for_scans(repository.path(), digests, end, progress).await
                }
                Ok(None) => Vec::new(),
                Err(error) => vec![Err(error)],
            };
            let scan = |(outcome, digest): (Result<ScanOutcome, ContentError>, &Digest)| Scan {
                repository: repository.clone(),
                digest: *digest,
                outcome,
            };
            outcomes.into_iter().zip(digests).map(scan).collect::<Vec<_>>()
        });
        Scans {
            scans: join_all(scans).await.into_iter().flatten().collect(),
            threshold: self.threshold,
        }
    }
}

/// The least severity that fails; `None` if none does.
fn threshold(text: Option<&str>) -> Result<Option<Severity>, CommandError> {
    match text {
        None => Ok(Some(Severity::High)),
        Some(text) if text.eq_ignore_ascii_case("none") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            let all = Severity::ALL.map(Severity::name).join(", ");
            CommandError::usage(format!("--fail-on-severity: {text:?} is not a severity"))
                .hint(format!("there are: {all}; and none, which only reports"))
        }),
    }
}

impl Scans {
    /// One line for each image.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |scan: &Scan| {
            let what = match &scan.outcome {
                Ok(ScanOutcome::Found(counts)) => counts.to_string(),
                Ok(ScanOutcome::Impossible { status, .. }) => status.clone(),
                Ok(ScanOutcome::Unfinished(last)) => format!("not finished ({last})"),
                Err(error) => error.to_string(),
            };
            format!("scan of {}@{}: {what}", scan.repository, scan.digest.short(12))
        };
        self.scans.iter().map(line).collect()
    }

    /// The list of the JSON form.
    pub(super) fn json(&self) -> Value {
        let scan = |scan: &Scan| {
            let (status, reason, counts) = match &scan.outcome {
                Ok(ScanOutcome::Found(counts)) => ("COMPLETE", String::new(), Some(of_counts(counts))),
                Ok(ScanOutcome::Impossible { status, reason }) => (status.as_str(), reason.clone(), None),
                Ok(ScanOutcome::Unfinished(last)) => ("TIMED_OUT", last.clone(), None),
                Err(error) => ("UNKNOWN", error.to_string(), None),
            };
            json!({
                "image": scan.repository.pinned(scan.digest).to_string(),
                "status": status,
                "reason": reason,
                "findings": counts,
            })
        };
        self.scans.iter().map(scan).collect()
    }

    /// Why this is not good enough, if it is not. What was found counts before what could not be found out.
    pub(super) fn verdict(self) -> Option<anyhow::Error> {
        let findings = self.findings().map(anyhow::Error::from);
        let threshold = self.threshold;
        let (mut errors, mut impossible, mut unfinished) = (Vec::new(), Vec::new(), Vec::new());
        for scan in self.scans {
            let name = format!("{}@{}", scan.repository, scan.digest);
            match scan.outcome {
                Err(error) => errors.push(Error::from(error.hint(PUSHED)).into()),
                Ok(ScanOutcome::Impossible { status, reason }) if threshold.is_some() => {
                    impossible.push(cannot_scan(&name, &status, &reason).into());
                }
                Ok(ScanOutcome::Unfinished(last)) => unfinished.push(gave_up(&name, &last).into()),
                Ok(ScanOutcome::Impossible { .. } | ScanOutcome::Found(_)) => {}
            }
        }
        findings
            .into_iter()
            .chain(errors)
            .chain(impossible)
            .chain(unfinished)
            .next()
    }

    /// What was found that must not be there.
    fn findings(&self) -> Option<CommandError> {
        let threshold = self.threshold?;
        let mut counts = Counts::default();
        for scan in &self.scans {
            if let Ok(ScanOutcome::Found(found)) = &scan.outcome {
                counts.add_all(found);
            }
        }
        let past = counts.at_least(threshold);
        (past > 0).then(|| {
            let noun = if past == 1 { "finding" } else { "findings" };
            CommandError::new(
                Exit::Findings,
                format!("{past} {noun} of severity {threshold} or above"),
            )
            .because(format!("in all: {counts}"))
            .hint("a newer base image has most of them mended; --fail-on-severity sets the limit")
            .hint(PUSHED)
        })
    }
}

fn cannot_scan(name: &str, status: &str, reason: &str) -> CommandError {
    let reason = match reason.is_empty() {
        true => status.to_owned(),
        false => format!("{reason} ({status})"),
    };
    CommandError::new(Exit::Failed, format!("Amazon ECR cannot scan {name}"))
        .because(reason)
        .hint("--fail-on-severity none takes an image that cannot be scanned")
        .hint(PUSHED)
}

fn gave_up(name: &str, last: &str) -> CommandError {
    CommandError::new(Exit::Unknown, format!("gave up waiting for the scan of {name}"))
        .because(format!("its state is still: {last}"))
        .hint("wait longer with --scan-timeout SECONDS; the same command again waits on, and pushes nothing twice")
        .hint(PUSHED)
}

fn of_counts(counts: &Counts) -> Value {
    Severity::ALL
        .into_iter()
        .map(|severity| (severity.name().to_owned(), json!(counts.of(severity))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
