//! Writing what `docker load` reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::tar_file::{SealedFile, TarFile, check};
use crate::content::{Blob, ContentError, Kind, Placement, Result, Target, saved};
use crate::oci::{Body, Digest, ImageManifest, Manifest, Tag};

/// A file for `docker load` to write to, with one image for one platform.
///
/// Written as an OCI archive is. The form has no place for the manifest, so the image gets its digest only when it is
/// pushed, and nobody can ask the file for it.
#[derive(Debug)]
pub struct DockerArchiveTarget {
    file: PathBuf,
    names: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<Digest, Blob>,
    image: Option<(Digest, ImageManifest)>,
    sealed: Option<SealedFile>,
}

impl DockerArchiveTarget {
    /// Writes to a file. The image gets these full names (`repository:tag`) when it is loaded.
    #[must_use]
    pub fn create(file: &Path, names: Vec<String>) -> Self {
        Self {
            file: file.to_owned(),
            names,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Target for DockerArchiveTarget {
    fn place(&self) -> String {
        format!("archive {}", self.file.display())
    }

    async fn tagged(&self, _tag: &Tag) -> Result<Option<Digest>> {
        check(&self.file)?;
        Ok(None)
    }

    fn is_replaced(&self) -> bool {
        true
    }

    async fn put(&self, blob: &Blob) -> Result<Placement> {
        self.state().blobs.insert(blob.descriptor.digest, blob.clone());
        Ok(Placement::Sent)
    }

    async fn put_manifest(&self, manifest: &Manifest, _tag: Option<&Tag>) -> Result<()> {
        // An index of one image is as good as the image, which was put before it.
        let Body::Image(image) = &manifest.body else {
            return Ok(());
        };
        let checked = saved::check(image, &manifest.digest(), "docker-archive", &self.place());
        checked.map_err(|error| error.hint(format!("write oci-archive:{} instead", self.file.display())))?;
        let mut state = self.state();
        if state
            .image
            .as_ref()
            .is_some_and(|(digest, _)| *digest != manifest.digest())
        {
            return Err(ContentError::new(
                Kind::Usage,
                "docker-archive holds one platform; choose one with --platform",
            ));
        }
        state.image = Some((manifest.digest(), image.clone()));
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        check(&self.file).map(|_| ())
    }

    async fn seal(&self) -> Result<()> {
        let (blobs, image) = {
            let mut state = self.state();
            (std::mem::take(&mut state.blobs), state.image.take())
        };
        let Some((_, image)) = image else { return Ok(()) };
        let members = saved::members(&image, &self.names, &blobs, 0, &self.place())?;
        let mut file = TarFile::create(&self.file).await?;
        for member in &members {
            file.add_blob(&member.name, &member.blob, &self.place()).await?;
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
