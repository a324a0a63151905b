//! `shipway copy`, and what it shares with `shipway push` and `shipway tag`.

use std::sync::Arc;

use shipway::content::archive::{DockerArchiveTarget, OciArchiveTarget};
use shipway::content::copy::{Copied, Errand, ReferrerStatus, copy};
use shipway::content::layout::LayoutTarget;
use shipway::content::{Delivery, KnownLayers, Location, Selector, Source};
use shipway::error::Error;
use shipway::oci::{Reference, Repository, Tag};
use shipway::progress::Progress;
use shipway::project::Project;

use super::loads::Loads;
use crate::args::{CopyArguments, CopyOptions, Format, GlobalArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::places::Places;
use crate::printer::Printer;
use crate::progress::Display;
use crate::results::{CopyResult, FileKind, ResultFiles, Summary, status};
use crate::settings::{self, CopySettings, CopyTarget, Logins};

/// Copies an image.
pub(crate) async fn run(
    arguments: &CopyArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    let targets = std::slice::from_ref(&arguments.target);
    let settings = CopySettings::resolve(&arguments.source, targets, &arguments.options, &project)?;
    let outputs = match settings.targets.as_slice() {
        [CopyTarget::Registry(..)] => Vec::new(),
        _ => targets.to_vec(),
    };
    let work = Work {
        source: &arguments.source,
        outputs,
        settings,
        options: &arguments.options,
    };
    work.run(&project, global, environment, printer).await
}

/// A copy, settled.
pub(super) struct Work<'a> {
    /// The source, as it was named.
    pub(super) source: &'a str,
    /// The targets that are no registries, as they were named.
    pub(super) outputs: Vec<String>,
    pub(super) settings: CopySettings,
    pub(super) options: &'a CopyOptions,
}

impl Work<'_> {
    /// Copies, and tells what was copied.
    pub(super) async fn run(
        self,
        project: &Project,
        global: &GlobalArguments,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        #[cfg_attr(not(feature = "aws"), expect(unused_mut, reason = "only AWS makes repositories"))]
        let mut places = places(project, global, environment, printer, &self.settings.hosts())?;
        #[cfg(feature = "aws")]
        if self.options.create_repository {
            places.create_repositories(project, &self.settings.repositories())?;
        }
        let places = match self.options.dry_run {
            // No blob that is missing would tell that what the cache knows is not in this repository.
            true => places.rehearsing().without_cache(),
            false => places,
        };
        let known = match &self.settings.base {
            Some(base) => {
                let (source, selector) = places.source(base).await?;
                Some(KnownLayers::of(source, selector))
            }
            None if self.settings.repositories().is_empty() => None,
            None => places.pulled_from(&self.settings.source).await?,
        };
        let (source, selector) = places.saved(&self.settings.source, known).await?;
        let names = Names::of(&self.settings, &source, &selector).await?;
        let mut deliveries = Vec::new();
        let mut loads = Loads::default();
        for named in &names.0 {
            deliveries.push(named.delivery(&places, &mut loads, deliveries.len()).await?);
        }
        let files = match self.options.dry_run {
            true => None,
            false => Some(ResultFiles::prepare(&[
                (FileKind::Digest, "--digest-file", &self.options.digest_file),
                (FileKind::References, "--image-refs", &self.options.image_refs),
                (FileKind::Dotenv, "--dotenv", &self.options.dotenv),
            ])?),
        };
        let errand = Errand {
            source,
            selector,
            selection: self.settings.selection,
            required: self.settings.required,
            rule: self.settings.rule,
            with_referrers: self.options.referrers,
            dry_run: self.options.dry_run,
        };
        let mut copied = copy(&errand, &deliveries, &places.progress)
            .await
            .map_err(Error::from)?;
        loads.correct(&mut copied.delivered);
        let result = names.result(copied, self.source, self.outputs);
        if let Some(files) = files {
            files.write(&result.summary)?;
        }
        let mut told = result.json();
        loads.tell(&mut told);
        print(printer, &result, &told)
    }
}

/// Opens places for one command.
pub(super) fn places(
    project: &Project,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
    hosts: &[String],
) -> anyhow::Result<Places> {
    let store = Logins::gather(global, environment)?.store(hosts);
    let progress: Arc<dyn Progress> = Arc::new(Display::new(printer.clone()));
    Places::new(global, environment, project, store, progress)
}

/// Prints what was done.
pub(super) fn print(printer: &Printer, result: &CopyResult, told: &serde_json::Value) -> anyhow::Result<()> {
    match printer.format() {
        Format::Text => printer.data(&result.summary.text())?,
        Format::Json => printer.data(&format!("{told}\n"))?,
    }
    Ok(())
}

/// A target with the tags the image gets there.
struct Named {
    target: CopyTarget,
    tags: Vec<Tag>,
    /// The full names, in an archive that needs them.
    full: Vec<String>,
}

/// The targets, each repository once.
struct Names(Vec<Named>);

