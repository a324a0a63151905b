//! The connections of the fake: recording, scripted faults, and then the services.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::super::registry::{Action, Content, Mishap, Reply, Served};
use super::call::{Asked, Call};
use super::error::{access_denied, refusal};
use super::signature::Signer;
use super::{Shared, State};

/// Accepts connections for ever.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { exchange(&shared, request).await }
            });
            // An error here is a connection that a fault broke, or that the peer closed.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn exchange(shared: &Shared, request: Request<Incoming>) -> Result<Response<Served>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = Asked::new(
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        head.headers,
        body.to_vec(),
    );
    let (index, action) = {
        let mut state = shared.state();
        state.calls.push(Call {
            operation: asked.operation.clone(),
            region: String::new(),
            caller: String::new(),
            input: asked.input.clone(),
            status: 0,
        });
        let action = state
            .faults
            .iter()
            .find_map(|fault| fault.strike("AWS", &asked.operation));
        (state.calls.len() - 1, action)
    };
    let reply = match action {
        Some(Action::Stall) => std::future::pending().await,
        Some(Action::Drop) => return Err(io::Error::other("scripted drop")),
        Some(Action::Respond { status, headers, body }) => {
            let mut reply = Reply::new(status, Content::Bytes(body.into()));
            reply.headers = headers;
            if asked.header("authorization").is_some() {
                shared.state().identify(&asked, index).ok();
            }
            reply
        }
        Some(Action::Delay(time)) => {
            tokio::time::sleep(time).await;
            shared.state().answer(&asked, index)
        }
        _ => shared.state().answer(&asked, index),
    };
    let now = {
        let mut state = shared.state();
        if let Some(call) = state.calls.get_mut(index) {
            call.status = reply.status;
        }
        state.now()
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if !reply.headers.iter().any(|(name, _)| name == "date") {
        let now = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response = response.header("date", now);
    }
    let sent = Arc::new(AtomicU64::new(0));
    Ok(response
        .body(Served::new(reply.content, Mishap::default(), sent))
        .unwrap())
}

impl State {
    /// Answers a call, if it is allowed and made by somebody known.
    fn answer(&mut self, asked: &Asked, index: usize) -> Reply {
        if !self.allowed.contains(&asked.operation) {
            let what = format!("{} {} {}: not allowed", asked.method, asked.path, asked.operation);
            self.violations.push(what);
            return refusal(
                &asked.operation,
                400,
                "UnknownOperationException",
                "not allowed by the test",
            );
        }
        match asked.operation.as_str() {
            "sts:AssumeRoleWithWebIdentity" => return self.assume_with_web_identity(asked),
            "sso:GetRoleCredentials" => return self.sso_credentials(asked),
            _ => {}
        }
        if matches!(asked.service(), "container" | "imds") {
            return self.metadata(asked);
        }
        let signer = match self.identify(asked, index) {
            Ok(signer) => signer,
            Err(refusal) => return refusal,
        };
        if self.denied.contains(&asked.operation) {
            let resource = self.resource(asked, &signer);
            return access_denied(&asked.operation, &signer.arn, &resource);
        }
        match asked.service() {
            "sts" => self.sts(asked, &signer),
            "ecr" => self.ecr(asked, &signer),
            _ => self.ecr_public(asked),
        }
    }

    /// Finds out who makes a call, and remembers it.
    fn identify(&mut self, asked: &Asked, index: usize) -> Result<Signer, Reply> {
        let signer = self.signer(asked)?;
        if let Some(call) = self.calls.get_mut(index) {
            call.region.clone_from(&signer.region);
            call.caller.clone_from(&signer.arn);
        }
        Ok(signer)
    }
}
