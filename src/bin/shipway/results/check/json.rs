//! The JSON form; `docs/check.schema.json` describes it.

use serde_json::{Value, json};
use shipway::migrations::check::{Drift, Family, Finding, Level};

use super::CheckResult;

/// The name and version of the JSON form.
const SCHEMA: &str = "shipway.check/v1";

pub(super) fn json(result: &CheckResult<'_>) -> Value {
    let report = result.report;
    json!({
        "schema": SCHEMA,
        "status": match report.findings.iter().any(|finding| result.fails(finding)) || report.has_secret() {
            true => "failed",
            false => "passed",
        },
        "failOn": result.fail_on.name(),
        "counts": {
            "error": report.count(Level::Error),
            "warning": report.count(Level::Warning),
            "info": report.count(Level::Info),
            "allowed": report.allowed.len(),
        },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "allowed": report.allowed.iter().map(finding).collect::<Vec<_>>(),
        "drift": drift(&report.drift),
        "migrations": report.migrations,
        "highestVersion": report.highest_version,
        "setDigest": report.set_digest,
    })
}

fn finding(finding: &Finding) -> Value {
    let place = &finding.place;
    let number = |number: u64| Some(number).filter(|number| *number > 0);
    json!({
        "rule": finding.rule.code,
        "family": family(finding.rule.family),
        "level": finding.level.name(),
        "path": Some(&place.path).filter(|path| !path.is_empty()),
        "line": number(place.line),
        "column": number(place.column),
        "width": number(place.width),
        "message": finding.message,
        "help": finding.help,
        "key": finding.key,
        "allowed": finding.allowed,
        "page": page(finding.rule.code),
    })
}

/// Where the page of a rule lies in the project.
pub(super) fn page(code: &str) -> String {
    format!("docs/rules/{code}.md")
}

/// The word for a family.
pub(super) fn family(family: Family) -> &'static str {
    match family {
        Family::Names => "names",
        Family::Content => "content",
        Family::Risk => "risk",
        Family::Secrets => "secrets",
        Family::Drift => "drift",
    }
}

fn drift(drift: &Drift) -> Value {
    let (state, against, identity, reason) = match drift {
        Drift::Off => ("off", None, None, None),
        Drift::Compared { against, identity } => ("compared", Some(against), identity.as_ref(), None),
        Drift::First { against } => ("first", Some(against), None, None),
        Drift::Unchecked { against, reason } => ("unchecked", Some(against), None, Some(reason)),
    };
    json!({ "state": state, "against": against, "identity": identity, "reason": reason })
}
