//! What Amazon ECR found in an image: basic scans and enhanced ones (Amazon Inspector).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_ecr::operation::describe_image_scan_findings::DescribeImageScanFindingsOutput;
use aws_sdk_ecr::types::{ImageIdentifier, ScanStatus};
use futures_util::future::join_all;
use tokio::sync::OnceCell;

use super::failure::code;
use super::repositories::ScanFrequency;
use super::session::Session;
use crate::content::{ContentError, Kind, Result};
use crate::oci::Digest;
use crate::progress::{Event, Progress};

/// Longest wait between two questions; a basic scan takes some ten seconds, an enhanced one minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How bad a finding is, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nobody has said yet.
    Undefined,
    /// Worth knowing.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Informational,
        Self::Undefined,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a severity; there are: critical, high, medium, low, informational, undefined")]
pub struct SeverityError(String);

impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> std::result::Result<Self, SeverityError> {
        let is_meant = |severity: &Self| severity.name().eq_ignore_ascii_case(text);
        // Inspector says UNTRIAGED where ECR says UNDEFINED.
        let found = Self::ALL.into_iter().find(is_meant);
        found
            .or_else(|| text.eq_ignore_ascii_case("untriaged").then_some(Self::Undefined))
            .ok_or_else(|| SeverityError(text.to_owned()))
    }
}

/// How many findings there are of each severity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Severity, u64>);

impl Counts {
    /// Adds findings.
    pub fn add(&mut self, severity: Severity, count: u64) {
        if count > 0 {
            *self.0.entry(severity).or_default() += count;
        }
    }

    /// Adds those of another image.
    pub fn add_all(&mut self, other: &Self) {
        for (severity, count) in &other.0 {
            self.add(*severity, *count);
        }
    }

    /// How many are as bad as `threshold`, or worse.
    #[must_use]
    pub fn at_least(&self, threshold: Severity) -> u64 {
        self.0.range(threshold..).map(|(_, count)| count).sum()
    }

    /// How many there are of one severity.
    #[must_use]
    pub fn of(&self, severity: Severity) -> u64 {
        self.0.get(&severity).copied().unwrap_or_default()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no findings");
        }
        let parts: Vec<String> = self
            .0
            .iter()
            .rev()
            .map(|(severity, count)| format!("{count} {severity}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanOutcome {
    /// It ended with findings, or without.
    Found(Counts),
    /// It ended without an answer: Amazon ECR's word for it, and its reason.
    Impossible {
        /// Such as `UNSUPPORTED_IMAGE`.
        status: String,
        /// What it says of the reason.
        reason: String,
    },
    /// It had not ended when the time was over; what it was doing last.
    Unfinished(String),
}

/// What is known of a repository whose images are waited for.
struct Waiting<'a> {
    path: &'a str,
    end: Instant,
    progress: &'a dyn Progress,
    /// When its images are scanned, or why that cannot be told; asked once.
    frequency: OnceCell<Result<ScanFrequency>>,
    has_told: AtomicBool,
}

impl Session {
    /// Waits until images of a repository are scanned, or it is `end`. Asks for scans where none come by themselves.
    ///
    /// The outcomes are in the order of the digests. An error says that the findings may not be read, that a scan which
    /// has to be asked for may not be, or that AWS cannot be reached.
    pub async fn wait_for_scans(
        &self,
        path: &str,
        digests: &[Digest],
        end: Instant,
        progress: &dyn Progress,
    ) -> Vec<Result<ScanOutcome>> {
        let waiting = Waiting {
            path,
            end,
            progress,
            frequency: OnceCell::new(),
            has_told: AtomicBool::new(false),
        };
        join_all(digests.iter().map(|digest| self.wait_for_scan(&waiting, digest))).await
    }

