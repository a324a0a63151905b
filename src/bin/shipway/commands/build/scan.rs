//! Waiting for what Amazon ECR finds in the image.

use std::time::Duration;

use serde_json::{Value, json};
use shipway::aws::{Counts, ScanOutcome, Severity};
use shipway::ecr::EcrHost;
use shipway::error::Error;
use shipway::oci::{Digest, Repository};

use crate::args::BuildArguments;
use crate::failure::{Exit, UsageError, Verdict};
use crate::places::Places;

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
    outcome: ScanOutcome,
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
                UsageError::new("--wait-for-scan: the image is not pushed to a registry of Amazon ECR")
                    .hint("only Amazon ECR's private registries scan what is pushed: add --push and a repository there")
                    .into(),
            );
        }
        let threshold = match arguments.fail_on_severity.as_deref() {
            None => Some(Severity::High),
            Some("none") => None,
            Some(text) => Some(
                text.parse()
                    .map_err(|error| UsageError::new("--fail-on-severity").because(error))?,
            ),
        };
        Ok(Some(Self {
            repositories,
            threshold,
            limit: Duration::from_secs_f64(arguments.scan_timeout),
        }))
    }

    /// Waits for the scans of images: an index is not scanned, what it lists is.
    pub(super) async fn wait(&self, digests: &[Digest], places: &Places) -> anyhow::Result<Scans> {
        let mut scans = Vec::new();
        for repository in &self.repositories {
            let session = places.aws.at(repository.registry()).map_err(Error::from)?;
            let Some(session) = session else { continue };
            for digest in digests {
                let outcome = session
                    .wait_for_scan(repository.path(), digest, self.limit, places.progress.as_ref())
                    .await
                    .map_err(Error::from)?;
                scans.push(Scan {
                    repository: repository.clone(),
                    digest: *digest,
                    outcome,
                });
            }
        }
        Ok(Scans {
            scans,
            threshold: self.threshold,
        })
    }
}

impl Scans {
    /// One line for each image.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |scan: &Scan| {
            let what = match &scan.outcome {
                ScanOutcome::Found(counts) => counts.to_string(),
                ScanOutcome::Impossible { status, .. } => status.clone(),
                ScanOutcome::Unfinished(last) => format!("not finished ({last})"),
            };
            format!("scan of {}@{}: {what}", scan.repository, scan.digest.short(12))
        };
        self.scans.iter().map(line).collect()
    }

    /// The list of the JSON form.
    pub(super) fn json(&self) -> Value {
        let scan = |scan: &Scan| {
            let (status, reason, counts) = match &scan.outcome {
                ScanOutcome::Found(counts) => ("COMPLETE", "", Some(of_counts(counts))),
                ScanOutcome::Impossible { status, reason } => (status.as_str(), reason.as_str(), None),
                ScanOutcome::Unfinished(last) => ("TIMED_OUT", last.as_str(), None),
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

    /// Why this is not good enough, if it is not.
    pub(super) fn verdict(&self) -> Option<anyhow::Error> {
        let pushed = "the image is pushed; no result files were written";
        for scan in &self.scans {
            let name = format!("{}@{}", scan.repository, scan.digest);
            match (&scan.outcome, self.threshold) {
                (ScanOutcome::Impossible { status, reason }, Some(_)) => {
                    let reason = match reason.is_empty() {
                        true => status.clone(),
                        false => format!("{reason} ({status})"),
                    };
                    return Some(
                        Verdict::new(Exit::Failed, format!("Amazon ECR cannot scan {name}"))
                            .because(reason)
                            .hint("--fail-on-severity none takes an image that cannot be scanned")
                            .hint(pushed)
                            .into(),
                    );
                }
                (ScanOutcome::Unfinished(last), _) => {
                    return Some(
                        Verdict::new(Exit::Unknown, format!("gave up waiting for the scan of {name}"))
                            .because(format!("its state is still: {last}"))
                            .hint("wait longer with --scan-timeout SECONDS; the same command again waits on, and pushes nothing twice")
                            .hint(pushed)
                            .into(),
                    );
                }
                _ => {}
            }
        }
        let threshold = self.threshold?;
        let mut counts = Counts::default();
        for scan in &self.scans {
            if let ScanOutcome::Found(found) = &scan.outcome {
                counts.add_all(found);
            }
        }
        let past = counts.at_least(threshold);
        (past > 0).then(|| {
            let noun = if past == 1 { "finding" } else { "findings" };
            Verdict::new(
                Exit::Findings,
                format!("{past} {noun} of severity {threshold} or above"),
            )
            .because(format!("in all: {counts}"))
            .hint("a newer base image has most of them mended; --fail-on-severity sets the limit")
            .hint(pushed)
            .into()
        })
    }
}

fn of_counts(counts: &Counts) -> Value {
    Severity::ALL
        .into_iter()
        .map(|severity| (severity.name().to_owned(), json!(counts.of(severity))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
