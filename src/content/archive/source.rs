//! Reading an archive, whichever of the two forms it has.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::DOCKER_MANIFEST_FILE;
use super::docker_source::DockerImages;
use super::members::Members;
use super::oci_source::OciImages;
use super::region::Abandoned;
use crate::content::format::output::unfinished;
use crate::content::format::{INDEX_FILE, LAYOUT_FILE};
use crate::content::{BlobStream, ContentError, Kind, KnownLayers, Result, Selector, Source};
use crate::oci::{Descriptor, Digest, Manifest, Tag};

/// An archive to read from: an OCI layout in a tar file, or what `docker save` wrote; plain or compressed.
#[derive(Debug)]
pub struct ArchiveSource(Images);

#[derive(Debug)]
enum Images {
    Oci(Box<OciImages>),
    Docker(Box<DockerImages>),
}

impl ArchiveSource {
    /// Opens an archive. What has to be unpacked or packed lies in files without a name in `temporary`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such file, [`Kind::Invalid`] when it is not an archive of images.
    pub async fn open(file: &Path, temporary: &Path) -> Result<Self> {
        let members = read(file, temporary).await?;
        let has_docker = members.get(DOCKER_MANIFEST_FILE).is_some();
        let members = if members.get(LAYOUT_FILE).is_some() && members.get(INDEX_FILE).is_some() {
            let oci = OciImages::open(members).await?;
            if !has_docker || oci.is_usable().await {
                return Ok(Self(Images::Oci(Box::new(oci))));
            }
            oci.into_members()
        } else {
            members
        };
        if has_docker {
            let docker = DockerImages::open(members, temporary.to_owned(), None).await?;
            return Ok(Self(Images::Docker(Box::new(docker))));
        }
        let why = format!("it holds neither {INDEX_FILE} with {LAYOUT_FILE} nor {DOCKER_MANIFEST_FILE}");
        Err(unreadable(&members, why))
    }

    /// Opens what a daemon saved, in the form that has no manifests: they are made here, and name the layers that are
    /// known from the image it was built on as that one does. `name` is what the place is called, if not by its file.
    ///
    /// # Errors
    /// As [`ArchiveSource::open`].
    pub async fn open_saved(
        file: &Path,
        temporary: &Path,
        name: Option<String>,
        known: Option<KnownLayers>,
    ) -> Result<Self> {
        let members = read(file, temporary).await?;
        let members = match name {
            Some(name) => members.called(name),
            None => members,
        };
        if members.get(DOCKER_MANIFEST_FILE).is_none() {
            return Err(unreadable(&members, format!("it holds no {DOCKER_MANIFEST_FILE}")));
        }
        let docker = DockerImages::open(members, temporary.to_owned(), known).await?;
        Ok(Self(Images::Docker(Box::new(docker))))
    }
}

/// Reads the headers of an archive.
async fn read(file: &Path, temporary: &Path) -> Result<Members> {
    let (path, folder) = (file.to_owned(), temporary.to_owned());
    let abandoned = Abandoned::default();
    let guard = abandoned.on_drop();
    let opened = tokio::task::spawn_blocking(move || Members::open(&path, Some(&folder), &abandoned)).await;
    drop(guard);
    opened.map_err(|error| unfinished("cannot open the archive", error))?
}

fn unreadable(members: &Members, why: String) -> ContentError {
    ContentError::new(Kind::Invalid, format!("cannot read {}", members.place()))
        .because(why)
        .hint("make it with: docker save -o FILE IMAGE")
}

#[async_trait]
impl Source for ArchiveSource {
    fn place(&self) -> String {
        match &self.0 {
            Images::Oci(images) => images.place(),
            Images::Docker(images) => images.place(),
        }
    }

    async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        match &self.0 {
            Images::Oci(images) => images.resolve(selector).await,
            Images::Docker(images) => images.resolve(selector).await,
        }
    }

    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        match &self.0 {
            Images::Oci(images) => images.peek(tag),
            Images::Docker(_) => Ok(None),
        }
    }

    fn tags(&self, selector: &Selector) -> Vec<Tag> {
        match &self.0 {
            Images::Oci(images) => images.tags(selector),
            Images::Docker(images) => images.tags(selector),
        }
    }

    fn names(&self, selector: &Selector) -> Vec<String> {
        match &self.0 {
            Images::Oci(_) => Vec::new(),
            Images::Docker(images) => images.names(selector),
        }
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        Ok(match &self.0 {
            Images::Oci(images) => images.referrers(subject).await,
            Images::Docker(_) => Vec::new(),
        })
    }

    fn holder(&self, blob: &Digest) -> Option<&Arc<dyn Source>> {
        match &self.0 {
            Images::Oci(_) => None,
            Images::Docker(images) => images.holder(blob),
        }
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        match &self.0 {
            Images::Oci(images) => images.fetch(blob),
            Images::Docker(images) => images.fetch(blob).await,
        }
    }
}
