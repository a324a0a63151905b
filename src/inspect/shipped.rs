//! The migrations of an image: as its manifest lists them, or as its files tell.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use futures_util::TryStreamExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::files;
use crate::build::MANIFEST_DIGEST_LABEL;
use crate::content::{self, CONFIG_LIMIT, Cache, ContentError, Kind, Selector, Source};
use crate::migrations::MigrationSet;
use crate::migrations::manifest::{Manifest, PATH};
use crate::oci::{self, Body, Descriptor, Digest, ImageConfig, ImageManifest, Platform};

/// Largest manifest of migrations that is read: one of 10,000 scripts has some 5 MB.
const MANIFEST_LIMIT: u64 = 64 * 1024 * 1024;

/// Annotation of a manifest, and label: what an image was built on.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// An image whose migrations are of interest, on one of its platforms: they are the same on all of them.
#[derive(Debug)]
pub struct Shipped {
    /// Digest of the manifest or index that was asked for.
    pub digest: Digest,
    /// What lies in the repository as long as the image does: config and layers.
    pub blobs: Vec<Digest>,
    source: Arc<dyn Source>,
    image: ImageManifest,
}

impl Shipped {
    /// Reads the manifest of an image; of one for several platforms, that for `wanted`, else for linux/amd64, else the first.
    ///
    /// # Errors
    /// The image is not there, or cannot be read.
    pub async fn open(
        source: &Arc<dyn Source>,
        selector: &Selector,
        wanted: Option<&Platform>,
    ) -> content::Result<Self> {
        let root = source.resolve(selector).await?;
        let digest = root.digest();
        let image = match root.body {
            Body::Image(image) => image,
            Body::Index(index) => {
                let default = Platform::linux_amd64();
                let child = index
                    .image_for(wanted.unwrap_or(&default))
                    .or_else(|| index.images().map(|(child, _)| child).next());
                let nothing = || {
                    ContentError::new(
                        Kind::Invalid,
                        format!("there is no image in the index {digest} of {}", source.place()),
                    )
                };
                let child = child.ok_or_else(nothing)?;
                let manifest: oci::Manifest = source.resolve(&Selector::Digest(child.digest)).await?;
                match manifest.body {
                    Body::Image(image) => image,
                    Body::Index(_) => return Err(nothing()),
                }
            }
        };
        let blobs = image.layers.iter().filter(|layer| !layer.is_foreign());
        Ok(Self {
            digest,
            blobs: blobs.chain([&image.config]).map(|blob| blob.digest).collect(),
            source: Arc::clone(source),
            image,
        })
    }

    /// Compressed size of all its layers, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.image.layers.iter().map(|layer| layer.size).sum()
    }

    /// What the image was built on, if its manifest says so.
    #[must_use]
    pub fn base_name(&self) -> Option<&str> {
        self.image.annotations.get(BASE_NAME)?.as_str()
    }

    /// The manifest of its migrations; `None` for an image that has none.
    ///
    /// It is the first file of the last layer, of which no more is read than it takes. The layer's digest is not verified by that; the
    /// manifest's own is, where the image states it.
    ///
    /// # Errors
    /// The layer cannot be read, or holds a manifest that is damaged.
    pub async fn manifest(&self, cache: &Cache) -> content::Result<Option<Manifest>> {
        let Some(layer) = self.image.layers.last() else {
            return Ok(None);
        };
        if !is_gzip(layer) {
            return Ok(None);
        }
        let stated = self
            .image
            .annotations
            .get(MANIFEST_DIGEST_LABEL)
            .and_then(|value| value.as_str());
        let stated: Option<Digest> = stated.and_then(|text| text.parse().ok());
        let remembered = stated.and_then(|digest| cache.content(&digest));
        let bytes = match remembered {
            Some(bytes) => bytes.to_vec(),
            None => match self.first_file(layer).await? {
                Some(bytes) => bytes,
                None => return Ok(None),
            },
        };
        let wrong = || {
            let place = self.source.place();
            ContentError::new(
                Kind::Invalid,
                format!(
                    "the manifest of migrations in {} of {place} cannot be used",
                    self.digest
                ),
            )
        };
        if let Some(stated) = stated {
            if Digest::of(&bytes) != stated {
                return Err(wrong().because(format!("it is not the one the image states, {stated}")));
            }
            cache.keep_content(&stated, &bytes);
        }
        Manifest::parse(&bytes)
            .map(Some)
            .map_err(|error| wrong().because(error))
    }

    /// The migrations as the files of the image tell.
    ///
    /// # Errors
    /// Config or layers cannot be read, or there is no room for the files in `temporary`.
    pub async fn set(&self, cache: &Cache, temporary: &Path) -> content::Result<Option<MigrationSet>> {
        let bytes = content::read(&self.source, &self.image.config, CONFIG_LIMIT).await?;
        let config = ImageConfig::parse(&bytes).map_err(|error| {
            let place = self.source.place();
            ContentError::new(
                Kind::Invalid,
                format!("the config of {} in {place} cannot be used", self.digest),
            )
            .because(error)
        })?;
        files::set(&self.source, &self.image.layers, &config, cache, temporary).await
    }

    async fn first_file(&self, layer: &Descriptor) -> content::Result<Option<Vec<u8>>> {
        let stream = self.source.fetch(layer).await?.map_err(io::Error::other);
        let bridge = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));
        let reading = tokio::task::spawn_blocking(move || first_file(bridge));
        let wrong = || {
            let place = self.source.place();
            ContentError::new(
                Kind::Other,
                format!("cannot read the start of layer {} of {place}", layer.digest),
            )
        };
        let read = reading.await.map_err(|error| wrong().because(error))?;
        read.map_err(|error| wrong().because(error))
    }
}

fn is_gzip(layer: &Descriptor) -> bool {
    layer.media_type.ends_with("gzip")
}

/// The manifest, if it is the first file of a layer.
fn first_file(layer: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(layer));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_dir() {
            continue;
        }
        if *entry.path_bytes() != *PATH.trim_start_matches('/').as_bytes() {
            return Ok(None);
        }
        if entry.size() > MANIFEST_LIMIT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the manifest of migrations is larger than any that was ever made",
            ));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        return Ok(Some(bytes));
    }
    Ok(None)
}

/// Environment variables of an image, by name.
pub(super) fn environment(config: &ImageConfig) -> BTreeMap<String, String> {
    let all = config.env().unwrap_or_default();
    let pair = |text: &String| {
        text.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    all.iter().filter_map(pair).collect()
}
