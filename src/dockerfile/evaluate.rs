//! Carrying out the instructions of a stage: what its layers hold and how its config changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::blueprint::{DockerfileBlueprint, NamedContext};
use super::error::{DockerfileError, Problem};
use super::filesystem::StageFiles;
use super::gather::{Gathered, gather};
use super::instruction::Instruction;
use super::parse;
use super::place::{Placing, make_directory};
use super::plan::{Action, Planned, PlannedCopy, Settings, plan};
use super::stage::{Beginning, Origin};
use super::tree::FileTree;
use super::users::{GROUPS, LIST_LIMIT, Owner, USERS};
use super::variables::Global;
use crate::build::{BaseImage, Bases, Platforms};
use crate::content::tree::Tree;
use crate::oci::{ImageConfig, Platform};
use crate::progress::{Event, Progress};
use crate::recipe::{Change, Entry, ImagePath, Step};

/// Where programs are looked for in an image that starts from nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The image the target's chain of stages begins with, which is known already.
#[derive(Debug)]
pub(super) struct Root {
    pub stage: usize,
    pub base: BaseImage,
    pub config: ImageConfig,
}

/// A stage that was carried out.
#[derive(Debug, Clone)]
pub(super) struct StageImage {
    /// Everything that is done to the base, from the first stage of the chain on.
    pub steps: Vec<Step>,
    settings: Settings,
    files: StageFiles,
}

