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
use super::function::Answer;
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
            answered(shared, &asked, index).await?
        }
        // It is done, and nobody is told.
        Some(Action::CutAfter(_)) => {
            answered(shared, &asked, index).await?;
            return Err(io::Error::other("scripted loss of the answer"));
        }
        // It is done, and the answer never comes.
        Some(Action::StallAfter(_)) => {
            answered(shared, &asked, index).await?;
            std::future::pending().await
        }
        _ => answered(shared, &asked, index).await?,
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

/// The answer, once it is there.
async fn answered(shared: &Shared, asked: &Asked, index: usize) -> Result<Reply, io::Error> {
    let answer = shared.state().answer_or_wait(asked, index);
    match answer {
        Answer::Now(reply) => Ok(reply),
        Answer::Later(reply) => reply.await.map_err(io::Error::other),
    }
}

impl State {
    /// Answers what others may have to answer, and everything else.
    fn answer_or_wait(&mut self, asked: &Asked, index: usize) -> Answer {
        match asked.service() {
            "runtime" if self.allowed.contains(&asked.operation) => self.runtime(asked),
            "lambda" => match self.admit(asked, index) {
                Ok(_) => self.invoke(asked),
                Err(refusal) => Answer::Now(refusal),
            },
            _ => Answer::Now(self.answer(asked, index)),
        }
    }

    /// Answers a call, if it is allowed and made by somebody known.
    fn answer(&mut self, asked: &Asked, index: usize) -> Reply {
        match asked.operation.as_str() {
            "sts:AssumeRoleWithWebIdentity" if self.allowed.contains(&asked.operation) => {
                return self.assume_with_web_identity(asked);
            }
            "sso:GetRoleCredentials" if self.allowed.contains(&asked.operation) => return self.sso_credentials(asked),
            _ => {}
        }
        if matches!(asked.service(), "container" | "imds") && self.allowed.contains(&asked.operation) {
            return self.metadata(asked);
        }
        let signer = match self.admit(asked, index) {
            Ok(signer) => signer,
            Err(refusal) => return refusal,
        };
        match asked.service() {
            "sts" => self.sts(asked, &signer),
            "ecr" => self.ecr(asked, &signer),
            "ecs" => self.ecs(asked, &signer),
            "logs" => self.logs(asked, &signer),
            "dynamodb" => self.dynamodb(asked, &signer),
            "sns" => self.sns(asked),
            _ => self.ecr_public(asked),
        }
    }

    /// Lets a call in that somebody known makes who may make it.
    fn admit(&mut self, asked: &Asked, index: usize) -> Result<Signer, Reply> {
        let is_anybodys = self.allowed.contains(&asked.operation);
        if !is_anybodys && !self.rights.values().any(|rights| rights.contains(&asked.operation)) {
            let what = format!("{} {} {}: not allowed", asked.method, asked.path, asked.operation);
            self.violations.push(what);
            return Err(refusal(
                &asked.operation,
                400,
                "UnknownOperationException",
                "not allowed by the test",
            ));
        }
        let signer = self.identify(asked, index)?;
        let has_right = self
            .rights
            .get(&signer.arn)
            .is_some_and(|rights| rights.contains(&asked.operation));
        if !is_anybodys && !has_right {
            self.violations
                .push(format!("{} has no right to {}", signer.arn, asked.operation));
        }
        if self.denied.contains(&asked.operation) || (!is_anybodys && !has_right) {
            let resource = self.resource(asked, &signer);
            return Err(access_denied(&asked.operation, &signer.arn, &resource));
        }
        Ok(signer)
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
