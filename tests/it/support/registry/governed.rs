//! The registry as the service that governs it sees it: repositories come and go, and so do passwords.

use std::sync::Arc;

use super::{FakeRegistry, Shared};

/// A handle for the fake of a control plane.
#[derive(Clone)]
pub(crate) struct Governed(Arc<Shared>);

/// What a repository holds under a digest.
pub(crate) struct Held {
    /// The manifest's media type.
    pub(crate) media_type: String,
    /// The tags that name it.
    pub(crate) tags: Vec<String>,
    /// The manifest's size in bytes.
    pub(crate) size_bytes: usize,
}

impl FakeRegistry {
    /// A handle for the fake of a control plane.
    pub(crate) fn governed(&self) -> Governed {
        Governed(Arc::clone(&self.shared))
    }
}

impl Governed {
    /// From now on only this password is good with Basic; the one before it has expired.
    pub(crate) fn accept(&self, password: &str) {
        self.0.tokens.lock().unwrap().accept(password);
    }

    /// Creates an empty repository.
    pub(crate) fn create(&self, repository: &str) {
        let mut store = self.0.store();
        store.repositories.entry(repository.to_owned()).or_default();
    }

    /// The names of all repositories.
    pub(crate) fn repositories(&self) -> Vec<String> {
        self.0.store().repositories.keys().cloned().collect()
    }

    /// The digest that a tag or digest names in a repository.
    pub(crate) fn digest(&self, repository: &str, reference: &str) -> Option<String> {
        self.0.store().repositories.get(repository)?.digest(reference)
    }

    /// What a repository holds under a digest.
    pub(crate) fn held(&self, repository: &str, digest: &str) -> Option<Held> {
        let store = self.0.store();
        let repository = store.repositories.get(repository)?;
        let manifest = repository.manifests.get(digest)?;
        let tags = repository.tags.iter().filter(|(_, named)| *named == digest);
        Some(Held {
            media_type: manifest.media_type.clone(),
            tags: tags.map(|(tag, _)| tag.clone()).collect(),
            size_bytes: manifest.bytes.len(),
        })
    }
}
