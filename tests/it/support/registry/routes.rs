//! The registry's protocol: OCI distribution 1.1 with the habits of Amazon ECR, and strict.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::Shared;
use super::authentication::Need;
use super::content::Content;
use super::query::Query;
use super::referrers::Referrers;
use super::store::Manifest;

/// An answer before it is sent.
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) content: Content,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Content::Bytes(Bytes::new()))
    }

    /// An answer with this body.
    pub(crate) fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
        }
    }

    /// A plain-text answer.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, Content::Bytes(Bytes::from(text.to_owned())))
            .header("content-type", "text/plain; charset=utf-8")
    }

    /// A JSON answer.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, Content::Bytes(Bytes::from(value.to_string()))).header("content-type", "application/json")
    }

    /// An error of the form the distribution specification gives.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({"errors": [{"code": code, "message": message}]}),
        )
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A request whose body has been read.
pub(crate) struct Received<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The path without query.
    pub(crate) path: &'a str,
    /// The query.
    pub(crate) query: &'a Query,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
    /// The body.
    pub(crate) body: Content,
    /// The digest of the body.
    pub(crate) digest: String,
}

/// The parts of a path under `/v2/`.
pub(crate) enum Route<'a> {
    /// A manifest by tag or digest.
    Manifest(&'a str, &'a str),
    /// A blob by digest.
    Blob(&'a str, &'a str),
    /// What speaks of a manifest, by its digest.
    Referrers(&'a str, &'a str),
    /// Where uploads start.
    Uploads(&'a str),
    /// An upload session.
    Session(&'a str, &'a str),
}

impl<'a> Route<'a> {
    /// Reads a path, if it is one the command has any business with.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("/v2/")?;
        if let Some((repository, session)) = rest.rsplit_once("/blobs/uploads/") {
            return Some(match session {
                "" => Self::Uploads(repository),
                session => Self::Session(repository, session),
            });
        }
        if let Some((repository, digest)) = rest.rsplit_once("/blobs/") {
            return Some(Self::Blob(repository, digest));
        }
        if let Some((repository, digest)) = rest.rsplit_once("/referrers/") {
            return Some(Self::Referrers(repository, digest));
        }
        let (repository, reference) = rest.rsplit_once("/manifests/")?;
        Some(Self::Manifest(repository, reference))
    }

    /// The repository.
    pub(crate) fn repository(&self) -> &'a str {
        match self {
            Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Referrers(name, _)
            | Self::Uploads(name)
            | Self::Session(name, _) => name,
        }
    }
}

impl Shared {
    /// Answers a request to the registry's own host.
    pub(crate) fn answer(&self, request: &Received<'_>) -> Reply {
        if request.path == "/v2/" {
            // Answered, so that other clients can be tried against the fake.
            self.violation("a ping of /v2/");
            return match self.admit("GET", "", request.headers) {
                Ok(()) => Reply::empty(200),
                Err(refusal) => refusal,
            };
        }
        let Some(route) = Route::parse(request.path) else {
            let what = format!("{} {}: no such path", request.method, request.path);
            self.violation(&what);
            return Reply::error(404, "NOT_FOUND", "no such path");
        };
        let repository = route.repository();
        if !valid_repository(repository) {
            self.violation(&format!("bad repository name {repository:?}"));
            return Reply::error(400, "NAME_INVALID", "invalid repository name");
        }
        if let Err(refusal) = self.admit(request.method, repository, request.headers) {
            return refusal;
        }
        let opens_upload = request.method == "POST" && matches!(route, Route::Uploads(_));
        let creates = self.options.creates_repositories || (self.options.creates_on_push && opens_upload);
        if !creates && !self.store().repositories.contains_key(repository) {
            let message = format!(
                "The repository with name '{repository}' does not exist in the registry with id '123456789012'"
            );
            return Reply::error(404, "NAME_UNKNOWN", &message);
        }
        self.store().repositories.entry(repository.to_owned()).or_default();
        match (request.method, route) {
            ("GET" | "HEAD", Route::Manifest(_, reference)) => self.get_manifest(repository, reference, request),
            ("PUT", Route::Manifest(_, reference)) => self.put_manifest(repository, reference, request),
            ("HEAD", Route::Blob(_, digest)) => match self.blob(repository, digest) {
                Some(content) => Reply::empty(200)
                    .header("content-length", &content.size().to_string())
                    .header("content-type", "application/octet-stream")
                    .header("docker-content-digest", digest),
                None => Reply::empty(404),
            },
            ("GET", Route::Blob(_, digest)) => self.get_blob(repository, digest),
            ("GET", Route::Referrers(_, subject)) => self.list_referrers(repository, subject, request),
            ("POST", Route::Uploads(_)) => self.open_upload(repository, request),
            ("PUT", Route::Session(_, session)) => self.finish_upload(repository, session, request),
            ("DELETE", Route::Session(_, session)) => {
                self.store().uploads.remove(session);
                Reply::empty(204)
            }
            ("PATCH", Route::Session(..)) => {
                self.violation("PATCH: blobs are to be sent with one PUT");
                Reply::empty(201)
            }
            _ => {
                self.violation(&format!("{} {} is not used", request.method, request.path));
                Reply::error(405, "UNSUPPORTED", "the operation is unsupported")
            }
        }
    }

