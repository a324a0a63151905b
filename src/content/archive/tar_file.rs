//! Writing an archive.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::content::format::output::{Output, cannot_write};
use crate::content::{Blob, ContentError, Kind, Result, saved};

/// Links followed to where the archive really is, as Linux does.
const MOST_LINKS: usize = 40;

/// An archive that is being written. It takes its name when it is finished.
#[derive(Debug)]
pub(super) struct TarFile {
    output: Output,
    path: PathBuf,
}

impl TarFile {
    /// Starts the archive that will be `path`.
    ///
    /// # Errors
    /// When nothing can be written beside it.
    pub(super) async fn create(path: &Path) -> Result<Self> {
        let path = check(path)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Ok(Self {
            output: Output::create(folder).await?,
            path,
        })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) async fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.header(name, bytes.len() as u64).await?;
        self.output.write(bytes).await?;
        self.pad(bytes.len() as u64).await
    }

    /// Adds a blob as a file; `place` is named when it is not what it should be.
    ///
    /// # Errors
    /// When it cannot be read, verified or written.
    pub(super) async fn add_blob(&mut self, name: &str, blob: &Blob, place: &str) -> Result<()> {
        let size = blob.descriptor.size;
        self.header(name, size).await?;
        self.output.write_blob(blob, place).await?;
        self.pad(size).await
    }

    /// Ends the archive, which has all its bytes then, but not its name.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub(super) async fn seal(mut self) -> Result<SealedFile> {
        self.output.write(&saved::END).await?;
        Ok(SealedFile {
            written: self.output.finish().await?,
            path: self.path,
        })
    }

    async fn header(&mut self, name: &str, size: u64) -> Result<()> {
        let header = saved::header(name, size).map_err(|error| cannot_write(&self.path, error))?;
        self.output.write(header.as_bytes()).await
    }

    async fn pad(&mut self, size: u64) -> Result<()> {
        self.output.write(saved::padding(size)).await
    }
}

/// A complete archive that has no name yet. It goes when it is dropped without getting one.
#[derive(Debug)]
pub(super) struct SealedFile {
    written: TempPath,
    path: PathBuf,
}

impl SealedFile {
    /// Gives the archive its name.
    ///
    /// # Errors
    /// When that fails; there is no archive then, or the one that was there before.
    pub(super) async fn publish(self) -> Result<()> {
        let Self { written, path } = self;
        let name = path.clone();
        let renamed = tokio::task::spawn_blocking(move || written.persist(name).map_err(|error| error.error)).await;
        let renamed = renamed.unwrap_or_else(|error| Err(io::Error::other(error)));
        renamed.map_err(|error| cannot_write(&path, error))
    }
}

/// Finds where an archive will be: at the path, or where the link there points, which stays.
///
/// # Errors
/// When there is something that is no file.
pub(super) fn check(path: &Path) -> Result<PathBuf> {
    let mut real = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(to) = fs::read_link(&real) else { break };
        real = real.parent().map(|folder| folder.join(&to)).unwrap_or(to);
    }
    match fs::metadata(&real) {
        Ok(metadata) if metadata.is_dir() => Err(ContentError::new(
            Kind::Usage,
            format!("{} is a folder, and an archive is a file", path.display()),
        )
        .hint(format!("name a file in it, or oci:{} for a layout", path.display()))),
        Ok(metadata) if !metadata.is_file() => Err(ContentError::new(
            Kind::Usage,
            format!(
                "{} is a device, a pipe or a socket, and an archive is a file",
                path.display()
            ),
        )
        .hint("name a file, and pass it on when it is complete")),
        // What cannot be looked at cannot be written either, which says more.
        Ok(_) | Err(_) => Ok(real),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_and_only_files_replaced() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).expect("folder");
        symlink("real/a.tar", path("link")).expect("link");
        symlink("link", path("again")).expect("link");
        assert_eq!(check(&path("again")).expect("dangling"), path("real/a.tar"));
        fs::write(path("real/a.tar"), "old").expect("file");
        assert_eq!(check(&path("link")).expect("file"), path("real/a.tar"));
        symlink("real", path("folder")).expect("link");
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("socket");
        for wrong in ["folder", "real", "socket"] {
            let error = check(&path(wrong)).expect_err(wrong);
            assert_eq!(error.kind(), Kind::Usage, "{wrong}");
        }
    }
}
