//! Sets of migrations, wherever they are: in this folder, in another, in a git revision, in an image.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shipway::content::{ContentError, Kind, Location};
use shipway::error::Error;
use shipway::inspect::Shipped;
use shipway::migrations::MigrationSet;
use shipway::migrations::check::Drift;
use shipway::migrations::manifest::Manifest;
use shipway::oci::{Digest, Platform, Repository};
use shipway::provenance::Revision;
use shipway::recipe::ScanError;
use shipway::runner::{Prepared, RunnerError};
use tempfile::TempDir;

use crate::args::{CheckOptions, InputArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::places::Places;
use crate::settings::{self, CheckSettings};

mod named;
mod revision;

use named::Named;

/// A set of migrations, and where it is from.
#[derive(Debug)]
pub(super) struct FoundSet {
    /// As it was named.
    pub(super) name: String,
    /// What the name stood for: a digest or a commit.
    pub(super) identity: Option<String>,
    pub(super) manifest: Manifest,
    /// The files, where they were read.
    pub(super) set: Option<Arc<MigrationSet>>,
    /// What the image was built on, where it says so.
    pub(super) base: Option<String>,
    /// Whether it is an image that does not list its migrations.
    pub(super) is_from_layers: bool,
    /// What the image proves to be in its repository.
    pub(super) proof: Option<(Repository, Vec<Digest>)>,
    /// The files of a git revision, for as long as they are needed.
    #[expect(dead_code, reason = "it is removed when it is dropped")]
    folder: Option<TempDir>,
}

/// What sets are looked for with.
pub(super) struct Search<'a> {
    pub(super) settings: &'a CheckSettings,
    pub(super) arguments: &'a InputArguments,
    pub(super) environment: &'a Environment,
    pub(super) places: &'a Places,
    /// The name of the project, for sets that have none.
    pub(super) project: &'a str,
    /// Whether the files are of interest, and not only their list.
    pub(super) wants_files: bool,
    /// The platform of images; one is like the other, as a rule.
    pub(super) platform: Option<&'a Platform>,
}

/// Reads the migrations of a folder. Blocks.
pub(super) fn read(settings: &CheckSettings, project: &str) -> Result<(Prepared, MigrationSet), Error> {
    let prepared = settings.profile.prepare(&settings.inputs)?;
    let (mut tool, scripts) = (prepared.tool.clone(), prepared.scripts.clone());
    tool.promise_placeholders(&settings.options.placeholders);
    let set = MigrationSet::read(project, tool, scripts, prepared.others(), settings.options.database)?;
    Ok((prepared, set))
}

/// The registries that names of sets are about.
pub(super) fn hosts<'a>(names: impl IntoIterator<Item = &'a str>, settings: &CheckSettings) -> Vec<String> {
    let host = |name: &str| match Named::read(name, settings) {
        Ok(Named::Image(Location::Registry(reference)) | Named::Tag(Location::Registry(reference))) => {
            Some(reference.repository.registry().to_owned())
        }
        _ => None,
    };
    names.into_iter().filter_map(host).collect()
}