    async fn wait_for_scan(&self, waiting: &Waiting<'_>, digest: &Digest) -> Result<ScanOutcome> {
        let mut pause = self.patience().first_wait;
        let mut is_asked_for = false;
        let mut last = "not begun".to_owned();
        loop {
            let told = self.findings(waiting.path, digest, None).await?;
            match told {
                Some(told) => {
                    let (status, reason) = status_of(&told);
                    if let Some(outcome) = self.outcome(waiting.path, digest, told, &status, reason).await? {
                        return Ok(outcome);
                    }
                    status.as_str().clone_into(&mut last);
                }
                None if !is_asked_for => {
                    is_asked_for = true;
                    self.ask_for_scan(waiting, digest).await?;
                }
                None => {}
            }
            let left = waiting.end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(ScanOutcome::Unfinished(last));
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Asks for a scan, unless one comes by itself.
    async fn ask_for_scan(&self, waiting: &Waiting<'_>, digest: &Digest) -> Result<()> {
        let path = waiting.path;
        let frequency = waiting.frequency.get_or_init(|| self.scan_frequency(path)).await;
        match frequency {
            Ok(ScanFrequency::Manual) => {
                waiting.progress.on(&Event::Notice(&format!(
                    "{path} is scanned on request only; asking for a scan of {}",
                    digest.short(12)
                )));
                self.start_scan(path, digest).await
            }
            Ok(_) => Ok(()),
            Err(unknown) => {
                if let Err(refused) = self.start_scan(path, digest).await
                    && !waiting.has_told.swap(true, Ordering::Relaxed)
                {
                    waiting.progress.on(&Event::Notice(&format!(
                        "whether images are scanned by themselves is not known, and none can be asked for; waiting all the same: {}; {}",
                        words(unknown),
                        words(&refused)
                    )));
                }
                Ok(())
            }
        }
    }

    /// What a status means: an end, or none yet.
    async fn outcome(
        &self,
        path: &str,
        digest: &Digest,
        told: DescribeImageScanFindingsOutput,
        status: &ScanStatus,
        reason: String,
    ) -> Result<Option<ScanOutcome>> {
        Ok(match status {
            ScanStatus::InProgress | ScanStatus::Pending => None,
            ScanStatus::Complete | ScanStatus::Active => {
                Some(ScanOutcome::Found(self.counts(path, digest, told).await?))
            }
            other => Some(ScanOutcome::Impossible {
                status: other.as_str().to_owned(),
                reason,
            }),
        })
    }

    /// The counts as they are told, or else counted over all pages.
    async fn counts(&self, path: &str, digest: &Digest, first: DescribeImageScanFindingsOutput) -> Result<Counts> {
        let mut counts = Counts::default();
        let told = first
            .image_scan_findings
            .as_ref()
            .and_then(|findings| findings.finding_severity_counts.as_ref());
        if let Some(told) = told {
            for (severity, count) in told {
                counts.add(
                    severity_of(severity.as_str()),
                    u64::try_from(*count).unwrap_or_default(),
                );
            }
            return Ok(counts);
        }
        let mut page = Some(first);
        while let Some(told) = page {
            for finding in told
                .image_scan_findings
                .and_then(|findings| findings.enhanced_findings)
                .unwrap_or_default()
            {
                counts.add(severity_of(finding.severity.as_deref().unwrap_or_default()), 1);
            }
            page = match told.next_token {
                Some(next) => self.findings(path, digest, Some(next)).await?,
                None => None,
            };
        }
        Ok(counts)
    }

    /// A page of what is known; `None` if there is no scan.
    async fn findings(
        &self,
        path: &str,
        digest: &Digest,
        page: Option<String>,
    ) -> Result<Option<DescribeImageScanFindingsOutput>> {
        let host = self.private()?;
        let answer = self
            .ecr()
            .await?
            .describe_image_scan_findings()
            .registry_id(&host.account)
            .repository_name(path)
            .image_id(ImageIdentifier::builder().image_digest(digest.to_string()).build())
            .set_next_token(page)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if code(&error) == "ScanNotFoundException" => Ok(None),
            Err(error) => Err(self.failed("read the findings of", path, "ecr:DescribeImageScanFindings", &error)),
        }
    }

    async fn start_scan(&self, path: &str, digest: &Digest) -> Result<()> {
        let host = self.private()?;
        let answer = self
            .ecr()
            .await?
            .start_image_scan()
            .registry_id(&host.account)
            .repository_name(path)
            .image_id(ImageIdentifier::builder().image_digest(digest.to_string()).build())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            // Once a day for an image: somebody else has asked.
            Err(error) if code(&error) == "LimitExceededException" => Ok(()),
            Err(error) if code(&error) == "UnsupportedImageTypeException" => {
                Err(ContentError::new(Kind::Other, format!("{path} cannot be scanned"))
                    .because(error.into_service_error().to_string()))
            }
            Err(error) => Err(self.failed("scan", path, "ecr:StartImageScan", &error)),
        }
    }
}

/// An error and its causes on one line.
fn words(error: &ContentError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(current) = cause {
        text = format!("{text}: {current}");
        cause = current.source();
    }
    text
}

fn status_of(told: &DescribeImageScanFindingsOutput) -> (ScanStatus, String) {
    let status = told.image_scan_status.as_ref();
    (
        status
            .and_then(|status| status.status.clone())
            .unwrap_or(ScanStatus::Pending),
        status.and_then(|status| status.description.clone()).unwrap_or_default(),
    )
}

fn severity_of(text: &str) -> Severity {
    text.parse().unwrap_or(Severity::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_worst_first_and_summed_from_a_threshold() {
        let mut counts = Counts::default();
        assert_eq!(counts.to_string(), "no findings");
        counts.add(Severity::Low, 4);
        counts.add(Severity::Critical, 1);
        counts.add(Severity::High, 2);
        counts.add(Severity::Medium, 0);
        assert_eq!(counts.to_string(), "1 critical, 2 high, 4 low");
        assert_eq!(counts.at_least(Severity::High), 3);
        assert_eq!(counts.at_least(Severity::Undefined), 7);
        let mut sum = counts.clone();
        sum.add_all(&counts);
        assert_eq!(sum.of(Severity::High), 4);
    }

    #[test]
    fn severities_are_read_in_any_case() {
        assert_eq!("HIGH".parse(), Ok(Severity::High));
        assert_eq!("untriaged".parse(), Ok(Severity::Undefined));
        assert!("bad".parse::<Severity>().is_err());
    }
}
