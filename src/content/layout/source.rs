//! Reading a layout.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::OnceCell;
use tokio_util::io::ReaderStream;

use super::folder::{Found, look, read_index};
use crate::content::format::index::LayoutIndex;
use crate::content::format::output::unfinished;
use crate::content::format::stored::Stored;
use crate::content::format::subjects::Subjects;
use crate::content::format::{BLOBS, INDEX_FILE, LAYOUT_FILE};
use crate::content::verify::{collect, verified};
use crate::content::{BlobStream, ContentError, Kind, MANIFEST_LIMIT, Result, Selector, Source};
use crate::oci::{Descriptor, Digest, Manifest, Tag};

/// Size of the pieces a blob is read in.
const PIECE: usize = 256 * 1024;

/// An OCI image layout to read from.
#[derive(Debug)]
pub struct LayoutSource {
    blobs: PathBuf,
    index: LayoutIndex,
    subjects: OnceCell<Subjects>,
}

impl LayoutSource {
    /// Opens the layout in a folder.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the folder or its `index.json` is not there, [`Kind::Usage`] when it is no layout,
    /// [`Kind::Invalid`] when its files are damaged.
    pub async fn open(folder: &Path) -> Result<Self> {
        let path = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(&path)).await;
        opened.map_err(|error| unfinished("cannot open the layout", error))?
    }

    fn open_blocking(folder: &Path) -> Result<Self> {
        let path = folder.display();
        let missing =
            |why: String| ContentError::new(Kind::NotFound, format!("cannot open layout {path}")).because(why);
        let found = look(folder).map_err(|error| match error.kind() {
            Kind::Usage if folder.is_dir() => error.hint(format!(
                "name the folder that holds the file {LAYOUT_FILE}; a layout in one file is oci-archive:FILE"
            )),
            _ => error,
        })?;
        if found == Found::Nothing {
            return Err(missing(if folder.exists() {
                format!("the folder is empty: it has no file {LAYOUT_FILE}")
            } else {
                "there is no such folder".to_owned()
            }));
        }
        let index = read_index(folder)?.ok_or_else(|| missing(format!("it has no file {INDEX_FILE}")))?;
        Ok(Self {
            blobs: folder.join(BLOBS),
            index: LayoutIndex::parse(&index, format!("layout {path}"), format!("oci:{path}"))?,
            subjects: OnceCell::new(),
        })
    }

    async fn manifest(&self, digest: Digest, entry: Option<&Descriptor>) -> Result<Manifest> {
        let (file, size) = self.open_blob(&digest).await?;
        if size > MANIFEST_LIMIT {
            let what = format!("cannot read manifest {digest} in {}", self.place());
            return Err(ContentError::new(Kind::Invalid, what).because(format!(
                "it has {size} bytes, and {MANIFEST_LIMIT} is the limit for a manifest"
            )));
        }
        let bytes: Bytes = collect(stream(file, self.blobs.join(digest.hex())), size).await?;
        self.index.manifest(bytes, digest, entry)
    }

    async fn open_blob(&self, digest: &Digest) -> Result<(tokio::fs::File, u64)> {
        let path = self.blobs.join(digest.hex());
        let cannot = |error: std::io::Error| {
            if error.kind() == ErrorKind::NotFound {
                ContentError::new(Kind::NotFound, format!("{} has no blob {digest}", self.place()))
            } else {
                ContentError::file(format!("cannot read {}", path.display()), error)
            }
        };
        let file = tokio::fs::File::open(&path).await.map_err(cannot)?;
        let size = file.metadata().await.map_err(cannot)?.len();
        Ok((file, size))
    }
}

#[async_trait]
impl Stored for LayoutSource {
    async fn manifest_of(&self, entry: &Descriptor) -> Option<Manifest> {
        self.manifest(entry.digest, Some(entry)).await.ok()
    }

    async fn has(&self, blob: &Descriptor) -> bool {
        let found = tokio::fs::metadata(self.blobs.join(blob.digest.hex())).await;
        found.is_ok_and(|found| found.is_file() && found.len() == blob.size)
    }
}

#[async_trait]
impl Source for LayoutSource {
    fn place(&self) -> String {
        self.index.place().to_owned()
    }

    async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        let (digest, entry) = self.index.select(selector)?;
        self.manifest(digest, entry).await
    }

    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        self.index
            .select(&Selector::Tag(tag.clone()))
            .map(|(digest, _)| Some(digest))
    }

    fn tags(&self, selector: &Selector) -> Vec<Tag> {
        self.index.tags(selector)
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let reading = || async {
            let mut subjects = Subjects::default();
            for entry in self.index.entries() {
                // What cannot be read speaks of nothing, and is no concern of whoever asks for something else.
                if let Ok(manifest) = self.manifest(entry.digest, Some(entry)).await {
                    subjects.add(entry, &manifest);
                }
            }
            subjects
        };
        Ok(self.subjects.get_or_init(reading).await.of(subject))
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        let (file, size) = self.open_blob(&blob.digest).await?;
        if size != blob.size {
            // Told here, where it is final: a stream that ends early is taken for a broken connection.
            let what = format!("blob {} from {} is not what it should be", blob.digest, self.place());
            return Err(ContentError::new(Kind::Invalid, what)
                .because(format!("it has {size} bytes, and its descriptor says {}", blob.size)));
        }
        Ok(verified(
            stream(file, self.blobs.join(blob.digest.hex())),
            blob,
            &self.place(),
        ))
    }
}

fn stream(file: tokio::fs::File, path: PathBuf) -> BlobStream {
    let pieces = ReaderStream::with_capacity(file, PIECE);
    Box::pin(
        pieces.map(move |piece| {
            piece.map_err(|error| ContentError::file(format!("cannot read {}", path.display()), error))
        }),
    )
}