/// Carries out stages for one platform.
pub(super) struct Evaluation<'a> {
    blueprint: &'a DockerfileBlueprint,
    global: &'a Global,
    platform: Platform,
    root: Root,
    progress: &'a dyn Progress,
    done: BTreeMap<usize, Arc<StageImage>>,
    /// The files of images that `--from` names.
    images: BTreeMap<String, StageFiles>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(
        blueprint: &'a DockerfileBlueprint,
        global: &'a Global,
        platform: Platform,
        root: Root,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            blueprint,
            global,
            platform,
            root,
            progress,
            done: BTreeMap::new(),
            images: BTreeMap::new(),
        }
    }

    /// Carries out a stage, once.
    pub(super) fn stage(&mut self, index: usize) -> BoxFuture<'_, Result<Arc<StageImage>, DockerfileError>> {
        Box::pin(async move {
            if let Some(done) = self.done.get(&index) {
                return Ok(Arc::clone(done));
            }
            let dockerfile = &self.blueprint.dockerfile;
            let stage = &dockerfile.stages[index];
            let at = |problem: Problem| problem.at(dockerfile, stage.image.position);
            let mut image = match dockerfile.beginning(index, self.global)? {
                Beginning::Stage(earlier) => StageImage::clone(&*self.stage(earlier).await?),
                _ if index == self.root.stage => self.on(&self.root.base, &self.root.config).map_err(at)?,
                Beginning::Scratch => {
                    let config = ImageConfig::scratch(&self.platform).map_err(|error| at(error.into()))?;
                    let base = BaseImage::nothing(self.platform.clone());
                    self.on(&base, &config).map_err(at)?
                }
                Beginning::Image(name, platform) => {
                    let (base, config) = self.open(&name, platform.as_deref()).await.map_err(at)?;
                    self.on(&base, &config).map_err(at)?
                }
            };
            image.settings.begin_stage();
            let triggers = std::mem::take(&mut image.settings.triggers);
            if !triggers.is_empty() {
                image.steps.push(Step::Change(Change::NoOnBuild));
            }
            let mut planned = self.triggered(&triggers, &mut image).map_err(at)?;
            for planned in &mut planned {
                planned.position = stage.image.position;
            }
            let own = plan(&stage.instructions, &mut image.settings, self.global);
            planned.extend(own.map_err(|(position, problem)| problem.at(dockerfile, position))?);
            self.carry_out(index, planned, &mut image).await?;
            let image = Arc::new(image);
            self.done.insert(index, Arc::clone(&image));
            Ok(image)
        })
    }

    /// What the base wants to be done first.
    fn triggered(&self, triggers: &[String], image: &mut StageImage) -> Result<Vec<Planned>, Problem> {
        let mut planned = Vec::new();
        for text in triggers {
            let wrong = |problem: Problem| Problem::Trigger {
                text: text.clone(),
                problem: Box::new(problem),
            };
            let instruction: Instruction = parse::trigger(text, '\\').map_err(wrong)?;
            let one = plan(std::slice::from_ref(&instruction), &mut image.settings, self.global);
            planned.extend(one.map_err(|(_, problem)| wrong(problem))?);
        }
        Ok(planned)
    }

    /// An image a stage begins with, or files are copied from.
    async fn open(&self, name: &str, platform: Option<&str>) -> Result<(BaseImage, ImageConfig), Problem> {
        let platform = match platform {
            Some(text) => text.parse()?,
            None => self.platform.clone(),
        };
        let (name, source, selector) = self.blueprint.image(name).await?;
        let platforms = Platforms::List(vec![platform]);
        let bases = Bases::resolve(&name, &source, &selector, &platforms, self.progress).await?;
        let Some(base) = bases.images.first() else {
            return Err(Problem::syntax(format!("{name} holds no image")));
        };
        let config = bases.config(base, &Platforms::Default).await?;
        Ok((base.clone(), config))
    }

    /// A stage that has just begun.
    fn on(&self, base: &BaseImage, config: &ImageConfig) -> Result<StageImage, Problem> {
        let mut config = config.clone();
        let mut steps = Vec::new();
        if base.manifest.is_none() {
            // As with BuildKit: no program is found without a search path.
            config.set_env("PATH", PATH)?;
            let path = Change::Environment {
                name: "PATH".to_owned(),
                value: PATH.to_owned(),
                unless_set: true,
            };
            steps.push(Step::Instruction {
                text: String::new(),
                entries: Vec::new(),
                changes: vec![path, Change::WorkingDirectory(ImagePath::default())],
            });
        }
        Ok(StageImage {
            steps,
            settings: Settings::of(&config)?,
            files: self.files_of(base, &config),
        })
    }

    fn files_of(&self, base: &BaseImage, config: &ImageConfig) -> StageFiles {
        let temporary = self.blueprint.temp_folder.clone();
        let Some((manifest, source)) = &base.manifest else {
            return StageFiles::nothing(temporary);
        };
        let cache = Some(self.blueprint.cache.clone());
        let tree = Tree::new(Arc::clone(source), manifest.layers.clone(), cache);
        let known = self.blueprint.known_bases.iter().find(|known| known.is(config));
        StageFiles::on(tree, known, temporary)
    }

    async fn carry_out(
        &mut self,
        index: usize,
        planned: Vec<Planned>,
        image: &mut StageImage,
    ) -> Result<(), DockerfileError> {
        let dockerfile = &self.blueprint.dockerfile;
        let mut gathered = Vec::new();
        for one in &planned {
            gathered.push(match &one.action {
                Some(Action::Copy(copy)) => {
                    let sources = self.gather(index, copy).await;
                    Some(sources.map_err(|problem| problem.at(dockerfile, one.position))?)
                }
                Some(Action::Directory { .. }) | None => None,
            });
        }
        // All that the base has to be asked for is asked together: it may be read as a stream, from the top.
        let mut wanted = BTreeSet::new();
        for (one, gathered) in planned.iter().zip(&gathered) {
            match (&one.action, gathered) {
                (Some(Action::Directory { path, .. }), _) => {
                    image.files.expect_directory(path);
                    wanted.insert(path.clone());
                }
                (Some(Action::Copy(copy)), Some(gathered)) => {
                    if gathered.makes_directory(copy) {
                        image.files.expect_directory(&copy.destination);
                    }
                    gathered.candidates(copy, &mut wanted);
                }
                _ => {}
            }
        }
        let position = dockerfile.stages[index].image.position;
        let learned = image.files.learn(&wanted).await;
        learned.map_err(|problem| problem.at(dockerfile, position))?;
        for (one, gathered) in planned.into_iter().zip(gathered) {
            let entries = match (&one.action, gathered) {
                (Some(Action::Directory { path, user }), _) => self.directory(path, user, image).await,
                (Some(Action::Copy(copy)), Some(gathered)) => self.copy(copy, &gathered, image).await,
                _ => Ok(Vec::new()),
            };
            image.steps.push(Step::Instruction {
                text: one.text,
                entries: entries.map_err(|problem| problem.at(dockerfile, one.position))?,
                changes: one.changes,
            });
        }
        Ok(())
    }

    /// Finds what is to be copied.
    async fn gather(&mut self, index: usize, copy: &PlannedCopy) -> Result<Gathered, Problem> {
        let blueprint = self.blueprint;
        let Some(from) = &copy.from else {
            let context = Arc::clone(&blueprint.context);
            let gathered = gather(copy, Arc::clone(&context) as Arc<dyn FileTree>, blueprint).await?;
            for notice in context.notices(&gathered.picked()) {
                self.progress.on(&Event::Notice(&notice));
            }
            return Ok(gathered);
        };
        if let Some(NamedContext::Files(files)) = blueprint.contexts.get(from) {
            return gather(copy, Arc::clone(files), blueprint).await;
        }
        let paths = copy.paths_from_root()?;
        let tree = match blueprint.dockerfile.origin(index, from, self.global)? {
            Origin::Stage(stage) => {
                let stage = self.stage(stage).await.map_err(Problem::Stage)?;
                stage.files.clone().take_out(&paths).await?
            }
            Origin::Other(name) => {
                let mut files = match self.images.remove(&name) {
                    Some(files) => files,
                    None => {
                        let (base, config) = self.open(&name, None).await?;
                        self.files_of(&base, &config)
                    }
                };
                let taken = files.take_out(&paths).await;
                self.images.insert(name, files);
                taken?
            }
        };
        gather(copy, Arc::new(tree), blueprint).await
    }

    async fn directory(&self, path: &ImagePath, user: &str, image: &mut StageImage) -> Result<Vec<Entry>, Problem> {
        // Whose it is matters only if it has to be made.
        let is_there = match image.files.way(path).await {
            Ok(way) => way.made.is_empty(),
            Err(_) => false,
        };
        let owner = match user {
            "" => None,
            _ if is_there => None,
            user => Some(numbers(&mut image.files, user).await?),
        };
        make_directory(&mut image.files, path, owner).await
    }

    async fn copy(
        &self,
        copy: &PlannedCopy,
        gathered: &Gathered,
        image: &mut StageImage,
    ) -> Result<Vec<Entry>, Problem> {
        let owner = match &copy.owner {
            Some(owner) => Some(numbers(&mut image.files, owner).await?),
            None => None,
        };
        let overwrites = copy.from.is_some() || self.blueprint.preserve_modes;
        let mut placing = Placing::new(&mut image.files, owner, copy.mode.clone(), overwrites);
        let are_several = gathered.sources.len() > 1;
        if are_several && !copy.into_directory && !copy.parents && !placing.is_there(&copy.destination).await? {
            return Err(Problem::syntax_with(
                format!("several files cannot all become {}", copy.destination),
                format!("end the destination with a slash: {}/", copy.destination),
            ));
        }
        for source in &gathered.sources {
            placing.source(source, &copy.destination, copy.into_directory).await?;
        }
        let mut entries = placing.finish();
        if !gathered.archives.is_empty() {
            // What an archive says of modes and owners counts: `--chmod` and `--chown` do not reach into it.
            let mut placing = Placing::new(&mut image.files, owner, None, true);
            let directory = placing.directory(&copy.destination).await?;
            placing.owns_no_more();
            for archive in &gathered.archives {
                placing.archive(&archive.below(&directory)?).await?;
            }
            let mut all: BTreeMap<ImagePath, Entry> =
                entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
            all.extend(placing.finish().into_iter().map(|entry| (entry.path.clone(), entry)));
            entries = all.into_values().collect();
        }
        Ok(entries)
    }
}

/// The numbers of an owner, from the stage's own lists where it goes by name.
async fn numbers(files: &mut StageFiles, text: &str) -> Result<(u64, u64), Problem> {
    let owner = Owner::parse(text)?;
    let mut list = async |path: &str, is_needed: bool| match is_needed {
        true => {
            let path: ImagePath = path.parse()?;
            Ok::<_, Problem>(files.read(&path, LIST_LIMIT).await?.unwrap_or_default())
        }
        false => Ok(String::new()),
    };
    let users = list(USERS, owner.needs_users()).await?;
    let groups = list(GROUPS, owner.needs_groups()).await?;
    owner.numbers(&users, &groups)
}
