//! A report as JUnit writes it: a test for each rule, which fails if the rule found something that fails the check.
//!
//! GitLab shows the name of a failed test, its file, and the text of the failure.

use std::fmt::Write as _;

use shipway::migrations::check::{Finding, Level, RULES};

use super::json::family;
use super::{CheckResult, is_file};

pub(super) fn junit(result: &CheckResult<'_>) -> String {
    let findings = &result.report.findings;
    let of = |code: &str| -> Vec<&Finding> { findings.iter().filter(|finding| finding.rule.code == code).collect() };
    let mut cases = String::new();
    let (mut tests, mut failures) = (0, 0);
    for rule in RULES {
        let found = of(rule.code);
        if rule.level == Level::Off && found.is_empty() {
            continue;
        }
        tests += 1;
        let file = found.iter().find(|finding| is_file(&finding.place.path));
        let file = file.map(|finding| format!(" file=\"{}\"", escaped(&result.folders.path(&finding.place.path))));
        // Writing to a text does not fail.
        let _ = write!(
            cases,
            "    <testcase classname=\"shipway.{}\" name=\"{}: {}\"{} time=\"0\"",
            family(rule.family),
            rule.code,
            escaped(rule.title),
            file.unwrap_or_default()
        );
        let (failed, told): (Vec<&Finding>, Vec<&Finding>) =
            found.into_iter().partition(|finding| result.fails(finding));
        if failed.is_empty() && told.is_empty() {
            cases.push_str("/>\n");
            continue;
        }
        cases.push_str(">\n");
        if let [first, ..] = failed.as_slice() {
            failures += 1;
            let _ = writeln!(
                cases,
                "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                first.level,
                escaped(&first.message),
                lines(&failed)
            );
        }
        if !told.is_empty() {
            let _ = writeln!(cases, "      <system-out>{}</system-out>", lines(&told));
        }
        cases.push_str("    </testcase>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"shipway check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\">\n  \
         <testsuite name=\"shipway check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" time=\"0\">\n\
         {cases}  </testsuite>\n</testsuites>\n"
    )
}

fn lines(findings: &[&Finding]) -> String {
    let line = |finding: &&Finding| {
        let help = finding.help.as_ref().map(|help| format!("\n  {help}"));
        escaped(&format!("{} {finding}{}\n", finding.level, help.unwrap_or_default()))
    };
    findings.iter().map(line).collect()
}

/// A text as XML 1.0 has it, which knows no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
