//! Images in the form `docker load` reads: which files they become, and those files as one stream.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use tar::{EntryType, Header};

use super::format::output::open;
use super::{Blob, BlobStream, ContentError, Kind, Result};
use crate::oci::media_type::{DOCKER_LAYER, OCI_LAYER, OCI_LAYER_ZSTD, is_config};
use crate::oci::{Descriptor, Digest, ImageManifest};

/// The file in which `docker save` names the images.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Media type for what is no blob of a registry.
const JSON: &str = "application/json";
/// Time of every entry, in seconds: one after the epoch, as in layers, since some readers take zero for none.
const TIME: u64 = 1;
/// Size of a tar block.
const BLOCK: usize = 512;

/// A file of the archive.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub blob: Blob,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage<'a> {
    config: String,
    repo_tags: Option<&'a [String]>,
    layers: Vec<String>,
}

/// Refuses an image the form has no words for. `form` is the form's name, `place` where it is to be written.
///
/// # Errors
/// [`Kind::Usage`] when a layer is compressed with zstd, or it is no container image.
pub fn check(image: &ImageManifest, digest: &Digest, form: &str, place: &str) -> Result<()> {
    if let Some(layer) = image.layers.iter().find(|layer| layer.media_type == OCI_LAYER_ZSTD) {
        let what = format!("cannot write layer {} to {place}", layer.digest);
        let why = format!("it is compressed with zstd, which {form} has no word for");
        return Err(ContentError::new(Kind::Usage, what).because(why));
    }
    if !is_config(&image.config.media_type) {
        let what = format!("cannot write {digest} to {place}");
        let why = format!(
            "it is no container image: its config is of type {:?}",
            image.config.media_type
        );
        return Err(ContentError::new(Kind::Usage, what).because(why));
    }
    Ok(())
}

/// The files of an image that gets these full names: who reads them knows `known` layers, the lowest ones, already.
///
/// # Errors
/// When a blob of the image is not among `blobs`.
pub fn members(
    image: &ImageManifest,
    names: &[String],
    blobs: &BTreeMap<Digest, Blob>,
    known: usize,
    place: &str,
) -> Result<Vec<Member>> {
    let blob = |descriptor: &Descriptor| {
        blobs.get(&descriptor.digest).cloned().ok_or_else(|| {
            let what = format!("cannot write {place}");
            ContentError::new(Kind::Other, what).because(format!("blob {} was not put", descriptor.digest))
        })
    };
    let config = format!("{}.json", image.config.digest.hex());
    let saved = [SavedImage {
        config: config.clone(),
        repo_tags: (!names.is_empty()).then_some(names),
        layers: image.layers.iter().map(layer_name).collect(),
    }];
    let saved = serde_json::to_vec(&saved)
        .map_err(|error| ContentError::new(Kind::Other, format!("cannot write {MANIFEST_FILE}")).because(error))?;
    let mut members = vec![
        Member {
            name: MANIFEST_FILE.to_owned(),
            blob: Blob::bytes(JSON, saved.into()),
        },
        Member {
            name: config,
            blob: blob(&image.config)?,
        },
    ];
    let mut added: BTreeSet<Digest> = BTreeSet::new();
    for layer in image.layers.iter().skip(known) {
        if added.insert(layer.digest) {
            members.push(Member {
                name: layer_name(layer),
                blob: blob(layer)?,
            });
        }
    }
    Ok(members)
}

fn layer_name(layer: &Descriptor) -> String {
    let extension = match layer.media_type.as_str() {
        OCI_LAYER | DOCKER_LAYER => "tar",
        _ => "tar.gz",
    };
    format!("{}.{extension}", layer.digest.hex())
}

/// The header of a file in an archive.
///
/// # Errors
/// When a tar file cannot hold the name.
pub(super) fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(TIME);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// The zeros after a file.
pub(super) fn padding(size: u64) -> &'static [u8] {
    let rest = usize::try_from(size.next_multiple_of(BLOCK as u64) - size).unwrap_or_default();
    &[0; BLOCK][..rest]
}

/// The zeros at the end of an archive.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The files as one tar stream, each opened when its turn comes and verified while it passes.
#[must_use]
pub fn tar(members: Vec<Member>, place: &str) -> BlobStream {
    let place = place.to_owned();
    let files = stream::iter(members).then(move |member| {
        let place = place.clone();
        async move { file(&member, &place).await }
    });
    let files = files.flat_map(|file| file.unwrap_or_else(|error| Box::pin(stream::iter([Err(error)]))));
    Box::pin(files.chain(stream::iter([Ok(Bytes::from_static(&END))])))
}

async fn file(member: &Member, place: &str) -> Result<BlobStream> {
    let size = member.blob.descriptor.size;
    let header = header(&member.name, size)
        .map_err(|error| ContentError::new(Kind::Other, format!("cannot write {place}")).because(error))?;
    let bytes = open(&member.blob, place).await?;
    let before = stream::iter([Ok(Bytes::copy_from_slice(header.as_bytes()))]);
    let after = stream::iter([Ok(Bytes::from_static(padding(size)))]);
    Ok(Box::pin(before.chain(bytes).chain(after)))
}
