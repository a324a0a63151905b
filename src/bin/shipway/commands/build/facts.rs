//! What is known before anything is built.

use std::sync::Arc;

use shipway::migrations::MigrationSet;
use shipway::provenance::Provenance;
use shipway::runner::Prepared;

use crate::commands::origin::{project_name, provenance};
use crate::commands::sets::read;
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::printer::Printer;
use crate::settings::{BuildSettings, ContextLocation, DockerfileSettings};

/// What is known before anything is built.
pub(super) struct Facts {
    pub(super) project: String,
    /// What the profile makes, and the migrations it is made of; `None` where a Dockerfile says it.
    pub(super) prepared: Option<(Prepared, Arc<MigrationSet>)>,
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
        if settings.dockerfile.is_some()
            && let Some(tag) = settings
                .tags
                .iter()
                .find(|tag| tag.value.contains("{migrations.digest}"))
        {
            return Err(CommandError::usage(format!(
                "the tag {:?} needs the digest of the migrations, and a Dockerfile does not say which files are scripts",
                tag.value
            ))
            .hint("use {git.sha} or {git.short}, or build from [migrations] in shipway.toml")
            .into());
        }
        let folder = match &settings.dockerfile {
            Some(DockerfileSettings {
                context: ContextLocation::Folder(context),
                ..
            }) if settings.folder.as_os_str().is_empty() => context,
            _ => &settings.folder,
        };
        let provenance = provenance(folder, environment, printer).await?;
        let project = project_name(settings.project.as_deref(), provenance.as_ref(), folder);
        let prepared = match &settings.dockerfile {
            Some(_) => None,
            None => {
                let (checked, project) = (settings.checked(), project.clone());
                let (prepared, set) = tokio::task::spawn_blocking(move || read(&checked, &project)).await??;
                Some((prepared, Arc::new(set)))
            }
        };
        let commit_seconds = provenance
            .as_ref()
            .and_then(|known| Some(known.commit.as_ref()?.seconds));
        let created_seconds = match settings.source_date_epoch {
            Some(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX),
            None => commit_seconds.unwrap_or_default().max(0),
        };
        Ok(Self {
            project,
            prepared,
            provenance,
            created_seconds,
        })
    }

    /// The migrations, where they are known.
    pub(super) fn set(&self) -> Option<&MigrationSet> {
        self.prepared.as_ref().map(|(_, set)| set.as_ref())
    }

    /// The highest version among them.
    pub(super) fn highest_version(&self) -> Option<&str> {
        self.set()?.manifest.highest_version()
    }
}
