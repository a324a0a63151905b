//! Changelogs in JSON.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::document::{Document, Unreadable, line_at};

/// The whole file.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, rename = "databaseChangeLog")]
    changelog: Vec<&'a RawValue>,
}

/// Reads a changelog.
pub(super) fn read(text: &str) -> Result<Document, Unreadable> {
    let wrong = |error: &serde_json::Error, before: u64| (error.line() as u64 + before, error.to_string());
    let file: File<'_> = serde_json::from_str(text).map_err(|error| wrong(&error, 0))?;
    let mut document = Document::default();
    for item in file.changelog {
        // The item is a part of the text, so the difference of their places is its place in it.
        let at = (item.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let line = line_at(text, at);
        let value: Value = serde_json::from_str(item.get()).map_err(|error| wrong(&error, line - 1))?;
        document.add(&value, line);
    }
    Ok(document)
}
