//! The request for a build.
//!
//! The client reads a builder's answer as one kind of lines, and BuildKit answers with another. Its call that hands an
//! answer on as it comes sends a request without a body; the body and the address are put in on the way.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bollard::{BollardRequest, Docker, body_try_stream};
use bytes::Bytes;
use futures_util::Stream;

/// The part of an address behind the question mark.
#[derive(Debug, Default)]
pub(super) struct Query(String);

impl Query {
    pub(super) fn add(&mut self, name: &str, value: &str) {
        use std::fmt::Write as _;
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
    }
}

/// A client whose next request is the build.
pub(super) fn build(
    client: Docker,
    prefix: &str,
    query: &Query,
    body: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
) -> Docker {
    let target = format!("{prefix}/build?{}", query.0);
    let body = Mutex::new(Some(body_try_stream(body)));
    client.with_request_modifier(move |request| {
        let (mut parts, empty) = request.into_parts();
        if let (Some(scheme), Some(authority)) = (parts.uri.scheme_str(), parts.uri.authority())
            && let Ok(address) = format!("{scheme}://{authority}{target}").parse()
        {
            parts.uri = address;
        }
        if let Ok(method) = "POST".parse() {
            parts.method = method;
        }
        if let Ok(kind) = "application/x-tar".parse() {
            parts.headers.insert("content-type", kind);
        }
        let body = body.lock().unwrap_or_else(PoisonError::into_inner).take();
        BollardRequest::from_parts(parts, body.unwrap_or(empty))
    })
}

/// Sends the request; the answer as it comes.
pub(super) fn answers(client: &Docker) -> impl Stream<Item = Result<Bytes, bollard::errors::Error>> {
    client.export_image("build")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_what_they_hold() {
        let mut query = Query::default();
        query.add("a", "x y&z=1");
        query.add("b", "{\"ä\":1}");
        assert_eq!(query.0, "a=x%20y%26z%3D1&b=%7B%22%C3%A4%22%3A1%7D");
    }
}