impl Names {
    /// Finds out which tags the image gets at each target.
    async fn of(settings: &CopySettings, source: &Arc<dyn Source>, selector: &Selector) -> anyhow::Result<Self> {
        let mut all: Vec<Named> = Vec::new();
        for target in &settings.targets {
            let (CopyTarget::Registry(_, said) | CopyTarget::Layout(_, said) | CopyTarget::OciArchive(_, said)) =
                target
            else {
                all.push(in_docker(target, settings, &source.names(selector))?);
                continue;
            };
            let mut tags = match (said, &settings.source) {
                (Some(tag), _) => vec![tag.clone()],
                // `REPOSITORY:TAG@DIGEST`: the digest selects, and the tag is the image's name all the same.
                (None, Location::Registry(Reference { tag: Some(tag), .. })) => vec![tag.clone()],
                (None, _) => source.tags(selector),
            };
            tags.extend(settings.tags.iter().cloned());
            if tags.is_empty() && *selector == Selector::Only && matches!(target, CopyTarget::Registry(..)) {
                // There may be none, or several: that comes first.
                source.resolve(selector).await.map_err(Error::from)?;
                return Err(
                    CommandError::usage(format!("the image in {} has no tag to keep", source.place()))
                        .hint("name one: REPOSITORY:TAG, or -t TAG")
                        .into(),
                );
            }
            let same = all.iter().position(|known| match (&known.target, target) {
                (CopyTarget::Registry(known, _), CopyTarget::Registry(other, _)) => known == other,
                _ => false,
            });
            let index = same.unwrap_or(all.len());
            if same.is_none() {
                all.push(Named {
                    target: target.clone(),
                    tags: Vec::new(),
                    full: Vec::new(),
                });
            }
            let named = &mut all[index];
            for tag in tags {
                if !named.tags.contains(&tag) {
                    named.tags.push(tag);
                }
            }
        }
        Ok(Self(all))
    }

    /// What is told of the copy.
    fn result(&self, copied: Copied, source: &str, outputs: Vec<String>) -> CopyResult {
        let repositories = self.0.iter().filter_map(Named::repository);
        let images: Vec<Reference> = repositories
            .map(|repository| repository.pinned(copied.root.digest))
            .collect();
        let is_pushed = !images.is_empty();
        let has_new_referrers = copied
            .referrers
            .iter()
            .any(|referrer| referrer.status == ReferrerStatus::Written);
        let status = match status(&copied.delivered, is_pushed) {
            "unchanged" if has_new_referrers && is_pushed => "pushed",
            "unchanged" if has_new_referrers => "written",
            status => status,
        };
        CopyResult {
            summary: Summary {
                root: copied.root,
                images,
                tags: self.0.iter().flat_map(Named::texts).collect(),
                outputs,
                status,
                config: None,
            },
            source: source.to_owned(),
            platforms: copied.platforms,
            referrers: copied.referrers,
        }
    }
}

impl Named {
    fn repository(&self) -> Option<&Repository> {
        match &self.target {
            CopyTarget::Registry(repository, _) => Some(repository),
            _ => None,
        }
    }

    /// The names as they are told.
    fn texts(&self) -> Vec<String> {
        let tags = self.tags.iter();
        match &self.target {
            CopyTarget::Registry(repository, _) => tags.map(|tag| format!("{repository}:{tag}")).collect(),
            CopyTarget::Layout(..) | CopyTarget::OciArchive(..) => tags.map(ToString::to_string).collect(),
            _ => self.full.clone(),
        }
    }

    #[cfg_attr(
        not(feature = "daemon"),
        expect(
            unused_variables,
            reason = "only a daemon is asked afterwards what became of the image"
        )
    )]
    async fn delivery(&self, places: &Places, loads: &mut Loads, index: usize) -> anyhow::Result<Delivery> {
        Ok(Delivery {
            tags: self.tags.clone(),
            present: match &self.target {
                CopyTarget::Registry(repository, _) => Some(places.origin(repository).await?),
                _ => None,
            },
            target: match &self.target {
                CopyTarget::Registry(repository, _) => places.target(repository).await?,
                CopyTarget::Layout(path, _) => Arc::new(LayoutTarget::create(path)),
                CopyTarget::OciArchive(path, _) => Arc::new(OciArchiveTarget::create(path)),
                CopyTarget::DockerArchive(path, _) => Arc::new(DockerArchiveTarget::create(path, self.full.clone())),
                #[cfg(feature = "daemon")]
                CopyTarget::DockerDaemon(_) => loads.target(index, places, self.full.clone()).await?,
            },
        })
    }
}

/// What Docker will call the image: as it was said, else as the source is called.
fn in_docker(target: &CopyTarget, settings: &CopySettings, kept: &[String]) -> anyhow::Result<Named> {
    let first = kept.first().and_then(|name| name.parse::<Reference>().ok());
    let said = match target {
        CopyTarget::DockerArchive(_, said) => said.as_ref(),
        #[cfg(feature = "daemon")]
        CopyTarget::DockerDaemon(said) => said.as_ref(),
        _ => None,
    };
    let is_said = said.is_some();
    let said = match (said, &settings.source) {
        (Some(said), _) => Some(said),
        (_, Location::Registry(reference)) => Some(reference),
        _ => first.as_ref(),
    };
    let mut full = if is_said { Vec::new() } else { kept.to_vec() };
    match said {
        Some(reference) => {
            // What is named by its digest alone has no name to keep.
            if full.is_empty() && (reference.tag.is_some() || reference.digest.is_none()) {
                full.push(reference.name());
            }
            for tag in &settings.tags {
                let name = reference.repository.tagged(tag.clone()).to_string();
                if !full.contains(&name) {
                    full.push(name);
                }
            }
        }
        None if settings.tags.is_empty() => {}
        None => {
            return Err(
                CommandError::usage("--tag: an image has a whole name in Docker, and there is none")
                    .hint("name it: docker-archive:FILE:NAME:TAG, docker-daemon:NAME:TAG")
                    .into(),
            );
        }
    }
    Ok(Named {
        target: target.clone(),
        tags: Vec::new(),
        full,
    })
}
