//! Names of tables and the like, as written and as they are compared.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;

use super::words::{Words, names};
use crate::sql::TokenKind;

/// Schemas that stand for themselves whether they are written or not.
const DEFAULT_SCHEMAS: [&str; 3] = ["public", "main", "dbo"];

/// A name, with the schema before it if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// As written, quotes included: what SQL in a help says.
    pub(super) written: String,
    /// In lower case, without quotes and without a schema that says nothing: what is compared.
    pub(super) key: String,
}

impl fmt::Display for Name {
    /// Without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written.replace(['"', '`', '[', ']'], ""))
    }
}

impl Name {
    /// Goes past a name: parts joined by dots, each a word, a name in quotes, a placeholder, or several of them without a blank.
    pub(super) fn read(words: &mut Words<'_>) -> Option<Self> {
        let mut written = String::new();
        let mut parts = Vec::new();
        loop {
            let part = part(words)?;
            written.push_str(&part.written);
            parts.push(part);
            if !words.is_sign('.') {
                break;
            }
            words.take();
            written.push('.');
        }
        let says_nothing = |part: &Part| part.is_placeholder || DEFAULT_SCHEMAS.contains(&part.key.as_str());
        while parts.len() > 1 && says_nothing(&parts[0]) {
            parts.remove(0);
        }
        let keys: Vec<_> = parts.into_iter().map(|part| part.key).collect();
        Some(Self {
            written,
            key: keys.join("."),
        })
    }

    /// A name without its schema, as written.
    pub(super) fn last(&self) -> String {
        let shown = self.to_string();
        shown.rsplit('.').next().unwrap_or_default().to_owned()
    }
}

struct Part {
    written: String,
    key: String,
    /// It is nothing but `${…}`.
    is_placeholder: bool,
}

fn part(words: &mut Words<'_>) -> Option<Part> {
    let mut part = Part {
        written: String::new(),
        key: String::new(),
        is_placeholder: true,
    };
    let mut end = None;
    while let Some(token) = words.peek() {
        let touches = end.is_none_or(|end| end == token.offset);
        let is_name = names(&token) || end.is_some() && token.kind == TokenKind::Number;
        if touches && is_name {
            words.take();
            part.written.push_str(token.text);
            part.key
                .push_str(&token.text.replace(['"', '`', '[', ']'], "").to_lowercase());
            part.is_placeholder = false;
            end = Some(token.offset + token.text.len());
        } else if touches && let Some((text, after)) = placeholder(words) {
            part.written.push_str(&text);
            part.key.push_str(&text);
            end = Some(after);
        } else {
            break;
        }
    }
    end.map(|_| part)
}

/// Goes past `${name}`, if it is next; returns its text and where it ends.
fn placeholder(words: &mut Words<'_>) -> Option<(String, usize)> {
    let mut ahead = *words;
    let mut text = String::new();
    if !ahead.accept_sign('$') || !ahead.is_sign('{') {
        return None;
    }
    text.push('$');
    while let Some(token) = ahead.take() {
        text.push_str(token.text);
        if token.is_sign('}') {
            *words = ahead;
            return Some((text, token.offset + token.text.len()));
        }
    }
    None
}

/// Whether a table is among those that were created. Where only one of the two names has a schema, the schema does not count: a script
/// that sets `search_path` names its tables both ways.
#[must_use]
pub(super) fn is_created<T: Borrow<str> + Ord>(created: &BTreeSet<T>, table: &str) -> bool {
    created.contains(table)
        || match table.rsplit_once('.') {
            Some((_, last)) => created.contains(last),
            None => created
                .iter()
                .any(|created| created.borrow().rsplit_once('.').is_some_and(|(_, last)| last == table)),
        }
}
