//! The body of a refusal: the specification's JSON, or whatever text came instead.

use serde::Deserialize;

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
    pub(super) fn parse(body: &[u8]) -> Self {
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
            let code = first.code.to_uppercase();
            let message = match (clean(&first.message), code.as_str()) {
                (message, "") => message,
                (message, code) if message.is_empty() => code.to_owned(),
                (message, code) => format!("{message} ({code})"),
            };
            return Self { code, message };
        }
        let text = clean(&String::from_utf8_lossy(body));
        Self {
            code: String::new(),
            // A page of a proxy says nothing a status does not.
            message: if text.starts_with('<') { String::new() } else { text },
        }
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
