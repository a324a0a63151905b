//! Reading a layout that is a tar file.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::members::Members;
use super::region::Region;
use crate::content::format::index::LayoutIndex;
use crate::content::format::stored::Stored;
use crate::content::format::subjects::Subjects;
use crate::content::format::{BLOBS, INDEX_FILE};
use crate::content::verify::verified;
use crate::content::{BlobStream, ContentError, Kind, MANIFEST_LIMIT, Result, Selector};
use crate::oci::media_type::{self, Compression};
use crate::oci::{Body, Descriptor, Digest, Manifest, Tag};

/// The images of a layout in an archive.
#[derive(Debug)]
pub(super) struct OciImages {
    members: Members,
    index: LayoutIndex,
    subjects: OnceCell<Subjects>,
}

impl OciImages {
    /// Reads the `index.json` of an archive that has one.
    pub(super) async fn open(members: Members) -> Result<Self> {
        let index = read_index(&members).await?;
        Ok(Self {
            members,
            index,
            subjects: OnceCell::new(),
        })
    }

    /// The members, for another way of reading them.
    pub(super) fn into_members(self) -> Members {
        self.members
    }

    /// Whether every image in it has its layers, compressed.
    ///
    /// Docker 25 and later write a layout beside the older form. With containerd's image store its layers are the
    /// registry's own bytes; with the others they are plain tar files under digests no registry knows, and an index
    /// may name images of which only the manifest is there.
    pub(super) async fn is_usable(&self) -> bool {
        for entry in self.index.entries() {
            let Ok(manifest) = self.manifest(entry.digest, Some(entry)).await else {
                return false;
            };
            let usable = match &manifest.body {
                Body::Image(_) => self.has_layers(&manifest).await,
                Body::Index(index) => self.has_child(&index.manifests).await,
            };
            if !usable {
                return false;
            }
        }
        !self.index.entries().is_empty()
    }

    async fn has_child(&self, children: &[Descriptor]) -> bool {
        for child in children.iter().filter(|child| !child.is_attestation()) {
            if let Ok(manifest) = self.manifest(child.digest, Some(child)).await
                && self.has_layers(&manifest).await
            {
                return true;
            }
        }
        false
    }

    async fn has_layers(&self, manifest: &Manifest) -> bool {
        let Body::Image(image) = &manifest.body else {
            return false;
        };
        let is_there = |blob: &Descriptor| self.blob(&blob.digest).is_ok_and(|region| region.size == blob.size);
        if !is_there(&image.config) {
            return false;
        }
        for layer in &image.layers {
            let is_plain = matches!(
                layer.media_type.as_str(),
                media_type::OCI_LAYER | media_type::DOCKER_LAYER
            );
            if is_plain || !is_there(layer) || !self.is_compressed(layer).await {
                return false;
            }
        }
        true
    }

    async fn is_compressed(&self, layer: &Descriptor) -> bool {
        let Ok(mut first) = self.blob(&layer.digest) else {
            return false;
        };
        first.size = first.size.min(4);
        let bytes = first.read(&self.members.place(), 4).await.unwrap_or_default();
        Compression::detect(&bytes) != Compression::None
    }

    pub(super) fn place(&self) -> String {
        self.members.place()
    }

    pub(super) async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        let (digest, entry) = self.index.select(selector)?;
        self.manifest(digest, entry).await
    }

    pub(super) fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        self.index
            .select(&Selector::Tag(tag.clone()))
            .map(|(digest, _)| Some(digest))
    }

    /// What a tag names, if all of it is there.
    pub(super) async fn complete(&self, tag: &Tag) -> Option<Digest> {
        let entry = self.index.named(tag)?;
        self.is_complete(entry).await.then_some(entry.digest)
    }

    pub(super) fn tags(&self, selector: &Selector) -> Vec<Tag> {
        self.index.tags(selector)
    }

    pub(super) async fn referrers(&self, subject: &Digest) -> Vec<Descriptor> {
        let reading = || async {
            let mut subjects = Subjects::default();
            for entry in self.index.entries() {
                // As in a layout: what cannot be read speaks of nothing.
                if let Ok(manifest) = self.manifest(entry.digest, Some(entry)).await {
                    subjects.add(entry, &manifest);
                }
            }
            subjects
        };
        self.subjects.get_or_init(reading).await.of(subject)
    }

    pub(super) fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        let region = self.blob(&blob.digest)?;
        if region.size != blob.size {
            let what = format!("blob {} from {} is not what it should be", blob.digest, self.place());
            let why = format!("it has {} bytes, and its descriptor says {}", region.size, blob.size);
            return Err(ContentError::new(Kind::Invalid, what).because(why));
        }
        Ok(verified(region.stream(&self.place()), blob, &self.place()))
    }

    async fn manifest(&self, digest: Digest, entry: Option<&Descriptor>) -> Result<Manifest> {
        let what = format!("manifest {digest} in {}", self.place());
        let bytes: Bytes = self.blob(&digest)?.read(&what, MANIFEST_LIMIT).await?;
        self.index.manifest(bytes, digest, entry)
    }

    fn blob(&self, digest: &Digest) -> Result<Region> {
        let region = self.members.get(&format!("{BLOBS}/{}", digest.hex()));
        region.ok_or_else(|| ContentError::new(Kind::NotFound, format!("{} has no blob {digest}", self.place())))
    }
}

#[async_trait]
impl Stored for OciImages {
    async fn manifest_of(&self, entry: &Descriptor) -> Option<Manifest> {
        self.manifest(entry.digest, Some(entry)).await.ok()
    }

    async fn has(&self, blob: &Descriptor) -> bool {
        self.blob(&blob.digest).is_ok_and(|region| region.size == blob.size)
    }
}

/// Reads the `index.json` of an archive.
async fn read_index(members: &Members) -> Result<LayoutIndex> {
    let what = format!("{INDEX_FILE} of {}", members.place());
    let bytes = members.require(INDEX_FILE)?.read(&what, MANIFEST_LIMIT).await?;
    LayoutIndex::parse(
        &bytes,
        members.place(),
        format!("oci-archive:{}", members.path().display()),
    )
}
