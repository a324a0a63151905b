//! What is told of an image that was copied, pushed or tagged.

use serde_json::{Value, json};
use shipway::content::copy::{CopiedReferrer, ReferrerStatus};
use shipway::oci::{Digest, Platform};

use super::Summary;

/// What is told of a copy.
#[derive(Debug)]
pub(crate) struct CopyResult {
    pub(crate) summary: Summary,
    /// What was copied, as it was named.
    pub(crate) source: String,
    pub(crate) platforms: Vec<(Option<Platform>, Digest)>,
    pub(crate) referrers: Vec<CopiedReferrer>,
}

impl CopyResult {
    /// The object of the JSON form.
    pub(crate) fn json(&self) -> Value {
        let platforms = self.platforms.iter().map(|(platform, digest)| {
            json!({
                "platform": platform.as_ref().map(ToString::to_string),
                "digest": digest,
            })
        });
        let referrers = self.referrers.iter().map(|referrer| {
            json!({
                "digest": referrer.digest,
                "artifactType": referrer.artifact_type,
                "status": self.word(referrer.status),
            })
        });
        let mut object = self.summary.json();
        object.extend([
            ("source".to_owned(), json!(self.source)),
            ("platforms".to_owned(), platforms.collect()),
            ("referrers".to_owned(), referrers.collect()),
        ]);
        Value::Object(object)
    }

    fn word(&self, status: ReferrerStatus) -> &'static str {
        match status {
            ReferrerStatus::Unchanged => "unchanged",
            ReferrerStatus::Kept => "kept",
            ReferrerStatus::Refused => "refused",
            ReferrerStatus::Skipped => "skipped",
            ReferrerStatus::DryRun => "dry-run",
            ReferrerStatus::Written if self.summary.images.is_empty() => "written",
            ReferrerStatus::Written => "pushed",
        }
    }
}
