//! One repository on one registry, as a place to read from and to write to (OCI distribution specification 1.1).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response, Url};

use crate::content::{BlobStream, Cache, ContentError, Kind, MANIFEST_LIMIT, Result, Selector, Source, verify};
use crate::oci::{Descriptor, Digest, Manifest, Repository, Tag, media_type};
use crate::progress::Progress;

mod assistance;
mod auth;
mod challenge;
mod connection;
mod creation;
mod download;
mod endpoint;
mod error;
mod mirror;
mod mount;
mod pace;
mod presence;
mod referrers;
mod retry;
mod scheme;
mod target;
mod token;
mod token_server;
mod transport;
mod upload;

pub use assistance::{Assistance, Caller, Creation, FoundLogin, Login, PullThrough};
pub use connection::speaks_tls;
pub use endpoint::{RegistrySettings, is_loopback};
pub use mirror::Mirrored;
pub use retry::Patience;
pub use target::RepositoryTarget;

use download::Download;
use error::Failure;
use mount::Mounts;
use retry::Retry;
use scheme::Scope;
use transport::{Request, Transport};

/// The answer's header that states a manifest's digest.
const DIGEST_HEADER: &str = "docker-content-digest";

/// A registry: its connections, its login, and what was learnt of it during the run.
#[derive(Debug)]
pub struct Registry {
    transport: Transport,
    cache: Cache,
    progress: Arc<dyn Progress>,
    mounts: Mounts,
}

impl Registry {
    /// Prepares to talk to `host`; nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the settings make no sense.
    pub fn new(
        host: &str,
        settings: &RegistrySettings,
        assistance: Assistance,
        cache: Cache,
        patience: Patience,
        progress: Arc<dyn Progress>,
    ) -> Result<Arc<Self>> {
        let transport = Transport::new(
            host,
            settings,
            &assistance,
            cache.clone(),
            patience,
            Arc::clone(&progress),
        )?;
        Ok(Arc::new(Self {
            transport,
            cache,
            progress,
            mounts: Mounts::new(assistance.pull_through),
        }))
    }

    fn url(&self, path: &str) -> Url {
        self.transport.endpoint().url(path)
    }
}

/// A repository to read from.
#[derive(Debug, Clone)]
pub struct RepositorySource {
    registry: Arc<Registry>,
    repository: Repository,
    path: String,
}

impl RepositorySource {
    /// Reads `repository` at `registry`.
    #[must_use]
    pub fn new(registry: Arc<Registry>, repository: Repository) -> Self {
        Self {
            path: repository.path().to_owned(),
            registry,
            repository,
        }
    }

    /// Reads what `repository` holds from the path `path` of another registry, its mirror.
    #[must_use]
    pub fn mirror(registry: Arc<Registry>, repository: Repository, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            registry,
            repository,
        }
    }

    fn request(&self, method: Method, path: &str) -> Request {
        Request {
            method,
            url: self.registry.url(&format!("{}/{path}", self.path)),
            headers: Vec::new(),
            body: None,
            scope: Scope::pull(&self.path),
        }
    }

    async fn body(&self, mut response: Response, limit: u64) -> std::result::Result<Bytes, Failure> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.registry.transport.piece(&mut response).await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                return Err(Failure::lasting(
                    ContentError::new(Kind::Invalid, "the answer is too long")
                        .because(format!("a manifest has at most {limit} bytes")),
                ));
            }
        }
        Ok(bytes.freeze())
    }

    /// Reads a manifest.
    async fn manifest(&self, reference: &str) -> std::result::Result<(Bytes, String, Option<Digest>), Failure> {
        let mut request = self.request(Method::GET, &format!("manifests/{reference}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::ACCEPT_ALL_MANIFESTS)));
        let (_, headers, bytes) = self.read(&request, MANIFEST_LIMIT, |_| false).await?;
        let media_type = header(&headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        Ok((
            bytes,
            media_type,
            header(&headers, DIGEST_HEADER).and_then(|digest| digest.parse().ok()),
        ))
    }

    /// Reads an answer of at most `limit` bytes, again from the start when the connection breaks in its middle.
    async fn read(
        &self,
        request: &Request,
        limit: u64,
        accepts: fn(u16) -> bool,
    ) -> std::result::Result<(u16, HeaderMap, Bytes), Failure> {
        let mut retry = Retry::new();
        loop {
            let response = self.registry.transport.send(request, accepts).await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            match self.body(response, limit).await {
                Ok(bytes) => return Ok((status, headers, bytes)),
                Err(failure) => retry.wait(&self.registry.transport, "the manifest", failure).await?,
            }
        }
    }
}

#[async_trait]
impl Source for RepositorySource {
    fn place(&self) -> String {
        if self.path == self.repository.path() && self.registry.transport.host() == self.repository.registry() {
            self.repository.to_string()
        } else {
            format!(
                "{}/{} (mirror of {})",
                self.registry.transport.host(),
                self.path,
                self.repository
            )
        }
    }

    async fn resolve(&self, selector: &Selector) -> Result<Manifest> {
        let reference = match selector {
            Selector::Only => "latest".to_owned(),
            other => other.to_string(),
        };
        let within = || match selector {
            Selector::Digest(digest) => format!("cannot read {}@{digest}", self.place()),
            _ => format!("cannot read {}:{reference}", self.place()),
        };
        let (bytes, media_type, stated) = self
            .manifest(&reference)
            .await
            .map_err(|failure| failure.error.within(within()))?;
        let wanted = match selector {
            Selector::Digest(digest) => Some(*digest),
            _ => stated,
        };
        if wanted.is_some_and(|digest| digest != Digest::of(&bytes)) {
            return Err(ContentError::new(Kind::Invalid, within())
                .because(format!("the digest of what was sent is {}", Digest::of(&bytes))));
        }
        Manifest::parse(bytes, &media_type).map_err(|error| ContentError::new(Kind::Invalid, within()).because(error))
    }

    async fn peek(&self, tag: &Tag) -> Result<Option<Digest>> {
        let mut request = self.request(Method::HEAD, &format!("manifests/{tag}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::ACCEPT_MANIFESTS)));
        match self.registry.transport.send(&request, |_| false).await {
            Ok(response) => Ok(digest_header(&response)),
            // The refusal of a HEAD has no words; whoever wants them reads the manifest.
            Err(failure) if failure.error.kind() == Kind::Temporary => Err(failure
                .error
                .within(format!("cannot look up {tag} in {}", self.place()))),
            Err(_) => Ok(None),
        }
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        let request = self.request(Method::GET, &format!("blobs/{}", blob.digest));
        let what = format!("cannot read {} from {}", blob.digest, self.place());
        let download = Download::start(Arc::clone(&self.registry), request, blob.size)
            .await
            .map_err(|failure| failure.error.within(what.clone()))?;
        let pieces = futures_util::stream::unfold(Some(download), move |state| {
            let what = what.clone();
            async move {
                let mut download = state?;
                match download.piece().await {
                    Ok(Some(piece)) => Some((Ok(piece), Some(download))),
                    Ok(None) => None,
                    Err(failure) => Some((Err(failure.error.within(what)), None)),
                }
            }
        });
        Ok(verify::verified(Box::pin(pieces), blob, &self.place()))
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        self.list_referrers(subject).await
    }

    fn repository(&self) -> Option<&Repository> {
        Some(&self.repository)
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn digest_header(response: &Response) -> Option<Digest> {
    header(response.headers(), DIGEST_HEADER)?.parse().ok()
}
