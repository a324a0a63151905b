//! Findings in SARIF 2.1.0 (OASIS), which code hosts and editors read.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shipway::migrations::check::{Finding, Level, RULES, Rule};

use super::{CheckResult, path};

impl CheckResult<'_> {
    /// The SARIF form.
    pub(crate) fn sarif(&self) -> Value {
        let used: BTreeSet<&str> = self.report.findings.iter().map(|finding| finding.rule.code).collect();
        let rules: Vec<&Rule> = RULES.iter().filter(|rule| used.contains(rule.code)).collect();
        let index = |finding: &Finding| rules.iter().position(|rule| rule.code == finding.rule.code);
        let results: Vec<Value> = self
            .fingerprints()
            .into_iter()
            .map(|(finding, print)| result(finding, index(finding), &print))
            .collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "shipway",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.iter().map(|rule| of_rule(rule)).collect::<Vec<_>>(),
                } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        })
    }
}

fn of_rule(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": level(rule.level) },
    })
}

fn result(finding: &Finding, index: Option<usize>, print: &str) -> Value {
    let place = &finding.place;
    let mut physical = json!({ "artifactLocation": { "uri": uri(path(finding)) } });
    if place.line > 0 {
        let mut region = json!({ "startLine": place.line });
        if place.column > 0 {
            region["startColumn"] = place.column.into();
            if place.width > 0 {
                region["endColumn"] = (place.column + place.width).into();
            }
        }
        physical["region"] = region;
    }
    let message = match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    };
    json!({
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": level(finding.level),
        "message": { "text": message },
        "locations": [{ "physicalLocation": physical }],
        "partialFingerprints": { "shipway/v1": print },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
        Level::Off => "none",
    }
}

/// A path as a relative reference (RFC 3986): all but letters, digits and a few signs in percent.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_are_references() {
        assert_eq!(
            super::uri("db/mit leer ü/V1__a#.sql"),
            "db/mit%20leer%20%C3%BC/V1__a%23.sql"
        );
    }
}
