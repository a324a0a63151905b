//! Uploads: one POST, one PUT, and a session that is used once.

use super::Shared;
use super::routes::{Received, Reply};
use super::store::Upload;

impl Shared {
    /// Opens an upload, or mounts the blob from another repository.
    pub(crate) fn open_upload(&self, repository: &str, request: &Received<'_>) -> Reply {
        if request.query.get("digest").is_some() {
            self.violation("a blob was sent with the POST, which Amazon ECR may not take");
            return Reply::error(405, "UNSUPPORTED", "the operation is unsupported");
        }
        let mut store = self.store();
        if let Some(digest) = request.query.get("mount") {
            let from = request.query.get("from").unwrap_or_default();
            let may = self.options.mounts && self.admit("GET", from, request.headers).is_ok();
            let source = store.repositories.get(from).filter(|_| may);
            let content = source
                .filter(|source| source.refers_to(digest))
                .and_then(|source| source.blobs.get(digest).cloned());
            if let Some(content) = content {
                let target = store.repositories.get_mut(repository).unwrap();
                target.blobs.insert(digest.to_owned(), content);
                return Reply::empty(201)
                    .header("location", &format!("/v2/{repository}/blobs/{digest}"))
                    .header("docker-content-digest", digest);
            }
        }
        store.sessions += 1;
        let session = format!("session-{}", store.sessions);
        let upload = Upload {
            repository: repository.to_owned(),
            used: false,
        };
        store.uploads.insert(session.clone(), upload);
        let path = format!("/v2/{repository}/blobs/uploads/{session}?_state=opaque%3D");
        let location = match self.options.absolute_locations {
            true => format!("{}{path}", self.url()),
            false => path,
        };
        Reply::empty(202)
            .header("location", &location)
            .header("docker-upload-uuid", &session)
            .header("range", "0-0")
    }

    /// Takes the bytes of an upload and closes it, whatever comes of it.
    pub(crate) fn finish_upload(&self, repository: &str, session: &str, request: &Received<'_>) -> Reply {
        if request.query.get("_state") != Some("opaque=") {
            self.violation("a blob was put without the query of the session's Location");
            return Reply::error(400, "BLOB_UPLOAD_INVALID", "the state is missing");
        }
        let mut store = self.store();
        let open = store.uploads.get(session);
        if open.is_none_or(|upload| upload.repository != repository) {
            return Reply::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        }
        store.uploads.remove(session);
        if request.query.get("digest") != Some(&request.digest) {
            drop(store);
            self.violation("a blob was put under another digest than its own");
            return Reply::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        let held = store.repositories.get_mut(repository).unwrap();
        let redundant = held.blobs.insert(request.digest.clone(), request.body.clone());
        if redundant.is_some() {
            *self.redundant.lock().unwrap() += 1;
        }
        Reply::empty(201)
            .header("location", &format!("/v2/{repository}/blobs/{}", request.digest))
            .header("docker-content-digest", &request.digest)
    }
}
