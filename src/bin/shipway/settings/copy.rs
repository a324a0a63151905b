//! What `shipway copy`, `push` and `tag` are to do.

use std::path::{Path, PathBuf};

use shipway::build::Platforms;
use shipway::content::copy::Selection;
use shipway::content::{Location, Selector, TagRule};
use shipway::error::Error;
use shipway::oci::{Digest, Reference, Repository, Tag};
use shipway::project::Project;

use super::origin::Setting;
use super::output::real;
use super::platform_list;
use crate::args::CopyOptions;
use crate::failure::CommandError;

/// Where an image is copied to.
#[derive(Debug, Clone)]
pub(crate) enum CopyTarget {
    /// A repository; without a tag, under the source's.
    Registry(Repository, Option<Tag>),
    /// An OCI layout.
    Layout(PathBuf, Option<Tag>),
    /// A layout in one file.
    OciArchive(PathBuf, Option<Tag>),
    /// What `docker load` reads, and the name the image gets there.
    DockerArchive(PathBuf, Option<Reference>),
    /// The store of the Docker daemon, and the name the image gets there.
    #[cfg(feature = "daemon")]
    DockerDaemon(Option<Reference>),
}

impl CopyTarget {
    /// Whether it holds one image, which has whole names there.
    pub(crate) fn is_docker(&self) -> bool {
        match self {
            Self::DockerArchive(..) => true,
            #[cfg(feature = "daemon")]
            Self::DockerDaemon(_) => true,
            Self::Registry(..) | Self::Layout(..) | Self::OciArchive(..) => false,
        }
    }
}

/// What is to be copied, and where to.
#[derive(Debug)]
pub(crate) struct CopySettings {
    pub(crate) source: Location,
    pub(crate) targets: Vec<CopyTarget>,
    /// The image the source was built on, where that has to be said.
    pub(crate) base: Option<Location>,
    /// Tags besides those the targets name.
    pub(crate) tags: Vec<Tag>,
    pub(crate) selection: Selection,
    pub(crate) required: Option<Digest>,
    pub(crate) rule: TagRule,
}

impl CopySettings {
    /// Settles a copy from `source` to `targets`.
    pub(crate) fn resolve(
        source: &str,
        targets: &[String],
        options: &CopyOptions,
        project: &Project,
    ) -> anyhow::Result<Self> {
        let source = location(source)?;
        let targets: Vec<CopyTarget> = targets.iter().map(|text| target(text)).collect::<Result<_, _>>()?;
        let mut tags = Vec::new();
        for text in &options.tag {
            tags.push(bare_tag(
                "--tag",
                text,
                "to copy to several repositories, run shipway copy for each",
            )?);
        }
        let mut holds_one = false;
        let mut has_no_referrers = false;
        for target in &targets {
            if let CopyTarget::OciArchive(path, _) | CopyTarget::DockerArchive(path, _) = target {
                check_not_read(&source, path)?;
            }
            holds_one |= matches!(target, CopyTarget::DockerArchive(..));
            has_no_referrers |= target.is_docker();
        }
        for (flag, file) in [
            ("--digest-file", &options.digest_file),
            ("--image-refs", &options.image_refs),
            ("--dotenv", &options.dotenv),
        ] {
            if let Some(file) = file {
                check_no_archive(flag, file, &source, &targets)?;
            }
        }
        if has_no_referrers && options.referrers {
            return Err(CommandError::usage(
                "--referrers: docker-archive and docker-daemon have no place for what speaks of an image",
            )
            .hint("write oci-archive:FILE or oci:DIR instead")
            .into());
        }
        let platforms = Setting::flag("--platform", Some(options.platform.clone()));
        let platforms = platforms.map_or(Ok(Platforms::Default), |setting| platform_list(&setting))?;
        Ok(Self {
            base: base(options.base.as_deref(), &source)?,
            source,
            targets,
            tags,
            selection: match platforms {
                Platforms::List(list) => Selection::Platforms(list),
                Platforms::Default | Platforms::All if holds_one => Selection::OnlyImage,
                Platforms::Default | Platforms::All => Selection::Everything,
            },
            required: required(options.require_digest.as_deref())?,
            rule: rule(project, options.move_tags),
        })
    }

    /// The repositories that are written to.
    pub(crate) fn repositories(&self) -> Vec<Repository> {
        let repositories = self.targets.iter().filter_map(|target| match target {
            CopyTarget::Registry(repository, _) => Some(repository.clone()),
            _ => None,
        });
        repositories.collect()
    }

    /// Their hosts.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let repositories = self.repositories();
        let hosts = repositories.iter().map(|repository| repository.registry().to_owned());
        hosts.collect()
    }
}

/// Reads the image the source was built on, which helps only where the layers are packed anew.
fn base(text: Option<&str>, source: &Location) -> anyhow::Result<Option<Location>> {
    let Some(text) = text else { return Ok(None) };
    if !matches!(source, Location::DockerArchive(..) | Location::DockerDaemon(_)) {
        return Err(
            CommandError::usage("--base is for images of docker-archive and docker-daemon")
                .hint("other places keep the layers as they were pushed, which are named as they are")
                .into(),
        );
    }
    Ok(Some(location(text)?))
}