    /// Checks the credentials of a request; the body need not have been read.
    pub(crate) fn admit(&self, method: &str, repository: &str, headers: &HeaderMap) -> Result<(), Reply> {
        let action = if matches!(method, "GET" | "HEAD") {
            "pull"
        } else {
            "push"
        };
        let authorization = header(headers, "authorization");
        let need = Need { repository, action };
        let base_url = self.url();
        let mut tokens = self.tokens.lock().unwrap();
        tokens.admit(self.options.authentication, &base_url, &need, authorization.as_deref())
    }

    fn blob(&self, repository: &str, digest: &str) -> Option<Content> {
        let store = self.store();
        store.repositories.get(repository)?.blobs.get(digest).cloned()
    }

    fn get_manifest(&self, repository: &str, reference: &str, request: &Received<'_>) -> Reply {
        if !reference.starts_with("sha256:") && !valid_tag(reference) {
            // Amazon ECR answers a HEAD of a tag with `+` so, without a body.
            self.violation(&format!("asked for the bad tag {reference:?}"));
            return Reply::empty(400);
        }
        let store = self.store();
        let repository = &store.repositories[repository];
        let unknown = || Reply::error(404, "MANIFEST_UNKNOWN", "Requested image not found");
        let Some(digest) = repository.digest(reference) else {
            return unknown();
        };
        let manifest = &repository.manifests[&digest];
        let accept = header(request.headers, "accept").unwrap_or_default();
        let accepted = accept.split(',').map(str::trim);
        if !accepted
            .map(|kind| kind.split(';').next().unwrap_or_default())
            .any(|kind| kind == manifest.media_type)
        {
            drop(store);
            self.violation(&format!("a manifest was asked for that Accept {accept:?} leaves out"));
            return unknown();
        }
        let mut reply =
            Reply::new(200, Content::Bytes(manifest.bytes.clone())).header("content-type", &manifest.media_type);
        if self.options.names_digests {
            reply = reply.header("docker-content-digest", &digest);
        }
        reply
    }

    /// Whether one more manifest is one too many in a second.
    fn is_too_fast(&self) -> bool {
        let Some(limit) = self.options.manifests_per_second else {
            return false;
        };
        let mut put = self.manifests_put.lock().unwrap();
        put.retain(|time| time.elapsed() < Duration::from_secs(1));
        put.push(Instant::now());
        put.len() > limit
    }

    fn put_manifest(&self, repository: &str, reference: &str, request: &Received<'_>) -> Reply {
        if self.is_too_fast() {
            return Reply::error(429, "TOOMANYREQUESTS", "Rate exceeded");
        }
        let media_type = header(request.headers, "content-type").unwrap_or_default();
        let Some(bytes) = request.body.bytes() else {
            return Reply::error(413, "SIZE_INVALID", "the manifest is too large");
        };
        let Ok(manifest) = serde_json::from_slice::<Value>(bytes) else {
            return Reply::error(400, "MANIFEST_INVALID", "not JSON");
        };
        if manifest["mediaType"].as_str() != Some(&media_type) {
            self.violation(&format!("a manifest was put as {media_type:?}, which it is not"));
        }
        let by_digest = reference.starts_with("sha256:");
        if by_digest && reference != request.digest {
            return Reply::error(400, "DIGEST_INVALID", "the digest is not the manifest's");
        }
        if !by_digest && !valid_tag(reference) {
            self.violation(&format!("put the bad tag {reference:?}"));
            return Reply::error(400, "TAG_INVALID", "invalid tag");
        }
        let mut store = self.store();
        let held = store.repositories.get_mut(repository).unwrap();
        if let Some(missing) = held.missing(&manifest) {
            drop(store);
            self.violation(&format!("a manifest was put before its {missing}"));
            let message = format!("{missing} unknown to the repository");
            return Reply::error(400, "MANIFEST_BLOB_UNKNOWN", &message);
        }
        let subject = manifest["subject"]["digest"].as_str();
        if subject.is_some() && self.options.referrers == Referrers::Refused {
            return Reply::error(405, "UNSUPPORTED", "the operation is unsupported");
        }
        if !by_digest {
            if self.options.immutable && held.tags.contains_key(reference) {
                let message = format!(
                    "The image tag '{reference}' already exists in the '{repository}' repository and cannot be \
                     overwritten because the tag is immutable."
                );
                return Reply::error(400, "TAG_INVALID", &message);
            }
            held.tags.insert(reference.to_owned(), request.digest.clone());
        }
        let bytes = bytes.clone();
        held.manifests
            .insert(request.digest.clone(), Manifest { media_type, bytes });
        let reply = Reply::empty(201)
            .header("location", &format!("/v2/{repository}/manifests/{}", request.digest))
            .header("docker-content-digest", &request.digest);
        match (subject, self.options.referrers) {
            (Some(subject), Referrers::Listed { .. }) => reply.header("oci-subject", subject),
            _ => reply,
        }
    }

    fn get_blob(&self, repository: &str, digest: &str) -> Reply {
        let Some(content) = self.blob(repository, digest) else {
            return Reply::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        };
        if self.options.redirects {
            let location = format!("{}/storage/{digest}?X-Amz-Signature=abc%2Fdef", self.storage_url());
            return Reply::empty(307).header("location", &location);
        }
        Reply::new(200, content).header("content-type", "application/octet-stream")
    }
}

/// All values of a header, joined by commas.
pub(crate) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn valid_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn valid_repository(name: &str) -> bool {
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    !name.is_empty() && name.split('/').all(|part| !part.is_empty() && part.chars().all(valid))
}
