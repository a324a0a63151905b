//! Secrets stop a build: an image is read by many more than may know them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::BuildError;
use crate::content::tree::clamped;
use crate::migrations::check::secret::{NamedText, TextKind, is_configuration, secrets};
use crate::migrations::check::{Finding, Level};
use crate::recipe::{Change, FileContent, ImagePath, Recipe, Step};

/// Largest configuration file that is looked into. Real ones have some kilobytes.
const LIMIT: u64 = 1024 * 1024;

/// Links followed from one file to another, as Linux does.
const MOST_LINKS: usize = 40;

/// Secrets that may go into the image: each a path and a key.
pub type AllowedSecrets = BTreeSet<(String, String)>;

/// Refuses a recipe that would put a secret into the image. Files are called by their path below `root`, the folder they
/// come from, or else by their path in the image.
///
/// # Errors
/// [`BuildError::Secrets`], or when a file cannot be read.
pub fn refuse_secrets(recipe: &Recipe, root: &Path, allowed: &AllowedSecrets) -> Result<(), BuildError> {
    let mut found = secrets_of(recipe, root, allowed)?;
    // What only looks like a secret is told by the check, and stops nothing.
    found.retain(|finding| finding.level == Level::Error);
    match found.is_empty() {
        true => Ok(()),
        false => Err(BuildError::Secrets { found }),
    }
}

/// Finds the secrets a recipe would put into the image.
///
/// # Errors
/// A file cannot be read.
pub fn secrets_of(recipe: &Recipe, root: &Path, allowed: &AllowedSecrets) -> Result<Vec<Finding>, BuildError> {
    let mut files: Vec<(String, String)> = Vec::new();
    let all: BTreeMap<&ImagePath, &FileContent> = contents(recipe).collect();
    for (path, content) in contents(recipe) {
        let own = matches!(content, FileContent::Local { path, .. } if is_configuration(&path.to_string_lossy()));
        if own || is_configuration(path.name()) {
            files.extend(text(path, behind(path, content, &all), root)?);
        }
    }
    let configs = files.iter().map(|(name, value)| NamedText {
        kind: TextKind::Config,
        name,
        value,
    });
    let entries = recipe.changes().filter_map(|change| match change {
        Change::Environment { name, value, .. } => Some((TextKind::Variable, name, value)),
        Change::Label { key, value } => Some((TextKind::Label, key, value.as_ref()?)),
        _ => None,
    });
    let entries = entries.map(|(kind, name, value)| NamedText { kind, name, value });
    let arguments = arguments(recipe);
    let arguments = arguments.iter().map(|(name, value)| NamedText {
        kind: TextKind::Variable,
        name,
        value,
    });
    let mut found = secrets(configs.chain(entries).chain(arguments));
    found.retain(|finding| !finding.is_allowed(allowed));
    Ok(found)
}

fn contents(recipe: &Recipe) -> impl Iterator<Item = (&ImagePath, &FileContent)> {
    let files = recipe.files().map(|file| (&file.path, &file.content));
    let entries = recipe.steps.iter().flat_map(|step| match step {
        Step::Instruction { entries, .. } => entries.as_slice(),
        Step::Files(_) | Step::Change(_) => &[],
    });
    files.chain(entries.map(|entry| (&entry.path, &entry.content)))
}

/// The file behind links to other files of the recipe.
fn behind<'a>(
    path: &ImagePath,
    content: &'a FileContent,
    all: &BTreeMap<&ImagePath, &'a FileContent>,
) -> &'a FileContent {
    let (mut path, mut content) = (path.clone(), content);
    for _ in 0..MOST_LINKS {
        let next = match content {
            FileContent::HardLink(to) => Some(to.clone()),
            FileContent::Link { to, .. } => clamped(&path.parent().unwrap_or_default(), to).ok(),
            _ => None,
        };
        match next.and_then(|next| Some((all.get(&next).copied()?, next))) {
            Some((found, next)) => (path, content) = (next, found),
            None => break,
        }
    }
    content
}

/// What stands on command lines as `-name=value`, and in the defaults of `ARG`, which the history tells.
fn arguments(recipe: &Recipe) -> Vec<(String, String)> {
    let words = recipe.changes().flat_map(|change| match change {
        Change::Command(words) | Change::Entrypoint { arguments: words, .. } => words.as_slice(),
        _ => &[],
    });
    let words = words
        .flat_map(|word| word.split_whitespace())
        .filter(|word| word.starts_with('-'));
    let defaults = recipe.steps.iter().filter_map(|step| match step {
        Step::Instruction { text, .. } => text.strip_prefix("ARG "),
        Step::Files(_) | Step::Change(_) => None,
    });
    words
        .map(|word| word.trim_start_matches('-'))
        .chain(defaults.flat_map(str::split_whitespace))
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
        .collect()
}

/// The name and the text of a file; `None` for what is no file, or no configuration by its size.
fn text(path: &ImagePath, content: &FileContent, root: &Path) -> Result<Option<(String, String)>, BuildError> {
    let mut bytes = Vec::new();
    let name = match content {
        FileContent::Local { path, size, .. } if *size <= LIMIT => {
            bytes = fs::read(path).map_err(|source| BuildError::Read {
                path: path.clone(),
                source,
            })?;
            path.strip_prefix(root).unwrap_or(path).display().to_string()
        }
        FileContent::Stored(stored) if stored.size() <= LIMIT => {
            let read = stored.reader().read_to_end(&mut bytes);
            read.map_err(|source| BuildError::Read {
                path: path.to_string().into(),
                source,
            })?;
            path.to_string()
        }
        _ => return Ok(None),
    };
    Ok(Some((name, String::from_utf8_lossy(&bytes).into_owned())))
}
