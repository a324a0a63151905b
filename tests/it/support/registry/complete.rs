//! Whether a registry holds all of an image.

use serde_json::Value;

use super::FakeRegistry;
use super::content::digest_of;

impl FakeRegistry {
    /// Fails the test unless a repository holds the manifest a tag or digest names, byte by byte what its digest says,
    /// and all that it names in turn. Gives the digest.
    pub(crate) fn assert_complete(&self, repository: &str, reference: &str) -> String {
        let text = self.manifest(repository, reference);
        let text = text.unwrap_or_else(|| panic!("{repository} has no {reference}:{}", self.story()));
        let digest = digest_of(text.as_bytes());
        if reference.starts_with("sha256:") {
            assert_eq!(digest, reference);
        }
        let manifest: Value = serde_json::from_str(&text).unwrap();
        for child in manifest["manifests"].as_array().into_iter().flatten() {
            self.assert_complete(repository, child["digest"].as_str().unwrap());
        }
        let blobs = self.blobs(repository);
        let named = manifest["layers"].as_array().into_iter().flatten();
        for blob in named.chain(manifest.get("config")) {
            let is_there = blobs.iter().any(|held| blob["digest"] == held.as_str());
            assert!(is_there || blob["urls"].is_array(), "{repository} lacks {blob}");
        }
        digest
    }

    /// How many requests match.
    pub(crate) fn asked(&self, method: &str, part: &str) -> usize {
        let requests = self.requests();
        requests.iter().filter(|request| request.is(method, part)).count()
    }
}
