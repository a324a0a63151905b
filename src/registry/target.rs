//! Writing to a repository.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::join_all;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::assistance::Creation;
use super::creation::{self, Creator};
use super::error::Failure;
use super::referrers::SUBJECT_HEADER;
use super::scheme::Scope;
use super::transport::Request;
use super::{Registry, digest_header};
use crate::content::cache::Pushed;
use crate::content::{Blob, ContentError, Kind, Placement, Result, Target};
use crate::ecr::EcrHost;
use crate::oci::{Digest, Manifest, Repository, Tag, media_type};
use crate::progress::Event;

/// Images of one run that are remembered as a proof of their blobs, the newest: each costs the next run a question.
const MOST_PROOFS: usize = 5;

/// A repository to write to.
#[derive(Debug)]
pub struct RepositoryTarget {
    pub(super) registry: Arc<Registry>,
    pub(super) repository: Repository,
    /// Upload sessions that were opened before the digest they are for was known.
    pub(super) sessions: Mutex<Vec<JoinHandle<std::result::Result<Url, Failure>>>>,
    /// Blobs a manifest in the repository proves to be there.
    proven: OnceCell<HashSet<Digest>>,
    /// Blobs an image of the repository, read in this run, names.
    known: HashSet<Digest>,
    /// Whether that proof turned out to be none: a registry may have lost what a manifest names.
    doubted: AtomicBool,
    /// What this run put, to be remembered for the next.
    pushed: Mutex<Vec<Pushed>>,
    /// Digests that tags were found to name: manifests that need not be asked for again.
    seen: Mutex<HashSet<Digest>>,
    /// Whether nothing is to be written.
    is_rehearsal: bool,
    /// Creates the repository where it is missing.
    pub(super) creator: Option<Arc<Creator>>,
    /// Manifests of whose subjects the registry took note when they were put.
    noted: Mutex<HashSet<Digest>>,
}

impl RepositoryTarget {
    /// Writes to `repository` at `registry`.
    #[must_use]
    pub fn new(registry: Arc<Registry>, repository: Repository) -> Self {
        Self {
            registry,
            repository,
            sessions: Mutex::default(),
            proven: OnceCell::new(),
            known: HashSet::new(),
            doubted: AtomicBool::new(false),
            pushed: Mutex::default(),
            seen: Mutex::default(),
            is_rehearsal: false,
            creator: None,
            noted: Mutex::default(),
        }
    }

    /// Has the repository created by `creation` when the first write finds that it is missing.
    #[must_use]
    pub fn created_by(mut self, creation: Creation) -> Self {
        self.creator = Some(Arc::new(Creator::new(creation)));
        self
    }

    /// Takes for granted that blobs are there, since an image of the repository that was just read names them.
    #[must_use]
    pub fn knowing(mut self, blobs: impl IntoIterator<Item = Digest>) -> Self {
        self.known.extend(blobs);
        self
    }

    /// Has a missing repository found by a question, since nothing is to be written that would find it.
    #[must_use]
    pub fn rehearsing(mut self) -> Self {
        self.is_rehearsal = true;
        self
    }

    pub(super) fn request(&self, method: Method, path: &str) -> Request {
        Request {
            method,
            url: self.registry.url(&format!("{}/{path}", self.repository.path())),
            headers: Vec::new(),
            body: None,
            scope: Scope::push(self.repository.path()),
        }
    }

    /// The blobs known to be there because the manifest pushed last still is: one request instead of one for each.
    pub(super) async fn is_proven(&self, digest: &Digest) -> bool {
        if self.doubted.load(Ordering::Relaxed) {
            return false;
        }
        if self.known.contains(digest) {
            return true;
        }
        let proven = self
            .proven
            .get_or_init(|| async {
                let pushed = self.registry.cache.pushed(&self.repository);
                let newest = pushed.into_iter().rev().take(MOST_PROOFS);
                let asking = newest.map(|pushed| async move {
                    // What cannot be asked proves nothing; the question for the blob tells why.
                    let is_there = self.has_manifest(&pushed.manifest).await.unwrap_or(false);
                    if is_there { pushed.blobs } else { Vec::new() }
                });
                join_all(asking).await.into_iter().flatten().collect()
            })
            .await;
        proven.contains(digest)
    }