/// Reads where an image is.
pub(crate) fn location(text: &str) -> anyhow::Result<Location> {
    if text == "scratch" {
        return Err(
            CommandError::usage("scratch is no image: it stands for starting from nothing")
                .hint("name an image: REGISTRY/REPOSITORY:TAG, oci:DIR, oci-archive:FILE or docker-archive:FILE")
                .into(),
        );
    }
    Ok(text.parse::<Location>().map_err(Error::from)?)
}

/// Reads a tag that stands alone.
pub(crate) fn bare_tag(origin: &str, text: &str, hint: &str) -> anyhow::Result<Tag> {
    if text.contains(['/', ':', '@']) {
        let message = format!("{origin}: {text:?} is a whole name, and a tag alone is wanted");
        return Err(CommandError::usage(message).hint(hint).into());
    }
    text.parse::<Tag>().map_err(|error| {
        CommandError::usage(format!("{origin}: {text:?} cannot be used"))
            .because(Error::from(error))
            .into()
    })
}

/// Reads the digest an image must have.
pub(crate) fn required(text: Option<&str>) -> anyhow::Result<Option<Digest>> {
    let Some(text) = text else { return Ok(None) };
    let digest = text.parse::<Digest>();
    digest.map(Some).map_err(|error| {
        CommandError::usage(format!("--require-digest: {text:?} cannot be used"))
            .because(error)
            .into()
    })
}

/// Which tags must not move.
pub(crate) fn rule(project: &Project, move_tags: bool) -> TagRule {
    TagRule {
        immutable: project.image.immutable_tags.clone(),
        move_all: move_tags,
    }
}

fn target(text: &str) -> anyhow::Result<CopyTarget> {
    if let Some(rest) = text.strip_prefix("docker-archive:") {
        return docker_archive(rest);
    }
    if text == "docker-daemon" || text.starts_with("docker-daemon:") {
        #[cfg(feature = "daemon")]
        return Ok(CopyTarget::DockerDaemon(super::output::name_in_daemon(text)?));
        #[cfg(not(feature = "daemon"))]
        return Err(super::output::no_daemon(text).into());
    }
    let named = |selector: Selector| match selector {
        Selector::Tag(tag) => Ok(Some(tag)),
        Selector::Only | Selector::Name(_) => Ok(None),
        Selector::Digest(_) => Err(by_digest(text)),
    };
    Ok(match location(text)? {
        Location::Registry(reference) if reference.digest.is_some() => return Err(by_digest(text)),
        Location::Registry(reference) => CopyTarget::Registry(reference.repository, reference.tag),
        Location::Layout(path, selector) => CopyTarget::Layout(path, named(selector)?),
        Location::OciArchive(path, selector) => CopyTarget::OciArchive(path, named(selector)?),
        Location::DockerArchive(path, _) => CopyTarget::DockerArchive(path, None),
        Location::DockerDaemon(_) => return Err(CommandError::usage(format!("{text} is no target")).into()),
    })
}

fn by_digest(text: &str) -> anyhow::Error {
    CommandError::usage(format!(
        "{text} names an image by its digest, and a copy has the digest of its source"
    ))
    .hint("name the target without a digest; --require-digest makes sure of the source's")
    .into()
}

/// `FILE` or `FILE:NAME[:TAG]`. What is there as a file as a whole is a file.
fn docker_archive(text: &str) -> anyhow::Result<CopyTarget> {
    let whole = Path::new(text);
    match text.split_once(':') {
        Some((path, name)) if !path.is_empty() && !whole.exists() => {
            let name: Reference = name.parse().map_err(Error::from)?;
            if name.digest.is_some() {
                return Err(by_digest(text));
            }
            Ok(CopyTarget::DockerArchive(path.into(), Some(name)))
        }
        _ if text.is_empty() => Err(CommandError::usage("docker-archive: needs a file")
            .hint("such as docker-archive:orders.tar")
            .into()),
        _ => Ok(CopyTarget::DockerArchive(whole.to_owned(), None)),
    }
}

/// An archive that is written replaces what was there: not what is read.
fn check_not_read(source: &Location, target: &Path) -> anyhow::Result<()> {
    let (Location::OciArchive(path, _) | Location::DockerArchive(path, _)) = source else {
        return Ok(());
    };
    if real(path) != real(target) {
        return Ok(());
    }
    Err(
        CommandError::usage(format!("{} would be read and replaced at once", target.display()))
            .hint("name another file; an OCI layout (oci:DIR) can get more images and tags")
            .into(),
    )
}

/// A file of results would replace an archive of that name.
fn check_no_archive(flag: &str, file: &Path, source: &Location, targets: &[CopyTarget]) -> anyhow::Result<()> {
    let read = match source {
        Location::OciArchive(path, _) | Location::DockerArchive(path, _) => Some(path),
        Location::Registry(_) | Location::Layout(..) | Location::DockerDaemon(_) => None,
    };
    let written = targets.iter().filter_map(|target| match target {
        CopyTarget::OciArchive(path, _) | CopyTarget::DockerArchive(path, _) => Some(path),
        _ => None,
    });
    if !read.into_iter().chain(written).any(|path| real(path) == real(file)) {
        return Ok(());
    }
    Err(
        CommandError::usage(format!("{flag} {}: that is the archive", file.display()))
            .hint("name another file")
            .into(),
    )
}
