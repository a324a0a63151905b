//! Findings as GitLab's Code Quality report, which a merge request shows beside the lines.

use serde_json::{Value, json};
use shipway::migrations::check::Level;

use super::{CheckResult, path};

impl CheckResult<'_> {
    /// The Code Quality form: a list, empty where nothing was found.
    pub(crate) fn code_quality(&self) -> Value {
        let issues = self.fingerprints().into_iter().map(|(finding, print)| {
            json!({
                "description": format!("{}: {}", finding.rule.code, finding.message),
                "check_name": finding.rule.code,
                "fingerprint": print,
                "severity": match finding.level {
                    Level::Error => "critical",
                    Level::Warning => "minor",
                    Level::Info | Level::Off => "info",
                },
                "location": {
                    "path": path(finding),
                    "lines": { "begin": finding.place.line.max(1) },
                },
            })
        });
        issues.collect()
    }
}
