//! Writing an archive.

use std::io;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use crate::content::format::output::{Output, cannot_write};
use crate::content::{Blob, ContentError, Kind, Result};

/// Time of every entry, in seconds: one after the epoch, as in layers, since some readers take zero for none.
const TIME: u64 = 1;
/// Size of a tar block.
const BLOCK: usize = 512;

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
        check(path)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Ok(Self {
            output: Output::create(folder).await?,
            path: path.to_owned(),
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

    /// Ends the archive and gives it its name.
    ///
    /// # Errors
    /// When that fails; there is no archive then, or the one that was there before.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.output.write(&[0; 2 * BLOCK]).await?;
        let written = self.output.finish().await?;
        let path = self.path.clone();
        let renamed = tokio::task::spawn_blocking(move || written.persist(path).map_err(|error| error.error)).await;
        let renamed = renamed.unwrap_or_else(|error| Err(io::Error::other(error)));
        renamed.map_err(|error| cannot_write(&self.path, error))
    }

    async fn header(&mut self, name: &str, size: u64) -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(name).map_err(|error| cannot_write(&self.path, error))?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(size);
        header.set_cksum();
        self.output.write(header.as_bytes()).await
    }

    async fn pad(&mut self, size: u64) -> Result<()> {
        let rest = usize::try_from(size.next_multiple_of(BLOCK as u64) - size).unwrap_or_default();
        self.output.write(&[0; BLOCK][..rest]).await
    }
}

/// Refuses a path that cannot become an archive.
///
/// # Errors
/// When it is a folder.
pub(super) fn check(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(ContentError::new(
            Kind::Usage,
            format!("{} is a folder, and an archive is a file", path.display()),
        )
        .hint(format!("name a file in it, or oci:{} for a layout", path.display())));
    }
    Ok(())
}
