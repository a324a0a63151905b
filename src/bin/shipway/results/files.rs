//! The files a command leaves: made sure of before anything is sent, filled after success.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use super::Summary;
use crate::failure::CommandError;

/// What the names of files begin with until they are complete.
const TEMPORARY: &str = ".shipway-";

/// What a file tells.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileKind {
    /// The digest.
    Digest,
    /// The images, by digest.
    References,
    /// Variables for GitLab.
    Dotenv,
    /// What buildx would tell.
    Metadata,
    /// Each name without its tag, with the digest.
    NamedDigests,
    /// Each name with its tag and the digest.
    TaggedDigests,
}

/// The files that were asked for. What was prepared for them goes when the value is dropped.
#[derive(Debug)]
pub(crate) struct ResultFiles<K = FileKind> {
    files: Vec<(K, PathBuf, Place)>,
}

/// How a file gets its content.
#[derive(Debug)]
enum Place {
    /// Under another name first, so that it appears complete or not at all.
    Beside(NamedTempFile),
    /// Directly: a device or a pipe cannot be replaced.
    Special,
}

impl<K: Copy> ResultFiles<K> {
    /// Makes sure that the files can be written.
    pub(crate) fn prepare(asked: &[(K, &str, &Option<PathBuf>)]) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for (kind, flag, path) in asked {
            let Some(path) = path else { continue };
            let (path, place) = place(flag, path)?;
            files.push((*kind, path, place));
        }
        Ok(Self { files })
    }

    /// Fills the files, then gives them their names.
    pub(crate) fn fill(self, content: impl Fn(K) -> anyhow::Result<String>) -> anyhow::Result<()> {
        let mut complete = Vec::new();
        for (kind, path, place) in self.files {
            let what = || format!("cannot write {}", path.display());
            let text = content(kind)?;
            match place {
                Place::Special => fs::write(&path, text).with_context(what)?,
                Place::Beside(mut file) => {
                    file.write_all(text.as_bytes()).with_context(what)?;
                    complete.push((file, path));
                }
            }
        }
        for (file, path) in complete {
            let named = file.persist(&path).map_err(|error| error.error);
            named.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

impl ResultFiles {
    /// Fills the files with what is told of an image.
    pub(crate) fn write(self, summary: &Summary) -> anyhow::Result<()> {
        self.fill(|kind| summary.content(kind))
    }
}

fn place(flag: &str, path: &Path) -> anyhow::Result<(PathBuf, Place)> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(
                CommandError::usage(format!("{flag} {}: that is a folder", path.display()))
                    .hint("name a file in it")
                    .into(),
            );
        }
        Ok(metadata) if !metadata.is_file() => return Ok((path.to_owned(), Place::Special)),
        _ => {}
    }
    // A link stays, and what it points to is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new();
    file.prefix(TEMPORARY);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As if the file had been created directly; the umask still applies.
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    match file.tempfile_in(folder) {
        Ok(file) => Ok((path, Place::Beside(file))),
        Err(error) => Err(cannot(flag, &path, &error)),
    }
}

fn cannot(flag: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        ErrorKind::NotFound => "create the folder, or name a file in one that exists",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, or name a file on another disk",
        _ => "name a file in a folder you may write to",
    };
    // The error itself names the temporary file, which nobody asked for.
    CommandError::usage(format!("{flag}: cannot write {}", path.display()))
        .because(io::Error::from(error.kind()))
        .hint(hint)
        .into()
}
