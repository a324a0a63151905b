//! A server of the tests' own, on a free port.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What is answered, which may come from another server.
pub(crate) type Body = UnsyncBoxBody<Bytes, reqwest::Error>;

/// A server that runs until it is dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Ends it when dropped.
    _runtime: Runtime,
}

impl Server {
    /// Starts one that answers so.
    pub(crate) fn start<Answer, Answered>(answer: Answer) -> Self
    where
        Answer: Fn(Request<Incoming>) -> Answered + Send + Sync + 'static,
        Answered: Future<Output = Response<Body>> + Send,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread can be started");
        let listener = runtime
            .block_on(TcpListener::bind(("127.0.0.1", 0)))
            .expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let answer = Arc::new(answer);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let answered = answer(request);
                        async move { Ok::<_, Infallible>(answered.await) }
                    });
                    let connection = hyper::server::conn::http1::Builder::new();
                    // A client that goes away is no failure of the server.
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            address,
            _runtime: runtime,
        }
    }
}

/// A client for what lies behind a server.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client needs nothing")
}

/// An answer in JSON.
pub(crate) fn json_answer(status: StatusCode, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never: Infallible| match never {});
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .body(body.boxed_unsync())
        .expect("the headers are valid")
}
