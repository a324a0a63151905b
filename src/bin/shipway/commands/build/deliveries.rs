//! Where an image goes.

use std::sync::Arc;

use shipway::content::archive::{DockerArchiveTarget, OciArchiveTarget};
use shipway::content::layout::LayoutTarget;
use shipway::content::{Delivery, Target};
use shipway::oci::Tag;

use super::docker::in_docker;
#[cfg(feature = "daemon")]
use super::docker::repository;
use super::names::{Name, repositories};
use crate::commands::loads::Loads;
use crate::commands::sets::FoundSet;
use crate::places::Places;
use crate::settings::{BuildSettings, Output};

/// Registries first, in the order of their names; then what is written here.
#[cfg_attr(
    not(feature = "daemon"),
    expect(
        unused_variables,
        reason = "only a daemon is asked afterwards what became of the image"
    )
)]
pub(super) async fn deliveries(
    settings: &BuildSettings,
    project: &str,
    names: &[Name],
    places: &Places,
    shipped: Option<&FoundSet>,
    loads: &mut Loads,
) -> anyhow::Result<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    if settings.push {
        for repository in repositories(names) {
            let of_repository = names.iter().filter_map(|name| match name {
                Name::Full(other, tag) if *other == repository => Some(tag.clone()),
                _ => None,
            });
            let proof = shipped.and_then(|found| found.proof.as_ref());
            let known = proof
                .filter(|(holder, _)| *holder == repository)
                .map(|(_, blobs)| blobs.as_slice());
            deliveries.push(Delivery {
                tags: of_repository.collect(),
                present: Some(places.repository(&repository).await?),
                target: places.target_knowing(&repository, known.unwrap_or_default()).await?,
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
