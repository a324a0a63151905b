//! Writing an OCI layout as a tar file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::members::Members;
use super::oci_source::OciImages;
use super::region::Abandoned;
use super::tar_file::{SealedFile, TarFile, check};
use crate::content::format::collected::Collected;
use crate::content::format::output::unfinished;
use crate::content::format::{BLOBS, INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT};
use crate::content::{Blob, ContentError, Kind, Placement, Result, Target};
use crate::oci::{Digest, Manifest, Tag};

/// An OCI archive to write to.
///
/// It is written when the target is committed, from where the blobs come from, in an order that depends on nothing but
/// them: equal images give equal files. An archive that was there before is replaced whole.
#[derive(Debug)]
pub struct OciArchiveTarget {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<Digest, Blob>,
    collected: Collected,
    sealed: Option<SealedFile>,
}

impl OciArchiveTarget {
    /// Writes to a file.
    #[must_use]
    pub fn create(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Target for OciArchiveTarget {
    fn place(&self) -> String {
        format!("archive {}", self.file.display())
    }

    async fn tagged(&self, tag: &Tag) -> Result<Option<Digest>> {
        let path = self.file.clone();
        let looked = tokio::task::spawn_blocking(move || {
            check(&path)?;
            // What cannot be read is replaced, as what is not there is written. Ours are never compressed.
            Ok(Members::open(&path, None, &Abandoned::default()).ok())
        });
        let members: Result<Option<Members>> = looked
            .await
            .map_err(|error| unfinished("cannot open the archive", error))?;
        let Some(members) = members? else { return Ok(None) };
        match OciImages::open(members).await {
            Ok(images) => Ok(images.complete(tag).await),
            Err(_) => Ok(None),
        }
    }

    fn is_replaced(&self) -> bool {
        true
    }

    async fn put(&self, blob: &Blob) -> Result<Placement> {
        self.state().blobs.insert(blob.descriptor.digest, blob.clone());
        Ok(Placement::Sent)
    }

    async fn put_manifest(&self, manifest: &Manifest, tag: Option<&Tag>) -> Result<()> {
        self.state().collected.add(manifest, tag);
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        check(&self.file).map(|_| ())
    }

    async fn seal(&self) -> Result<()> {
        let (mut blobs, collected) = {
            let mut state = self.state();
            (std::mem::take(&mut state.blobs), std::mem::take(&mut state.collected))
        };
        if collected.manifests().next().is_none() {
            return Ok(());
        }
        let index = collected.merge(None).ok().flatten();
        let index = index.ok_or_else(|| ContentError::new(Kind::Other, format!("cannot write {INDEX_FILE}")))?;
        for manifest in collected.manifests() {
            let blob = Blob::bytes(&manifest.descriptor.media_type, manifest.bytes.clone());
            blobs.insert(manifest.digest(), blob);
        }
        let mut file = TarFile::create(&self.file).await?;
        file.add(LAYOUT_FILE, LAYOUT_TEXT.as_bytes()).await?;
        file.add(INDEX_FILE, &index).await?;
        for (digest, blob) in &blobs {
            file.add_blob(&format!("{BLOBS}/{}", digest.hex()), blob, &self.place())
                .await?;
        }
        let sealed = file.seal().await?;
        self.state().sealed = Some(sealed);
        Ok(())
    }

    async fn commit(&self) -> Result<()> {
        self.seal().await?;
        let sealed = self.state().sealed.take();
        match sealed {
            Some(sealed) => sealed.publish().await,
            None => Ok(()),
        }
    }
}
