//! The body of a refusal: the specification's JSON, or whatever text came instead.

use serde::Deserialize;
use serde_json::Value;

/// How much of an error's body is read.
pub(super) const BODY_LIMIT: usize = 8 * 1024;
/// How much of a message that is not the specification's JSON is shown.
const TEXT_LIMIT: usize = 300;

/// What the body of a refusal says.
#[derive(Debug, Default)]
pub(super) struct Reason {
    /// The first code (`NAME_UNKNOWN`), in upper case; empty if there is none.
    pub code: String,
    /// One line for people; empty if there is none.
    pub message: String,
}

impl Reason {
    /// Reads a body of which no more than [`BODY_LIMIT`] was received. `secrets` are looked for in what it says once it
    /// is read, since JSON may write them in other ways, and before it is cut.
    pub(super) fn parse(body: &[u8], secrets: &[String]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            errors: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        if let Ok(body) = serde_json::from_slice::<Body>(body)
            && let Some(first) = body.errors.into_iter().next()
        {
            let code = clean(&masked(&first.code, secrets)).to_uppercase();
            let message = match (clean(&masked(&first.message, secrets)), code.as_str()) {
                (message, "") => message,
                (message, code) if message.is_empty() => code.to_owned(),
                (message, code) => format!("{message} ({code})"),
            };
            return Self { code, message };
        }
        let message = match serde_json::from_slice::<Value>(body) {
            Ok(value) => masked_value(value, secrets).to_string(),
            Err(_) => plain(body, secrets),
        };
        Self {
            code: String::new(),
            message: clean(&message),
        }
    }
}

/// What a text says that is no JSON. A page of a proxy says nothing a status does not, and in JSON that is cut short a
/// secret could not be recognised.
fn plain(body: &[u8], secrets: &[String]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with(['<', '{', '[', '"']) {
        return String::new();
    }
    let text = masked(&text, secrets);
    if body.len() < BODY_LIMIT {
        return text;
    }
    // A character may be cut too.
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    let kept = secrets.iter().map(|secret| before_beginning(text, secret)).min();
    text[..kept.unwrap_or(text.len())].to_owned()
}

/// Where the beginning of a secret starts with which a text ends.
fn before_beginning(text: &str, secret: &str) -> usize {
    let mut beginnings = secret.char_indices().rev().map(|(end, _)| &secret[..end]);
    let longest = beginnings.find(|beginning| text.ends_with(beginning));
    text.len() - longest.unwrap_or_default().len()
}

/// The text without the secrets: the one place where that is done.
fn masked(text: &str, secrets: &[String]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
}

/// The same in every text of a value.
fn masked_value(value: Value, secrets: &[String]) -> Value {
    match value {
        Value::String(text) => Value::String(masked(&text, secrets)),
        Value::Array(values) => values.into_iter().map(|value| masked_value(value, secrets)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (masked(&name, secrets), masked_value(value, secrets)))
            .collect(),
        other => other,
    }
}

/// One line of printable text of bounded length: what a server sends goes to a terminal.
fn clean(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(TEXT_LIMIT)
        .collect();
    if text.chars().count() > TEXT_LIMIT {
        line.push('…');
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_is_left_where_a_body_is_cut() {
        let secret = "s3cret+/".repeat(200);
        // So much is masked that the cut comes into view.
        let body = format!("{0} {0} {0} {0} {0} {0}", secret);
        let reason = Reason::parse(&body.as_bytes()[..BODY_LIMIT], &[secret]);
        assert!(reason.message.starts_with("*** ***"), "{reason:?}");
        assert!(!reason.message.contains("s3c"), "{reason:?}");
    }

    #[test]
    fn a_secret_is_found_in_every_writing_of_json() {
        let secrets = ["a+b/c\"d".to_owned()];
        for body in [
            r#"{"errors":[{"code":"X","message":"a\u002bb\/c\"d"}]}"#,
            r#"{"detail":["a\u002bb\/c\"d"],"a\u002bb\/c\"d":1}"#,
        ] {
            let reason = Reason::parse(body.as_bytes(), &secrets);
            assert!(reason.message.contains("***"), "{reason:?}");
            assert!(
                !reason.message.contains("a+b") && !reason.message.contains("002b"),
                "{reason:?}"
            );
        }
    }
}
