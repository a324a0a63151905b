//! Layers of an archive in the form a registry holds them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::region::{Abandoned, Region, RegionReader};
use crate::content::compress::{LayerWriter, PackedLayer};
use crate::content::format::output::unfinished;
use crate::content::spool::{Spool, SpoolWriter};
use crate::content::tree::unpack::{is_malformed, limit, unpack};
use crate::content::{ContentError, Kind, Result};
use crate::oci::media_type::Compression;
use crate::oci::{Digest, Hasher};

/// Size of the pieces a layer is packed in.
const PIECE: usize = 256 * 1024;

/// A layer with the digests of its two forms.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerForm {
    /// Digest of the compressed bytes.
    pub(super) digest: Digest,
    /// Number of compressed bytes.
    pub(super) size: u64,
    /// Digest of the tar file.
    pub(super) diff_id: Digest,
}

/// Packs layers, each once, into one file without a name: an image may have more of them than fit in memory.
#[derive(Debug)]
pub(super) struct Packer {
    place: String,
    folder: PathBuf,
    file: Option<Arc<File>>,
    end: u64,
    /// By where the layer starts in the archive, since one may be listed under several names.
    layers: HashMap<u64, LayerForm>,
    blobs: HashMap<Digest, Region>,
}

impl Packer {
    /// Packs layers of `place` into `folder`.
    pub(super) fn new(place: String, folder: PathBuf) -> Self {
        Self {
            place,
            folder,
            file: None,
            end: 0,
            layers: HashMap::new(),
            blobs: HashMap::new(),
        }
    }

    /// Where the bytes of a blob are.
    pub(super) fn get(&self, digest: &Digest) -> Option<Region> {
        self.blobs.get(digest).cloned()
    }

    /// Adds a blob that needs no packing.
    pub(super) fn add(&mut self, digest: Digest, region: Region) {
        self.blobs.insert(digest, region);
    }

    /// Packs a layer, named `name` in errors. One that is compressed with gzip stays as it is.
    ///
    /// # Errors
    /// When it cannot be read, or there is no room.
    pub(super) async fn pack(&mut self, name: &str, region: Region) -> Result<LayerForm> {
        if let Some(form) = self.layers.get(&region.offset) {
            return Ok(*form);
        }
        let start = region.offset;
        let what = format!("cannot pack layer {name} of {}", self.place);
        let folder = self.folder.clone();
        let abandoned = Abandoned::default();
        let guard = abandoned.on_drop();
        let layer = region.clone();
        let done = tokio::task::spawn_blocking(move || form(layer, &folder, &abandoned)).await;
        drop(guard);
        let formed = done.map_err(|error| unfinished(&what, error))?;
        let (form, spool) = formed.map_err(|failure| match failure {
            Failure::Input(error) if is_malformed(&error) => {
                ContentError::new(Kind::Invalid, what.clone()).because(error)
            }
            Failure::Input(error) => ContentError::file(what.clone(), error),
            Failure::Output(error) => SpoolWriter::failure(&self.folder, error).within(what.clone()),
        })?;
        let place = match spool {
            None => region,
            Some(spool) => self.append(Arc::new(spool)).await?,
        };
        self.blobs.insert(form.digest, place);
        self.layers.insert(start, form);
        Ok(form)
    }

    async fn append(&mut self, spool: Arc<Spool>) -> Result<Region> {
        let full = |error| SpoolWriter::failure(&self.folder, error);
        // Put back only when all went well: a writer that was given up may still be writing to it.
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            self.end = 0;
            let folder = self.folder.clone();
            let created = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
            let created = created.unwrap_or_else(|error| Err(io::Error::other(error)));
            Arc::new(created.map_err(full)?)
        };
        let mut writer = tokio::fs::File::from_std(file.try_clone().map_err(full)?);
        let start = self.end;
        let mut end = start;
        let mut stream = spool.open();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            writer.write_all(&piece).await.map_err(full)?;
            end += piece.len() as u64;
        }
        writer.flush().await.map_err(full)?;
        self.end = end;
        self.file = Some(Arc::clone(&file));
        Ok(Region {
            file,
            offset: start,
            size: end - start,
        })
    }
}

/// Which side of the packing failed.
enum Failure {
    Input(io::Error),
    Output(io::Error),
}

/// The digests of a layer, and its packed bytes unless it is packed already. Blocks.
fn form(
    region: Region,
    folder: &Path,
    abandoned: &Abandoned,
) -> std::result::Result<(LayerForm, Option<Spool>), Failure> {
    let size = region.size;
    let mut reader = Hashing {
        reader: RegionReader::new(region, abandoned.clone()),
        hasher: Hasher::new(),
    };
    let (compression, mut unpacked) = unpack(&mut reader, limit(size)).map_err(Failure::Input)?;
    if compression != Compression::Gzip {
        let mut writer = LayerWriter::new(folder);
        copy(&mut unpacked, &mut writer)?;
        let PackedLayer {
            digest,
            diff_id,
            size,
            spool,
        } = writer.finish().map_err(Failure::Output)?;
        return Ok((LayerForm { digest, size, diff_id }, Some(spool)));
    }
    let mut tar = Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match unpacked.read(&mut piece).map_err(Failure::Input)? {
            0 => break,
            read => tar.update(&piece[..read]),
        }
    }
    drop(unpacked);
    io::copy(&mut reader, &mut io::sink()).map_err(Failure::Input)?;
    let form = LayerForm {
        digest: reader.hasher.finish(),
        size,
        diff_id: tar.finish(),
    };
    Ok((form, None))
}

fn copy(reader: &mut impl Read, writer: &mut impl Write) -> std::result::Result<(), Failure> {
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece).map_err(Failure::Input)? {
            0 => return Ok(()),
            read => writer.write_all(&piece[..read]).map_err(Failure::Output)?,
        }
    }
}

struct Hashing<R> {
    reader: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
