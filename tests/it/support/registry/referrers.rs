//! Manifests that speak of others: the lists of OCI distribution 1.1, or none.

use serde_json::{Value, json};

use super::Shared;
use super::content::Content;
use super::routes::{Received, Reply};

/// The media type of a list.
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What the fake registry does with manifests that have a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referrers {
    /// Takes them, and lists nothing, as registries before 1.1.
    Unknown,
    /// Lists them, so many on a page.
    Listed {
        /// Entries on a page.
        page: usize,
    },
    /// Refuses them with 405, as Amazon ECR does with some.
    Refused,
}

impl Shared {
    /// Lists the manifests that speak of `subject`.
    pub(crate) fn list_referrers(&self, repository: &str, subject: &str, request: &Received<'_>) -> Reply {
        let Referrers::Listed { page } = self.options.referrers else {
            return Reply::text(404, "404 page not found");
        };
        let store = self.store();
        let held = &store.repositories[repository];
        let all: Vec<Value> = held
            .manifests
            .iter()
            .filter_map(|(digest, manifest)| {
                let body: Value = serde_json::from_slice(&manifest.bytes).ok()?;
                (body["subject"]["digest"] == subject).then(|| {
                    json!({"mediaType": manifest.media_type, "digest": digest, "size": manifest.bytes.len(),
                        "artifactType": body["artifactType"]})
                })
            })
            .collect();
        let start: usize = request
            .query
            .get("last")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let end = (start + page).min(all.len());
        let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": all[start..end]});
        let mut reply = Reply::new(200, Content::Bytes(list.to_string().into())).header("content-type", OCI_INDEX);
        if end < all.len() {
            let next = format!("</v2/{repository}/referrers/{subject}?last={end}>; rel=\"next\"");
            reply = reply.header("link", &next);
        }
        reply
    }
}