impl Search<'_> {
    /// Finds the set a name stands for; `None` where nothing has been shipped under it.
    pub(super) async fn find(&self, name: &str) -> anyhow::Result<Option<FoundSet>> {
        match Named::read(name, self.settings)? {
            Named::Folder(path) => self.folder(name, &path).await.map(Some),
            Named::Revision(text) => match self.find_revision(&text).await? {
                Some(revision) => self.revision(name, &revision).await,
                None => Err(CommandError::usage(format!("there is no git revision {text:?} here"))
                    .hint("a CI job may have fetched only its own commit: git fetch origin BRANCH, or GIT_DEPTH: 0")
                    .hint("write images with their registry, folders with ./ before them")
                    .into()),
            },
            Named::Image(location) => self.image(name, &location).await,
            Named::Tag(location) => match self.image(name, &location).await? {
                Some(found) => Ok(Some(found)),
                None => match self.find_revision(name).await? {
                    Some(revision) => self.revision(name, &revision).await,
                    None => Ok(None),
                },
            },
        }
    }

    /// The project as it is here.
    pub(super) async fn here(&self) -> anyhow::Result<FoundSet> {
        self.of_settings("the project", self.settings.clone()).await
    }

    async fn folder(&self, name: &str, folder: &Path) -> anyhow::Result<FoundSet> {
        self.of_settings(name, self.settings_of(folder)?).await
    }

    async fn of_settings(&self, name: &str, settings: CheckSettings) -> anyhow::Result<FoundSet> {
        let (project, base) = (self.name_of(&settings), settings.base.clone());
        let reading = tokio::task::spawn_blocking(move || read(&settings, &project));
        let (_, set) = reading.await??;
        Ok(FoundSet {
            name: name.to_owned(),
            identity: None,
            manifest: set.manifest.clone(),
            set: Some(Arc::new(set)),
            base,
            is_from_layers: false,
            proof: None,
            folder: None,
        })
    }

    /// The name of a set's project: one that says none is this one.
    fn name_of(&self, settings: &CheckSettings) -> String {
        settings.project.clone().unwrap_or_else(|| self.project.to_owned())
    }

    /// A folder with a project file is a project, another one holds scripts for this project.
    fn settings_of(&self, folder: &Path) -> anyhow::Result<CheckSettings> {
        let file = folder.join(settings::PROJECT_FILE);
        if file.is_file() {
            let project = settings::project_at(&file)?;
            return CheckSettings::resolve(
                &CheckOptions::default(),
                &InputArguments::default(),
                self.environment,
                &project,
            );
        }
        let mut settings = self.settings.clone();
        settings.inputs.scripts = Some(folder.to_owned());
        Ok(settings)
    }

    /// The set at a git revision; `None` where there is none.
    async fn revision(&self, name: &str, revision: &Revision) -> anyhow::Result<Option<FoundSet>> {
        let taken = revision::take_out(revision, self)?;
        let Some((settings, folder)) = taken else {
            return Ok(None);
        };
        let (project, base) = (self.name_of(&settings), settings.base.clone());
        let reading = tokio::task::spawn_blocking(move || read(&settings, &project));
        let set = match reading.await? {
            Ok((_, set)) => set,
            // There were no scripts yet.
            Err(Error::Runner(RunnerError::Scan(ScanError::Missing { .. } | ScanError::Empty { .. }))) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Some(FoundSet {
            name: name.to_owned(),
            identity: Some(revision.commit()),
            manifest: set.manifest.clone(),
            set: self.wants_files.then(|| Arc::new(set)),
            base,
            is_from_layers: false,
            proof: None,
            folder: Some(folder),
        }))
    }

    /// Finds a git revision.
    async fn find_revision(&self, name: &str) -> anyhow::Result<Option<Revision>> {
        let here = match self.settings.folder.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => self.settings.folder.clone(),
        };
        let name = name.to_owned();
        let finding = tokio::task::spawn_blocking(move || Revision::find(&here, &name));
        Ok(finding.await?.map_err(Error::from)?)
    }

    async fn image(&self, name: &str, location: &Location) -> anyhow::Result<Option<FoundSet>> {
        let (source, selector) = match location {
            Location::Registry(reference) => {
                // A mirror may be late.
                let source = self.places.origin(&reference.repository).await?;
                (source, shipway::content::Selector::of(reference))
            }
            other => self.places.source(other).await?,
        };
        let shipped = match Shipped::open(&source, &selector, self.platform).await {
            Ok(shipped) => shipped,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from(error).into()),
        };
        let cache = &self.places.cache;
        let listed = shipped.manifest(cache).await.map_err(Error::from)?;
        let (is_from_layers, files) = (listed.is_none(), self.wants_files || listed.is_none());
        let set = match files {
            true => {
                let set = shipped
                    .set(cache, &self.places.temp_folder)
                    .await
                    .map_err(Error::from)?;
                set.map(Arc::new)
            }
            false => None,
        };
        let manifest = listed.or_else(|| set.as_ref().map(|set| set.manifest.clone()));
        let Some(mut manifest) = manifest else {
            let error = ContentError::new(
                Kind::Invalid,
                format!("{name} lists no migrations, and starts no tool that is known"),
            );
            return Err(Error::from(error).into());
        };
        if manifest.project.is_empty() {
            self.project.clone_into(&mut manifest.project);
        }
        Ok(Some(FoundSet {
            name: name.to_owned(),
            identity: Some(shipped.digest.to_string()),
            manifest,
            set,
            base: shipped.base_name().map(str::to_owned),
            is_from_layers,
            proof: match location {
                Location::Registry(reference) => Some((reference.repository.clone(), shipped.blobs.clone())),
                _ => None,
            },
            folder: None,
        }))
    }
}

impl FoundSet {
    /// How a comparison with it went.
    pub(super) fn compared(&self) -> Drift {
        Drift::Compared {
            against: self.name.clone(),
            identity: self.identity.clone(),
        }
    }
}
