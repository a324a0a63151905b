//! A Dockerfile as what an image is built from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::error::{DockerfileError, Problem};
use super::evaluate::{Evaluation, Root};
use super::instruction::Dockerfile;
use super::stage::Beginning;
use super::tree::FileTree;
use super::variables::{Global, is_predefined};
use crate::build::{AllowedSecrets, BaseImage, Bases, Blueprint, BuildError, Platforms, refuse_secrets};
use crate::content::{Cache, ContentError, Selector, Source};
use crate::oci::{Digest, ImageConfig, Platform, Reference};
use crate::progress::{Event, Progress};
use crate::recipe::{Change, KnownBase, Recipe, Step, Stored};

/// Opens an image by its name in a registry.
pub type OpenImage =
    Arc<dyn Fn(Reference) -> BoxFuture<'static, Result<(Arc<dyn Source>, Selector), ContentError>> + Send + Sync>;

/// Fetches what an address names.
pub type Download = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Downloaded, ContentError>> + Send + Sync>;

/// What an address named.
#[derive(Debug, Clone)]
pub struct Downloaded {
    /// What the server calls the file, if it says.
    pub name: Option<String>,
    /// Its bytes.
    pub content: Stored,
    /// Their digest.
    pub digest: Digest,
}

/// What a name stands for in `FROM` and `COPY --from`, in the place of a stage or an image of that name.
#[derive(Clone)]
pub enum NamedContext {
    /// Files.
    Files(Arc<dyn FileTree>),
    /// An image: its name, where it is, which one it is there.
    Image(String, Arc<dyn Source>, Selector),
}

impl fmt::Debug for NamedContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(files) => f.debug_tuple("Files").field(files).finish(),
            Self::Image(name, ..) => f.debug_tuple("Image").field(name).finish_non_exhaustive(),
        }
    }
}

/// A Dockerfile, and all it is built with.
pub struct DockerfileBlueprint {
    /// The Dockerfile.
    pub dockerfile: Dockerfile,
    /// Which of its stages is wanted.
    pub target: usize,
    /// The arguments that were passed.
    pub arguments: BTreeMap<String, String>,
    /// The platform of this machine.
    pub build_platform: Platform,
    /// The build context.
    pub context: Arc<super::Context>,
    /// Names with a meaning of their own.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Opens images.
    pub open: OpenImage,
    /// Fetches addresses.
    pub download: Download,
    /// Bases whose files are known without reading them.
    pub known_bases: Vec<KnownBase>,
    /// Labels besides those of the Dockerfile.
    pub labels: Vec<(String, String)>,
    /// Whether directories that are there get the modes of those that are copied onto them.
    pub preserve_modes: bool,
    /// The folder the context is, which files are called from; empty where it is none.
    pub context_folder: PathBuf,
    /// Secrets that may go into the image.
    pub allowed_secrets: AllowedSecrets,
    /// Folder for temporary files.
    pub temp_folder: PathBuf,
    /// What is remembered of layers.
    pub cache: Cache,
}

