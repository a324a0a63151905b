//! Where an image is, as a user writes it.

use std::path::PathBuf;
use std::str::FromStr;

use super::Selector;
use crate::oci::reference::ReferenceError;
use crate::oci::{Digest, Reference, Tag};

/// A place that holds an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A repository on a registry: `host/path:tag`, with or without a digest.
    Registry(Reference),
    /// An OCI layout: `oci:DIR[:TAG]`.
    Layout(PathBuf, Selector),
    /// A layout in one file: `oci-archive:FILE[:TAG]`.
    OciArchive(PathBuf, Selector),
    /// What `docker save` writes: `docker-archive:FILE[:TAG]` or `docker-archive:FILE:NAME:TAG`.
    DockerArchive(PathBuf, Selector),
    /// The store of the local Docker daemon: `docker-daemon:NAME[:TAG]`, or an image's identity there.
    DockerDaemon(String),
}

impl FromStr for Location {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if let Some(rest) = text.strip_prefix("oci:") {
            let (path, selector) = split(rest)?;
            return Ok(Self::Layout(path, selector));
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            let (path, selector) = split(rest)?;
            return Ok(Self::OciArchive(path, selector));
        }
        if let Some(rest) = text.strip_prefix("docker-archive:") {
            let (path, selector) = split_name(rest)?;
            return Ok(Self::DockerArchive(path, selector));
        }
        if let Some(rest) = text.strip_prefix("docker-daemon:") {
            return in_daemon(rest).map(Self::DockerDaemon);
        }
        Ok(Self::Registry(text.parse()?))
    }
}

/// A name, which gets its tag here, or the identity of an image.
fn in_daemon(text: &str) -> Result<String, ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let is_identity = text.starts_with("sha256:") && text.parse::<Digest>().is_ok();
    if is_identity {
        return Ok(text.to_owned());
    }
    let reference: Reference = text.parse()?;
    // All tags would be saved without it.
    Ok(match (&reference.tag, &reference.digest) {
        (None, None) => format!("{text}:{}", Tag::latest()),
        _ => text.to_owned(),
    })
}

/// `PATH:NAME:TAG`, or what [`split`] knows.
fn split_name(text: &str) -> Result<(PathBuf, Selector), ReferenceError> {
    if let Some((path, name)) = text.split_once(':')
        && !path.is_empty()
        && name.contains([':', '/'])
        && !name.contains('@')
        && !PathBuf::from(text).exists()
        && let Ok(name) = name.parse::<Reference>()
    {
        return Ok((path.into(), Selector::Name(name)));
    }
    split(text)
}

/// `PATH[:TAG]` or `PATH@DIGEST`. What exists as a file as a whole is a path, whatever its name holds.
fn split(text: &str) -> Result<(PathBuf, Selector), ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    if let Some((path, digest)) = text.rsplit_once("@sha256:") {
        let digest = format!("sha256:{digest}").parse()?;
        return Ok((path.into(), Selector::Digest(digest)));
    }
    if let Some((path, tag)) = text.rsplit_once(':')
        && !tag.contains('/')
        && !path.is_empty()
        && !PathBuf::from(text).exists()
    {
        return Ok((path.into(), Selector::Tag(tag.parse::<Tag>()?)));
    }
    Ok((text.into(), Selector::Only))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_kind() {
        let tag = |text: &str| Selector::Tag(text.parse().expect(text));
        let location = |text: &str| text.parse::<Location>().expect(text);
        assert_eq!(location("oci:a b/c"), Location::Layout("a b/c".into(), Selector::Only));
        assert_eq!(location("oci:a:v1"), Location::Layout("a".into(), tag("v1")));
        assert_eq!(
            location("oci-archive:./a.tar:v1"),
            Location::OciArchive("./a.tar".into(), tag("v1"))
        );
        assert!(matches!(
            location("docker-archive:/x/a.tar"),
            Location::DockerArchive(..)
        ));
        let name = Selector::Name("a.b/c:v1".parse().expect("name"));
        assert_eq!(
            location("docker-archive:x.tar:a.b/c:v1"),
            Location::DockerArchive("x.tar".into(), name)
        );
        assert!(matches!(location("flyway/flyway:13"), Location::Registry(_)));
        let digest = crate::oci::Digest::of(b"");
        assert_eq!(
            location(&format!("oci:a@{digest}")),
            Location::Layout("a".into(), Selector::Digest(digest))
        );
    }

    #[test]
    fn an_image_of_the_daemon_has_a_whole_name() {
        let name = |text: &str| match text.parse::<Location>() {
            Ok(Location::DockerDaemon(name)) => Some(name),
            _ => None,
        };
        let digest = Digest::of(b"");
        assert_eq!(name("docker-daemon:orders").as_deref(), Some("orders:latest"));
        assert_eq!(name("docker-daemon:a.b:5/c:1").as_deref(), Some("a.b:5/c:1"));
        assert_eq!(name(&format!("docker-daemon:{digest}")), Some(digest.to_string()));
        assert_eq!(
            name(&format!("docker-daemon:a/b@{digest}")),
            Some(format!("a/b@{digest}"))
        );
        for wrong in ["docker-daemon:", "docker-daemon:A", "docker-daemon:a:b:c"] {
            assert!(wrong.parse::<Location>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bad_tag_is_an_error() {
        assert!("oci:a:v+1".parse::<Location>().is_err());
        assert!("oci:".parse::<Location>().is_err());
    }
}
