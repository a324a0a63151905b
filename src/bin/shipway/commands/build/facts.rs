//! What is known before anything is built.

use std::path::Path;
use std::sync::Arc;

use shipway::error::Error;
use shipway::migrations::examine::examine;
use shipway::migrations::{Inventory, Tool};
use shipway::provenance::{CiNames, Provenance};
use shipway::runner::Prepared;
use shipway::sql::Dialect;

use super::FALLBACK_NAME;
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::printer::Printer;
use crate::settings::{BuildSettings, ContextLocation, DockerfileSettings};

/// What is known before anything is built.
pub(super) struct Facts {
    pub(super) project: String,
    /// What the profile makes; `None` where a Dockerfile says it.
    pub(super) prepared: Option<Prepared>,
    pub(super) inventory: Arc<Inventory>,
    /// Digest of the set of migrations; `None` where a Dockerfile says what is built.
    pub(super) set_digest: Option<String>,
    pub(super) provenance: Option<Provenance>,
    /// When the image says it was made, in seconds since the epoch.
    pub(super) created_seconds: i64,
}

impl Facts {
    /// Reads folders, scripts and git, in threads that may block.
    pub(super) async fn gather(
        settings: &BuildSettings,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<Self> {
        let needs_digest = settings
            .tags
            .iter()
            .find(|tag| tag.value.contains("{migrations.digest}"));
        let scripts = match &settings.dockerfile {
            Some(_) => {
                if let Some(tag) = needs_digest {
                    return Err(CommandError::usage(format!(
                        "the tag {:?} needs the digest of the migrations, and a Dockerfile does not say which files are scripts",
                        tag.value
                    ))
                    .hint("use {git.sha} or {git.short}, or build from [migrations] in shipway.toml")
                    .into());
                }
                None
            }
            None => {
                let (profile, inputs) = (settings.profile, settings.inputs.clone());
                Some(tokio::task::spawn_blocking(move || {
                    let prepared = profile.prepare(&inputs).map_err(Error::from)?;
                    let inventory = Inventory::of(prepared.tool.clone(), prepared.scripts.clone());
                    let examined = examine(&inventory, Dialect::Unknown).map_err(Error::from)?;
                    let set_digest = Some(inventory.set_digest(&examined).to_string());
                    Ok::<_, Error>((prepared, inventory, set_digest))
                }))
            }
        };
        let folder = match &settings.dockerfile {
            Some(DockerfileSettings {
                context: ContextLocation::Folder(context),
                ..
            }) if settings.folder.as_os_str().is_empty() => context.clone(),
            _ => settings.folder.clone(),
        };
        let named_after = folder.clone();
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
        let (prepared, inventory, set_digest) = match scripts {
            Some(scripts) => {
                let (prepared, inventory, set_digest) = scripts.await??;
                (Some(prepared), inventory, set_digest)
            }
            None => (None, Inventory::of(Tool::Unknown, Vec::new()), None),
        };
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
            project: project.unwrap_or_else(|| folder_name(&named_after)),
            prepared,
            inventory: Arc::new(inventory),
            set_digest,
            provenance,
            created_seconds,
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
