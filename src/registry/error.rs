//! What a registry's refusal means.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
mod advice;
mod reason;

pub(super) use advice::{Asked, Purpose, login_command, way_elsewhere};
use reason::{BODY_LIMIT, Reason};

use crate::content::{ContentError, Kind};

/// A request that failed, before it is put into words.
#[derive(Debug)]
pub(super) struct Failure {
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The first error code of the body (`NAME_UNKNOWN`), in upper case; empty if there is none.
    pub code: String,
    /// How long the registry asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the same request may work later.
    pub is_temporary: bool,
    /// Whether the login was refused and has been renewed since, so that the same request may work at once.
    pub is_login_renewed: bool,
    /// Whether no connection could be made at all.
    pub is_unreachable: bool,
    /// Whether the connection ended before there was an answer.
    pub is_broken: bool,
    /// The failure in words.
    pub error: ContentError,
}

impl Failure {
    /// Whether the registry has no such repository.
    #[must_use]
    pub(super) fn is_missing_repository(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND) && self.code == "NAME_UNKNOWN"
    }

    /// Whether the login was good once. Amazon ECR says so with 403 and in words only, of which two forms are known.
    #[must_use]
    pub(super) fn is_expired_login(&self) -> bool {
        self.status == Some(StatusCode::FORBIDDEN) && advice::is_expired(&self.error.to_string())
    }

    /// Wraps an error that no later try can mend.
    #[must_use]
    pub(super) fn lasting(error: ContentError) -> Self {
        Self {
            status: None,
            code: String::new(),
            retry_after: None,
            is_temporary: false,
            is_login_renewed: false,
            is_unreachable: false,
            is_broken: false,
            error,
        }
    }

    /// Wraps an error that a later try may mend.
    #[must_use]
    pub(super) fn temporary(error: ContentError) -> Self {
        Self {
            is_temporary: true,
            ..Self::lasting(error)
        }
    }

    /// Reads an answer that is a refusal. `secrets` are not repeated.
    pub(super) async fn of_response(asked: &Asked<'_>, response: reqwest::Response, secrets: &[String]) -> Self {
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = read_capped(response).await;
        Self::of_answer(asked, status, retry_after, &Reason::parse(&body, secrets))
    }

    /// The same, from the parts of the answer.
    #[must_use]
    fn of_answer(asked: &Asked<'_>, status: StatusCode, retry_after: Option<Duration>, reason: &Reason) -> Self {
        let mut text = format!("{} answered {status}", asked.host);
        if !reason.message.is_empty() {
            text = format!("{text}: {}", reason.message);
        }
        let is_temporary = matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504);
        let error = ContentError::new(kind(asked.purpose, status, &reason.code), text);
        let error = asked.hints(status, reason).into_iter().fold(error, ContentError::hint);
        Self {
            status: Some(status),
            code: reason.code.clone(),
            retry_after,
            is_temporary,
            is_login_renewed: false,
            is_unreachable: false,
            is_broken: false,
            error,
        }
    }

    /// Reads the failure of a request that got no answer. The address is left out: it may hold a signature.
    #[must_use]
    pub(super) fn of_transport(host: &str, error: reqwest::Error) -> Self {
        let is_connect = error.is_connect();
        let tls = tls(&error).map(ToString::to_string);
        let error = error.without_url();
        let what = if is_connect && tls.is_some() {
            format!("cannot make a TLS connection to {host}")
        } else if is_connect {
            format!("cannot connect to {host}")
        } else {
            format!("the connection to {host} broke")
        };
        let cause = innermost(&error);
        // Once the connection stands, a failure of TLS is a failure of the network.
        if let Some(text) = tls.filter(|_| is_connect) {
            let mut failure = ContentError::new(Kind::Other, what).because(text.clone());
            if text.contains("certificate") {
                failure = failure.hint(format!(
                    "name the authority that signed the registry's certificate: --registry-certificate {host}=FILE, or ca_file in shipway.toml"
                ));
            } else {
                failure = failure.hint(format!(
                    "if {host} speaks plain HTTP: --plain-http {host}, or plain_http = true in shipway.toml"
                ));
            }
            return Self::lasting(failure);
        }
        let mut failure = Self::temporary(ContentError::new(Kind::Temporary, what).because(cause));
        failure.is_unreachable = is_connect;
        failure.is_broken = !is_connect;
        failure
    }
}

