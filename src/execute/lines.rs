//! Lines of a log, as they may be shown: without what a terminal would obey, and without secrets.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Deserialize as _;
use serde_json::Value;

use super::given;
use crate::credentials::Secret;

/// Shorter values are not masked: they are part of too many words.
const SHORTEST_MASKED: usize = 4;
/// What stands in the place of a secret.
pub(super) const MASK: &str = "***";

/// Makes lines fit to be shown.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    masked: Vec<Secret>,
}

impl Lines {
    /// Lines in which these values are masked.
    #[must_use]
    pub fn masking(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut masked: Vec<Secret> = secrets
            .into_iter()
            .filter(|secret| secret.expose().len() >= SHORTEST_MASKED)
            .collect();
        // One may be a part of another.
        masked.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { masked }
    }

    /// Lines in which the values are masked that a task got beside those of its definition, and the passwords in its command: whoever may read its log may be no one who may
    /// describe it. `raw` is the task, as ECS or an event tells it.
    #[must_use]
    pub fn of_task(raw: &Value) -> Self {
        let containers = raw.pointer("/overrides/containerOverrides").and_then(Value::as_array);
        let mut secrets = Vec::new();
        for container in containers.into_iter().flatten() {
            let variables = container["environment"].as_array().into_iter().flatten();
            let values = variables.filter_map(|variable| variable["value"].as_str());
            secrets.extend(values.map(str::to_owned));
            let command = Vec::<String>::deserialize(&container["command"]).unwrap_or_default();
            secrets.extend(given::secrets(&command).map(str::to_owned));
        }
        Self::masking(secrets.into_iter().map(Secret::new))
    }

    /// The text without the values.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.masked {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), MASK).into();
            }
        }
        text
    }

    /// The line as it may be shown: in one line, and with what controls a terminal written out.
    #[must_use]
    pub fn show(&self, line: &str) -> String {
        let text = self.mask(line.trim_end_matches(['\r', '\n']));
        if !text.chars().any(is_obeyed) {
            return text.into_owned();
        }
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            match is_obeyed(c) {
                true => shown.extend(c.escape_default()),
                false => shown.push(c),
            }
        }
        shown
    }
}

/// Characters a terminal obeys, and those that make text read in another order than it is written.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last lines of a log.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    lines: VecDeque<String>,
    most: usize,
}

impl Tail {
    /// Keeps so many lines.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            most,
        }
    }

    /// Takes the next line.
    pub fn push(&mut self, line: String) {
        self.lines.push_back(line);
        if self.lines.len() > self.most {
            self.lines.pop_front();
        }
    }

    /// The last lines.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_secrets_nor_commands_to_the_terminal_are_shown() {
        let lines = Lines::masking(["s3cr3t", "s3cr3t-and-more", "ab"].map(|text| Secret::new(text.to_owned())));
        assert_eq!(lines.show("pw=s3cr3t-and-more, s3cr3t! ab\r\n"), "pw=***, ***! ab");
        assert_eq!(lines.show("\u{1b}[2Jx\ty\u{202e}"), "\\u{1b}[2Jx\ty\\u{202e}");
    }

    #[test]
    fn the_values_a_task_got_are_masked() {
        let task = serde_json::json!({"overrides": {"containerOverrides": [
            {"name": "flyway", "command": ["migrate", "-password=0ther-s3cr3t"]},
            {"name": "other", "environment": [{"name": "A", "value": "s3cr3t"}, {"name": "B"}, {"name": "C", "value": ""}]},
        ]}});
        assert_eq!(
            Lines::of_task(&task).show("migrate: pw=s3cr3t, 0ther-s3cr3t"),
            "migrate: pw=***, ***"
        );
        assert_eq!(Lines::of_task(&serde_json::json!({})).show("pw=s3cr3t"), "pw=s3cr3t");
    }

    #[test]
    fn the_last_lines_are_kept() {
        let mut tail = Tail::of(2);
        for line in ["a", "b", "c"] {
            tail.push(line.to_owned());
        }
        assert_eq!(tail.into_lines(), ["b", "c"]);
    }
}
