//! `--engine docker`: the daemon builds the Dockerfile, and what it built is delivered like any other image.

use std::sync::Arc;

use shipway::content::{KnownLayers, Location, Selector, Source};
use shipway::daemon::BuildRequest;
use shipway::error::Error;
use shipway::oci::Reference;
use shipway::progress::Event;

use crate::places::Places;

/// Builds; returns where the image can be read, and which one it is there.
///
/// `base` is the image the wanted stage is built on, as the Dockerfile names it. Layers it has in its registry are named
/// as they are there, so that they are mounted or there already, and not packed again.
pub(super) async fn build(
    request: &BuildRequest,
    base: Option<&str>,
    places: &Places,
) -> Result<(Arc<dyn Source>, Selector), Error> {
    let id = places.daemon().await?.build(request, &places.progress).await?;
    let known = match base {
        Some(base) => known_layers(base, places).await,
        None => None,
    };
    places.saved(&Location::DockerDaemon(id), known).await
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
