//! The image that is built upon, for one platform or several.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::BuildError;
use crate::content::{self, CONFIG_LIMIT, Selector, Source};
use crate::oci::{Body, Digest, Family, ImageConfig, ImageManifest, Manifest, Platform};
use crate::progress::{Event, Progress};

/// Which platforms of a base are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platforms {
    /// Nobody said: linux/amd64, with a notice if there are others.
    Default,
    /// Every one there is.
    All,
    /// These.
    List(Vec<Platform>),
}

/// A base whose manifests are known.
#[derive(Debug, Clone)]
pub struct Bases {
    /// The name it was asked for by; `None` for an image that starts from nothing.
    pub name: Option<String>,
    /// The same name where it means something on other machines too: in a registry.
    pub registry_name: Option<String>,
    /// What the name stood for.
    pub digest: Option<Digest>,
    /// The family of media types.
    pub family: Family,
    /// One for each platform.
    pub images: Vec<BaseImage>,
    /// Whether the result is an index.
    pub is_index: bool,
}

/// The base for one platform.
#[derive(Debug, Clone)]
pub struct BaseImage {
    /// The platform an index states; an image alone has it in its config.
    pub platform: Option<Platform>,
    /// The platform that was asked for, where that may be another one.
    pub wanted: Option<Platform>,
    /// The manifest, and where its blobs are; `None` for nothing.
    pub manifest: Option<(ImageManifest, Arc<dyn Source>)>,
}

impl BaseImage {
    /// Nothing, for a platform.
    #[must_use]
    pub fn nothing(platform: Platform) -> Self {
        Self {
            platform: Some(platform),
            wanted: None,
            manifest: None,
        }
    }
}

impl Bases {
    /// No base: an image for each platform that starts from nothing.
    #[must_use]
    pub fn scratch(platforms: &Platforms) -> Self {
        let platforms = match platforms {
            Platforms::List(list) => {
                let mut platforms: Vec<Platform> = Vec::new();
                for platform in list {
                    if !platforms.iter().any(|known| known.is_same(platform)) {
                        platforms.push(platform.clone());
                    }
                }
                platforms
            }
            Platforms::Default | Platforms::All => vec![Platform::linux_amd64()],
        };
        Self {
            name: None,
            registry_name: None,
            digest: None,
            family: Family::Oci,
            is_index: platforms.len() > 1,
            images: platforms.into_iter().map(BaseImage::nothing).collect(),
        }
    }

    /// Reads the manifests of a base.
    ///
    /// # Errors
    /// When it is not there, or not for a platform that is wanted.
    pub async fn resolve(
        name: &str,
        source: &Arc<dyn Source>,
        selector: &Selector,
        platforms: &Platforms,
        progress: &dyn Progress,
    ) -> Result<Self, BuildError> {
        let root = source.resolve(selector).await?;
        let bases = |images, is_index| Self {
            name: Some(name.to_owned()),
            registry_name: source.repository().map(|_| name.to_owned()),
            digest: Some(root.digest()),
            family: root.family(),
            images,
            is_index,
        };
        let index = match &root.body {
            Body::Image(manifest) => {
                let image = BaseImage {
                    platform: None,
                    wanted: None,
                    manifest: Some((manifest.clone(), Arc::clone(source))),
                };
                return Ok(bases(vec![image], false));
            }
            Body::Index(index) => index,
        };
        let offered: Vec<_> = index.images().map(|(child, _)| child).collect();
        let offered_platforms = || index.images().map(|(_, platform)| platform.clone()).collect::<Vec<_>>();
        let find = |wanted: &Platform| {
            index.image_for(wanted).ok_or_else(|| BuildError::NoPlatform {
                base: name.to_owned(),
                wanted: wanted.clone(),
                offered: offered_platforms(),
            })
        };
        let chosen = match platforms {
            Platforms::All => offered.clone(),
            Platforms::List(list) => list.iter().map(find).collect::<Result<_, _>>()?,
            Platforms::Default if offered.len() == 1 => offered.clone(),
            Platforms::Default => {
                let default = Platform::linux_amd64();
                let child = find(&default)?;
                let others: Vec<String> = offered_platforms().iter().map(ToString::to_string).collect();
                progress.on(&Event::Notice(&format!(
                    "{name} is there for {}; building for {default} only (--platform chooses, or --platform all)",
                    others.join(", ")
                )));
                vec![child]
            }
        };
        // linux/arm64 and linux/arm64/v8 are one image.
        let mut seen = HashSet::new();
        let chosen: Vec<_> = chosen.into_iter().filter(|child| seen.insert(child.digest)).collect();
        if chosen.is_empty() {
            return Err(BuildError::NoImage { base: name.to_owned() });
        }
        let children = chosen.iter().map(|child| async {
            let manifest: Manifest = source.resolve(&Selector::Digest(child.digest)).await?;
            match manifest.body {
                Body::Image(image) => Ok(BaseImage {
                    platform: child.platform.clone(),
                    wanted: None,
                    manifest: Some((image, Arc::clone(source))),
                }),
                Body::Index(_) => Err(BuildError::NoImage { base: name.to_owned() }),
            }
        });
        let images = try_join_all(children).await?;
        let is_index = images.len() > 1;
        Ok(bases(images, is_index))
    }

    /// Adds the bases of other platforms. Where they are other images, there is no one name for all.
    pub fn join(&mut self, others: Self) {
        if self.name != others.name || self.digest != others.digest {
            self.registry_name = None;
            self.digest = None;
        }
        self.images.extend(others.images);
        self.is_index = self.images.len() > 1;
    }

    /// The name for messages.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("scratch")
    }

    /// Reads the config of one of the images.
    ///
    /// # Errors
    /// When it cannot be read, or the image is for another platform than the wanted ones.
    pub async fn config(&self, image: &BaseImage, platforms: &Platforms) -> Result<ImageConfig, BuildError> {
        let wrong = |source| BuildError::Config {
            image: self.title().to_owned(),
            source,
        };
        let Some((manifest, source)) = &image.manifest else {
            let platform = image.platform.clone().unwrap_or_else(Platform::linux_amd64);
            return ImageConfig::scratch(&platform).map_err(wrong);
        };
        let bytes = content::read(source, &manifest.config, CONFIG_LIMIT).await?;
        let config = ImageConfig::parse(&bytes).map_err(wrong)?;
        let listed = config.diff_ids().map_err(wrong)?.len();
        if listed != manifest.layers.len() {
            return Err(BuildError::Layers {
                base: self.title().to_owned(),
                listed,
                named: manifest.layers.len(),
            });
        }
        if image.platform.is_none()
            && let Platforms::List(list) = platforms
        {
            let offered = config.platform().map_err(wrong)?;
            if let Some(wanted) = list.iter().find(|wanted| !wanted.accepts(&offered)) {
                return Err(BuildError::NoPlatform {
                    base: self.title().to_owned(),
                    wanted: wanted.clone(),
                    offered: vec![offered],
                });
            }
        }
        Ok(config)
    }
}
