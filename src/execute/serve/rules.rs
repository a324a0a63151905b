//! What callers may have the function start: they need no right but to call it, so the function itself says what they may want.

use super::super::{Finding, Health, Order, given};
use crate::content::{ContentError, Kind, Result};
use crate::oci::Digest;

/// Commands of Flyway that change nothing, or what was meant to be changed. Never `clean`, which empties the database.
const USUAL_COMMANDS: [&str; 4] = ["migrate", "info", "validate", "repair"];
/// Those of them that only look: a task beside a run takes no lock and is not kept.
const LOOKING: [&str; 2] = ["info", "validate"];
/// The command that settings can turn on, too.
const CLEAN: &str = "clean";

/// What may be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Repositories images may be of; one that ends in `/` stands for all below it.
    pub repositories: Vec<String>,
    /// Words that may be among a command's.
    pub commands: Vec<String>,
}

impl Rules {
    /// Images of these repositories, with these commands, or with Flyway's own except `clean`.
    #[must_use]
    pub fn new(repositories: Vec<String>, commands: Option<Vec<String>>) -> Self {
        let usual = || USUAL_COMMANDS.map(str::to_owned).to_vec();
        Self {
            repositories,
            commands: commands.unwrap_or_else(usual),
        }
    }

    /// Refuses what may not be started.
    ///
    /// # Errors
    /// When the image, the command or a variable is not allowed.
    pub fn check(&self, order: &Order) -> Result<()> {
        if let Some(image) = &order.image {
            self.check_image(image)?;
        }
        let command = order.command.as_deref().unwrap_or_default();
        // What is refused may be the password behind a flag.
        for (word, shown) in command.iter().zip(given::shown(command)) {
            if word.starts_with('-') {
                self.check_setting(word)?;
            } else if !self.commands.contains(word) {
                return Err(refused(format!("the command {shown:?} is not allowed here"))
                    .hint(format!(
                        "allowed: {} (SHIPWAY_ALLOWED_COMMANDS of the function)",
                        self.commands.join(", ")
                    ))
                    .hint("the value of a flag is written with it: --flag=value"));
            }
        }
        let mut words = order.command.iter().flatten().filter(|word| !word.starts_with('-'));
        let only_looks = words.clone().next().is_some() && words.all(|word| LOOKING.contains(&word.as_str()));
        if order.purpose.is_some() && !only_looks {
            let error = refused("a task beside a run may only look, since it takes no lock".to_owned());
            return Err(error.hint(format!("with a purpose goes: {}", LOOKING.join(", "))));
        }
        order.environment.keys().try_for_each(|name| self.check_setting(name))
    }

    /// Whether images of the repository of an order may be started; `None` where it names none.
    #[must_use]
    pub(super) fn examine(&self, order: &Order) -> Option<Finding> {
        let repository = order.image.as_deref()?.split('@').next()?;
        Some(match self.check_repository(repository) {
            Ok(()) => Finding::new("allowed", Health::Ok, format!("images of {repository}")),
            Err(error) => Finding::of_error("allowed", Health::Failed, &error),
        })
    }

    fn check_image(&self, image: &str) -> Result<()> {
        let parts = image.split_once('@');
        let Some((repository, _)) = parts.filter(|(_, digest)| digest.parse::<Digest>().is_ok()) else {
            return Err(refused(format!("the image {image} is not named by its digest"))
                .hint("name it REPOSITORY@sha256:…: a tag may be moved in between"));
        };
        self.check_repository(repository)
    }

    fn check_repository(&self, repository: &str) -> Result<()> {
        let is_allowed = |allowed: &String| match allowed.strip_suffix('/') {
            Some(_) => repository.starts_with(allowed.as_str()),
            None => repository == allowed,
        };
        if self.repositories.iter().any(is_allowed) {
            return Ok(());
        }
        let error = refused(format!("images of {repository} are not allowed here"));
        Err(if self.repositories.is_empty() {
            error.hint(
                "set SHIPWAY_REPOSITORY of the function: without it, it runs only the image its task definition names",
            )
        } else {
            let allowed = self.repositories.join(", ");
            error.hint(format!("allowed: {allowed} (SHIPWAY_REPOSITORY of the function)"))
        })
    }

