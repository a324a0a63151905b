//! What a build is called in Docker, and for which platform it is there.

#[cfg(feature = "daemon")]
use shipway::build::Platforms;
use shipway::provenance::slug::slug;

use super::names::Name;
use crate::commands::origin::FALLBACK_NAME;
#[cfg(feature = "daemon")]
use crate::places::Places;
#[cfg(feature = "daemon")]
use crate::settings::{BuildSettings, Output};

/// The full names an image gets in Docker.
pub(super) fn in_docker(project: &str, names: &[Name]) -> Vec<String> {
    let named = names.iter().map(|name| match name {
        Name::Full(..) => name.text(),
        Name::Bare(tag) => format!("{}:{tag}", repository(project)),
    });
    named.collect()
}

/// A repository for a project, which may be called what none can be.
pub(super) fn repository(project: &str) -> String {
    Some(slug(project))
        .filter(|slug| !slug.is_empty())
        .unwrap_or_else(|| FALLBACK_NAME.to_owned())
}

/// What goes into the daemon only is for its platform, unless another one was asked for.
#[cfg(feature = "daemon")]
pub(super) async fn for_daemon(settings: &mut BuildSettings, places: &Places) -> anyhow::Result<()> {
    let is_daemon = |output: &Output| matches!(output, Output::DockerDaemon(_));
    let goes_nowhere_else = !settings.push && settings.outputs.iter().all(is_daemon);
    if goes_nowhere_else && !settings.outputs.is_empty() && settings.platforms == Platforms::Default {
        settings.platforms = Platforms::List(vec![places.daemon().await?.platform().clone()]);
    }
    Ok(())
}
