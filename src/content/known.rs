//! Layers that are known from another image, by the digest of their tar file.
//!
//! What a daemon saves has lost the compressed layers it was pulled with. Packed anew they would be other blobs; named as
//! the image it was built on names them, they are where that image is.

use std::collections::HashMap;
use std::sync::Arc;

use super::{CONFIG_LIMIT, ContentError, Kind, Result, Selector, Source, read};
use crate::oci::{Body, Descriptor, Digest, Family, ImageConfig, Platform};

/// The image another one was built on.
#[derive(Debug, Clone)]
pub struct KnownLayers {
    source: Arc<dyn Source>,
    selector: Selector,
}

/// The layers of one of its platforms.
#[derive(Debug, Default)]
pub(super) struct LayersByDiffId {
    /// The family of the media types; `None` where there are no layers.
    pub(super) family: Option<Family>,
    by_diff_id: HashMap<Digest, Descriptor>,
}

impl LayersByDiffId {
    /// How the image names the layer with this tar file.
    pub(super) fn get(&self, diff_id: &Digest) -> Option<&Descriptor> {
        self.by_diff_id.get(diff_id)
    }
}

impl KnownLayers {
    /// The layers of an image.
    #[must_use]
    pub fn of(source: Arc<dyn Source>, selector: Selector) -> Self {
        Self { source, selector }
    }

    /// Where the image is.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// The layers of the image for a platform; none where it is not there for it.
    ///
    /// # Errors
    /// When the image cannot be read.
    pub(super) async fn layers(&self, platform: &Platform) -> Result<LayersByDiffId> {
        let root = self.source.resolve(&self.selector).await?;
        let manifest = match &root.body {
            Body::Image(_) => root,
            Body::Index(index) => match index.image_for(platform) {
                Some(child) => self.source.resolve(&Selector::Digest(child.digest)).await?,
                None => return Ok(LayersByDiffId::default()),
            },
        };
        let Body::Image(image) = &manifest.body else {
            return Ok(LayersByDiffId::default());
        };
        let what = || {
            let place = self.source.place();
            format!("cannot read config {} of {place}", image.config.digest)
        };
        let bytes = read(&self.source, &image.config, CONFIG_LIMIT).await?;
        let diff_ids = ImageConfig::parse(&bytes).and_then(|config| config.diff_ids());
        let diff_ids = diff_ids.map_err(|error| ContentError::new(Kind::Invalid, what()).because(error))?;
        if diff_ids.len() != image.layers.len() {
            return Err(ContentError::new(Kind::Invalid, what()).because(format!(
                "it lists {} layers, the manifest {}",
                diff_ids.len(),
                image.layers.len()
            )));
        }
        let layers = diff_ids.into_iter().zip(&image.layers);
        // What may not be passed on is not known in a way that helps.
        let usable = layers.filter(|(_, layer)| !layer.is_foreign());
        Ok(LayersByDiffId {
            family: Some(manifest.family()),
            by_diff_id: usable.map(|(diff_id, layer)| (diff_id, layer.clone())).collect(),
        })
    }
}
