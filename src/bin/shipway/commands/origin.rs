//! Where a project comes from: what git says, and what it is called.

use std::path::{Path, PathBuf};

use shipway::error::Error;
use shipway::provenance::{CiNames, Provenance};

use crate::environment::Environment;
use crate::printer::Printer;

/// Name of a project that has none.
pub(crate) const FALLBACK_NAME: &str = "migrations";

/// What git knows of a folder; nothing where it cannot be asked, which a notice tells.
pub(super) async fn provenance(
    folder: &Path,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Option<Provenance>> {
    let folder = here_if_empty(folder).to_owned();
    let tag = environment.get("CI_COMMIT_TAG").map(str::to_owned);
    let names = CiNames {
        // In a merge request's pipeline only the latter is set.
        branch: environment
            .get("CI_COMMIT_BRANCH")
            .or_else(|| environment.get("CI_COMMIT_REF_NAME").filter(|_| tag.is_none()))
            .map(str::to_owned),
        tag,
    };
    let git = tokio::task::spawn_blocking(move || Provenance::read(&folder, &names).map_err(Error::from));
    // A repository that cannot be read (a worktree whose repository was not copied, say) is no reason not to build.
    // A tag that needs it says so.
    Ok(git.await?.unwrap_or_else(|error| {
        printer.notice(&format!(
            "{:#}; the image does not say where it comes from",
            anyhow::Error::from(error)
        ));
        None
    }))
}

/// What a project is called: as somebody said, as its repository is, as its folder is.
pub(super) fn project_name(said: Option<&str>, provenance: Option<&Provenance>, folder: &Path) -> String {
    let of_git = || provenance.and_then(|known| known.name.clone());
    let of_folder = || {
        let folder: PathBuf = here_if_empty(folder).canonicalize().unwrap_or_default();
        folder.file_name().map(|name| name.to_string_lossy().into_owned())
    };
    let name = said.map(str::to_owned).or_else(of_git).or_else(of_folder);
    name.unwrap_or_else(|| FALLBACK_NAME.to_owned())
}

fn here_if_empty(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}
