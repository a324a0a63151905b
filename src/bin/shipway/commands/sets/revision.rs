//! A project as it was at a git revision, in a temporary folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use shipway::error::Error;
use shipway::project::Project;
use shipway::provenance::Revision;
use tempfile::TempDir;

use super::Search;
use crate::args::CheckOptions;
use crate::settings::{CheckSettings, PROJECT_FILE};

/// Takes out what the project is made of, as its project file of that time says; `None` if there were no scripts.
pub(super) fn take_out(revision: &Revision, search: &Search<'_>) -> anyhow::Result<Option<(CheckSettings, TempDir)>> {
    let file = search.settings.folder.join(PROJECT_FILE);
    let text = match revision.inside(&file) {
        Some(inside) => revision.read(&inside).map_err(Error::from)?,
        None => None,
    };
    let mut settings = match text {
        Some(bytes) => {
            let project = Project::parse(&String::from_utf8_lossy(&bytes), &file).map_err(Error::from)?;
            CheckSettings::resolve(&CheckOptions::default(), search.arguments, search.environment, &project)?
        }
        None => search.settings.clone(),
    };
    let temporary = TempDir::with_prefix_in("shipway-", &search.places.temp_folder).with_context(|| {
        format!(
            "cannot make a temporary folder in {}",
            search.places.temp_folder.display()
        )
    })?;
    let take = |path: &Path| -> anyhow::Result<Option<PathBuf>> {
        // What lies outside the repository is the same at every revision.
        let Some(inside) = revision.inside(path) else {
            return Ok(Some(path.to_owned()));
        };
        let is_there = revision.check_out(&inside, temporary.path()).map_err(Error::from)?;
        Ok(is_there.then(|| temporary.path().join(inside)))
    };
    if let Some(scripts) = &settings.inputs.scripts {
        match take(scripts)? {
            Some(path) => settings.inputs.scripts = Some(path),
            None => return Ok(None),
        }
    }
    let configs = std::mem::take(&mut settings.inputs.config);
    for config in configs {
        settings.inputs.config.extend(take(&config)?);
    }
    let drivers = std::mem::take(&mut settings.inputs.drivers);
    for driver in drivers {
        settings.inputs.drivers.extend(take(&driver)?);
    }
    let additions = std::mem::take(&mut settings.inputs.additions);
    for (path, to) in additions {
        settings.inputs.additions.extend(take(&path)?.map(|path| (path, to)));
    }
    Ok(Some((settings, temporary)))
}
