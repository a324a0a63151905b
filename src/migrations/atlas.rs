//! Atlas: `VERSION_name.sql`, in the order of names as texts, and `atlas.sum`, which says what belongs together.

use super::directive::{Directives, Line};
use super::flyway::name::Kind;
use super::revision::{Direction, ignored, step};

pub mod sum;

/// Where its profile puts scripts.
pub const FOLDER: &str = "/migrations";

/// What Atlas makes of a name: every file that ends in `.sql` is a migration.
#[must_use]
pub fn classify(name: &str) -> Kind {
    if name == sum::NAME {
        return Kind::Other;
    }
    let Some(stem) = name.strip_suffix(".sql") else {
        return ignored("its name does not end in .sql");
    };
    let (version, description) = stem.split_once('_').unwrap_or((stem, ""));
    step(version, description, Direction::Up)
}

/// The name and the value of a directive in a line, such as `txmode` and `none` of `-- atlas:txmode none`.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (before, rest) = line.split_once("atlas:")?;
    let is_plain = |character: char| matches!(character, ' '..='~');
    if !before.chars().all(is_plain) {
        return None;
    }
    let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let (name, value) = rest.split_at(end.unwrap_or(rest.len()));
    let value = match value.strip_prefix(' ') {
        Some(value) => value.trim_start_matches(' '),
        None => "",
    };
    let end = value.find(|character| !is_plain(character)).unwrap_or(value.len());
    (!name.is_empty()).then(|| (name, &value[..end]))
}

/// What the lines of a script said so far: only its head matters, the comments before the first blank line.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    head: Vec<(u64, String, String)>,
    is_over: bool,
    /// Whether a statement follows the comments without a blank line between: then they are its comments.
    is_of_statement: bool,
}

impl Lines {
    /// Whether no further line matters.
    pub(super) fn is_done(&self) -> bool {
        self.is_over
    }

    pub(super) fn line(&mut self, line: &Line<'_>, _said: &mut Directives) {
        if self.is_over {
            return;
        }
        if line.text.starts_with("--") || line.text.starts_with('#') {
            let found = directive(line.text).map(|(name, value)| (line.number, name.to_owned(), value.to_owned()));
            self.head.extend(found);
        } else {
            self.is_over = true;
            self.is_of_statement = !line.text.trim_matches([' ', '\t', '\r']).is_empty();
        }
    }

    pub(super) fn finish(self, said: &mut Directives) {
        said.transaction = Some(true);
        if self.is_of_statement {
            return;
        }
        for (line, name, value) in &self.head {
            match (name.as_str(), value.as_str()) {
                ("txmode", "none") => said.transaction = Some(false),
                ("txmode", "file" | "all") | ("delimiter" | "nolint" | "sum" | "import" | "assert" | "txtar", _) => {}
                ("txmode", _) => said.refuse(*line, "Atlas knows the modes none, file and all only"),
                ("checkpoint", _) => said.is_checkpoint = true,
                _ => {}
            }
        }
    }
}
