//! Sending a blob: POST opens an upload session, one PUT of known length fills it.
//!
//! An upload that breaks is started again in a session of its own; a range is never sent again, since registries
//! differ in what they kept of it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};

use super::Registry;
use super::connection::location;
use super::creation::{self, Creator};
use super::error::Failure;
use super::retry::{Activity, Retry};
use super::scheme::Scope;
use super::target::RepositoryTarget;
use super::transport::Request;
use crate::content::{Blob, ContentError, Kind, Placement};
use crate::ecr::EcrHost;
use crate::oci::{Repository, media_type};
use crate::progress::Event;

/// A blob this run made is sent without asking whether it is there, up to this size: asking costs a round trip, and
/// sending it in vain costs less than that.
const ASK_FROM: u64 = crate::content::SMALL;
/// Pieces handed to the connection at a time, so that progress moves and memory does not.
const PIECE: usize = 256 * 1024;

/// What opening an upload led to.
enum Opened {
    Session(Url),
    Mounted,
}

impl RepositoryTarget {
    /// Whether a blob is known to be there. Of one that is new, small and unlikely to be there it is not asked.
    pub(super) async fn is_there(&self, blob: &Blob) -> Result<bool, ContentError> {
        let descriptor = &blob.descriptor;
        let ask = !blob.is_fresh() || descriptor.size >= ASK_FROM;
        Ok(ask
            && (self.is_proven(&descriptor.digest).await
                || self.has_blob(blob).await.map_err(|failure| self.told(failure))?))
    }

    pub(super) async fn upload(&self, blob: &Blob) -> Result<Placement, ContentError> {
        let mut retry = Retry::new();
        loop {
            match self.upload_once(blob, retry.has_failed()).await {
                Ok(placement) => return Ok(placement),
                Err(failure) => retry
                    .wait(&self.registry.transport, "the upload", failure)
                    .await
                    .map_err(|failure| self.told(failure))?,
            }
        }
    }

