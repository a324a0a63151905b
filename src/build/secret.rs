//! Secrets stop a build: an image is read by many more than may know them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::BuildError;
use crate::migrations::check::secret::{NamedText, TextKind, secrets};
use crate::recipe::{Change, FileContent, ImagePath, Recipe, Step};

/// What ends the names of configuration files.
const CONFIGURATION: [&str; 2] = [".conf", ".toml"];
/// Largest configuration file that is looked into. Real ones have some kilobytes.
const LIMIT: u64 = 1024 * 1024;

/// Secrets that may go into the image: each a path and a key.
pub type AllowedSecrets = BTreeSet<(String, String)>;

/// Refuses a recipe that would put a secret into the image. Files are called by their path below `root`, the folder they
/// come from, or else by their path in the image.
///
/// # Errors
/// [`BuildError::Secrets`], or when a file cannot be read.
pub fn refuse_secrets(recipe: &Recipe, root: &Path, allowed: &AllowedSecrets) -> Result<(), BuildError> {
    let mut files: Vec<(String, String)> = Vec::new();
    for (path, content) in contents(recipe) {
        if CONFIGURATION.iter().any(|end| path.name().ends_with(end)) {
            files.extend(text(path, content, root)?);
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
    let mut found = secrets(configs.chain(entries));
    found.retain(|finding| !finding.is_allowed(allowed));
    match found.is_empty() {
        true => Ok(()),
        false => Err(BuildError::Secrets { found }),
    }
}

fn contents(recipe: &Recipe) -> impl Iterator<Item = (&ImagePath, &FileContent)> {
    let files = recipe.files().map(|file| (&file.path, &file.content));
    let entries = recipe.steps.iter().flat_map(|step| match step {
        Step::Instruction { entries, .. } => entries.as_slice(),
        Step::Files(_) | Step::Change(_) => &[],
    });
    files.chain(entries.map(|entry| (&entry.path, &entry.content)))
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
