//! What the name of a set of migrations means.

use std::path::{Path, PathBuf};

use shipway::content::Location;
use shipway::error::Error;
use shipway::oci::Tag;

use crate::failure::CommandError;
use crate::settings::CheckSettings;

/// What begins a name that can only be a git revision.
const REVISION: &str = "git:";

/// What begins a name that can only be a folder.
const FOLDER: &str = "dir:";

/// What the name of a set of migrations means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Named {
    /// A folder.
    Folder(PathBuf),
    /// A git revision.
    Revision(String),
    /// An image.
    Image(Location),
    /// A tag of the project's repository; where there is none, a git revision of this name.
    Tag(Location),
}

impl Named {
    /// Reads a name: a tag, an image, a git revision or a folder, in this order where it may be several.
    pub(super) fn read(name: &str, settings: &CheckSettings) -> anyhow::Result<Self> {
        if let Some(revision) = name.strip_prefix(REVISION) {
            return Ok(Self::Revision(revision.to_owned()));
        }
        if let Some(folder) = name.strip_prefix(FOLDER) {
            return Self::folder(folder);
        }
        if ["oci:", "oci-archive:", "docker-archive:", "docker-daemon:"]
            .iter()
            .any(|scheme| name.starts_with(scheme))
        {
            return Ok(Self::Image(name.parse().map_err(Error::from)?));
        }
        let is_path =
            matches!(name, "." | "..") || name.starts_with('/') || name.starts_with("./") || name.starts_with("../");
        if is_path {
            return Self::folder(name);
        }
        // A word may be a tag; what has a host before its first slash is an image; what else has a slash is a folder or a branch.
        match name.split_once('/') {
            None => Self::word(name, settings),
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" || name.contains('@') => {
                Ok(Self::Image(name.parse().map_err(Error::from)?))
            }
            Some(_) if Path::new(name).is_dir() => Ok(Self::Folder(PathBuf::from(name))),
            Some((_, rest)) if rest.contains(':') => Ok(Self::Image(name.parse().map_err(Error::from)?)),
            Some(_) => Ok(Self::Revision(name.to_owned())),
        }
    }

    fn folder(path: &str) -> anyhow::Result<Self> {
        match Path::new(path).is_dir() {
            true => Ok(Self::Folder(PathBuf::from(path))),
            false => Err(CommandError::usage(format!("there is no folder {path}")).into()),
        }
    }

    fn word(name: &str, settings: &CheckSettings) -> anyhow::Result<Self> {
        let is_tag = name.parse::<Tag>().is_ok();
        match &settings.repository {
            Some(repository) if is_tag => {
                let location = format!("{repository}:{name}").parse().map_err(Error::from)?;
                Ok(Self::Tag(location))
            }
            _ if is_tag && Path::new(name).is_dir() => Ok(Self::Folder(PathBuf::from(name))),
            _ if name.contains(':') => Ok(Self::Image(name.parse().map_err(Error::from)?)),
            _ => Ok(Self::Revision(name.to_owned())),
        }
    }
}
