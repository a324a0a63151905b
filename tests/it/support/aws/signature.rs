//! Signature version 4, checked as AWS checks it: shape, scope, clock, key and the signature itself.

use sha2::{Digest as _, Sha256};

use super::super::registry::Reply;
use super::State;
use super::call::Asked;
use super::error::refusal;

/// AWS takes signatures of up to five minutes ago or ahead.
const TOLERANCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Who signed a call, and for which region.
pub(super) struct Signer {
    /// The ARN.
    pub(super) arn: String,
    /// The account of the ARN.
    pub(super) account: String,
    /// The region of the credential scope.
    pub(super) region: String,
}

/// The parts of an `Authorization` header.
struct Signature<'a> {
    access_key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Signature<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let mut parts = rest.split(", ");
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let mut scope = part("Credential")?.split('/');
        let signed_headers = part("SignedHeaders")?;
        let signature = part("Signature")?;
        let parsed = Self {
            access_key: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            signed_headers,
            signature,
        };
        let is_hexadecimal = signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ends = scope.next() == Some("aws4_request") && scope.next().is_none();
        (ends && is_hexadecimal).then_some(parsed)
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// What the signature is to be, made with the secret key.
    fn expected(&self, asked: &Asked, time: &str, secret: &str) -> String {
        let mut query: Vec<_> = asked.raw_query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        let mut canonical = format!("{}\n{}\n{}\n", asked.method, encoded(&asked.path), query.join("&"));
        for name in self.signed_headers.split(';') {
            let value = asked.header(name).unwrap_or_default();
            let words: Vec<_> = value.split(' ').filter(|word| !word.is_empty()).collect();
            canonical.push_str(&format!("{name}:{}\n", words.join(" ")));
        }
        canonical.push_str(&format!(
            "\n{}\n{}",
            self.signed_headers,
            hex(&Sha256::digest(&asked.body))
        ));
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{}\n{}",
            self.scope(),
            hex(&Sha256::digest(canonical))
        );
        let words = [self.date, self.region, self.service, "aws4_request", &text];
        let key = format!("AWS4{secret}").into_bytes();
        hex(&words.iter().fold(key, |key, word| hmac(&key, word.as_bytes())))
    }
}

impl State {
    /// Finds out who signed a call, or gives the answer that refuses it.
    pub(super) fn signer(&mut self, asked: &Asked) -> Result<Signer, Reply> {
        let is_sts = asked.service() == "sts";
        let refuse = |code: &str, sts_code: &str, message: &str| match is_sts {
            true => refusal(&asked.operation, 403, sts_code, message),
            false => refusal(&asked.operation, 400, code, message),
        };
        let header = asked.header("authorization").unwrap_or_default();
        let Some(signature) = Signature::parse(&header) else {
            self.violations
                .push(format!("{}: not signed: {header:?}", asked.operation));
            return Err(refuse(
                "MissingAuthenticationTokenException",
                "MissingAuthenticationToken",
                "Missing Authentication Token",
            ));
        };
        let time = asked.header("x-amz-date").unwrap_or_default();
        let names: Vec<_> = signature.signed_headers.split(';').collect();
        let is_complete = ["host", "x-amz-date"].iter().all(|name| names.contains(name));
        if signature.service != asked.service() || !time.starts_with(signature.date) || !is_complete {
            self.violations.push(format!("{}: signed as {header}", asked.operation));
        }
        let invalid = "The security token included in the request is invalid.";
        let invalid = || refuse("UnrecognizedClientException", "InvalidClientTokenId", invalid);
        let key = self.identities.key(signature.access_key).ok_or_else(invalid)?;
        if key.session_token != asked.header("x-amz-security-token") {
            return Err(invalid());
        }
        if self.identities.is_expired(&key.access_key) {
            let message = "The security token included in the request is expired";
            return Err(refuse("ExpiredTokenException", "ExpiredToken", message));
        }
        if let Some(message) = self.complains_of_time(&time) {
            return Err(refuse("InvalidSignatureException", "SignatureDoesNotMatch", &message));
        }
        if signature.expected(asked, &time, &key.secret_key) != signature.signature {
            let message = "The request signature we calculated does not match the signature you provided. Check your \
                           AWS Secret Access Key and signing method.";
            return Err(refuse("InvalidSignatureException", "SignatureDoesNotMatch", message));
        }
        Ok(Signer {
            arn: key.arn.clone(),
            account: key.account().to_owned(),
            region: signature.region.to_owned(),
        })
    }

    fn complains_of_time(&self, time: &str) -> Option<String> {
        let form = "%Y%m%dT%H%M%SZ";
        let write = |time: jiff::Timestamp| time.strftime(form).to_string();
        let now = self.now();
        // Time passes faster here when tasks are looked at, which no clock of ours knows.
        let earliest = now - jiff::SignedDuration::from_secs(self.passed_seconds) - TOLERANCE;
        let Ok(signed) = jiff::civil::DateTime::strptime(form, time).map(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
        else {
            return Some(format!("Date must be in ISO-8601 'basic format'. Got '{time}'."));
        };
        let signed = signed.ok()?.timestamp();
        if signed < earliest {
            let limit = write(earliest);
            return Some(format!(
                "Signature expired: {time} is now earlier than {limit} ({} - 5 min.)",
                write(now)
            ));
        }
        (signed > now + TOLERANCE).then(|| {
            let limit = write(now + TOLERANCE);
            format!(
                "Signature not yet current: {time} is still later than {limit} ({} + 5 min.)",
                write(now)
            )
        })
    }
}

/// A path as it is signed: encoded once more.
fn encoded(path: &str) -> String {
    let character = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(character).collect()
}

/// HMAC with SHA-256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(text)
        .finalize();
    let outer = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner);
    outer.finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
