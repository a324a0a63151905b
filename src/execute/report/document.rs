//! Documents of JSON in a log: on one line or on many, with other lines between.

use serde_json::Value;

use super::line::{printable, without_prefix};

/// A longer document is not kept: Flyway's about ten thousand migrations has four mebibytes.
const LONGEST_DOCUMENT: usize = 8 * 1024 * 1024;

/// What became of a line.
pub(super) enum Taken {
    /// It is no part of a document.
    No,
    /// It is part of one that goes on.
    Part,
    /// It ended one.
    Whole(Value),
}

/// Puts documents together from lines.
#[derive(Debug, Default)]
pub(super) struct Documents {
    text: String,
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Documents {
    /// Takes a line, as it came.
    pub(super) fn line(&mut self, line: &str) -> Taken {
        if self.depth > 0 && self.is_in_string {
            // A string of JSON holds no end of a line: whoever kept the log has cut a long one.
            return self.add(&printable(line, LONGEST_DOCUMENT + 1));
        }
        let text = printable(line, LONGEST_DOCUMENT + 1);
        let text = without_prefix(&text);
        if text.starts_with('{') {
            // Within a document only what is indented begins so; another one was never ended.
            self.clear();
            return self.add(text);
        }
        if self.depth == 0 || !goes_on(text) {
            return Taken::No;
        }
        self.add("\n");
        self.add(text)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, text: &str) -> Taken {
        for character in text.chars() {
            match character {
                _ if self.is_escaped => self.is_escaped = false,
                '\\' if self.is_in_string => self.is_escaped = true,
                '"' => self.is_in_string = !self.is_in_string,
                _ if self.is_in_string => {}
                '{' | '[' => self.depth += 1,
                '}' | ']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.text.len() + text.len() > LONGEST_DOCUMENT {
            self.clear();
            return Taken::No;
        }
        self.text.push_str(text);
        if self.depth > 0 {
            return Taken::Part;
        }
        let read = serde_json::from_str(&self.text);
        self.clear();
        read.map_or(Taken::No, Taken::Whole)
    }
}

/// Whether a line may stand within a document: other lines of a log nearly always begin with a letter.
fn goes_on(text: &str) -> bool {
    let text = text.trim_start();
    match text.chars().next() {
        None => true,
        Some(first) if "\"{}[],:-0123456789".contains(first) => true,
        Some(_) => ["true", "false", "null"].iter().any(|word| {
            text.strip_prefix(word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ' ', ']', '}']))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(lines: &[&str]) -> (Vec<Value>, Vec<String>) {
        let mut documents = Documents::default();
        let (mut found, mut others) = (Vec::new(), Vec::new());
        for line in lines {
            match documents.line(line) {
                Taken::No => others.push((*line).to_owned()),
                Taken::Part => {}
                Taken::Whole(value) => found.push(value),
            }
        }
        (found, others)
    }

    #[test]
    fn lines_between_are_not_lost_and_do_no_harm() {
        let lines = [
            "before",
            "{",
            "2026-11-23T05:10:55Z   \"a\" : [ 1,",
            "WARNING: between",
            "  2 ], \"b\": \"}\\\"{\",",
            "  \"c\" :",
            "  null",
            "}",
            r#"{"d": {}}"#,
            "{",
            "  never ended",
            "{ \"e\": 1 }",
        ];
        let (found, others) = read(&lines);
        assert_eq!(
            found,
            [
                json!({"a": [1, 2], "b": "}\"{", "c": null}),
                json!({"d": {}}),
                json!({"e": 1})
            ]
        );
        assert_eq!(others, ["before", "WARNING: between", "  never ended"]);
    }

    #[test]
    fn a_string_that_was_cut_is_whole_again() {
        let (found, _) = read(&["{ \"a\": \"one ", " two\\", "n2026-11-23 05:10:55 x | y\"", "}"]);
        assert_eq!(found, [json!({"a": "one  two\n2026-11-23 05:10:55 x | y"})]);
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        let mut documents = Documents::default();
        documents.line("{ \"a\": \"");
        for _ in 0..200 {
            documents.line(&"x".repeat(LONGEST_DOCUMENT / 100));
            assert!(documents.text.capacity() <= 2 * LONGEST_DOCUMENT + 64);
        }
        let (found, _) = read(&["}}}}", "]", "{]", "{\"a\": 1}"]);
        assert_eq!(found, [json!({"a": 1})]);
    }
}