/// Whether a server showed a certificate, which was not believed.
pub(super) fn is_certificate(error: &reqwest::Error) -> bool {
    matches!(tls(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// Finds the failure of a TLS handshake in a chain of causes. An I/O error hides what it wraps from the chain.
fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        let wrapped = current
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut current = error;
    while let Some(cause) = current.source() {
        current = cause;
    }
    current.to_string()
}

/// Whether a code says that a tag exists and is to stay. Registries that do not move tags say so, whatever the status; one
/// says it too of a text that is no tag at all.
pub(super) fn is_tag_taken(code: &str) -> bool {
    matches!(code, "TAG_INVALID" | "IMAGETAGALREADYEXISTSEXCEPTION")
}

fn kind(purpose: Purpose, status: StatusCode, code: &str) -> Kind {
    match status.as_u16() {
        400..=499 if is_tag_taken(code) => Kind::Refused,
        // Where something is read, the same words only say that it is not there.
        400 | 404 if purpose == Purpose::PutManifest && matches!(code, "MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN") => {
            Kind::Incomplete
        }
        401 | 403 => Kind::Denied,
        404 => Kind::NotFound,
        400 | 409 | 412 if matches!(code, "DENIED" | "PRECONDITION") => Kind::Refused,
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Kind::Temporary,
        _ => Kind::Other,
    }
}

/// `Retry-After`: seconds or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    // A date is measured against the same answer's own clock, which is the one that counts.
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(headers.get(reqwest::header::DATE)?.to_str().ok()?).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

/// Reads the beginning of a body, whatever its length says.
async fn read_capped(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < BODY_LIMIT {
        let piece = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await;
        match piece {
            Ok(Ok(Some(piece))) => body.extend_from_slice(&piece),
            _ => break,
        }
    }
    body.truncate(BODY_LIMIT);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Failure {
        let status = StatusCode::from_u16(status).expect("status");
        Failure::of_answer(&Asked::of("a.b"), status, None, &Reason::parse(body.as_bytes(), &[]))
    }

    #[test]
    fn the_code_decides_and_the_message_is_shown() {
        let failure = answer(
            404,
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such\nrepository"}]}"#,
        );
        assert_eq!(failure.code, "NAME_UNKNOWN");
        assert_eq!(failure.error.kind(), Kind::NotFound);
        assert_eq!(
            failure.error.to_string(),
            "a.b answered 404 Not Found: no such repository (NAME_UNKNOWN)"
        );
        assert_eq!(failure.error.hints().len(), 1);
    }

    #[test]
    fn a_page_or_a_flood_is_cut() {
        assert_eq!(
            answer(502, "<html>\u{1b}[2J</html>").error.to_string(),
            "a.b answered 502 Bad Gateway"
        );
        assert!(answer(500, &"x".repeat(5000)).error.to_string().len() < 400);
        assert!(!answer(500, "\u{1b}[2J").error.to_string().contains('\u{1b}'));
    }

    #[test]
    fn only_what_may_work_later_is_temporary() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(answer(status, "").is_temporary, "{status}");
            assert_eq!(answer(status, "").error.kind(), Kind::Temporary);
        }
        for status in [400, 401, 403, 404, 405, 413, 416, 501] {
            assert!(!answer(status, "").is_temporary, "{status}");
        }
    }

    #[test]
    fn waiting_times_come_in_two_forms() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().expect("value"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:40 GMT".parse().expect("value"));
        assert_eq!(retry_after(&headers), None);
        headers.insert("date", "Sun, 06 Nov 1994 08:49:37 GMT".parse().expect("value"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
    }
}
