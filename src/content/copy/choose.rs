//! What of the source is copied.

use super::{Errand, Selection, not_required};
use crate::content::{self, CONFIG_LIMIT, ContentError, Kind, Result, Selector};
use crate::oci::{Body, Digest, ImageConfig, Index, Manifest, Platform};
use crate::progress::{Event, Progress};

/// What is copied.
pub(super) struct Chosen {
    /// The manifest that gets the tags.
    pub root: Manifest,
    /// Its platform, if it is one image and that is known.
    pub platform: Option<Platform>,
    /// Whether it was made here: an index with some of the entries of the source's.
    pub is_new: bool,
}

/// Reads the source's manifest and chooses.
///
/// # Errors
/// When it is not there, not for a platform that is wanted, or not the required one.
pub(super) async fn choose(errand: &Errand, progress: &dyn Progress) -> Result<Chosen> {
    let root = errand.source.resolve(&errand.selector).await?;
    let named = root.digest();
    let chosen = match (&errand.selection, &root.body) {
        (Selection::Everything, _) | (Selection::OnlyImage, Body::Image(_)) => whole(root, None),
        (Selection::OnlyImage, Body::Index(index)) => {
            let mut images = index.images();
            match (images.next(), images.next()) {
                (Some((child, platform)), None) => image(errand, child.digest, platform.clone()).await?,
                (Some(_), Some(_)) => return Err(several(errand, index)),
                (None, _) => return Err(none(errand, index, None)),
            }
        }
        (Selection::Platforms(wanted), Body::Image(_)) => {
            let platform = platform_of(errand, &root).await?;
            if let Some(wanted) = wanted.iter().find(|wanted| !wanted.accepts(&platform)) {
                return Err(not_there(errand, wanted, &[platform]));
            }
            whole(root, Some(platform))
        }
        (Selection::Platforms(wanted), Body::Index(index)) => some(errand, &root, index, wanted, progress).await?,
    };
    match errand.required {
        Some(required) if required != named && required != chosen.root.digest() => {
            Err(not_required(errand.source.as_ref(), &named, &required))
        }
        _ => Ok(chosen),
    }
}

fn whole(root: Manifest, platform: Option<Platform>) -> Chosen {
    Chosen {
        root,
        platform,
        is_new: false,
    }
}

/// One image of an index, by its own manifest.
async fn image(errand: &Errand, digest: Digest, platform: Platform) -> Result<Chosen> {
    let child = errand.source.resolve(&Selector::Digest(digest)).await?;
    Ok(whole(child, Some(platform)))
}

/// Some images of an index: their entries as they are, in an index of their own unless they are all there is.
async fn some(
    errand: &Errand,
    root: &Manifest,
    index: &Index,
    wanted: &[Platform],
    progress: &dyn Progress,
) -> Result<Chosen> {
    let mut digests: Vec<Digest> = Vec::new();
    for platform in wanted {
        let Some(child) = index.image_for(platform) else {
            return Err(none(errand, index, Some(platform)));
        };
        let alike = index.alike(&child.digest);
        if alike > 1 {
            progress.on(&Event::Notice(&format!(
                "{} has {alike} images for {platform}; the first is taken, {}",
                errand.source.place(),
                child.digest
            )));
        }
        // linux/arm64 and linux/arm64/v8 are one image.
        if !digests.contains(&child.digest) {
            digests.push(child.digest);
        }
    }
    if let [only] = digests.as_slice() {
        let platform = index.images().find(|(child, _)| child.digest == *only);
        let platform = platform.map_or_else(Platform::linux_amd64, |(_, platform)| platform.clone());
        return image(errand, *only, platform).await;
    }
    if index.manifests.iter().all(|child| digests.contains(&child.digest)) {
        return Ok(whole(root.clone(), None));
    }
    let made = root.with_entries(&digests).map_err(|error| {
        let what = format!(
            "cannot choose platforms of {} in {}",
            root.digest(),
            errand.source.place()
        );
        ContentError::new(Kind::Invalid, what).because(error)
    })?;
    progress.on(&Event::Notice(&format!(
        "{} of the {} images and attestations of {} are copied; their index has a digest of its own, {}",
        digests.len(),
        index.manifests.len(),
        errand.source.place(),
        made.digest()
    )));
    Ok(Chosen {
        root: made,
        platform: None,
        is_new: true,
    })
}

/// The platform of an image that stands alone, which its config says.
async fn platform_of(errand: &Errand, root: &Manifest) -> Result<Platform> {
    let what = || {
        format!(
            "cannot tell the platform of {} in {}",
            root.digest(),
            errand.source.place()
        )
    };
    let Body::Image(manifest) = &root.body else {
        return Err(ContentError::new(Kind::Other, what()));
    };
    let bytes = content::read(&errand.source, &manifest.config, CONFIG_LIMIT).await?;
    let platform = ImageConfig::parse(&bytes).and_then(|config| config.platform());
    platform.map_err(|error| ContentError::new(Kind::Invalid, what()).because(error))
}

fn not_there(errand: &Errand, wanted: &Platform, offered: &[Platform]) -> ContentError {
    let what = format!("the image in {} is not there for {wanted}", errand.source.place());
    let error = ContentError::new(Kind::Usage, what);
    if offered.is_empty() {
        return error;
    }
    error.hint(format!("there is: {}", list(offered)))
}

fn none(errand: &Errand, index: &Index, wanted: Option<&Platform>) -> ContentError {
    match wanted {
        Some(wanted) => not_there(errand, wanted, &offered(index)),
        None => ContentError::new(
            Kind::Usage,
            format!(
                "the index in {} lists no image that could be run",
                errand.source.place()
            ),
        ),
    }
}

fn several(errand: &Errand, index: &Index) -> ContentError {
    let what = format!(
        "{} holds several images, and docker-archive holds one",
        errand.source.place()
    );
    ContentError::new(Kind::Usage, what).hint(format!("choose one with --platform: {}", list(&offered(index))))
}

fn offered(index: &Index) -> Vec<Platform> {
    index.images().map(|(_, platform)| platform.clone()).collect()
}

fn list(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.join(", ")
}