impl fmt::Debug for DockerfileBlueprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DockerfileBlueprint")
            .field("dockerfile", &self.dockerfile.name)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl DockerfileBlueprint {
    /// Checks what can be known before anything is fetched.
    ///
    /// # Errors
    /// When a stage that is needed would have to run something, or copies from one that is not there.
    pub fn check(&self, progress: &dyn Progress) -> Result<(), DockerfileError> {
        let global = self.global(&Platform::linux_amd64())?;
        self.dockerfile.needed(self.target, &global)?;
        for notice in &self.dockerfile.notices {
            progress.on(&Event::Notice(notice));
        }
        let unknown: Vec<&str> = self
            .arguments
            .keys()
            .map(String::as_str)
            .filter(|name| !is_predefined(name) && !self.dockerfile.declares(name))
            .collect();
        if !unknown.is_empty() {
            progress.on(&Event::Notice(&format!(
                "no ARG of {} takes what --build-arg passes: {}",
                self.dockerfile.name,
                unknown.join(", ")
            )));
        }
        Ok(())
    }

    fn global(&self, target: &Platform) -> Result<Global, DockerfileError> {
        let stage = &self.dockerfile.stages[self.target];
        let name = stage.name.as_deref().unwrap_or("default");
        let global = Global::new(
            &self.arguments,
            &self.build_platform,
            target,
            name,
            self.dockerfile.escape,
            &self.dockerfile.arguments,
        )
        .map_err(|wrong| wrong.1.at(&self.dockerfile, wrong.0.position))?;
        Ok(global.with_contexts(self.contexts.keys().cloned()))
    }

    /// What the chain of stages below the target begins with, and in which stage.
    fn root(&self, global: &Global) -> Result<(usize, Beginning), DockerfileError> {
        let mut index = self.target;
        loop {
            match self.dockerfile.beginning(index, global)? {
                Beginning::Stage(earlier) => index = earlier,
                other => return Ok((index, other)),
            }
        }
    }

    /// Opens an image of a `FROM` or `--from`: its name, where it is, which one it is there.
    pub(super) async fn image(&self, name: &str) -> Result<(String, Arc<dyn Source>, Selector), Problem> {
        match self.contexts.get(name) {
            Some(NamedContext::Image(name, source, selector)) => {
                return Ok((name.clone(), Arc::clone(source), selector.clone()));
            }
            Some(NamedContext::Files(_)) => {
                return Err(Problem::syntax_with(
                    format!("{name} stands for a folder, and no stage can begin with one"),
                    format!("begin with scratch, and COPY --from={name}"),
                ));
            }
            None => {}
        }
        let reference: Reference = name.parse()?;
        let (source, selector) = (self.open)(reference.clone()).await?;
        Ok((reference.name(), source, selector))
    }

    async fn bases_at(
        &self,
        platforms: &Platforms,
        target: &Platform,
        progress: &dyn Progress,
    ) -> Result<Bases, BuildError> {
        let global = self.global(target)?;
        let (index, beginning) = self.root(&global)?;
        let position = self.dockerfile.stages[index].image.position;
        let (name, platform) = match beginning {
            Beginning::Scratch | Beginning::Stage(_) => return Ok(Bases::scratch(platforms)),
            Beginning::Image(name, platform) => (name, platform),
        };
        let at = |problem: Problem| problem.at(&self.dockerfile, position);
        let own = platform.map(|text| text.parse::<Platform>()).transpose();
        let own = own.map_err(|error| at(error.into()))?;
        let platforms = match own {
            Some(platform) => &Platforms::List(vec![platform]),
            None => platforms,
        };
        let (name, source, selector) = self.image(&name).await.map_err(at)?;
        Bases::resolve(&name, &source, &selector, platforms, progress).await
    }
}

#[async_trait]
impl Blueprint for DockerfileBlueprint {
    fn recipe(&self) -> Option<&Recipe> {
        None
    }

    fn has_base(&self) -> bool {
        true
    }

    async fn bases(&self, platforms: &Platforms, progress: &dyn Progress) -> Result<Bases, BuildError> {
        let Platforms::List(list) = platforms else {
            return self.bases_at(platforms, &Platform::linux_amd64(), progress).await;
        };
        let mut all: Option<Bases> = None;
        for platform in list {
            let wanted = Platforms::List(vec![platform.clone()]);
            let mut bases = self.bases_at(&wanted, platform, progress).await?;
            for image in &mut bases.images {
                image.wanted = Some(platform.clone());
            }
            match &mut all {
                None => all = Some(bases),
                Some(all) => all.join(bases),
            }
        }
        all.ok_or_else(|| BuildError::NoImage {
            base: self.dockerfile.name.clone(),
        })
    }

    async fn recipe_on(
        &self,
        base: &BaseImage,
        config: &ImageConfig,
        progress: &dyn Progress,
    ) -> Result<Recipe, BuildError> {
        let stated = config.platform().map_err(|source| BuildError::Config {
            image: self.dockerfile.name.clone(),
            source,
        })?;
        let platform = base.wanted.clone().or_else(|| base.platform.clone()).unwrap_or(stated);
        let global = self.global(&platform)?;
        let (index, _) = self.root(&global)?;
        let root = Root {
            stage: index,
            base: base.clone(),
            config: config.clone(),
        };
        let mut evaluation = Evaluation::new(self, &global, platform, root, progress);
        // One after another, each after those it needs: a chain of thousands must not become a stack of as many calls.
        for stage in self.dockerfile.needed(self.target, &global)? {
            evaluation.stage(stage).await?;
        }
        let mut steps = evaluation.stage(self.target).await?.steps.clone();
        let label = |(key, value): &(String, String)| {
            Step::Change(Change::Label {
                key: key.clone(),
                value: Some(value.clone()),
            })
        };
        steps.extend(self.labels.iter().map(label));
        let recipe = Recipe {
            steps,
            known_base: None,
        };
        refuse_secrets(&recipe, &self.context_folder, &self.allowed_secrets)?;
        Ok(recipe)
    }
}
