//! `shipway tag`.

use std::sync::Arc;

use shipway::content::copy::{Naming, name};
use shipway::content::layout::{LayoutSource, LayoutTarget};
use shipway::content::{Delivery, Location, Selector, Source, Target};
use shipway::error::Error;
use shipway::oci::Tag;

use super::copy::{places, print};
use crate::args::{GlobalArguments, TagArguments};
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::printer::Printer;
use crate::results::{CopyResult, Summary, status};
use crate::settings;

/// Gives an image more tags.
pub(crate) async fn run(
    arguments: &TagArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    let location = settings::location(&arguments.image)?;
    let mut tags: Vec<Tag> = Vec::new();
    for text in &arguments.tags {
        let hint = format!(
            "to give it a name in another repository: shipway copy {} {text}",
            arguments.image
        );
        let tag = settings::bare_tag("TAG", text, &hint)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let required = settings::required(arguments.require_digest.as_deref())?;
    let repository = match &location {
        Location::Registry(reference) => Some(reference.repository.clone()),
        _ => None,
    };
    let hosts: Vec<String> = repository.iter().map(|name| name.registry().to_owned()).collect();
    let places = places(&project, global, environment, printer, &hosts)?;
    let (source, target, selector): (Arc<dyn Source>, Arc<dyn Target>, Selector) = match location {
        Location::Registry(reference) => (
            // Not from the cache: it knows manifests, not where they are.
            Arc::new(places.repository_itself(&reference.repository).await?),
            places.target(&reference.repository).await?,
            Selector::of(&reference),
        ),
        Location::Layout(path, selector) => (
            Arc::new(LayoutSource::open(&path).await.map_err(Error::from)?),
            Arc::new(LayoutTarget::create(&path)),
            selector,
        ),
        Location::DockerDaemon(name) => {
            let message = format!("{name} is in the Docker daemon, which names images by itself");
            return Err(CommandError::usage(message)
                .hint(format!("docker tag {name} NAME"))
                .into());
        }
        Location::OciArchive(..) | Location::DockerArchive(..) => {
            let message = format!(
                "{} is an archive, which gets no tags once it is written",
                arguments.image
            );
            return Err(CommandError::usage(message)
                .hint("copy it under another tag: shipway copy SOURCE TARGET -t TAG")
                .into());
        }
    };
    let naming = Naming {
        delivery: Delivery {
            target,
            tags: tags.clone(),
            present: repository.as_ref().map(|_| Arc::clone(&source)),
        },
        source,
        selector,
        required,
        rule: settings::rule(&project, arguments.move_tags),
    };
    let (root, delivered) = name(&naming, &places.progress).await.map_err(Error::from)?;
    let images: Vec<_> = repository
        .iter()
        .map(|repository| repository.pinned(root.digest()))
        .collect();
    let names = tags.iter().map(|tag| match &repository {
        Some(repository) => format!("{repository}:{tag}"),
        None => tag.to_string(),
    });
    let result = CopyResult {
        summary: Summary {
            status: status(&[delivered], !images.is_empty()),
            tags: names.collect(),
            root: root.descriptor,
            images,
            outputs: Vec::new(),
            config: None,
        },
        source: arguments.image.clone(),
        platforms: Vec::new(),
        referrers: Vec::new(),
    };
    print(printer, &result, &result.json())
}
