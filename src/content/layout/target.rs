//! Writing a layout.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tempfile::TempPath;

use super::LayoutSource;
use super::folder::{Footprint, Found, holds, look_to_write, read_index};
use crate::content::format::collected::Collected;
use crate::content::format::index::LayoutIndex;
use crate::content::format::output::{Output, cannot_write, temporary, unfinished, write_durably, write_whole};
use crate::content::format::stored::Stored as _;
use crate::content::format::{BLOBS, INDEX_FILE};
use crate::content::{Blob, ContentError, Kind, Placement, Result, Source as _, Target};
use crate::oci::{Digest, Manifest, Tag};

/// An OCI image layout to write to.
///
/// Blobs are written under temporary names; they get their own, and `index.json` its entries, when the target is
/// committed. So other processes never see, and never rely on, what may be taken back.
#[derive(Debug)]
pub struct LayoutTarget {
    folder: PathBuf,
    state: Mutex<State>,
    footprint: Arc<Mutex<Footprint>>,
}

#[derive(Debug, Default)]
struct State {
    collected: Collected,
    written: BTreeMap<Digest, (TempPath, u64)>,
    present: BTreeMap<Digest, u64>,
}

impl LayoutTarget {
    /// Writes to a folder, which need not exist. Nothing happens before the first blob.
    #[must_use]
    pub fn create(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            state: Mutex::default(),
            footprint: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path, &mut Footprint) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.folder.clone();
        let footprint = Arc::clone(&self.footprint);
        let done = tokio::task::spawn_blocking(move || {
            work(&folder, &mut footprint.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await
            .map_err(|error| unfinished("cannot write the layout", error))?
    }
}

#[async_trait]
impl Target for LayoutTarget {
    fn place(&self) -> String {
        format!("layout {}", self.folder.display())
    }

    async fn tagged(&self, tag: &Tag) -> Result<Option<Digest>> {
        let tag = tag.clone();
        let place = self.place();
        let look_up = move |folder: &Path, _: &mut Footprint| {
            let index = match look_to_write(folder)? {
                Found::Nothing => None,
                Found::Layout => read_index(folder)?,
            };
            let Some(bytes) = index else { return Ok(None) };
            let index = LayoutIndex::parse(&bytes, place, format!("oci:{}", folder.display()))?;
            Ok(index.named(&tag).cloned())
        };
        let Some(entry) = self.blocking(look_up).await? else {
            return Ok(None);
        };
        // A name of which something is missing is written again.
        let is_complete = LayoutSource::open(&self.folder).await?.is_complete(&entry).await;
        Ok(is_complete.then_some(entry.digest))
    }

    async fn check(&self) -> Result<()> {
        self.blocking(|folder, _| look_to_write(folder).map(|_| ())).await
    }

    async fn put(&self, blob: &Blob) -> Result<Placement> {
        let descriptor = &blob.descriptor;
        let (digest, size) = (descriptor.digest, descriptor.size);
        if self.state().written.contains_key(&digest) {
            return Ok(Placement::Present);
        }
        let prepare = move |folder: &Path, footprint: &mut Footprint| {
            look_to_write(folder)?;
            if holds(&folder.join(BLOBS).join(digest.hex()), size) {
                return Ok(None);
            }
            let blobs = folder.join(BLOBS);
            let create = |_lock| temporary(&blobs);
            let created = footprint.prepare(folder).and_then(create);
            created
                .map(|file| {
                    // Not as this thread's result: nobody may wait for that any more, and the file would go too late.
                    footprint.unclaimed.insert(digest, file);
                    Some(())
                })
                .map_err(|error| cannot_write(folder, error))
        };
        let created = self.blocking(prepare).await?;
        let file = self
            .footprint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .unclaimed
            .remove(&digest);
        let (Some(()), Some(file)) = (created, file) else {
            self.state().present.insert(digest, size);
            return Ok(Placement::Present);
        };
        let mut output = Output::new(file, &self.folder);
        output.write_blob(blob, &self.place()).await?;
        let path = output.finish().await?;
        self.state().written.insert(digest, (path, size));
        Ok(Placement::Sent)
    }

    async fn put_manifest(&self, manifest: &Manifest, tag: Option<&Tag>) -> Result<()> {
        self.state().collected.add(manifest, tag);
        Ok(())
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Digest>> {
        let source = match LayoutSource::open(&self.folder).await {
            Ok(source) => source,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let listed = source.referrers(subject).await?;
        Ok(listed.iter().map(|entry| entry.digest).collect())
    }

    async fn commit(&self) -> Result<()> {
        let state = std::mem::take(&mut *self.state());
        if state.collected.manifests().next().is_none() {
            return Ok(());
        }
        let write = move |folder: &Path, footprint: &mut Footprint| {
            let mut placed = Vec::new();
            commit(folder, state, footprint, &mut placed).inspect_err(|_| {
                for path in &placed {
                    // The failure is reported; that a blob stays behind is the lesser evil.
                    let _ = fs::remove_file(path);
                }
            })
        };
        self.blocking(write).await
    }
}

impl Drop for LayoutTarget {
    fn drop(&mut self) {
        // Temporary files go first, so that the folders they lie in are empty.
        *self.state() = State::default();
        self.footprint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.folder);
    }
}

/// Gives everything its name; what got a new one is noted in `placed`.
fn commit(folder: &Path, state: State, footprint: &mut Footprint, placed: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = |error| cannot_write(folder, error);
    look_to_write(folder)?;
    let _lock = footprint.prepare(folder).map_err(cannot)?;
    let blobs = folder.join(BLOBS);
    let index = read_index(folder)?;
    let merged = state.collected.merge(index.as_deref()).map_err(|error| {
        ContentError::new(
            Kind::Invalid,
            format!("cannot read {INDEX_FILE} in {}", folder.display()),
        )
        .because(error)
    })?;
    for (digest, size) in state.present {
        if !holds(&blobs.join(digest.hex()), size) {
            return Err(
                ContentError::new(Kind::Temporary, format!("cannot complete layout {}", folder.display()))
                    .because(format!("another program removed blob {digest} meanwhile"))
                    .hint("run the same command again"),
            );
        }
    }
    for (digest, (file, size)) in state.written {
        let path = blobs.join(digest.hex());
        // Another process may have put the same blob meanwhile.
        if !holds(&path, size) {
            file.persist(&path).map_err(|error| cannot(error.error))?;
            placed.push(path);
        }
    }
    for manifest in state.collected.manifests() {
        let path = blobs.join(manifest.digest().hex());
        if !holds(&path, manifest.descriptor.size) {
            write_whole(&path, &manifest.bytes).map_err(cannot)?;
            placed.push(path);
        }
    }
    if let Some(bytes) = merged {
        write_durably(&folder.join(INDEX_FILE), &bytes).map_err(cannot)?;
    }
    footprint.keep();
    Ok(())
}
