//! What an image is built from: which bases, and what is done to each.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::BuildError;
use super::base::{BaseImage, Bases, Platforms};
use crate::content::{Selector, Source};
use crate::oci::ImageConfig;
use crate::progress::Progress;
use crate::recipe::Recipe;

/// What an image is built from.
///
/// A profile's recipe is the same whatever the base; a Dockerfile's follows from the base's config and files.
#[async_trait]
pub trait Blueprint: Send + Sync + fmt::Debug {
    /// The recipe, where it does not depend on the base: its files can be packed before the base is known.
    fn recipe(&self) -> Option<&Recipe>;

    /// Whether there is a base at all.
    fn has_base(&self) -> bool;

    /// Finds the bases, one for each platform.
    ///
    /// # Errors
    /// When one is not there, or not for a platform that is wanted.
    async fn bases(&self, platforms: &Platforms, progress: &dyn Progress) -> Result<Bases, BuildError>;

    /// The recipe on one of the bases, which the config belongs to.
    ///
    /// # Errors
    /// When there is none.
    async fn recipe_on(
        &self,
        base: &BaseImage,
        config: &ImageConfig,
        progress: &dyn Progress,
    ) -> Result<Recipe, BuildError>;
}

/// A recipe for any base, and one.
#[derive(Debug)]
pub struct OnBase {
    /// What to add and to change.
    pub recipe: Recipe,
    /// The base: its name, where it is, which one it is there; `None` to start from nothing.
    pub base: Option<(String, Arc<dyn Source>, Selector)>,
}

#[async_trait]
impl Blueprint for OnBase {
    fn recipe(&self) -> Option<&Recipe> {
        Some(&self.recipe)
    }

    fn has_base(&self) -> bool {
        self.base.is_some()
    }

    async fn bases(&self, platforms: &Platforms, progress: &dyn Progress) -> Result<Bases, BuildError> {
        match &self.base {
            None => Ok(Bases::scratch(platforms)),
            Some((name, source, selector)) => Bases::resolve(name, source, selector, platforms, progress).await,
        }
    }

    async fn recipe_on(&self, _: &BaseImage, _: &ImageConfig, _: &dyn Progress) -> Result<Recipe, BuildError> {
        Ok(self.recipe.clone())
    }
}
