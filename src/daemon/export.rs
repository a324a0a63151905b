//! Taking an image out of the daemon.

use std::path::Path;

use futures_util::StreamExt as _;
use tempfile::TempPath;
use tokio::io::AsyncWriteExt as _;

use super::{Daemon, DaemonError};
use crate::content::spool::SpoolWriter;

impl Daemon {
    /// Saves an image, by its name or identity, into a file in `folder`, which goes when the value is dropped.
    ///
    /// # Errors
    /// When there is no such image, or it cannot be read or written.
    pub async fn export(&self, name: &str, folder: &Path) -> Result<TempPath, DaemonError> {
        if self.image(name).await?.is_none() {
            return Err(DaemonError::NoImage {
                name: name.to_owned(),
                place: self.place(),
            });
        }
        let what = || format!("cannot read image {name}");
        let full = |error| DaemonError::Content(SpoolWriter::failure(folder, error));
        let place = folder.to_owned();
        let created = tokio::task::spawn_blocking(move || tempfile::NamedTempFile::new_in(place)).await;
        let created = created.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let (file, path) = created.map_err(full)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let client = self.patient();
        let mut pieces = std::pin::pin!(client.export_image(name));
        // The daemon packs for a while before the first byte, and then has no reason to wait.
        let mut has_begun = false;
        loop {
            let next = pieces.next();
            let next = match has_begun {
                false => next.await,
                true => tokio::time::timeout(self.timeout, next)
                    .await
                    .map_err(|_| DaemonError::Silent {
                        what: what(),
                        place: self.place.clone(),
                    })?,
            };
            let Some(piece) = next else { break };
            let piece = piece.map_err(|error| self.failure(what(), error))?;
            file.write_all(&piece).await.map_err(full)?;
            has_begun = true;
        }
        file.flush().await.map_err(full)?;
        Ok(path)
    }
}
