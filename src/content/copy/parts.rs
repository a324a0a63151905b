//! All that an image consists of.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::content::{Blob, ContentError, Image, Kind, Origin, Result, Selector, Source, Target};
use crate::oci::{Body, Descriptor, Digest, Manifest};

/// Manifests read or looked for at a time. An index may list dozens.
pub(super) const MANIFESTS_AT_ONCE: usize = 8;
/// Most manifests of one index. The largest official images have some thirty, with attestations.
const CHILDREN_LIMIT: usize = 1000;
/// Most bytes of all manifests of one index, which are held until the image is copied. A large one has a few kilobytes.
const CHILDREN_BYTES: u64 = 16 * 1024 * 1024;

/// Reads the manifests below `root`. Blobs stay where they are until somebody wants their bytes.
///
/// # Errors
/// When a manifest cannot be read, or an index lists another index.
pub(super) async fn read(source: &Arc<dyn Source>, root: Manifest) -> Result<Image> {
    let entries: &[Descriptor] = match &root.body {
        Body::Index(index) => &index.manifests,
        Body::Image(_) => &[],
    };
    let refused = |why: String| {
        let what = format!("cannot copy {} from {}", root.digest(), source.place());
        ContentError::new(Kind::Invalid, what).because(why)
    };
    if entries.len() > CHILDREN_LIMIT {
        return Err(refused(format!(
            "it lists {} manifests, and {CHILDREN_LIMIT} is the limit",
            entries.len()
        )));
    }
    let bytes = entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.size));
    if bytes > CHILDREN_BYTES {
        return Err(refused(format!(
            "the manifests it lists have {bytes} bytes, and {CHILDREN_BYTES} is the limit"
        )));
    }
    let mut seen = HashSet::new();
    let wanted = entries
        .iter()
        .map(|entry| entry.digest)
        .filter(|digest| seen.insert(*digest));
    let children: Vec<Manifest> = stream::iter(wanted.map(|digest| async move {
        let child = source.resolve(&Selector::Digest(digest)).await;
        child.map_err(|error| match error.kind() {
            Kind::NotFound => error.hint("if only some platforms are there, name them with --platform"),
            _ => error,
        })
    }))
    .buffered(MANIFESTS_AT_ONCE)
    .try_collect()
    .await?;
    if let Some(child) = children.iter().find(|child| matches!(child.body, Body::Index(_))) {
        return Err(
            refused(format!("it lists another index, {}", child.digest())).hint("copy the inner index by its digest")
        );
    }
    let blobs = blobs(source, std::iter::once(&root).chain(&children));
    Ok(Image { root, children, blobs })
}

/// The part of an image that a target is not known to hold: a manifest that is there has its blobs there.
///
/// # Errors
/// When the target cannot be asked.
pub(super) async fn lacking(image: &Image, target: &dyn Target) -> Result<Image> {
    let looking = image.children.iter().map(|child| async move {
        let is_there = target.holds(&child.digest()).await?;
        Ok::<_, ContentError>((child, is_there))
    });
    let children: Vec<(&Manifest, bool)> = stream::iter(looking).buffered(MANIFESTS_AT_ONCE).try_collect().await?;
    let lacking: Vec<Manifest> = children
        .into_iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(child, _)| child.clone())
        .collect();
    let needed: HashSet<_> = std::iter::once(&image.root)
        .chain(&lacking)
        .flat_map(Manifest::blobs)
        .map(|blob| blob.digest)
        .collect();
    let blobs = image
        .blobs
        .iter()
        .filter(|blob| needed.contains(&blob.descriptor.digest));
    Ok(Image {
        root: image.root.clone(),
        blobs: blobs.cloned().collect(),
        children: lacking,
    })
}

/// Whether a target holds the images of an index that is there.
///
/// # Errors
/// When it cannot be asked.
pub(super) async fn holds_images(root: &Manifest, target: &dyn Target) -> Result<bool> {
    let Body::Index(index) = &root.body else {
        return Ok(true);
    };
    let digests: HashSet<Digest> = index.images().map(|(child, _)| child.digest).collect();
    let looking = digests
        .into_iter()
        .map(|digest| async move { target.holds(&digest).await });
    let held: Vec<bool> = stream::iter(looking).buffered(MANIFESTS_AT_ONCE).try_collect().await?;
    Ok(held.iter().all(|is_there| *is_there))
}

/// The blobs of some manifests, each once, without those that may not be passed on.
fn blobs<'a>(source: &Arc<dyn Source>, manifests: impl Iterator<Item = &'a Manifest>) -> Vec<Blob> {
    let mut seen = HashSet::new();
    manifests
        .flat_map(Manifest::blobs)
        .filter(|blob| !blob.is_foreign() && seen.insert(blob.digest))
        .map(|blob| Blob {
            descriptor: blob.clone(),
            origin: Origin::Source(Arc::clone(source)),
        })
        .collect()
}
