//! The file Docker keeps credentials in, which Podman has taken over.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use super::host::{self, Key};
use super::{Credentials, CredentialsError, Secret};

/// Largest file that is read: hundreds of logins fit, and a mistaken path to something huge does no harm.
const FILE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// Base64 as `docker login` and people with `base64 -w0` write it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a credentials file says, as far as it concerns us.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    #[serde(default, deserialize_with = "null_is_empty")]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(default, deserialize_with = "null_is_empty")]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

/// One login.
#[derive(Debug, Default, Deserialize)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

impl Content {
    /// Reads a file; none if it is not there.
    pub(super) async fn read(path: &Path) -> Result<Option<Self>, CredentialsError> {
        let bytes = match read_limited(path).await {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => {
                return Err(CredentialsError::Unreadable {
                    file: path.to_owned(),
                    source,
                });
            }
        };
        if bytes.len() as u64 > FILE_LIMIT_BYTES {
            return Err(CredentialsError::TooLarge {
                file: path.to_owned(),
                limit_bytes: FILE_LIMIT_BYTES,
            });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        if bytes.trim_ascii().is_empty() {
            // Podman and `docker logout` leave empty files behind.
            return Ok(Some(Self::default()));
        }
        let content = serde_json::from_slice(bytes).map_err(|error| CredentialsError::Malformed {
            file: path.to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        Ok(Some(content))
    }

    /// The name of the helper for a registry: its own, else the one for all.
    pub(super) fn helper(&self, canonical_host: &str) -> Option<&str> {
        let own = self
            .cred_helpers
            .iter()
            .find(|(key, _)| Key::parse(key).is_registry(canonical_host));
        // An empty name for one registry switches the helper for all off there.
        let name = own.map(|(_, name)| name).or(self.creds_store.as_ref())?;
        (!name.is_empty()).then_some(name)
    }

    /// The addresses a helper may know a registry by: the usual one, then those the file remembers a login under.
    pub(super) fn servers(&self, canonical_host: &str) -> Vec<String> {
        let usual = host::server(canonical_host);
        let remembered = self
            .auths
            .keys()
            .filter(|key| Key::parse(key).is_registry(canonical_host));
        let remembered = remembered.filter(|key| *key != usual).cloned();
        std::iter::once(usual.to_owned()).chain(remembered).collect()
    }

    /// The login that fits a repository most closely.
    pub(super) fn login(
        &self,
        file: &Path,
        canonical_host: &str,
        repository: &str,
    ) -> Result<Option<Credentials>, CredentialsError> {
        let mut fitting: Vec<_> = self
            .auths
            .iter()
            .filter_map(|(key, entry)| Some((Key::parse(key).fit(canonical_host, repository)?, key, entry.as_ref()?)))
            .collect();
        fitting.sort_by_key(|(fit, ..)| std::cmp::Reverse(*fit));
        for (_, key, entry) in fitting {
            let credentials = entry.credentials().map_err(|NotALogin| CredentialsError::Entry {
                file: file.to_owned(),
                key: key.clone(),
            })?;
            // An empty entry only remembers that a helper was given the login.
            if credentials.is_some() {
                return Ok(credentials);
            }
        }
        Ok(None)
    }
}

/// An `auth` that is not what it should be.
struct NotALogin;

impl Entry {
    fn credentials(&self) -> Result<Option<Credentials>, NotALogin> {
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Ok(Some(Credentials::RegistryToken { token }));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credentials::IdentityToken { token }));
        }
        if let Some(auth) = given(&self.auth) {
            return decode(&auth).map(Some).ok_or(NotALogin);
        }
        match (&self.username, given(&self.password)) {
            (Some(username), Some(password)) => Ok(Some(Credentials::Basic {
                username: username.clone(),
                password,
            })),
            _ => Ok(None),
        }
    }
}

fn decode(auth: &Secret) -> Option<Credentials> {
    let bytes = BASE64.decode(auth.expose().trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credentials::Basic {
        username: username.to_owned(),
        // Docker pads with NUL and drops it when it reads.
        password: Secret::new(password.trim_matches('\0').to_owned()),
    })
}

async fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
