//! Findings as JUnit's XML, which pipelines show as tests.

use std::fmt::Write as _;

use shipway::migrations::check::{Finding, Level};

use super::{CheckResult, path};

impl CheckResult<'_> {
    /// The JUnit form: a test for each finding, failed from the level `fail_on` on; one that passed where there is none.
    pub(crate) fn junit(&self, fail_on: Level) -> Result<String, std::fmt::Error> {
        let findings = &self.report.findings;
        let fails = |finding: &&Finding| fail_on != Level::Off && finding.level >= fail_on;
        let failures = findings.iter().filter(fails).count();
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let tests = findings.len().max(1);
        writeln!(text, "<testsuites tests=\"{tests}\" failures=\"{failures}\">")?;
        writeln!(
            text,
            "  <testsuite name=\"shipway check\" tests=\"{tests}\" failures=\"{failures}\">"
        )?;
        if findings.is_empty() {
            writeln!(
                text,
                "    <testcase classname=\"migrations\" name=\"nothing was found\"/>"
            )?;
        }
        for finding in findings {
            let (file, line) = (escape(path(finding)), finding.place.line);
            let name = escape(&format!("{} {}", finding.rule.code, finding.message));
            write!(
                text,
                "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\""
            )?;
            let told = format!("{}:{line}: {}: {}", path(finding), finding.level, finding.message);
            let help = finding
                .help
                .as_deref()
                .map(|help| format!("\n{help}"))
                .unwrap_or_default();
            let body = escape(&format!("{told}{help}"));
            match fails(&finding) {
                true => writeln!(
                    text,
                    ">\n      <failure type=\"{}\" message=\"{name}\">{body}</failure>\n    </testcase>",
                    finding.rule.code
                )?,
                false => writeln!(text, ">\n      <system-out>{body}</system-out>\n    </testcase>")?,
            }
        }
        text.push_str("  </testsuite>\n</testsuites>\n");
        Ok(text)
    }
}

/// Text for XML 1.0, which has no place for most control characters.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            other if other.is_control() || matches!(u32::from(other), 0xfffe | 0xffff) => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            super::escape("<a & \"b\">\u{1}\u{0}"),
            "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}\u{fffd}"
        );
    }
}