    async fn has_manifest(&self, digest: &Digest) -> std::result::Result<bool, Failure> {
        if self.lock_seen().contains(digest) {
            return Ok(true);
        }
        let mut request = self.request(Method::HEAD, &format!("manifests/{digest}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::ACCEPT_MANIFESTS)));
        let response = self.registry.transport.send(&request, is_not_found).await?;
        Ok(response.status().is_success())
    }

    fn lock_seen(&self) -> std::sync::MutexGuard<'_, HashSet<Digest>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the registry took note of what a manifest that was put speaks of.
    pub(super) fn took_note_of(&self, manifest: &Digest) -> bool {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.contains(manifest)
    }

    /// Asks again, after a refusal, with a method whose refusal has words. Its answer counts, if it has one.
    async fn in_words(&self, reference: &str, refusal: Failure) -> Result<Response> {
        if refusal.status.is_none() || refusal.error.kind() == Kind::Temporary {
            return Err(refusal.error);
        }
        let mut request = self.request(Method::GET, &format!("manifests/{reference}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::ACCEPT_MANIFESTS)));
        match self.registry.transport.send(&request, is_not_found).await {
            Ok(response) => Ok(response),
            Err(explained) if explained.status.is_some() => Err(explained.error),
            Err(_) => Err(refusal.error),
        }
    }

    /// The digest of what a tag names, from the answer to a question for it.
    async fn named_by(&self, response: &Response, tag: &Tag) -> Result<Option<Digest>> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let digest = match digest_header(response) {
            Some(digest) => digest,
            None => self.digest_of(tag).await?,
        };
        self.lock_seen().insert(digest);
        Ok(Some(digest))
    }

    /// A failure in words, with what it may mean that a connection ended without an answer.
    pub(super) fn told(&self, failure: Failure) -> ContentError {
        match self.registry.transport.ecr().and_then(EcrHost::private) {
            // dotnet/sdk-container-builds#279, docker/build-push-action#850, moby/moby#24473.
            Some(private) if failure.is_broken => failure.error.hint(format!(
                "Amazon ECR may end connections like this where the repository is missing: {}",
                private.creation_command(self.repository.path())
            )),
            _ => failure.error,
        }
    }

    /// What the refusal of a manifest means, given what its tag names by now.
    async fn refused(&self, failure: Failure, tag: Option<&Tag>, digest: Digest) -> Result<()> {
        let is_refusal = failure.error.kind() == Kind::Refused
            || failure
                .status
                .is_some_and(|status| matches!(status.as_u16(), 400 | 409 | 412));
        let named = match tag.filter(|_| is_refusal) {
            Some(tag) => self.tagged(tag).await.ok().flatten().map(|named| (tag, named)),
            None => None,
        };
        match named {
            // A try whose answer was lost, or another pipeline, may have put just this.
            Some((_, named)) if named == digest => Ok(()),
            Some((tag, named)) if failure.error.kind() == Kind::Refused => Err(failure.error.within(format!(
                "tag {tag} names {named} there and must not move, and the image is {digest}"
            ))),
            _ => Err(self.told(failure)),
        }
    }
}

fn is_not_found(status: u16) -> bool {
    status == 404
}

#[async_trait]
impl Target for RepositoryTarget {
    fn place(&self) -> String {
        self.repository.to_string()
    }

    async fn tagged(&self, tag: &Tag) -> Result<Option<Digest>> {
        let mut request = self.request(Method::HEAD, &format!("manifests/{tag}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::ACCEPT_MANIFESTS)));
        let within = || format!("cannot look up tag {tag} in {}", self.repository);
        let result = match self.registry.transport.send(&request, is_not_found).await {
            Ok(response) => self.named_by(&response, tag).await,
            Err(failure) => match self.in_words(tag.as_str(), failure).await {
                Ok(response) => self.named_by(&response, tag).await,
                Err(error) => Err(error),
            },
        };
        result.map_err(|error| error.within(within()))
    }

    async fn check(&self) -> Result<()> {
        // Other registries know no repository before its first push.
        let Some(ecr) = self.registry.transport.ecr() else {
            return Ok(());
        };
        if !self.is_rehearsal || self.creator.is_some() {
            return Ok(());
        }
        let Some(missing) = self.source().missing().await? else {
            return Ok(());
        };
        let error = missing.within(format!("cannot push to {}", self.repository));
        Err(match ecr.private() {
            Some(_) => error.hint("where a creation template makes repositories on push, the push itself will do so"),
            None => error,
        })
    }

    fn anticipate(&self, blobs: usize) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..blobs {
            let registry = Arc::clone(&self.registry);
            let creator = self.creator.clone();
            let request = self.request(Method::POST, "blobs/uploads/");
            sessions.push(tokio::spawn(async move {
                super::upload::open(&registry, creator.as_deref(), &request).await
            }));
        }
    }

    fn distrust(&self) -> bool {
        let is_proven = self.proven.get().is_some_and(|proven| !proven.is_empty());
        !self.doubted.swap(true, Ordering::Relaxed) && (is_proven || !self.known.is_empty())
    }

    async fn contains(&self, blob: &Blob) -> Result<bool> {
        self.is_there(blob).await.map_err(|error| {
            error.within(format!(
                "cannot look for {} in {}",
                blob.descriptor.digest, self.repository
            ))
        })
    }

    async fn holds(&self, manifest: &Digest) -> Result<bool> {
        let within = || format!("cannot look for {manifest} in {}", self.repository);
        match self.has_manifest(manifest).await {
            Ok(is_there) => Ok(is_there),
            Err(failure) => match self.in_words(&manifest.to_string(), failure).await {
                Ok(response) => Ok(response.status().is_success()),
                Err(error) => Err(error.within(within())),
            },
        }
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Digest>> {
        self.attached(subject).await
    }

    async fn put_referrer(&self, manifest: &Manifest, subject: &Digest) -> Result<()> {
        self.attach(manifest, subject).await
    }

    async fn put(&self, blob: &Blob) -> Result<Placement> {
        self.upload(blob)
            .await
            .map_err(|error| error.within(format!("cannot push {} to {}", blob.descriptor.digest, self.repository)))
    }

    async fn put_manifest(&self, manifest: &Manifest, tag: Option<&Tag>) -> Result<()> {
        let digest = manifest.digest();
        let reference = tag.map_or_else(|| digest.to_string(), ToString::to_string);
        let mut request = self.request(Method::PUT, &format!("manifests/{reference}"));
        let within = || format!("cannot push the manifest {reference} to {}", self.repository);
        let content_type = HeaderValue::from_str(&manifest.descriptor.media_type)
            .map_err(|error| ContentError::new(Kind::Other, within()).because(error))?;
        request.headers.push((CONTENT_TYPE, content_type));
        request.body = Some(manifest.bytes.clone());
        let response = match creation::write(&self.registry, self.creator.as_deref(), &request).await {
            Ok(response) => response,
            Err(failure) => {
                let refused = self.refused(failure, tag, digest).await;
                return refused.map_err(|error| error.within(within()));
            }
        };
        if let Some(stored) = digest_header(&response)
            && stored != digest
        {
            return Err(ContentError::new(Kind::Invalid, within())
                .because(format!("the registry stored it as {stored}, not {digest}")));
        }
        if response.headers().contains_key(SUBJECT_HEADER) {
            self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
        self.registry.progress.on(&Event::ManifestPut {
            place: &self.repository.to_string(),
            digest: &digest,
            tag: tag.map(Tag::as_str),
        });
        let blobs: Vec<Digest> = manifest.blobs().iter().map(|blob| blob.digest).collect();
        // What speaks of another manifest has blobs of its own that nobody sends twice.
        if !blobs.is_empty() && manifest.subject().is_none() {
            let mut pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
            pushed.retain(|earlier| earlier.manifest != digest);
            pushed.push(Pushed {
                manifest: digest,
                blobs,
            });
            if pushed.len() > MOST_PROOFS {
                pushed.remove(0);
            }
        }
        Ok(())
    }

    async fn commit(&self) -> Result<()> {
        let pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        if !pushed.is_empty() {
            self.registry.cache.keep_pushed(&self.repository, &pushed);
        }
        Ok(())
    }
}

impl RepositoryTarget {
    /// The digest of what a tag names, where the registry does not tell it in a header.
    async fn digest_of(&self, tag: &Tag) -> Result<Digest> {
        let manifest =
            crate::content::Source::resolve(&self.source(), &crate::content::Selector::Tag(tag.clone())).await?;
        Ok(manifest.digest())
    }
}

impl Drop for RepositoryTarget {
    fn drop(&mut self) {
        for session in self.sessions.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            session.abort();
        }
    }
}
