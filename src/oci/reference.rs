//! Names of images in registries.

use std::fmt;
use std::str::FromStr;

use super::digest::{Digest, DigestError};

/// The registry that short names stand for.
pub const DOCKER_HUB: &str = "docker.io";

/// Longest repository name, host included, that registries take (distribution reference grammar).
const NAME_LIMIT: usize = 255;
/// Longest tag (OCI distribution specification).
const TAG_LIMIT: usize = 128;

/// A repository on a registry: `host[:port]/path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// Host and port, `docker.io` for Docker Hub.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name within the registry, such as `library/alpine`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// This repository with a tag.
    #[must_use]
    pub fn tagged(&self, tag: Tag) -> Reference {
        Reference {
            repository: self.clone(),
            tag: Some(tag),
            digest: None,
        }
    }

    /// This repository with a digest, the form everything after a push uses.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Reference {
        Reference {
            repository: self.clone(),
            tag: None,
            digest: Some(digest),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// A tag: up to 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The tag a reference without one stands for.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// A tag whose text is known to be one.
    pub(super) fn of_valid(text: String) -> Self {
        debug_assert!(text.parse::<Self>().is_ok(), "{text:?}");
        Self(text)
    }

    /// The text of the tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A repository with a tag, a digest, or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The repository.
    pub repository: Repository,
    /// The tag, as a name for people where a digest is there too.
    pub tag: Option<Tag>,
    /// The digest, which decides.
    pub digest: Option<Digest>,
}

impl Reference {
    /// The reference without its digest: the name the content had when it was looked up.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => format!("{}:{tag}", self.repository),
            (None, Some(_)) => self.repository.to_string(),
            (None, None) => format!("{}:latest", self.repository),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Why a text does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text is empty.
    #[error("the image name is empty")]
    Empty,
    /// The text begins like a URL.
    #[error("{text:?} is a URL, not an image name")]
    Url {
        /// What was given.
        text: String,
    },
    /// The repository holds a character or an order of characters registries do not take.
    #[error(
        "{path:?} is not a repository name: path components are lower-case letters and digits, joined by '.', '_', '__' or '-'"
    )]
    Path {
        /// The part that is wrong.
        path: String,
    },
    /// The host is not a host name with an optional port.
    #[error("{host:?} is not a registry's host name")]
    Host {
        /// The part that is wrong.
        host: String,
    },
    /// The name is too long.
    #[error("the repository name {name:?} is longer than {NAME_LIMIT} characters")]
    Long {
        /// The name.
        name: String,
    },
    /// The tag holds a character registries do not take, or is too long.
    #[error("{tag:?} is not a tag: up to {TAG_LIMIT} letters, digits, '_', '.' and '-', not beginning with '.' or '-'")]
    Tag {
        /// The tag.
        tag: String,
    },
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ReferenceError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Url { text } => {
                let name = text.split_once("://").map_or(text.as_str(), |(_, name)| name);
                vec![format!("write it without the scheme: {name}")]
            }
            Self::Path { path } if path.to_lowercase() != *path => {
                vec![format!("repository names are lower-case: {}", path.to_lowercase())]
            }
            Self::Tag { tag } if tag.contains('+') => {
                vec![format!(
                    "'+', as in build metadata of a version, is not allowed in a tag; use '-': {}",
                    tag.replace('+', "-")
                )]
            }
            _ => Vec::new(),
        }
    }
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let bytes = text.as_bytes();
        let valid = !bytes.is_empty()
            && bytes.len() <= TAG_LIMIT
            && !matches!(bytes[0], b'.' | b'-')
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError::Tag { tag: text.to_owned() })
        }
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.contains("://") {
            return Err(ReferenceError::Url { text: text.to_owned() });
        }
        let (registry, path) = match text.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest.to_owned()),
            _ => (DOCKER_HUB, text.to_owned()),
        };
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            other => other,
        };
        let path = if registry == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path
        };
        check_host(registry)?;
        if !path.split('/').all(is_path_component) {
            return Err(ReferenceError::Path { path });
        }
        if registry.len() + 1 + path.len() > NAME_LIMIT {
            return Err(ReferenceError::Long { name: text.to_owned() });
        }
        Ok(Self {
            registry: registry.to_owned(),
            path,
        })
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains("://") {
            return Err(ReferenceError::Url { text: text.to_owned() });
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse::<Tag>()?)),
            _ => (rest, None),
        };
        Ok(Self {
            repository: name.parse()?,
            tag,
            digest,
        })
    }
}

/// The rule by which the first part of a name is a host and not a part of a Docker Hub name.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains('.') || first.contains(':')
}

fn check_host(host: &str) -> Result<(), ReferenceError> {
    let wrong = || ReferenceError::Host { host: host.to_owned() };
    let (name, port) = if let Some(address) = host.strip_prefix('[') {
        let (inside, after) = address.split_once(']').ok_or_else(wrong)?;
        if inside.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(wrong());
        }
        match after {
            "" => (None, None),
            _ => (None, Some(after.strip_prefix(':').ok_or_else(wrong)?)),
        }
    } else {
        match host.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(host), None),
        }
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(wrong());
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match name {
        Some(name) if !name.split('.').all(label) => Err(wrong()),
        _ => Ok(()),
    }
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alphanumeric(*first)
        && alphanumeric(*last)
        && component
            .split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit())
            .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|byte| byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        text.parse::<Reference>().expect(text).to_string()
    }

    #[test]
    fn short_names_stand_for_docker_hub() {
        assert_eq!(canonical("alpine"), "docker.io/library/alpine");
        assert_eq!(canonical("flyway/flyway:13"), "docker.io/flyway/flyway:13");
        assert_eq!(canonical("index.docker.io/alpine:3"), "docker.io/library/alpine:3");
        assert_eq!(canonical("localhost/a"), "localhost/a");
        assert_eq!(canonical("127.0.0.1:5000/a/b:c"), "127.0.0.1:5000/a/b:c");
        assert_eq!(canonical("[::1]:5000/a"), "[::1]:5000/a");
    }

    #[test]
    fn a_digest_decides_and_a_tag_stays_a_name() {
        let digest = Digest::of(b"");
        let reference: Reference = format!("a.b/c:v1@{digest}").parse().expect("reference");
        assert_eq!(reference.digest, Some(digest));
        assert_eq!(reference.name(), "a.b/c:v1");
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = |text: &str| text.parse::<Reference>().expect_err(text);
        assert!(matches!(wrong("https://a.b/c"), ReferenceError::Url { .. }));
        assert!(matches!(wrong("a.b/C"), ReferenceError::Path { .. }));
        assert!(matches!(wrong("a.b/c:v1+2"), ReferenceError::Tag { .. }));
        assert!(matches!(wrong("a.b/c@sha256:12"), ReferenceError::Digest(_)));
        assert!(matches!(wrong("a..b/c"), ReferenceError::Host { .. }));
        assert!(matches!(wrong("a.b:99999/c"), ReferenceError::Host { .. }));
        assert!(matches!(wrong(""), ReferenceError::Empty));
        for path in ["a.b/", "a.b//c", "a.b/c_", "a.b/c___d", "a.b/c._d", "a.b/ü"] {
            assert!(matches!(wrong(path), ReferenceError::Path { .. }), "{path}");
        }
    }

    #[test]
    fn hints_show_the_way_out() {
        let hints = |text: &str| text.parse::<Reference>().expect_err(text).hints().join("");
        assert!(hints("a.b/c:1.0+5").contains("1.0-5"));
        assert!(hints("a.b/Orders").contains("orders"));
        assert!(hints("https://a.b/c").ends_with("a.b/c"));
    }
}
