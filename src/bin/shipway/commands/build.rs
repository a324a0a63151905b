//! `shipway build`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use shipway::build::{BuildError, OnBase, Order, SetDigest, ship};
use shipway::content::archive::{DockerArchiveTarget, OciArchiveTarget};
use shipway::content::layout::LayoutTarget;
use shipway::content::{Delivery, Target};
use shipway::error::Error;
use shipway::migrations::Inventory;
use shipway::oci::{Family, Reference, Tag};
use shipway::progress::Progress;
use shipway::provenance::{CiNames, Provenance};
use shipway::recipe::{Change, Step};
use shipway::runner::Prepared;

use super::loads::Loads;
use crate::args::{BuildArguments, Format, GlobalArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::places::Places;
use crate::printer::Printer;
use crate::progress::Display;
use crate::results::{BuildResult, FileKind, ResultFiles};
use crate::settings::{self, BuildSettings, Logins, Output};

mod docker;
#[cfg(feature = "daemon")]
#[expect(dead_code, reason = "--engine docker comes with the flags for Dockerfiles")]
mod engine;
mod names;
#[cfg(feature = "aws")]
mod scan;

#[cfg(feature = "aws")]
use scan::ScanGate;

use docker::in_docker;
#[cfg(feature = "daemon")]
use docker::{for_daemon, repository};
use names::{Name, names, repositories};

/// Prefix of the annotations the image specification defines.
const IMAGE: &str = "org.opencontainers.image";
/// Name of a project that has none.
const FALLBACK_NAME: &str = "migrations";

/// Builds, and delivers what was built.
pub(crate) async fn run(
    arguments: &BuildArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    #[cfg_attr(
        not(feature = "daemon"),
        expect(unused_mut, reason = "only a daemon has a platform of its own")
    )]
    let mut settings = BuildSettings::resolve(arguments, environment, &project)?;
    let logins = Logins::gather(global, environment)?;
    let facts = Facts::gather(&settings, environment, printer).await?;
    let names = names(&settings, &facts, environment)?;

    let progress: Arc<dyn Progress> = Arc::new(Display::new(printer.clone()));
    let hosts = repositories(&names)
        .iter()
        .map(|name| name.registry().to_owned())
        .collect::<Vec<_>>();
    #[cfg_attr(not(feature = "aws"), expect(unused_mut, reason = "only AWS makes repositories"))]
    let mut places = Places::new(
        global,
        environment,
        &project,
        logins.store(&hosts),
        Arc::clone(&progress),
    )?;
    #[cfg(feature = "aws")]
    if arguments.create_repository {
        places.create_repositories(&project, &repositories(&names))?;
    }
    let places = if arguments.dry_run { places.rehearsing() } else { places };
    #[cfg(feature = "aws")]
    let gate = ScanGate::of(arguments, settings.push, &repositories(&names))?;
    #[cfg(feature = "daemon")]
    for_daemon(&mut settings, &places).await?;
    let mut loads = Loads::default();
    let deliveries = deliveries(&settings, &facts.project, &names, &places, &mut loads).await?;
    let order = order(&settings, &facts, &places, arguments.dry_run).await?;
    let files = match arguments.dry_run {
        true => None,
        false => Some(ResultFiles::prepare(&[
            (FileKind::Digest, "--digest-file", &arguments.digest_file),
            (FileKind::References, "--image-refs", &arguments.image_refs),
            (FileKind::Dotenv, "--dotenv", &arguments.dotenv),
            (FileKind::Metadata, "--metadata-file", &arguments.metadata_file),
        ])?),
    };
    let mut built = ship(&order, facts.set_digest(), &deliveries, &progress)
        .await
        .map_err(Error::from)?;

    loads.correct(&mut built.delivered);
    let pushed = if settings.push {
        repositories(&names)
    } else {
        Vec::new()
    };
    let images: Vec<Reference> = pushed
        .iter()
        .zip(&built.delivered)
        .map(|(repository, delivered)| repository.pinned(delivered.image.digest))
        .collect();
    let writes_layout = settings
        .outputs
        .iter()
        .any(|output| matches!(output, Output::Layout(_) | Output::OciArchive(_)));
    if writes_layout && built.root.family() == Family::Docker {
        printer.notice(
            "the base has Docker's media types, and so has the image; some readers of layouts (skopeo, umoci) find OCI ones only: --image-format oci",
        );
    }
    let tags = names.iter().map(Name::text).collect();
    let mut result = BuildResult::of(&built, images, tags, arguments.output.clone());
    result.base_name = settings.base.as_ref().map(|(name, _)| name.clone());
    result.version = facts.inventory.highest_version().map(ToString::to_string);
    result.scripts = facts.inventory.entries().len();
    let mut told = result.json();
    loads.tell(&mut told);
    #[cfg(feature = "aws")]
    if let Some(gate) = gate.filter(|_| !arguments.dry_run) {
        let scans = gate.wait(&result.scannable(), &places).await;
        scans.lines().iter().for_each(|line| printer.line(line));
        told["scans"] = scans.json();
        if let Some(verdict) = scans.verdict() {
            // The image is there, and its name is told; files are for what comes next, which must not come.
            print(printer, &result, &told)?;
            return Err(verdict);
        }
    }
    if let Some(files) = files {
        files.write(&result.summary)?;
    }
    print(printer, &result, &told)
}

