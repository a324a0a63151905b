//! What is looked at.

use shipway::content::{Location, TagRule};
use shipway::error::Error;
use shipway::oci::{Reference, Repository, Tag};
use shipway::project::Project;
use shipway::runner::Profile;

use crate::args::DoctorArguments;
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::settings;

/// What is looked at.
pub(super) struct Patient<'a> {
    pub(super) repository: Repository,
    /// Tags that are going to be pushed, as far as they are known.
    pub(super) tags: Vec<Tag>,
    /// What is meant for a tag and is none.
    pub(super) bad_tags: Vec<anyhow::Error>,
    /// Other repositories the image goes to.
    pub(super) elsewhere: Vec<Repository>,
    /// Which tags must not move.
    pub(super) rule: TagRule,
    pub(super) base: Base,
    pub(super) project: &'a Project,
}

/// What is built on.
pub(super) enum Base {
    /// Nothing, or it is not asked for.
    None,
    /// An image.
    At(Location),
    /// What a build would say.
    Wrong(anyhow::Error),
}

impl<'a> Patient<'a> {
    /// Whether it is said where images are pushed to.
    pub(super) fn is_named(arguments: &DoctorArguments, environment: &Environment, project: &Project) -> bool {
        arguments.image.is_some() || named(environment, project).is_some()
    }

    pub(super) fn of(
        arguments: &DoctorArguments,
        environment: &Environment,
        project: &'a Project,
    ) -> anyhow::Result<Self> {
        let (repository, tag) = match &arguments.image {
            Some(text) => reference(text)?,
            None => (repository(environment, project)?, None),
        };
        let mut patient = Self {
            repository,
            tags: Vec::new(),
            bad_tags: Vec::new(),
            elsewhere: Vec::new(),
            rule: settings::rule(project, false),
            base: base(arguments.image.is_some(), environment, project),
            project,
        };
        match tag {
            Some(tag) => patient.tags.push(tag),
            None => patient.read_tags(environment),
        }
        if arguments.image.is_some() {
            // Who names one repository asks about that one.
            patient.elsewhere.clear();
        }
        Ok(patient)
    }

    /// Takes in the tags of the environment or the project file. Those with templates are other ones each time.
    fn read_tags(&mut self, environment: &Environment) {
        for setting in settings::usual_tags(environment, self.project) {
            let text = &setting.value;
            let has_template = text.contains('{');
            let name = if !text.contains(['/', ':']) {
                if has_template {
                    continue;
                }
                setting.parse::<Tag>().map(|tag| (self.repository.clone(), Some(tag)))
            } else if has_template {
                let start = text.rfind('/').unwrap_or_default();
                let end = text[start..].find(':').map_or(text.len(), |length| start + length);
                match text[..end].parse() {
                    Ok(repository) => Ok((repository, None)),
                    // A template may fill in the repository as well.
                    Err(_) => continue,
                }
            } else {
                setting
                    .parse::<Reference>()
                    .and_then(|reference| match reference.digest {
                        None => Ok((reference.repository, Some(reference.tag.unwrap_or_else(Tag::latest)))),
                        Some(_) => Err(CommandError::usage(format!(
                            "{text} names an image by its digest; a new one gets a tag"
                        ))
                        .into()),
                    })
            };
            match name {
                Err(error) => self.bad_tags.push(error),
                Ok((repository, tag)) if repository == self.repository => self.tags.extend(tag),
                Ok((repository, _)) if self.elsewhere.contains(&repository) => {}
                Ok((repository, _)) => self.elsewhere.push(repository),
            }
        }
    }

    /// The image on a registry that is built on.
    #[cfg(feature = "aws")]
    pub(super) fn base_repository(&self) -> Option<&Repository> {
        match &self.base {
            Base::At(Location::Registry(reference)) => Some(&reference.repository),
            _ => None,
        }
    }
}

/// What the command names.
fn reference(text: &str) -> anyhow::Result<(Repository, Option<Tag>)> {
    let other = |what: &str| {
        anyhow::Error::from(
            CommandError::usage(format!("REF {text}: {what}"))
                .hint("REF is a repository to push to, perhaps with a tag: registry.example.com/orders:1.4"),
        )
    };
    let is_file = ["oci:", "oci-archive:", "docker-archive:", "docker-daemon:"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    if is_file {
        return Err(other("this is a place for an image in files, which needs no doctor"));
    }
    if text == "scratch" {
        return Err(other("scratch is no image: it stands for starting from nothing"));
    }
    let reference: Reference = text.parse().map_err(Error::from)?;
    match reference.digest {
        None => Ok((reference.repository, reference.tag)),
        Some(_) => Err(other("nothing can be pushed to a digest")),
    }
}

/// The repository that the environment or the project file names.
fn named<'a>(environment: &'a Environment, project: &'a Project) -> Option<&'a str> {
    environment
        .get("SHIPWAY_REPOSITORY")
        .or(project.image.repository.as_deref())
}

/// What is pushed to where the command names nothing.
fn repository(environment: &Environment, project: &Project) -> anyhow::Result<Repository> {
    let Some(text) = named(environment, project) else {
        return Err(CommandError::usage("there is no repository to look at")
            .hint(
                "name it: shipway doctor registry.example.com/orders, or set repository under [image] in shipway.toml",
            )
            .into());
    };
    text.parse::<Repository>().map_err(|error| {
        CommandError::usage(format!("the repository {text:?} cannot be used"))
            .because(Error::from(error))
            .into()
    })
}

/// What is built on. `is_named`: whether the command names a repository, for which no project is needed.
fn base(is_named: bool, environment: &Environment, project: &Project) -> Base {
    let is_unset = environment.get("SHIPWAY_BASE").is_none() && project.runner.base.is_none();
    if is_named && is_unset {
        return Base::None;
    }
    let profile = project.runner.profile.as_deref().and_then(|name| name.parse().ok());
    match settings::base(profile.unwrap_or(Profile::Flyway), None, environment, project) {
        Ok(None) => Base::None,
        Ok(Some((_, location))) => Base::At(location),
        Err(error) => Base::Wrong(error),
    }
}
