//! The fake registry's connections: TLS, recording, scripted faults, and then the protocol.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::content::{Content, Mishap, Served, digest_text};
use super::fault::Action;
use super::query::Query;
use super::record::{Host, Recorded};
use super::routes::{Received, Reply, Route, header};

/// Bodies beyond this size are hashed and thrown away by a registry that discards.
const KEPT_BYTES: u64 = 4 << 20;

/// Accepts connections for ever.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>, storage: bool, tls: Option<TlsAcceptor>) {
    while let Ok((stream, peer)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let tls = tls.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            match tls {
                None => serve(stream, shared, storage, peer, false).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        serve(stream, shared, storage, peer, http2).await;
                    }
                }
            }
        });
    }
}

async fn serve<S>(stream: S, shared: Arc<Shared>, storage: bool, peer: SocketAddr, http2: bool)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Exchange::new(shared, storage, peer, &request).run(request).await }
    });
    let io = TokioIo::new(stream);
    // An error here is a connection that a fault broke, or that the peer closed.
    let _ = if http2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await
    } else {
        hyper::server::conn::http1::Builder::new()
            .serve_connection(io, service)
            .await
    };
}

/// One request on its way to its answer.
struct Exchange {
    shared: Arc<Shared>,
    host: Host,
    index: usize,
    method: String,
    path: String,
    query: Query,
    sent: Arc<AtomicU64>,
}

impl Exchange {
    /// Records the request's arrival.
    fn new(shared: Arc<Shared>, storage: bool, peer: SocketAddr, request: &Request<Incoming>) -> Self {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let headers = request.headers();
        let host = match (storage, path.as_str()) {
            (true, _) => Host::Storage,
            (false, "/token") => Host::Token,
            (false, _) => Host::Registry,
        };
        let authority = request.uri().authority().map(ToString::to_string);
        let sent = Arc::new(AtomicU64::new(0));
        let recorded = Recorded {
            host,
            method: request.method().to_string(),
            path: path.clone(),
            query: query.clone(),
            authority: authority.or_else(|| header(headers, "host")).unwrap_or_default(),
            authorization: header(headers, "authorization"),
            accept: header(headers, "accept").unwrap_or_default(),
            user_agent: header(headers, "user-agent").unwrap_or_default(),
            http2: request.version() == Version::HTTP_2,
            connection: peer.port(),
            round: 0,
            status: 0,
            bytes_in: 0,
            bytes_out: Arc::clone(&sent),
        };
        let index = {
            let mut log = shared.log.lock().unwrap();
            log.push(recorded);
            log.len() - 1
        };
        Self {
            host,
            index,
            method: request.method().to_string(),
            query: Query::parse(&query),
            path,
            sent,
            shared,
        }
    }

    async fn run(self, request: Request<Incoming>) -> Result<Response<Served>, io::Error> {
        if let Some(rounds) = &self.shared.rounds {
            let round = rounds.wait().await;
            self.note(|recorded| recorded.round = round);
        }
        let target = match request.uri().query() {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        };
        let action = self.shared.strike(&self.method, &target);
        self.mark_session(&request, action.as_ref());
        let mut mishap = Mishap::default();
        let mut lie = false;
        let mut reset_after = None;
        let mut scripted = None;
        match action {
            None => {}
            Some(Action::Delay(time)) => tokio::time::sleep(time).await,
            Some(Action::Stall) => std::future::pending().await,
            Some(Action::Drop) => return Err(io::Error::other("scripted drop")),
            Some(Action::ResetAfter(limit)) => reset_after = Some(limit),
            Some(Action::CutAfter(limit)) => mishap.cut_after = Some(limit),
            Some(Action::StallAfter(limit)) => mishap.stall_after = Some(limit),
            Some(Action::Lie) => lie = true,
            Some(Action::Huge(size)) => scripted = Some(huge(size)),
            Some(Action::Respond { status, headers, body }) => {
                let mut reply = Reply::new(status, Content::Bytes(body.into()));
                reply.headers = headers;
                scripted = Some(reply);
            }
        }
        let (head, body) = request.into_parts();
        let length = header(&head.headers, "content-length");
        if self.method == "PUT" && length.is_none() && self.host == Host::Registry {
            self.shared.violation("a PUT came without Content-Length");
        }
        let (body, digest) = self.receive(body, reset_after).await?;
        let mut reply = match scripted {
            Some(reply) => reply,
            None => {
                let received = Received {
                    method: &self.method,
                    path: &self.path,
                    query: &self.query,
                    headers: &head.headers,
                    body,
                    digest,
                };
                self.dispatch(&received)
            }
        };
        if lie {
            reply.content = falsified(&reply.content);
        }
        if reset_after.is_some() {
            // The body was shorter than the limit: break the connection before the answer instead.
            return Err(io::Error::other("scripted reset"));
        }
        Ok(self.send(reply, mishap))
    }

