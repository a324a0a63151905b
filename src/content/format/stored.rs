//! Whether all of an image is in a layout.

use async_trait::async_trait;

use crate::oci::{Body, Descriptor, Manifest};

/// The parts of a layout.
#[async_trait]
pub(crate) trait Stored: Sync {
    /// The manifest an entry names, if it is there and what it should be.
    async fn manifest_of(&self, entry: &Descriptor) -> Option<Manifest>;

    /// Whether a blob is there with its size. Its bytes are not read.
    async fn has(&self, blob: &Descriptor) -> bool;

    /// Whether the manifest an entry names is there with all it names, but for what may not be passed on. A layout may
    /// lack some: other tools write indexes without all of their images.
    async fn is_complete(&self, entry: &Descriptor) -> bool {
        let mut open = vec![entry.clone()];
        while let Some(entry) = open.pop() {
            let Some(manifest) = self.manifest_of(&entry).await else {
                return false;
            };
            for blob in manifest.blobs() {
                if !blob.is_foreign() && !self.has(blob).await {
                    return false;
                }
            }
            if let Body::Index(index) = manifest.body {
                open.extend(index.manifests);
            }
        }
        true
    }
}
