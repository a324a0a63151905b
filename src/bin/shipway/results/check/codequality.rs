//! GitLab's report of code quality: what it shows in the widget and in the changes of a merge request.
//!
//! The members are those of <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.

use serde_json::{Value, json};
use shipway::migrations::check::{Family, Finding, Level};

use super::{CheckResult, is_file, one_line};

/// Where GitLab shows what is in no file: the report has no place for that.
const PROJECT_FILE: &str = "shipway.toml";

pub(super) fn code_quality(result: &CheckResult<'_>) -> Value {
    let all = result.fingerprints(&result.report.findings).into_iter();
    all.map(|(finding, fingerprint)| {
        let place = &finding.place;
        let path = match is_file(&place.path) {
            true => result.folders.path(&place.path),
            false => result.folders.path(PROJECT_FILE),
        };
        json!({
            "description": description(finding),
            "check_name": finding.rule.code,
            "fingerprint": fingerprint,
            "severity": severity(finding),
            "location": { "path": path, "lines": { "begin": place.line.max(1) } },
        })
    })
    .collect()
}

fn description(finding: &Finding) -> String {
    let place = match is_file(&finding.place.path) {
        true => String::new(),
        false => format!("{} ", finding.place.path),
    };
    let help = finding.help.as_ref().map(|help| format!("; {help}"));
    let text = format!(
        "{}: {place}{}{}",
        finding.rule.code,
        finding.message,
        help.unwrap_or_default()
    );
    one_line(&text)
}

fn severity(finding: &Finding) -> &'static str {
    match (finding.level, finding.rule.family) {
        (Level::Error, Family::Secrets) => "blocker",
        (Level::Error, _) => "critical",
        (Level::Warning, _) => "major",
        (Level::Info | Level::Off, _) => "info",
    }
}