    /// Looks for a second attempt on an upload session that bytes were sent to already.
    fn mark_session(&self, request: &Request<Incoming>, action: Option<&Action>) {
        let Some(Route::Session(repository, session)) = Route::parse(&self.path) else {
            return;
        };
        if self.method != "PUT" || self.shared.admit("PUT", repository, request.headers()).is_err() {
            return;
        }
        let breaks = match action {
            Some(Action::Respond { status, .. }) => *status >= 500,
            Some(action) => matches!(action, Action::Drop | Action::Stall | Action::ResetAfter(_)),
            None => false,
        };
        let mut store = self.shared.store();
        let Some(upload) = store.uploads.get_mut(session) else {
            return;
        };
        let used = upload.used;
        upload.used |= breaks;
        drop(store);
        if used {
            self.shared
                .violation("bytes were sent again to an upload session that broke");
        }
    }

    /// Reads the body; an error breaks the connection.
    async fn receive(&self, mut body: Incoming, reset_after: Option<u64>) -> Result<(Content, String), io::Error> {
        let mut hash = Sha256::new();
        let mut kept = BytesMut::new();
        let mut size = 0;
        let discards = self.shared.options.discards;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(io::Error::other)?.into_data() else {
                continue;
            };
            size += data.len() as u64;
            self.note(|recorded| recorded.bytes_in = size);
            if reset_after.is_some_and(|limit| size >= limit) {
                return Err(io::Error::other("scripted reset"));
            }
            hash.update(&data);
            if !discards || size <= KEPT_BYTES {
                kept.extend_from_slice(&data);
            } else {
                kept = BytesMut::new();
            }
        }
        let content = if discards && size > KEPT_BYTES {
            Content::Forgotten { size }
        } else {
            Content::Bytes(kept.freeze())
        };
        Ok((content, digest_text(&hash.finalize())))
    }

    fn dispatch(&self, received: &Received<'_>) -> Reply {
        let authorization = header(received.headers, "authorization");
        match self.host {
            Host::Registry => self.shared.answer(received),
            Host::Token => {
                let form = received.body.bytes().map(|bytes| String::from_utf8_lossy(bytes));
                let form = Query::parse(&form.unwrap_or_default());
                self.shared.tokens.lock().unwrap().grant(
                    self.shared.options.authentication,
                    received.method,
                    received.query,
                    &form,
                    authorization.as_deref(),
                )
            }
            Host::Storage => {
                if authorization.is_some() {
                    self.shared
                        .violation("Authorization was sent to the storage host of a redirect");
                    return Reply::text(400, "Only one auth mechanism allowed");
                }
                let digest = received.path.trim_start_matches("/storage/");
                let signed = received.query.get("X-Amz-Signature") == Some("abc/def");
                match self.shared.store().any_blob(digest).filter(|_| signed) {
                    Some(content) => Reply::new(200, content),
                    None => Reply::text(404, "NoSuchKey"),
                }
            }
        }
    }

    fn send(&self, reply: Reply, mishap: Mishap) -> Response<Served> {
        self.note(|recorded| recorded.status = reply.status);
        let mut response = Response::builder().status(reply.status);
        let has_length = reply.headers.iter().any(|(name, _)| name == "content-length");
        for (name, value) in &reply.headers {
            response = response.header(name, value);
        }
        let content = if self.method == "HEAD" {
            if !has_length {
                response = response.header("content-length", reply.content.size());
            }
            Content::Bytes(Bytes::new())
        } else {
            reply.content
        };
        response
            .body(Served::new(content, mishap, Arc::clone(&self.sent)))
            .unwrap()
    }

    fn note(&self, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.shared.log.lock().unwrap()[self.index]);
    }
}

fn huge(size: u64) -> Reply {
    let block = Bytes::from(vec![b' '; 1 << 20]);
    Reply::new(200, Content::Repeated { block, size }).header("content-type", "application/vnd.oci.image.index.v1+json")
}

/// The same content with one byte in the middle changed.
fn falsified(content: &Content) -> Content {
    let mut bytes = content.bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    Content::Bytes(bytes.into())
}

/// Opens a listener on a free loopback port.
pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Waits until a listener answers, so that a test cannot be faster than its registry.
pub(crate) async fn answers(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
