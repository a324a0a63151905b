//! Paths in an image.

use std::fmt;
use std::str::FromStr;

/// What begins the names of whiteouts (image specification, "Layer Filesystem Changeset").
const WHITEOUT: &str = ".wh.";

/// An absolute path in an image, in its shortest form: no `.`, no `..`, no doubled or final slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ImagePath(String);

/// Why a text is not a path in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash.
    #[error("{0:?} is not an absolute path in the image: it must begin with '/'")]
    Relative(String),
    /// It climbs above the root.
    #[error("{0:?} leaves the image")]
    Escapes(String),
    /// It holds a NUL character.
    #[error("{0:?} holds a NUL character")]
    Nul(String),
    /// A part of it is a name that removes files of lower layers.
    #[error("{path:?} holds the name {name:?}, which in a layer removes files instead of adding one")]
    Whiteout {
        /// The path.
        path: String,
        /// The name.
        name: String,
    },
}

impl PathError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Whiteout { .. } => vec![format!("rename it: no name in an image may begin with {WHITEOUT}")],
            Self::Relative(_) | Self::Escapes(_) | Self::Nul(_) => Vec::new(),
        }
    }
}

impl ImagePath {
    /// The path without its leading slash, as tar writes it; empty for the root.
    #[must_use]
    pub fn relative(&self) -> &str {
        &self.0
    }

    /// Whether it is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with components appended.
    ///
    /// # Errors
    /// When they climb above the root.
    pub fn join(&self, below: &str) -> Result<Self, PathError> {
        format!("/{}/{below}", self.0).parse()
    }

    /// The directory it lies in; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        Some(Self(
            self.0
                .rsplit_once('/')
                .map_or_else(String::new, |(parent, _)| parent.to_owned()),
        ))
    }

    /// The last component.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Every directory above it, the root left out, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent).filter(|path| !path.0.is_empty())
    }

    /// Whether it is `directory` or lies below it.
    #[must_use]
    pub fn is_within(&self, directory: &Self) -> bool {
        directory.0.is_empty()
            || self.0 == directory.0
            || self
                .0
                .strip_prefix(&directory.0)
                .is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

impl FromStr for ImagePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative(text.to_owned()));
        }
        if text.contains('\0') {
            return Err(PathError::Nul(text.to_owned()));
        }
        let mut components: Vec<&str> = Vec::new();
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => {
                    components.pop().ok_or_else(|| PathError::Escapes(text.to_owned()))?;
                }
                other if other.starts_with(WHITEOUT) => {
                    return Err(PathError::Whiteout {
                        path: text.to_owned(),
                        name: other.to_owned(),
                    });
                }
                other => components.push(other),
            }
        }
        Ok(Self(components.join("/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        text.parse().expect(text)
    }

    #[test]
    fn the_shortest_form_is_kept() {
        assert_eq!(path("//flyway/./sql/../conf/").to_string(), "/flyway/conf");
        assert_eq!(path("/").relative(), "");
        assert_eq!(path("/a").join("b c/ü").expect("join").relative(), "a/b c/ü");
    }

    #[test]
    fn what_leaves_the_image_is_refused() {
        assert!(matches!("/a/../..".parse::<ImagePath>(), Err(PathError::Escapes(_))));
        assert!(matches!("a".parse::<ImagePath>(), Err(PathError::Relative(_))));
        assert!(matches!("/a\0".parse::<ImagePath>(), Err(PathError::Nul(_))));
        assert!(path("/a").join("../../b").is_err());
        for text in ["/a/.wh.b", "/.wh..wh..opq", "/.wh.a/b"] {
            assert!(
                matches!(text.parse::<ImagePath>(), Err(PathError::Whiteout { .. })),
                "{text}"
            );
        }
        assert!("/a/x.wh.b".parse::<ImagePath>().is_ok());
    }

    #[test]
    fn ancestors_end_before_the_root() {
        let all: Vec<String> = path("/a/b/c").ancestors().map(|path| path.to_string()).collect();
        assert_eq!(all, ["/a/b", "/a"]);
        assert!(path("/a").ancestors().next().is_none());
        assert!(path("/a/b").is_within(&path("/a")));
        assert!(!path("/ab").is_within(&path("/a")));
        assert_eq!(path("/a/b").name(), "b");
    }
}
