//! `--engine docker`: the daemon builds the Dockerfile, and what it built is delivered like any other image.

use std::sync::Arc;

use shipway::build::{Built, BuiltPlatform, Platforms, refuse_secrets};
use shipway::content::copy::{Errand, Selection, copy};
use shipway::content::{self, CONFIG_LIMIT, ContentError, Delivery, Kind, KnownLayers, Location, Selector};
use shipway::daemon::BuildRequest;
use shipway::error::Error;
use shipway::oci::{Body, ImageConfig, Platform, Reference};
use shipway::progress::Event;
use shipway::recipe::{Change, Recipe, Step};

use super::dockerfile::{Read, own_platform, read};
use crate::failure::CommandError;
use crate::places::Places;
use crate::settings::{BuildSettings, DockerfileSettings};

/// Lets the daemon build, and delivers what it built.
pub(super) async fn build(
    dockerfile: &DockerfileSettings,
    settings: &BuildSettings,
    deliveries: &[Delivery],
    places: &Places,
) -> anyhow::Result<Built> {
    if settings.is_rehearsal {
        return Err(
            CommandError::usage("--engine docker builds in the daemon, and cannot be rehearsed")
                .hint("leave --dry-run out, and write the image: --output oci:DIR")
                .into(),
        );
    }
    let platform = match &settings.platforms {
        Platforms::Default => None,
        Platforms::List(list) if list.len() == 1 => list.first().cloned(),
        Platforms::List(_) | Platforms::All => {
            return Err(CommandError::usage("--engine docker builds for one platform")
                .hint("build for each with a tag of its own, or leave --engine out")
                .into());
        }
    };
    for (flag, is_given) in [
        ("--annotation", !settings.annotations.is_empty()),
        ("--image-format", settings.family.is_some()),
        ("--build-context", !dockerfile.contexts.is_empty()),
    ] {
        if is_given {
            return Err(
                CommandError::usage(format!("{flag} and --engine docker exclude each other"))
                    .hint("the image is the daemon's as it is; leave one of the two out")
                    .into(),
            );
        }
    }
    places.progress.on(&Event::Notice(
        "--engine docker: files are not searched for secrets, only variables and labels are",
    ));
    let wanted = dockerfile.clone();
    let temporary = places.temp_folder.clone();
    let reading = tokio::task::spawn_blocking(move || read(&wanted, &temporary));
    let Read {
        dockerfile: text,
        bytes,
        inside,
        context,
    } = reading.await??;
    let target = text.target(dockerfile.target.as_deref()).map_err(Error::from)?;
    let for_platform = platform.clone().unwrap_or_else(own_platform);
    let base = text.base(target, &dockerfile.arguments, &own_platform(), &for_platform);
    let base = base.map_err(Error::from)?;
    let request = BuildRequest {
        context: Arc::new(context),
        dockerfile: bytes.into(),
        dockerfile_path: inside,
        target: dockerfile.target.clone(),
        arguments: dockerfile.arguments.clone(),
        labels: settings.labels.clone(),
        platform,
        network: dockerfile.network.clone(),
    };
    let id = places
        .daemon()
        .await?
        .build(&request, &places.progress)
        .await
        .map_err(Error::from)?;
    let known = match &base {
        Some(base) => known_layers(base, places).await,
        None => None,
    };
    let (source, selector) = places.saved(&Location::DockerDaemon(id), known).await?;
    let root = source.resolve(&selector).await.map_err(Error::from)?;
    let Body::Image(image) = &root.body else {
        return Err(Error::from(ContentError::new(Kind::Invalid, "the daemon built no image")).into());
    };
    let descriptor = image.config.clone();
    let config = content::read(&source, &descriptor, CONFIG_LIMIT)
        .await
        .map_err(Error::from)?;
    let config = ImageConfig::parse(&config).map_err(|error| {
        Error::from(ContentError::new(Kind::Invalid, "the config of the image that was built").because(error))
    })?;
    let platform = check(&config, settings)?;
    let errand = Errand {
        source,
        selector,
        selection: Selection::Everything,
        required: None,
        rule: settings.rule.clone(),
        with_referrers: false,
        dry_run: false,
    };
    let copied = copy(&errand, deliveries, &places.progress).await.map_err(Error::from)?;
    Ok(Built {
        platforms: vec![BuiltPlatform {
            platform,
            manifest: root.digest(),
            config: descriptor.digest,
        }],
        root,
        layers: Vec::new(),
        base_name: base,
        base_digest: None,
        set_digest: None,
        delivered: copied.delivered,
    })
}

/// Refuses secrets among variables and labels. What `RUN` wrote into files nobody knows.
fn check(config: &ImageConfig, settings: &BuildSettings) -> anyhow::Result<Platform> {
    let wrong =
        |error| Error::from(ContentError::new(Kind::Invalid, "the config of the image that was built").because(error));
    let variables = config.env().map_err(wrong)?;
    let variables = variables.iter().filter_map(|entry| entry.split_once('='));
    let variable = |(name, value): (&str, &str)| Change::Environment {
        name: name.to_owned(),
        value: value.to_owned(),
        unless_set: false,
    };
    let label = |(key, value)| Change::Label {
        key,
        value: Some(value),
    };
    let labels = config.labels().map_err(wrong)?;
    let changes = variables.map(variable).chain(labels.into_iter().map(label));
    let recipe = Recipe {
        steps: changes.map(Step::Change).collect(),
        known_base: None,
    };
    refuse_secrets(&recipe, std::path::Path::new(""), &settings.allowed_secrets).map_err(Error::from)?;
    Ok(config.platform().map_err(wrong)?)
}

/// The layers of the base as its registry has them. A base that is only in the daemon has none.
async fn known_layers(base: &str, places: &Places) -> Option<KnownLayers> {
    let found = async {
        let reference: Reference = base.parse()?;
        let source = places.repository(&reference.repository).await?;
        let selector = Selector::of(&reference);
        source.resolve(&selector).await?;
        Ok::<_, Error>(KnownLayers::of(source, selector))
    };
    match found.await {
        Ok(known) => Some(known),
        Err(error) => {
            places.progress.on(&Event::Notice(&format!(
                "the base {base} cannot be read in its registry ({error}): its layers are packed and sent with the image's own"
            )));
            None
        }
    }
}