fn print(printer: &Printer, result: &BuildResult<'_>, told: &serde_json::Value) -> anyhow::Result<()> {
    match printer.format() {
        Format::Text => printer.data(&result.summary.text())?,
        Format::Json => printer.data(&format!("{told}\n"))?,
    }
    Ok(())
}

/// What is known before anything is built.
struct Facts {
    project: String,
    prepared: Prepared,
    inventory: Arc<Inventory>,
    /// Digest of the set of migrations, if a tag needs it before anything is built.
    set_digest: Option<String>,
    provenance: Option<Provenance>,
    /// When the image says it was made, in seconds since the epoch.
    created_seconds: i64,
}

impl Facts {
    /// Reads folders, scripts and git, in threads that may block.
    async fn gather(settings: &BuildSettings, environment: &Environment, printer: &Printer) -> anyhow::Result<Self> {
        let (profile, inputs) = (settings.profile, settings.inputs.clone());
        let needs_digest = settings
            .tags
            .iter()
            .any(|tag| tag.value.contains("{migrations.digest}"));
        let scripts = tokio::task::spawn_blocking(move || {
            let prepared = profile.prepare(&inputs).map_err(Error::from)?;
            let inventory = Inventory::of_names(prepared.convention, prepared.scripts.clone());
            let set_digest = match needs_digest {
                true => Some(inventory.set_digest().map_err(Error::from)?.to_string()),
                false => None,
            };
            Ok::<_, Error>((prepared, Arc::new(inventory), set_digest))
        });
        let folder = settings.folder.clone();
        let tag = environment.get("CI_COMMIT_TAG").map(str::to_owned);
        let names = CiNames {
            // In a merge request's pipeline only the latter is set.
            branch: environment
                .get("CI_COMMIT_BRANCH")
                .or_else(|| environment.get("CI_COMMIT_REF_NAME").filter(|_| tag.is_none()))
                .map(str::to_owned),
            tag,
        };
        let git = tokio::task::spawn_blocking(move || {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &folder
            };
            Provenance::read(folder, &names).map_err(Error::from)
        });
        let (prepared, inventory, set_digest) = scripts.await??;
        // A repository that cannot be read (a worktree whose repository was not copied, say) is no reason not to build.
        // A tag that needs it says so.
        let provenance = git.await?.unwrap_or_else(|error| {
            printer.notice(&format!(
                "{:#}; the image does not say where it comes from",
                anyhow::Error::from(error)
            ));
            None
        });
        let commit_seconds = provenance
            .as_ref()
            .and_then(|known| Some(known.commit.as_ref()?.seconds));
        let created_seconds = match settings.source_date_epoch {
            Some(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX),
            None => commit_seconds.unwrap_or_default().max(0),
        };
        let project = settings.project.clone();
        let project = project.or_else(|| provenance.as_ref().and_then(|known| known.name.clone()));
        Ok(Self {
            project: project.unwrap_or_else(|| folder_name(&settings.folder)),
            prepared,
            inventory,
            set_digest,
            provenance,
            created_seconds,
        })
    }

    /// The digest of the set of migrations; where it is not known yet, it is found out while the image is built.
    fn set_digest(&self) -> SetDigest<'static> {
        if let Some(digest) = self.set_digest.clone() {
            return Box::pin(std::future::ready(Ok(Some(digest))));
        }
        let inventory = Arc::clone(&self.inventory);
        let task = tokio::task::spawn_blocking(move || inventory.set_digest());
        Box::pin(async move {
            let digest = task.await?.map_err(|source| BuildError::Scripts { source })?;
            Ok(Some(digest.to_string()))
        })
    }
}

