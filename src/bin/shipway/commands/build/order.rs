//! What is to be built.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use shipway::build::{Blueprint, OnBase, Order, refuse_secrets};
use shipway::content::{Location, Selector, Source};
use shipway::error::Error;
use shipway::recipe::{Change, Recipe, Step};

use super::dockerfile::blueprint;
use super::facts::Facts;
use crate::failure::CommandError;
use crate::places::Places;
use crate::settings::BuildSettings;

/// Prefix of the annotations the image specification defines.
const IMAGE: &str = "org.opencontainers.image";

/// What is to be built, and how.
pub(super) async fn order(settings: &BuildSettings, facts: &Facts, places: &Arc<Places>) -> anyhow::Result<Order> {
    let created = jiff::Timestamp::from_second(facts.created_seconds)
        .map_err(|error| CommandError::usage("SOURCE_DATE_EPOCH is out of range").because(error))?
        .to_string();
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
            version.or_else(|| facts.highest_version().map(str::to_owned)),
        ),
    ];
    let blueprint: Arc<dyn Blueprint> = match (&settings.dockerfile, &facts.prepared) {
        (None, Some((prepared, _))) => {
            let recipe = with_labels(prepared.recipe.clone(), &says, &settings.labels);
            let checked = refuse_secrets(&recipe, Path::new(""), &settings.allowed_secrets);
            checked.map_err(Error::from)?;
            Arc::new(OnBase {
                recipe,
                base: base(settings, places).await?,
            })
        }
        (Some(dockerfile), _) => Arc::new(blueprint(dockerfile, settings, places).await?),
        (None, None) => return Err(CommandError::usage("there is nothing to build").into()),
    };
    let mut annotations: BTreeMap<String, String> = says
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    annotations.extend(settings.annotations.clone());
    Ok(Order {
        blueprint,
        describes_itself: settings.dockerfile.is_none(),
        platforms: settings.platforms.clone(),
        family: settings.family,
        created,
        file_time: settings.source_date_epoch.unwrap_or(1),
        annotations,
        insists_on_annotations: !settings.annotations.is_empty(),
        rule: settings.rule.clone(),
        temp_folder: places.temp_folder.clone(),
        cache: places.cache.clone(),
        manifest: facts.set().map(|set| set.manifest.clone()),
        dry_run: settings.is_rehearsal,
    })
}

/// The recipe, with what the image says of itself as labels.
fn with_labels(mut recipe: Recipe, says: &[(String, Option<String>)], own: &BTreeMap<String, String>) -> Recipe {
    let label = |key: String, value| Step::Change(Change::Label { key, value });
    let says = says.iter().map(|(key, value)| label(key.clone(), value.clone()));
    recipe.steps.extend(says);
    let own = own.iter().map(|(key, value)| label(key.clone(), Some(value.clone())));
    recipe.steps.extend(own);
    recipe
}

/// The base a profile's image is built on: its name, where it is, which one it is there.
async fn base(
    settings: &BuildSettings,
    places: &Places,
) -> anyhow::Result<Option<(String, Arc<dyn Source>, Selector)>> {
    let Some((text, location)) = &settings.base else {
        return Ok(None);
    };
    let known = match settings.push {
        true => places.pulled_from(location).await?,
        false => None,
    };
    let (source, selector) = places.saved(location, known).await?;
    let name = match location {
        Location::Registry(reference) => reference.name(),
        _ => text.clone(),
    };
    Ok(Some((name, source, selector)))
}
