//! Which image runs: by digest, whatever its tags say by now.

use shipway::content::Selector;
use shipway::error::Error;
use shipway::execute::{Failure, Status, View};
use shipway::oci::{self, Digest, Reference};

use crate::places::Places;

/// The digest of an image: what its name says, or its registry.
pub(super) async fn resolve(reference: &Reference, places: &Places) -> anyhow::Result<Digest> {
    if let Some(digest) = reference.digest {
        return Ok(digest);
    }
    let source = places.repository(&reference.repository).await?;
    let manifest = source.resolve(&Selector::of(reference)).await.map_err(Error::from)?;
    let digest = manifest.digest();
    places
        .progress
        .on(&shipway::progress::Event::Step(&format!("{reference} is {digest}")));
    Ok(digest)
}

/// Compares what ECS pulled with what was asked for. Of an image for several platforms ECS may name the one it took.
pub(super) async fn verify(view: &mut View, places: &Places) {
    let (Some(false), Some(image), Some(pulled)) =
        (view.digest_verified, view.image.clone(), view.pulled_digest.clone())
    else {
        return;
    };
    match is_part(&image, &pulled, places).await {
        Ok(true) => view.digest_verified = Some(true),
        Ok(false) => {
            view.status = Status::DigestMismatch;
            let failure = Failure::new(format!("what ran is {pulled}, and not {image}"));
            view.failure = Some(
                failure
                    .hint("somebody changed the image or the task between: look at the task definition, and run again"),
            );
        }
        Err(error) => {
            view.digest_verified = None;
            // It failed in any case; but it is no proof of a success.
            if view.status == Status::Succeeded {
                view.status = Status::Unknown;
                let failure = Failure::new(format!(
                    "what ran is {pulled}; whether that is part of {image} cannot be told"
                ));
                view.failure = Some(failure.because(format!("{error:#}")).hint(
                    "it has succeeded; the same command tells once more, without running it again, as soon as the registry answers",
                ));
            }
        }
    }
}

async fn is_part(image: &str, pulled: &str, places: &Places) -> anyhow::Result<bool> {
    let reference: Reference = image.parse().map_err(Error::from)?;
    let pulled: Digest = pulled.parse()?;
    let source = places.repository(&reference.repository).await?;
    let manifest = source.resolve(&Selector::of(&reference)).await.map_err(Error::from)?;
    let oci::Body::Index(index) = &manifest.body else {
        return Ok(false);
    };
    Ok(index.manifests.iter().any(|child| child.digest == pulled))
}