    /// A flag or a variable: `-cleanOnValidationError=true` empties the database as well as the command does.
    fn check_setting(&self, name: &str) -> Result<()> {
        let name = name.split('=').next().unwrap_or_default();
        let is_clean = name.to_ascii_lowercase().contains(CLEAN);
        if is_clean && !self.commands.iter().any(|command| command == CLEAN) {
            return Err(refused(format!("{name} is not allowed here"))
                .hint("it goes with the command clean, which SHIPWAY_ALLOWED_COMMANDS of the function does not name"));
        }
        Ok(())
    }
}

fn refused(what: String) -> ContentError {
    ContentError::new(Kind::Refused, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: &str = "1.dkr.ecr.eu-west-3.amazonaws.com/orders";

    fn rules() -> Rules {
        Rules::new(vec![REPOSITORY.to_owned(), "r.example.com/team/".to_owned()], None)
    }

    fn of_image(image: &str) -> Order {
        Order {
            image: Some(image.to_owned()),
            ..Order::default()
        }
    }

    fn of_command(command: &[&str]) -> Order {
        Order {
            command: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            ..Order::default()
        }
    }

    #[test]
    fn only_images_of_these_repositories_run_and_only_by_digest() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let good = [
            format!("{REPOSITORY}@{digest}"),
            format!("r.example.com/team/a/b@{digest}"),
        ];
        for image in &good {
            assert!(rules().check(&of_image(image)).is_ok(), "{image}");
        }
        let bad = [
            format!("{REPOSITORY}:1"),
            format!("{REPOSITORY}@sha256:00"),
            format!("{REPOSITORY}-evil@{digest}"),
            format!("{REPOSITORY}/below@{digest}"),
            format!("{REPOSITORY}:1@{digest}"),
            format!("r.example.com/teams@{digest}"),
            format!("r.example.com/team@{digest}"),
        ];
        for image in &bad {
            let error = rules().check(&of_image(image)).expect_err(image);
            assert_eq!(error.kind(), Kind::Refused);
        }
        let none = Rules::new(Vec::new(), None);
        assert!(none.check(&of_image(&good[0])).is_err(), "no list allows nothing");
        assert!(none.check(&Order::default()).is_ok(), "the task definition's own image");
    }

    #[test]
    fn a_database_is_never_emptied_by_the_way() {
        for command in [
            &["migrate"][..],
            &["-outputType=json", "info"],
            &["-X", "validate", "migrate"],
            &[],
        ] {
            assert!(rules().check(&of_command(command)).is_ok(), "{command:?}");
        }
        for command in [
            &["clean"][..],
            &["migrate", "clean"],
            &["CLEAN"],
            &["drop-all"],
            &["migrate", "-cleanOnValidationError=true"],
            &["-cleanDisabled=false", "migrate"],
            &["-url", "jdbc:mysql://elsewhere", "migrate"],
        ] {
            assert!(rules().check(&of_command(command)).is_err(), "{command:?}");
        }
        let mut order = of_command(&["migrate"]);
        order
            .environment
            .insert("FLYWAY_CLEAN_ON_VALIDATION_ERROR".to_owned(), "true".to_owned());
        let error = rules().check(&order).expect_err("it cleans");
        assert!(!error.to_string().contains("true"), "{error}");

        let all = Rules::new(Vec::new(), Some(vec!["clean".to_owned()]));
        assert!(all.check(&of_command(&["-cleanDisabled=false", "clean"])).is_ok());
        assert!(all.check(&of_command(&["migrate"])).is_err());
    }

    #[test]
    fn without_the_lock_is_only_looked() {
        let aside = |command: Option<&[&str]>| Order {
            purpose: Some("examine-1".to_owned()),
            ..command.map(of_command).unwrap_or_default()
        };
        for command in [&["info"][..], &["info", "validate", "-outputType=json"]] {
            assert!(rules().check(&aside(Some(command))).is_ok(), "{command:?}");
        }
        // Without a command it is the task definition's.
        for command in [None, Some(&["migrate"][..]), Some(&["info", "migrate"]), Some(&["-X"])] {
            let error = rules().check(&aside(command)).expect_err("it changes something");
            assert_eq!(error.kind(), Kind::Refused);
        }
    }
}
