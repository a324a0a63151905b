//! Variables of a build: arguments, and the environment of the image.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Problem;
use super::expand::{expand, expand_raw, expand_words};
use super::instruction::{Argument, Word};
use crate::oci::Platform;

/// Arguments everybody may pass without the Dockerfile declaring them (Dockerfile reference, "Predefined ARGs").
const PREDEFINED: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// Largest environment: what Linux hands over to a program at most, arguments and environment together, is 6 MiB.
const ENVIRONMENT_LIMIT: usize = 6 * 1024 * 1024;

/// The values a build begins with.
#[derive(Debug, Clone)]
pub(super) struct Global {
    /// What the user passes.
    given: BTreeMap<String, String>,
    /// What is known of the platforms.
    platform: BTreeMap<String, String>,
    /// What `ARG` before the first `FROM` says.
    declared: BTreeMap<String, String>,
    /// Names that stand for contexts, in the place of stages and images.
    contexts: BTreeSet<String>,
    escape: char,
}

impl Global {
    /// Settles the arguments before the first `FROM`.
    pub(super) fn new(
        given: &BTreeMap<String, String>,
        build: &Platform,
        target: &Platform,
        target_stage: &str,
        escape: char,
        arguments: &[Argument],
    ) -> Result<Self, Box<(Word, Problem)>> {
        let mut platform = BTreeMap::from([("TARGETSTAGE".to_owned(), target_stage.to_owned())]);
        for (prefix, value) in [("BUILD", build), ("TARGET", target)] {
            platform.insert(format!("{prefix}PLATFORM"), value.to_string());
            platform.insert(format!("{prefix}OS"), value.os.clone());
            platform.insert(format!("{prefix}ARCH"), value.architecture.clone());
            platform.insert(format!("{prefix}VARIANT"), value.variant.clone());
        }
        let mut global = Self {
            given: given.clone(),
            platform,
            declared: BTreeMap::new(),
            contexts: BTreeSet::new(),
            escape,
        };
        for argument in arguments {
            let name = &argument.name.text;
            let value = match (global.given.get(name), &argument.default) {
                (Some(value), _) => Some(value.clone()),
                (None, Some(default)) => Some(
                    global
                        .fill(default)
                        .map_err(|problem| Box::new((default.clone(), problem)))?,
                ),
                (None, None) => None,
            };
            if let Some(value) = value {
                global.declared.insert(name.clone(), value);
            }
        }
        Ok(global)
    }

    /// Lets names stand for contexts.
    pub(super) fn with_contexts(mut self, contexts: impl IntoIterator<Item = String>) -> Self {
        self.contexts.extend(contexts);
        self
    }

    /// Whether a name stands for a context.
    pub(super) fn is_context(&self, name: &str) -> bool {
        self.contexts.contains(name)
    }

    /// Fills in a word of a `FROM`.
    pub(super) fn fill(&self, word: &Word) -> Result<String, Problem> {
        expand(&word.text, self.escape, &|name| {
            self.declared.get(name).or_else(|| self.platform.get(name)).cloned()
        })
    }
}

/// The variables of a stage.
#[derive(Debug, Clone)]
pub(super) struct Variables<'a> {
    global: &'a Global,
    /// The environment of the image, in its order.
    environment: Vec<(String, String)>,
    arguments: BTreeMap<String, String>,
}

impl<'a> Variables<'a> {
    /// Begins a stage on an image with an environment.
    pub(super) fn new(global: &'a Global, environment: Vec<(String, String)>) -> Self {
        Self {
            global,
            environment,
            arguments: BTreeMap::new(),
        }
    }

    /// The environment of the image, and the arguments, as they are now.
    pub(super) fn into_parts(self) -> (Vec<(String, String)>, BTreeMap<String, String>) {
        (self.environment, self.arguments)
    }

    /// Takes over the arguments of the stage this one begins with.
    pub(super) fn with_arguments(mut self, arguments: BTreeMap<String, String>) -> Self {
        self.arguments = arguments;
        self
    }

    /// Declares an argument.
    pub(super) fn declare(&mut self, argument: &Argument) -> Result<(), Problem> {
        let name = &argument.name.text;
        let default = argument.default.as_ref().map(|word| self.fill(word)).transpose()?;
        let global = self.global;
        let value = global.given.get(name).cloned().or(default);
        let value = value.or_else(|| global.declared.get(name).cloned());
        // Without a value it stays what it is, which may be an earlier stage's.
        if let Some(value) = value.or_else(|| global.platform.get(name).cloned()) {
            self.arguments.insert(name.clone(), value);
        }
        Ok(())
    }

    /// Sets variables of the environment, all at once: none sees the others.
    pub(super) fn set(&mut self, pairs: &[(String, String)]) -> Result<(), Problem> {
        for (name, value) in pairs {
            self.arguments.remove(name);
            match self.environment.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(value),
                None => self.environment.push((name.clone(), value.clone())),
            }
        }
        let size: usize = self
            .environment
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        match size <= ENVIRONMENT_LIMIT {
            true => Ok(()),
            false => Err(Problem::syntax(format!(
                "the environment has more than {ENVIRONMENT_LIMIT} bytes, and no program could be started with it"
            ))),
        }
    }

    /// Fills in a word, and takes its quotes off.
    pub(super) fn fill(&self, word: &Word) -> Result<String, Problem> {
        expand(&word.text, self.global.escape, &|name| self.get(name))
    }

    /// Fills in a word that may become several.
    pub(super) fn fill_words(&self, word: &Word) -> Result<Vec<String>, Problem> {
        expand_words(&word.text, self.global.escape, &|name| self.get(name))
    }

    /// Fills in text whose quotes stay.
    pub(super) fn fill_text(&self, text: &str) -> Result<String, Problem> {
        expand_raw(text, &|name| self.get(name))
    }

    /// The value that was set last, be it by `ARG` or by `ENV`: so it is with BuildKit.
    fn get(&self, name: &str) -> Option<String> {
        let of_environment = || self.environment.iter().find(|(known, _)| known == name);
        let argument = self.arguments.get(name);
        argument.or_else(|| of_environment().map(|(_, value)| value)).cloned()
    }
}

/// Whether an argument may be passed although nothing declares it.
pub(super) fn is_predefined(name: &str) -> bool {
    PREDEFINED.iter().any(|known| known.eq_ignore_ascii_case(name))
}
