//! The names an image gets.

use shipway::error::Error;
use shipway::oci::{Reference, Repository, Tag};

use super::Facts;
use crate::environment::Environment;
use crate::failure::CommandError;
use crate::settings::BuildSettings;
use crate::tag_template::Words;

/// A name the image gets.
#[derive(Debug, Clone)]
pub(super) enum Name {
    /// In a registry.
    Full(Repository, Tag),
    /// In a layout or archive, which needs no repository.
    Bare(Tag),
}

impl Name {
    pub(super) fn tag(&self) -> &Tag {
        match self {
            Self::Full(_, tag) | Self::Bare(tag) => tag,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Full(repository, tag) => format!("{repository}:{tag}"),
            Self::Bare(tag) => tag.to_string(),
        }
    }
}

/// Fills the tags in and reads them.
pub(super) fn names(settings: &BuildSettings, facts: &Facts, environment: &Environment) -> anyhow::Result<Vec<Name>> {
    let set_digest = facts.set().map(|set| set.inventory.set_digest(&set.examined).short());
    let set_digest = set_digest.unwrap_or_default();
    let words = Words {
        project: &facts.project,
        provenance: facts.provenance.as_ref(),
        highest_version: facts.highest_version(),
        set_digest: &set_digest,
        environment,
        seconds: match settings.source_date_epoch {
            Some(_) => facts.created_seconds,
            None => environment.now_seconds(),
        },
    };
    let mut names: Vec<Name> = Vec::new();
    for template in &settings.tags {
        let text = words.fill(&template.value)?;
        let name = if text.contains(['/', ':']) {
            let reference: Reference = template.with(text).parse()?;
            if reference.digest.is_some() {
                return Err(CommandError::usage(format!(
                    "{reference} names an image by its digest; a new one gets a tag"
                ))
                .into());
            }
            Name::Full(reference.repository, reference.tag.unwrap_or_else(Tag::latest))
        } else {
            let tag: Tag = template.with(text).parse()?;
            match &settings.repository {
                Some(repository) => Name::Full(repository_of(repository)?, tag),
                None if settings.push => {
                    return Err(CommandError::usage(format!("the tag {tag} has no repository"))
                        .hint("write the whole name, -t registry.example.com/orders:1.4, or set repository under [image] in shipway.toml")
                        .into());
                }
                None => Name::Bare(tag),
            }
        };
        if !names.iter().any(|other| other.text() == name.text()) {
            names.push(name);
        }
    }
    if settings.push && names.is_empty() {
        return Err(CommandError::usage("there is nowhere to push to")
            .hint("name the image with -t registry.example.com/orders:1.4, or set repository and tags under [image] in shipway.toml")
            .into());
    }
    Ok(names)
}

fn repository_of(text: &str) -> anyhow::Result<Repository> {
    text.parse::<Repository>().map_err(|error| {
        let error = Error::from(error);
        CommandError::usage(format!("the repository {text:?} cannot be used"))
            .because(error)
            .into()
    })
}

/// The repositories among the names, each once.
pub(super) fn repositories(names: &[Name]) -> Vec<Repository> {
    let mut repositories: Vec<Repository> = Vec::new();
    for name in names {
        if let Name::Full(repository, _) = name
            && !repositories.contains(repository)
        {
            repositories.push(repository.clone());
        }
    }
    repositories
}