/// The name of a folder no repository names.
fn folder_name(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let folder = folder.canonicalize().unwrap_or_default();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| FALLBACK_NAME.to_owned())
}

/// Registries first, in the order of their names; then what is written here.
#[cfg_attr(
    not(feature = "daemon"),
    expect(
        unused_variables,
        reason = "only a daemon is asked afterwards what became of the image"
    )
)]
async fn deliveries(
    settings: &BuildSettings,
    project: &str,
    names: &[Name],
    places: &Places,
    loads: &mut Loads,
) -> anyhow::Result<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    if settings.push {
        for repository in repositories(names) {
            let of_repository = names.iter().filter_map(|name| match name {
                Name::Full(other, tag) if *other == repository => Some(tag.clone()),
                _ => None,
            });
            deliveries.push(Delivery {
                tags: of_repository.collect(),
                present: Some(places.repository(&repository).await?),
                target: places.target(&repository).await?,
            });
        }
    }
    let mut tags: Vec<Tag> = names.iter().map(|name| name.tag().clone()).collect();
    tags.sort();
    tags.dedup();
    for output in &settings.outputs {
        let target: Arc<dyn Target> = match output {
            Output::Layout(path) => Arc::new(LayoutTarget::create(path)),
            Output::OciArchive(path) => Arc::new(OciArchiveTarget::create(path)),
            Output::DockerArchive(path) => Arc::new(DockerArchiveTarget::create(path, in_docker(project, names))),
            #[cfg(feature = "daemon")]
            Output::DockerDaemon(name) => {
                let names = match name {
                    Some(name) => vec![name.name()],
                    None if names.is_empty() => vec![format!("{}:{}", repository(project), Tag::latest())],
                    None => in_docker(project, names),
                };
                loads.target(deliveries.len(), places, names).await?
            }
        };
        deliveries.push(Delivery {
            target,
            tags: tags.clone(),
            present: None,
        });
    }
    Ok(deliveries)
}

async fn order(settings: &BuildSettings, facts: &Facts, places: &Places, dry_run: bool) -> anyhow::Result<Order> {
    let base = match &settings.base {
        None => None,
        Some((text, location)) => {
            let known = match settings.push {
                true => places.pulled_from(location).await?,
                false => None,
            };
            let (source, selector) = places.saved(location, known).await?;
            let name = match location {
                shipway::content::Location::Registry(reference) => reference.name(),
                _ => text.clone(),
            };
            Some((name, source, selector))
        }
    };
    let created = jiff::Timestamp::from_second(facts.created_seconds)
        .map_err(|error| CommandError::usage("SOURCE_DATE_EPOCH is out of range").because(error))?
        .to_string();
    let mut recipe = facts.prepared.recipe.clone();
    let says = |key: &str, value: Option<String>| (format!("{IMAGE}.{key}"), value);
    let version = settings.version.clone();
    let says = [
        says("created", Some(created.clone())),
        says(
            "revision",
            facts
                .provenance
                .as_ref()
                .and_then(|known| Some(known.commit.as_ref()?.id.clone())),
        ),
        says(
            "source",
            facts.provenance.as_ref().and_then(|known| known.source.clone()),
        ),
        says("title", Some(facts.project.clone())),
        says(
            "version",
            version.or_else(|| facts.inventory.highest_version().map(ToString::to_string)),
        ),
    ];
    let label = |key: String, value| Step::Change(Change::Label { key, value });
    recipe
        .steps
        .extend(says.iter().map(|(key, value)| label(key.clone(), value.clone())));
    let own = settings
        .labels
        .iter()
        .map(|(key, value)| label(key.clone(), Some(value.clone())));
    recipe.steps.extend(own);
    let mut annotations: BTreeMap<String, String> = says
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    annotations.extend(settings.annotations.clone());
    Ok(Order {
        blueprint: Arc::new(OnBase { recipe, base }),
        platforms: settings.platforms.clone(),
        family: settings.family,
        created,
        file_time: settings.source_date_epoch.unwrap_or(1),
        annotations,
        insists_on_annotations: !settings.annotations.is_empty(),
        rule: settings.rule.clone(),
        temp_folder: places.temp_folder.clone(),
        cache: places.cache.clone(),
        dry_run,
    })
}
