//! Requests to a token server (distribution token specification; OAuth 2 for identity tokens).

use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use serde::Deserialize;

use crate::credentials::{Credentials, Secret};

/// Lifetime of a token whose server does not tell one (token specification).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// A token is used no longer than this, whatever its server says: asking again costs one request an hour.
const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);

/// What is asked of a token server.
#[derive(Debug, Clone)]
pub(super) struct TokenRequest {
    /// Address of the token server.
    pub realm: String,
    /// Name of the registry there.
    pub service: String,
    /// What the token is to allow.
    pub scopes: Vec<String>,
    /// Who asks.
    pub credentials: Credentials,
}

/// What a token server gave.
#[derive(Debug)]
pub(super) struct Granted {
    /// The token.
    pub token: Secret,
    /// How long it is good for.
    pub lifetime: Duration,
}

impl Granted {
    /// Reads the answer; `None` when it holds no token.
    #[must_use]
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            token: Option<String>,
            #[serde(default)]
            access_token: Option<String>,
            #[serde(default)]
            expires_in: serde_json::Value,
        }
        let answer: Answer = serde_json::from_slice(body).ok()?;
        let token = [answer.token, answer.access_token]
            .into_iter()
            .flatten()
            .find(|token| !token.is_empty())?;
        Some(Self {
            token: Secret::new(token),
            lifetime: lifetime(&answer.expires_in).unwrap_or(DEFAULT_LIFETIME),
        })
    }
}

/// Seconds, as a number or a text: what makes no sense is as if it were not there.
fn lifetime(value: &serde_json::Value) -> Option<Duration> {
    let seconds = match value {
        serde_json::Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST_LIFETIME.as_secs_f64())))
}

/// A token, ready to be sent.
#[derive(Debug)]
pub(super) struct Token {
    /// The `Authorization` header.
    pub header: HeaderValue,
    /// When it is no longer used.
    pub expires: Instant,
}

impl Token {
    /// Whether it can still be used.
    #[must_use]
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.expires
    }

    /// Whether it is the one a request was refused with.
    #[must_use]
    pub(super) fn is_behind(&self, header: Option<&HeaderValue>) -> bool {
        header == Some(&self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_the_token_are_read() {
        let granted = Granted::parse(br#"{"token":"","access_token":"a","expires_in":300}"#).expect("token");
        assert_eq!(granted.token.expose(), "a");
        assert_eq!(granted.lifetime, Duration::from_secs(300));
        let granted = Granted::parse(br#"{"token":"b"}"#).expect("token");
        assert_eq!(granted.lifetime, DEFAULT_LIFETIME);
        for (text, seconds) in [
            ("18446744073709551615", 3600),
            ("-1", 60),
            ("\"90\"", 90),
            ("1.5e2", 150),
            ("null", 60),
        ] {
            let body = format!(r#"{{"token":"c","expires_in":{text}}}"#);
            let granted = Granted::parse(body.as_bytes()).expect(text);
            assert_eq!(granted.lifetime, Duration::from_secs(seconds), "{text}");
        }
        assert!(Granted::parse(b"{}").is_none());
        assert!(Granted::parse(b"<html>").is_none());
        assert!(!format!("{granted:?}").contains("\"b\""));
    }
}
