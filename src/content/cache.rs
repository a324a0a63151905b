//! What can be remembered between runs: manifests and configs by digest, listings of layers, which way of logging in a
//! host wants, and what was pushed last to a repository. Never credentials, never tokens.
//!
//! Every entry is a file that is written under another name and renamed, so processes may share the folder. The cache
//! is an aid only: what cannot be read or written is as if it were not there.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::oci::{Digest, Repository, Tag};

/// Most entries of one kind.
const MOST_ENTRIES: usize = 400;
/// Most bytes of one kind: with five kinds the folder stays below 100 MB.
const MOST_BYTES: u64 = 20 * 1024 * 1024;
/// Largest entry.
const LARGEST_ENTRY: u64 = 4 * 1024 * 1024;

/// A folder of remembered values; without a folder nothing is remembered.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    folder: Option<Arc<PathBuf>>,
}

/// What was pushed last to a repository: a manifest, and the blobs it proves to be there as long as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// Digest of an image manifest.
    pub manifest: Digest,
    /// Its config and layers.
    pub blobs: Vec<Digest>,
}

impl Cache {
    /// Remembers in `folder`, which is created when needed.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: Some(Arc::new(folder.to_owned())),
        }
    }

    /// Remembers nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Content by its digest; verified again, since files can be damaged.
    #[must_use]
    pub fn content(&self, digest: &Digest) -> Option<Bytes> {
        self.read("content", &digest.hex())
            .filter(|bytes| Digest::of(bytes) == *digest)
            .map(Bytes::from)
    }

    /// Keeps content by its digest.
    pub fn keep_content(&self, digest: &Digest, bytes: &[u8]) {
        self.write("content", &digest.hex(), bytes);
    }

    /// The digest and media type a tag had when it was last looked up.
    #[must_use]
    pub fn tag(&self, repository: &Repository, tag: &Tag) -> Option<Digest> {
        self.read_json("tags", &key(&format!("{repository}:{tag}")))
    }

    /// Keeps what a tag named.
    pub fn keep_tag(&self, repository: &Repository, tag: &Tag, digest: &Digest) {
        self.write_json("tags", &key(&format!("{repository}:{tag}")), digest);
    }

    /// What was pushed last to a repository, one entry for each platform.
    #[must_use]
    pub fn pushed(&self, repository: &Repository) -> Vec<Pushed> {
        self.read_json("pushed", &key(&repository.to_string()))
            .unwrap_or_default()
    }

    /// Keeps what was pushed to a repository.
    pub fn keep_pushed(&self, repository: &Repository, pushed: &[Pushed]) {
        self.write_json("pushed", &key(&repository.to_string()), pushed);
    }

    /// How a host wants to be logged in to, as its last challenge said.
    #[must_use]
    pub fn scheme<T: for<'de> Deserialize<'de>>(&self, host: &str) -> Option<T> {
        self.read_json("schemes", &key(host))
    }

    /// Keeps how a host wants to be logged in to.
    pub fn keep_scheme<T: Serialize>(&self, host: &str, scheme: &T) {
        self.write_json("schemes", &key(host), scheme);
    }

    /// The listing of a layer.
    #[must_use]
    pub fn listing(&self, layer: &Digest) -> Option<Vec<u8>> {
        let bytes = self.read("listings", &layer.hex())?;
        let (digest, listing) = bytes.split_at_checked(64)?;
        (Digest::of(listing).hex().as_bytes() == digest).then(|| listing.to_vec())
    }

    /// Keeps the listing of a layer.
    pub fn keep_listing(&self, layer: &Digest, listing: &[u8]) {
        // With its digest before it: a file that was cut short must not say what lies in a layer.
        let bytes = [Digest::of(listing).hex().as_bytes(), listing].concat();
        self.write("listings", &layer.hex(), &bytes);
    }

    fn read(&self, kind: &str, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.as_ref()?.join(kind).join(name);
        let size = fs::metadata(&path).ok()?.len();
        if size > LARGEST_ENTRY {
            return None;
        }
        fs::read(path).ok()
    }

    fn read_json<T: for<'de> Deserialize<'de>>(&self, kind: &str, name: &str) -> Option<T> {
        serde_json::from_slice(&self.read(kind, name)?).ok()
    }

    fn write(&self, kind: &str, name: &str, bytes: &[u8]) {
        let Some(folder) = &self.folder else { return };
        if bytes.len() as u64 > LARGEST_ENTRY {
            return;
        }
        let folder = folder.join(kind);
        // A cache that cannot be written costs requests, not results.
        let _ = store(&folder, name, bytes);
    }

    fn write_json<T: Serialize + ?Sized>(&self, kind: &str, name: &str, value: &T) {
        if let Ok(bytes) = serde_json::to_vec(value) {
            self.write(kind, name, &bytes);
        }
    }
}

fn key(text: &str) -> String {
    Digest::of(text.as_bytes()).hex()
}

fn store(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    if fs::read(&path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let is_new = !path.exists();
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    if is_new { prune(folder) } else { Ok(()) }
}

/// Removes the oldest entries beyond the bound.
fn prune(folder: &Path) -> std::io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        entries.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    entries.sort();
    let mut bytes = 0;
    for (number, (_, size, path)) in entries.iter().rev().enumerate() {
        bytes += size;
        if number >= MOST_ENTRIES || bytes > MOST_BYTES {
            // Another process may have removed it first.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_was_damaged_is_forgotten() {
        let folder = tempfile::tempdir().expect("folder");
        let cache = Cache::at(&folder.path().join("shipway"));
        let digest = Digest::of(b"abc");
        assert_eq!(cache.content(&digest), None);
        cache.keep_content(&digest, b"abc");
        assert_eq!(cache.content(&digest).as_deref(), Some(&b"abc"[..]));
        let path = folder.path().join("shipway/content").join(digest.hex());
        fs::write(path, b"abd").expect("damage");
        assert_eq!(cache.content(&digest), None);
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let folder = tempfile::tempdir().expect("folder");
        let cache = Cache::at(folder.path());
        for number in 0..MOST_ENTRIES + 20 {
            cache.keep_scheme(&format!("host{number}"), &number);
        }
        let count = fs::read_dir(folder.path().join("schemes")).expect("list").count();
        assert_eq!(count, MOST_ENTRIES);
        assert_eq!(
            cache.scheme(&format!("host{}", MOST_ENTRIES + 19)),
            Some(MOST_ENTRIES + 19)
        );
    }

    #[test]
    fn without_a_folder_nothing_is_remembered() {
        let cache = Cache::none();
        cache.keep_scheme("host", &1);
        assert_eq!(cache.scheme::<u32>("host"), None);
    }

    #[test]
    fn what_cannot_be_written_is_no_error() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("file");
        fs::write(&file, b"").expect("file");
        let cache = Cache::at(&file);
        cache.keep_scheme("host", &1);
        assert_eq!(cache.scheme::<u32>("host"), None);
    }
}
