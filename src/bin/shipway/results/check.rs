//! What a check found, for people and for programs.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shipway::migrations::MigrationSet;
use shipway::migrations::check::{Drift, Finding, Level, Report};

mod code_quality;
mod junit;
mod sarif;
mod text;

/// The file a finding belongs to that is in none.
const NO_FILE: &str = "shipway.toml";

/// What a check found.
#[derive(Debug)]
pub(crate) struct CheckResult<'a> {
    pub(crate) report: &'a Report,
    /// Where the lines come from that are shown.
    pub(crate) set: &'a MigrationSet,
}

impl CheckResult<'_> {
    /// The JSON form, described in `docs/check.schema.json`.
    pub(crate) fn json(&self) -> Value {
        let report = self.report;
        let all = |findings: &[Finding]| findings.iter().map(finding).collect::<Vec<_>>();
        json!({
            "schema": "io.shipway.check/v1",
            "findings": all(&report.findings),
            "allowed": all(&report.allowed),
            "counts": {
                "error": report.count(Level::Error),
                "warning": report.count(Level::Warning),
                "info": report.count(Level::Info),
                "allowed": report.allowed.len(),
            },
            "drift": drift(&report.drift),
            "migrations": report.migrations,
            "highestVersion": report.highest_version,
            "setDigest": report.set_digest,
            "database": self.set.dialect.to_string(),
        })
    }

    /// The findings, each with a fingerprint that stays when lines are added above it.
    fn fingerprints(&self) -> Vec<(&Finding, String)> {
        let mut seen: BTreeMap<[u8; 32], usize> = BTreeMap::new();
        let mut printed = Vec::new();
        for finding in &self.report.findings {
            let Finding {
                rule, place, message, ..
            } = finding;
            let text = format!("{}\0{}\0{message}", rule.code, place.path);
            let digest: [u8; 32] = Sha256::digest(text).into();
            let count = seen.entry(digest).or_default();
            *count += 1;
            let digest: [u8; 32] = Sha256::digest([&digest[..], &count.to_be_bytes()].concat()).into();
            let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            printed.push((finding, digits));
        }
        printed
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.code,
        "title": finding.rule.title,
        "level": finding.level.name(),
        "path": finding.place.path,
        "line": finding.place.line,
        "column": finding.place.column,
        "width": finding.place.width,
        "message": finding.message,
        "help": finding.help,
        "key": finding.key,
        "allowed": finding.allowed,
        "page": format!("docs/rules/{}.md", finding.rule.code),
    })
}

fn drift(drift: &Drift) -> Value {
    match drift {
        Drift::Off => json!({ "state": "off" }),
        Drift::Compared { against, identity } => {
            json!({ "state": "compared", "against": against, "identity": identity })
        }
        Drift::First { against } => json!({ "state": "first", "against": against }),
        Drift::Unchecked { against, reason } => json!({ "state": "unchecked", "against": against, "reason": reason }),
    }
}

/// What a set was compared with, in a sentence.
pub(crate) fn drift_text(drift: &Drift) -> String {
    match drift {
        Drift::Off => "not compared with anything that was shipped (--against)".to_owned(),
        Drift::Compared { against, identity } => match identity {
            Some(identity) => format!("compared with {against} ({identity})"),
            None => format!("compared with {against}"),
        },
        Drift::First { against } => {
            format!("nothing has been shipped as {against} yet: there is nothing to compare with")
        }
        Drift::Unchecked { against, reason } => format!("not compared with {against}: {reason}"),
    }
}

/// The path of a finding for programs that need one.
fn path(finding: &Finding) -> &str {
    match finding.place.path.trim_start_matches("./") {
        "" | "ENV" | "LABEL" => NO_FILE,
        path => path,
    }
}

/// The lines of scripts, read when they are shown.
struct Lines<'a> {
    set: &'a MigrationSet,
    known: HashMap<String, Vec<String>>,
}