    async fn has_blob(&self, blob: &Blob) -> Result<bool, Failure> {
        let request = self.request(Method::HEAD, &format!("blobs/{}", blob.descriptor.digest));
        let response = self.registry.transport.send(&request, |status| status == 404).await;
        match response {
            Ok(response) => Ok(response.status().is_success()),
            Err(failure) if failure.status == Some(StatusCode::FORBIDDEN) => {
                self.has_hidden_blob(&request, failure).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether a blob is there about which nothing was said but that it may not be asked for.
    async fn has_hidden_blob(&self, request: &Request, refusal: Failure) -> Result<bool, Failure> {
        let transport = &self.registry.transport;
        if transport.ecr().is_none() {
            // Some registries let a user write who may not ask; the upload itself will tell.
            return Ok(false);
        }
        // Amazon ECR lets nobody push who may not ask. But the login may have expired, which only words tell, and a blob
        // has none that are cheap: a manifest of this digest is asked for, which is not there.
        let digest = request.url.path().rsplit('/').next().unwrap_or_default();
        let in_words = self.request(Method::GET, &format!("manifests/{digest}"));
        match transport.send(&in_words, |status| status == 404).await {
            Err(failure) if failure.is_expired_login() => return Err(failure),
            _ => {}
        }
        match transport.send(request, |status| status == 404).await {
            Ok(response) => Ok(response.status().is_success()),
            Err(failure) if failure.status.is_some() => Err(failure),
            Err(_) => Err(refusal),
        }
    }

    async fn upload_once(&self, blob: &Blob, is_again: bool) -> Result<Placement, Failure> {
        if is_again && self.has_blob(blob).await? {
            // The last try arrived; only its answer did not.
            return Ok(Placement::Sent);
        }
        let is_expected = media_type::is_config(&blob.descriptor.media_type);
        let prepared = if is_expected { self.prepared().await } else { None };
        let session = match prepared {
            Some(session) => session?,
            None => match self.open(blob).await? {
                Opened::Session(session) => session,
                Opened::Mounted => return Ok(Placement::Mounted),
            },
        };
        self.send(blob, session).await?;
        Ok(Placement::Sent)
    }

    /// A session that was opened in advance, before the config it is for was known.
    async fn prepared(&self) -> Option<Result<Url, Failure>> {
        let session = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        session.await.ok()
    }

    async fn open(&self, blob: &Blob) -> Result<Opened, Failure> {
        let from = blob.repository().filter(|from| self.is_beside(from));
        if let Some(from) = from
            && self.registry.mounts.may_come_from(from.path()).await
        {
            match self.open_by_mount(blob, from).await {
                Ok(opened) => return Ok(opened),
                Err(failure) if failure.error.kind() == Kind::Temporary || failure.is_expired_login() => {
                    return Err(failure);
                }
                Err(failure) if self.creator.as_ref().is_some_and(|creator| creator.has_failed()) => {
                    return Err(failure);
                }
                // Without words about mounting: a request without it tells which repository is meant.
                Err(failure) if failure.is_missing_repository() => {}
                // The source may be closed to this user; that is no reason not to send the bytes.
                Err(failure) => self.refused_to_mount(from, Some(&failure)),
            }
        }
        let request = self.request(Method::POST, "blobs/uploads/");
        Ok(Opened::Session(
            open(&self.registry, self.creator.as_deref(), &request).await?,
        ))
    }

    fn is_beside(&self, from: &Repository) -> bool {
        from.registry() == self.repository.registry() && from.path() != self.repository.path()
    }

    async fn open_by_mount(&self, blob: &Blob, from: &Repository) -> Result<Opened, Failure> {
        let mut request = self.request(Method::POST, "blobs/uploads/");
        request
            .url
            .query_pairs_mut()
            .append_pair("mount", &blob.descriptor.digest.to_string())
            .append_pair("from", from.path());
        request.scope = Scope::mount(self.repository.path(), from.path());
        request.headers.push((CONTENT_LENGTH, HeaderValue::from_static("0")));
        let response = creation::write(&self.registry, self.creator.as_deref(), &request).await?;
        if response.status() == StatusCode::CREATED {
            return Ok(Opened::Mounted);
        }
        self.refused_to_mount(from, None);
        session_of(&self.registry, &response, &request).map(Opened::Session)
    }

    /// Tells once that mounting does not work here, and how it would.
    fn refused_to_mount(&self, from: &Repository, failure: Option<&Failure>) {
        if !self.registry.mounts.were_refused() {
            return;
        }
        let mut text = format!(
            "{} does not take layers over from {from}; they are copied",
            self.repository
        );
        let private = self.registry.transport.ecr().and_then(EcrHost::private);
        match (private, failure) {
            (None, _) => {}
            (Some(_), Some(failure)) if failure.error.kind() == Kind::Denied => {
                for hint in failure.error.hints() {
                    text = format!("{text}; {hint}");
                }
            }
            (Some(private), _) => {
                text = format!(
                    "{text}; between repositories with the same encryption it can be turned on: {}",
                    private.mounting_command()
                );
            }
        }
        self.registry.progress.on(&Event::Notice(&text));
    }

    async fn send(&self, blob: &Blob, mut session: Url) -> Result<(), Failure> {
        let descriptor = &blob.descriptor;
        session
            .query_pairs_mut()
            .append_pair("digest", &descriptor.digest.to_string());
        let request = Request {
            method: Method::PUT,
            url: session,
            headers: vec![
                (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
                (CONTENT_LENGTH, HeaderValue::from(descriptor.size)),
            ],
            body: None,
            scope: Scope::push(self.repository.path()),
        };
        let activity = Arc::new(Activity::default());
        // An error of the source ends the body, and with it the request: it is kept here to be told instead of that. The
        // source has made its own tries by then.
        let broken = Arc::new(Mutex::new(None));
        let body = self.body(blob, &activity, &broken).await?;
        let result = self.registry.transport.stream(&request, body, &activity).await;
        if let Some(error) = broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(Failure::lasting(error));
        }
        match result {
            Ok(_) => Ok(()),
            Err(mut failure) => {
                // The session is gone, or remembers something else: a new one is worth a try.
                failure.is_temporary |= matches!(failure.code.as_str(), "BLOB_UPLOAD_UNKNOWN" | "BLOB_UPLOAD_INVALID");
                // A new repository may not be known everywhere yet.
                failure.is_temporary |= failure.is_missing_repository()
                    && self.creator.as_ref().is_some_and(|creator| creator.has_created());
                Err(failure)
            }
        }
    }

    async fn body(
        &self,
        blob: &Blob,
        activity: &Arc<Activity>,
        broken: &Arc<Mutex<Option<ContentError>>>,
    ) -> Result<reqwest::Body, Failure> {
        let stream = blob.open().await.map_err(Failure::lasting)?;
        let digest = blob.descriptor.digest;
        let place = self.repository.to_string();
        let progress = Arc::clone(&self.registry.progress);
        let activity = Arc::clone(activity);
        let broken = Arc::clone(broken);
        let mut position = 0;
        let size = blob.descriptor.size;
        let asking = Arc::clone(&activity);
        let stream = futures_util::stream::unfold(stream, move |mut stream| {
            let asking = Arc::clone(&asking);
            async move {
                asking.asks_source();
                let piece = stream.next().await?;
                Some((piece, stream))
            }
        });
        let pieces = stream
            .map_ok(|bytes| futures_util::stream::iter(pieces(bytes).map(Ok)))
            .try_flatten()
            .map(move |piece| match piece {
                Ok(piece) => {
                    position += piece.len() as u64;
                    if position < size {
                        activity.moved()
                    } else {
                        activity.finished()
                    }
                    progress.on(&Event::BlobAdvanced {
                        place: &place,
                        digest: &digest,
                        position,
                    });
                    Ok(piece)
                }
                Err(error) => {
                    *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Err(std::io::Error::other("the source of the blob failed"))
                }
            });
        Ok(reqwest::Body::wrap_stream(pieces))
    }
}

/// Cuts without copying.
fn pieces(bytes: Bytes) -> impl Iterator<Item = Bytes> {
    (0..bytes.len())
        .step_by(PIECE)
        .map(move |start| bytes.slice(start..bytes.len().min(start + PIECE)))
}

/// Opens an upload session.
pub(super) async fn open(registry: &Registry, creator: Option<&Creator>, request: &Request) -> Result<Url, Failure> {
    let mut request = request.clone();
    request.headers.push((CONTENT_LENGTH, HeaderValue::from_static("0")));
    let response = creation::write(registry, creator, &request).await?;
    session_of(registry, &response, &request)
}

fn session_of(registry: &Registry, response: &reqwest::Response, request: &Request) -> Result<Url, Failure> {
    location(response, &request.url).ok_or_else(|| {
        Failure::lasting(ContentError::new(
            Kind::Other,
            format!("{} opens an upload without saying where to", registry.transport.host()),
        ))
    })
}
