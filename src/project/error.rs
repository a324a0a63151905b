//! What can be wrong with a project file.

use std::fmt;
use std::path::PathBuf;

/// A place in a text, counted from one; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset`.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a project file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The text is not TOML.
    #[error("{}:{position}: not valid TOML: {message}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The place.
        position: Position,
        /// What the parser said.
        message: String,
    },
    /// A key that nobody reads, or a section.
    #[error("{}:{position}: unknown {} {key:?}{}", file.display(), word(section), within(section))]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The place of the key.
        position: Position,
        /// The section it stands in, such as `image`; empty at the top.
        section: String,
        /// The key.
        key: String,
        /// The known key that is most like it.
        nearest: Option<String>,
    },
    /// A value of the wrong type, or a key that is missing.
    #[error("{}:{position}: {message}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The place of the value.
        position: Position,
        /// What was found and what was expected.
        message: String,
    },
}

fn word(section: &str) -> &'static str {
    if section.is_empty() { "section" } else { "key" }
}

fn within(section: &str) -> String {
    if section.is_empty() {
        String::new()
    } else {
        format!(" in [{section}]")
    }
}

impl ProjectError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownKey {
                nearest: Some(nearest),
                section,
                ..
            } if section.is_empty() => {
                vec![format!("did you mean [{nearest}]?")]
            }
            Self::UnknownKey {
                nearest: Some(nearest), ..
            } => vec![format!("did you mean {nearest:?}?")],
            Self::Syntax { .. } | Self::UnknownKey { .. } | Self::Value { .. } => Vec::new(),
        }
    }
}
