//! Where an image goes.

use std::sync::Arc;

#[cfg(feature = "daemon")]
use shipway::build::Platforms;
use shipway::content::archive::{DockerArchiveTarget, OciArchiveTarget};
use shipway::content::layout::LayoutTarget;
use shipway::content::{Delivery, Target};
use shipway::oci::Tag;
use shipway::provenance::slug::slug;

use super::FALLBACK_NAME;
use super::names::{Name, repositories};
use crate::commands::loads::Loads;
use crate::places::Places;
use crate::settings::{BuildSettings, Output};

/// Registries first, in the order of their names; then what is written here.
pub(super) async fn deliveries(
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

/// The full names an image gets in Docker.
fn in_docker(project: &str, names: &[Name]) -> Vec<String> {
    let named = names.iter().map(|name| match name {
        Name::Full(..) => name.text(),
        Name::Bare(tag) => format!("{}:{tag}", repository(project)),
    });
    named.collect()
}

/// A repository for a project, which may be called what none can be.
fn repository(project: &str) -> String {
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
