//! SARIF 2.1.0, the form that many services and editors read.

use serde_json::{Map, Value, json};
use shipway::migrations::check::{Finding, Level, Place, Rule};

use super::json::family;
use super::{CheckResult, is_file};

/// Where the schema of the form is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The name of the fingerprints: a number behind it would change with how they are made.
const FINGERPRINT: &str = "shipway/v1";

pub(super) fn sarif(result: &CheckResult<'_>) -> Value {
    let report = result.report;
    let mut rules: Vec<&Rule> = report
        .findings
        .iter()
        .chain(&report.allowed)
        .map(|finding| finding.rule)
        .collect();
    rules.sort_by_key(|rule| rule.code);
    rules.dedup();
    let index = |finding: &Finding| rules.iter().position(|rule| rule.code == finding.rule.code);
    let of = |findings: &[Finding]| -> Vec<Value> {
        let all = result.fingerprints(findings).into_iter();
        all.map(|(finding, fingerprint)| self::result(result, finding, index(finding), &fingerprint))
            .collect()
    };
    let results: Vec<Value> = of(&report.findings).into_iter().chain(of(&report.allowed)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "shipway",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| self::rule(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    let why = section(rule.page, "## Why");
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": why.unwrap_or(rule.title) },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": level(rule.level) },
        "properties": { "tags": [family(rule.family)] },
    })
}

fn result(result: &CheckResult<'_>, finding: &Finding, index: Option<usize>, fingerprint: &str) -> Value {
    let text = match is_file(&finding.place.path) || finding.place.path.is_empty() {
        true => finding.message.clone(),
        false => format!("{} {}", finding.place.path, finding.message),
    };
    let text = match &finding.help {
        Some(help) => format!("{text}; {help}"),
        None => text,
    };
    let mut object = Map::from_iter([
        ("ruleId".to_owned(), json!(finding.rule.code)),
        ("ruleIndex".to_owned(), json!(index)),
        ("level".to_owned(), json!(level(finding.level))),
        ("message".to_owned(), json!({ "text": text })),
        ("partialFingerprints".to_owned(), json!({ FINGERPRINT: fingerprint })),
    ]);
    if is_file(&finding.place.path) {
        object.insert("locations".to_owned(), json!([location(result, &finding.place)]));
    }
    if let Some(reason) = &finding.allowed {
        let suppression = json!({ "kind": "inSource", "justification": reason });
        object.insert("suppressions".to_owned(), json!([suppression]));
    }
    Value::Object(object)
}

fn location(result: &CheckResult<'_>, place: &Place) -> Value {
    let mut physical = Map::from_iter([(
        "artifactLocation".to_owned(),
        json!({ "uri": encoded(&result.folders.path(&place.path)), "uriBaseId": "%SRCROOT%" }),
    )]);
    if place.line > 0 {
        let mut region = Map::from_iter([("startLine".to_owned(), json!(place.line))]);
        if place.column > 0 {
            region.insert("startColumn".to_owned(), json!(place.column));
            if place.width > 0 {
                region.insert("endColumn".to_owned(), json!(place.column + place.width));
            }
        }
        physical.insert("region".to_owned(), Value::Object(region));
    }
    json!({ "physicalLocation": physical })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
        Level::Off => "none",
    }
}

/// The text below a heading of a page.
fn section<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("\n{heading}\n"))?;
    let text = rest.split("\n## ").next()?.trim();
    (!text.is_empty()).then_some(text)
}

/// A path as a URI has it.
fn encoded(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
