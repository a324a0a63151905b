//! A Dockerfile whose migrations are checked as soon as it is known what it adds, and before anything is sent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shipway::build::{BaseImage, Bases, Blueprint, BuildError, Platforms};
use shipway::inspect::migrations_of;
use shipway::oci::ImageConfig;
use shipway::progress::Progress;
use shipway::recipe::Recipe;

use crate::commands::check::{self, Previous};
use crate::printer::Printer;
use crate::settings::CheckSettings;

/// A Dockerfile whose migrations are checked.
#[derive(Debug)]
pub(super) struct CheckedDockerfile {
    pub(super) dockerfile: Arc<dyn Blueprint>,
    pub(super) settings: CheckSettings,
    pub(super) project: String,
    /// The folder its files come from.
    pub(super) root: PathBuf,
    pub(super) previous: Arc<Previous>,
    pub(super) printer: Printer,
    /// Whether nothing is looked for but secrets.
    pub(super) no_check: bool,
    /// Why the build was stopped.
    pub(super) verdict: Arc<Mutex<Option<anyhow::Error>>>,
}

#[async_trait]
impl Blueprint for CheckedDockerfile {
    fn recipe(&self) -> Option<&Recipe> {
        self.dockerfile.recipe()
    }

    fn has_base(&self) -> bool {
        self.dockerfile.has_base()
    }

    async fn bases(&self, platforms: &Platforms, progress: &dyn Progress) -> Result<Bases, BuildError> {
        self.dockerfile.bases(platforms, progress).await
    }

    async fn recipe_on(
        &self,
        base: &BaseImage,
        config: &ImageConfig,
        progress: &dyn Progress,
    ) -> Result<Recipe, BuildError> {
        let recipe = self.dockerfile.recipe_on(base, config, progress).await?;
        if self.no_check {
            return Ok(recipe);
        }
        self.check(&recipe, config).map_err(|error| {
            *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            BuildError::Stopped
        })?;
        Ok(recipe)
    }
}

impl CheckedDockerfile {
    fn check(&self, recipe: &Recipe, config: &ImageConfig) -> anyhow::Result<()> {
        let options = &self.settings.options;
        let set = migrations_of(
            recipe,
            config,
            &self.project,
            &self.root,
            options.database,
            &options.placeholders,
        );
        let Some(set) = set.map_err(shipway::error::Error::from)? else {
            return Ok(());
        };
        // Its scripts may be the base's own, of which nothing is known here.
        if set.manifest.migrations.is_empty() {
            return Ok(());
        }
        // Secrets were refused by the Dockerfile itself.
        let report = check::report(&set, Vec::new(), &self.settings, &self.previous, false);
        check::tell(&report, &set, options.fail_on, &self.printer);
        check::verdict(&report, options.fail_on)
    }
}
