//! Scans of images, as a test scripts them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::registry::Reply;
use super::call::Asked;
use super::error::refusal;

/// What one question about a scan is answered with.
#[derive(Clone, Debug)]
pub(crate) enum Scan {
    /// `ScanNotFoundException`.
    NotFound,
    /// A status without findings, and its description.
    Status(&'static str, &'static str),
    /// A status, and how many findings of each severity a basic scan has.
    Basic(&'static str, Vec<(&'static str, u64)>),
    /// The findings of an enhanced scan, of these severities, one page each; no counts.
    Enhanced(&'static str, Vec<Vec<&'static str>>),
}

/// All scans.
#[derive(Default)]
pub(super) struct Scans {
    sequences: Vec<Vec<Scan>>,
    /// Which sequence an image has, and how often it was asked about.
    images: BTreeMap<String, (usize, usize)>,
}

impl Scans {
    /// Sequences, for the first image asked about, the second, and so on.
    pub(super) fn new(sequences: Vec<Vec<Scan>>) -> Self {
        Self {
            sequences,
            images: BTreeMap::new(),
        }
    }

    /// `StartImageScan`.
    pub(super) fn start(&self, asked: &Asked, digest: &str, media_type: &str) -> Reply {
        if is_index(media_type) {
            let message = "The image type is not supported for scanning";
            return refusal(&asked.operation, 400, "UnsupportedImageTypeException", message);
        }
        Reply::json(
            200,
            &json!({
                "repositoryName": asked.text("repositoryName"), "imageId": {"imageDigest": digest},
                "imageScanStatus": {"status": "IN_PROGRESS"},
            }),
        )
    }

    /// `DescribeImageScanFindings`. An index has no scan: its children do.
    pub(super) fn findings(&mut self, asked: &Asked, digest: &str, media_type: &str) -> Reply {
        let not_found = || {
            let message = format!("Image scan does not exist for the image with '{{imageDigest:'{digest}'}}'");
            refusal(&asked.operation, 400, "ScanNotFoundException", &message)
        };
        if is_index(media_type) {
            return not_found();
        }
        let count = self.images.len();
        let (sequence, step) = self.images.entry(digest.to_owned()).or_insert((count, 0));
        let last = self.sequences.last();
        let Some(sequence) = self.sequences.get(*sequence).or(last) else {
            return not_found();
        };
        let page = asked.text("nextToken").parse().unwrap_or(0);
        if page == 0 {
            *step += 1;
        }
        let scan = sequence.get(*step - 1).or(sequence.last());
        let (status, description, findings, next) = match scan {
            None | Some(Scan::NotFound) => return not_found(),
            Some(Scan::Status(status, description)) => (status, *description, None, None),
            Some(Scan::Basic(status, counts)) => {
                let counts: Map<_, _> = counts
                    .iter()
                    .map(|(severity, count)| ((*severity).to_owned(), (*count).into()))
                    .collect();
                let findings = json!({
                    "imageScanCompletedAt": 1_767_322_800.0, "findingSeverityCounts": counts, "findings": [],
                });
                (status, "The scan was completed successfully.", Some(findings), None)
            }
            Some(Scan::Enhanced(status, pages)) => {
                let findings: Vec<_> = pages
                    .get(page)
                    .into_iter()
                    .flatten()
                    .map(|word| finding(word))
                    .collect();
                let next = (page + 1 < pages.len()).then(|| (page + 1).to_string());
                let findings = json!({"enhancedFindings": findings});
                (status, "Continuous scan is selected for image.", Some(findings), next)
            }
        };
        let mut answer = json!({
            "repositoryName": asked.text("repositoryName"), "imageId": {"imageDigest": digest},
            "imageScanStatus": {"status": status, "description": description},
        });
        if let Some(findings) = findings {
            answer["imageScanFindings"] = findings;
        }
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Reply::json(200, &answer)
    }
}

fn finding(severity: &str) -> Value {
    json!({
        "findingArn": "arn:aws:inspector2:eu-west-1:123456789012:finding/1", "severity": severity,
        "status": "ACTIVE", "title": "CVE-2026-0001 - example", "type": "PACKAGE_VULNERABILITY",
        "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-2026-0001", "source": "DEBIAN_CVE"},
    })
}

fn is_index(media_type: &str) -> bool {
    media_type.ends_with("index.v1+json") || media_type.ends_with("manifest.list.v2+json")
}
