//! Writing what `docker load` reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::Serialize;

use super::DOCKER_MANIFEST_FILE;
use super::tar_file::{SealedFile, TarFile, check};
use crate::content::{Blob, ContentError, Kind, Placement, Result, Target};
use crate::oci::media_type::{DOCKER_LAYER, OCI_LAYER, OCI_LAYER_ZSTD, is_config};
use crate::oci::{Body, Descriptor, Digest, ImageManifest, Manifest, Tag};

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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage<'a> {
    config: String,
    repo_tags: Option<&'a [String]>,
    layers: Vec<String>,
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
        if let Some(layer) = image.layers.iter().find(|layer| layer.media_type == OCI_LAYER_ZSTD) {
            return Err(ContentError::new(
                Kind::Usage,
                format!("cannot write layer {} to {}", layer.digest, self.place()),
            )
            .because("it is compressed with zstd, which docker-archive has no word for")
            .hint(format!("write oci-archive:{} instead", self.file.display())));
        }
        if !is_config(&image.config.media_type) {
            return Err(ContentError::new(
                Kind::Usage,
                format!("cannot write {} to {}", manifest.digest(), self.place()),
            )
            .because(format!(
                "it is no container image: its config is of type {:?}",
                image.config.media_type
            ))
            .hint(format!("write oci-archive:{} instead", self.file.display())));
        }
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
        let config = format!("{}.json", image.config.digest.hex());
        let saved = [SavedImage {
            config: config.clone(),
            repo_tags: (!self.names.is_empty()).then_some(&self.names),
            layers: image.layers.iter().map(layer_name).collect(),
        }];
        let saved = serde_json::to_vec(&saved).map_err(|error| {
            ContentError::new(Kind::Other, format!("cannot write {DOCKER_MANIFEST_FILE}")).because(error)
        })?;
        let blob = |descriptor: &Descriptor| {
            blobs.get(&descriptor.digest).ok_or_else(|| {
                let what = format!("cannot write {}", self.place());
                ContentError::new(Kind::Other, what).because(format!("blob {} was not put", descriptor.digest))
            })
        };
        let mut file = TarFile::create(&self.file).await?;
        file.add(DOCKER_MANIFEST_FILE, &saved).await?;
        file.add_blob(&config, blob(&image.config)?, &self.place()).await?;
        let mut added = BTreeSet::new();
        for layer in &image.layers {
            if added.insert(layer.digest) {
                file.add_blob(&layer_name(layer), blob(layer)?, &self.place()).await?;
            }
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

fn layer_name(layer: &Descriptor) -> String {
    let extension = match layer.media_type.as_str() {
        OCI_LAYER | DOCKER_LAYER => "tar",
        _ => "tar.gz",
    };
    format!("{}.{extension}", layer.digest.hex())
}
