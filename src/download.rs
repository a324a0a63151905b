//! Files by their address, for `ADD`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_DISPOSITION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};

use crate::content::{ContentError, Kind};
use crate::oci::{Digest, Hasher};
use crate::recipe::Stored;

/// How long connecting may take; a closed port that swallows packets would otherwise cost minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Redirects followed.
const MOST_REDIRECTS: usize = 10;

/// How a download is made.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// How often it is tried again.
    pub retries: u32,
    /// How long to wait before the first of them; each later wait is twice as long.
    pub first_wait: Duration,
    /// How long nothing may come.
    pub stall: Duration,
    /// Folder for temporary files.
    pub temporary: PathBuf,
}

/// A file that was fetched.
#[derive(Debug, Clone)]
pub struct File {
    /// What the server calls it, if it says.
    pub name: Option<String>,
    /// Its bytes.
    pub content: Stored,
    /// Their digest.
    pub digest: Digest,
}

/// Fetches what an address names.
///
/// # Errors
/// When the server says no, or cannot be reached after all retries.
pub async fn download(address: &str, conditions: &Conditions) -> Result<File, ContentError> {
    let shown = without_login(address);
    let what = || format!("cannot download {shown}");
    let client = Client::builder()
        .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::limited(MOST_REDIRECTS))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(conditions.stall)
        .build()
        .map_err(|error| ContentError::new(Kind::Other, what()).because(error.without_url()))?;
    let mut wait = conditions.first_wait;
    let mut left = conditions.retries;
    loop {
        match attempt(&client, address, &conditions.temporary).await {
            Ok(file) => return Ok(file),
            Err(failure) if failure.kind() == Kind::Temporary && left > 0 => {
                left -= 1;
                tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
                wait *= 2;
            }
            Err(failure) => return Err(failure.within(what())),
        }
    }
}

async fn attempt(client: &Client, address: &str, temporary: &Path) -> Result<File, ContentError> {
    let failed = |error: reqwest::Error| {
        let kind = if error.is_builder() {
            Kind::Usage
        } else {
            Kind::Temporary
        };
        ContentError::new(kind, "the server cannot be reached, or the connection broke").because(error.without_url())
    };
    let mut response = client.get(address).send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        let again = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            || response.headers().contains_key(RETRY_AFTER);
        let kind = match status {
            _ if again => Kind::Temporary,
            StatusCode::NOT_FOUND | StatusCode::GONE => Kind::NotFound,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Denied,
            _ => Kind::Other,
        };
        return Err(ContentError::new(kind, format!("the server answers {status}")));
    }
    let cannot_keep = |source| {
        ContentError::file(
            format!("cannot write a temporary file in {}", temporary.display()),
            source,
        )
        .hint("name a folder with enough room: --temp-dir DIR, or TMPDIR")
    };
    let name = name_of(&response);
    let expected = response.content_length();
    let mut file = tempfile::tempfile_in(temporary).map_err(cannot_keep)?;
    let mut hasher = Hasher::new();
    let mut size = 0;
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        hasher.update(&piece);
        size += piece.len() as u64;
        file.write_all(&piece).map_err(cannot_keep)?;
    }
    if expected.is_some_and(|expected| expected != size) {
        return Err(ContentError::new(Kind::Temporary, "the download ended early"));
    }
    Ok(File {
        name,
        content: Stored::Part {
            file: Arc::new(file),
            offset: 0,
            size,
        },
        digest: hasher.finish(),
    })
}

/// The name a server gives a file, without any folder.
fn name_of(response: &Response) -> Option<String> {
    let text = response.headers().get(CONTENT_DISPOSITION)?.to_str().ok()?;
    let value = text.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    let name = value.trim().trim_matches('"').rsplit(['/', '\\']).next()?;
    (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
}

/// An address without the user and password it may hold, and without its query, which may be a login too.
fn without_login(address: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(address) else {
        return "an address that is none".to_owned();
    };
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_not_shown() {
        assert_eq!(
            without_login("https://user:secret@a.b/c?token=secret#x"),
            "https://a.b/c"
        );
        assert!(!without_login("https://user:secret@").contains("secret"));
    }
}
