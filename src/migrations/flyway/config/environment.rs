//! `FLYWAY_*` variables, and the arguments of Flyway's command line.

use std::collections::BTreeMap;

use super::given::{Given, PLACEHOLDERS, Source};

/// Settings of a database, which belong to an environment rather than to all of them.
const OF_ENVIRONMENT: [&str; 3] = ["url", "schemas", "user"];

/// Variables whose key is not their name in camel case.
const SPECIAL: [(&str, &str); 2] = [
    ("FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK", "postgresql.transactional.lock"),
    ("FLYWAY_DRYRUN_OUTPUT", "dryRunOutput"),
];

/// What holds for the environment that is chosen, whichever that is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Direct {
    /// By environments and for all of them.
    pub(super) source: Source,
    /// For the database of the chosen one.
    pub(super) chosen: Given,
}

impl Direct {
    fn set(&mut self, key: &str, value: &str) {
        if let Some((name, key)) = key.strip_prefix("environments.").and_then(|rest| rest.split_once('.')) {
            self.source
                .environments
                .entry(name.to_owned())
                .or_default()
                .set(key, value);
        } else if OF_ENVIRONMENT.contains(&key) {
            self.chosen.set(key, value);
        } else {
            self.source.flyway.set(key, value);
        }
    }
}

/// What the environment gives.
pub(super) fn variables(environment: &BTreeMap<String, String>) -> Direct {
    let mut direct = Direct::default();
    for (name, value) in environment {
        // Lower-case names spell the key itself. They win over the older ones, and are sorted behind them.
        if let Some(key) = name.strip_prefix("flyway_") {
            direct.set(&key.replace('_', "."), value);
        } else if name.starts_with("environments_") {
            direct.set(&name.replace('_', "."), value);
        } else if let Some(key) = key_of(name) {
            direct.set(&key, value);
        }
    }
    direct
}

/// The key a variable stands for.
fn key_of(name: &str) -> Option<String> {
    if let Some((_, key)) = SPECIAL.iter().find(|(special, _)| *special == name) {
        return Some((*key).to_owned());
    }
    let rest = name.strip_prefix("FLYWAY_")?;
    if let Some(placeholder) = rest
        .strip_prefix("PLACEHOLDERS_")
        .filter(|placeholder| !placeholder.is_empty())
    {
        return Some(format!("{PLACEHOLDERS}{}", placeholder.to_lowercase()));
    }
    let mut words = rest.split('_').map(str::to_ascii_lowercase);
    let mut key = words.next()?;
    for word in words {
        let mut characters = word.chars();
        key.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        key.push_str(characters.as_str());
    }
    Some(key)
}

/// What arguments give: `-locations=…`, whether each is a word of its own or all are in the text of a shell.
pub(super) fn arguments(arguments: &[String]) -> Direct {
    let mut direct = Direct::default();
    for (name, value) in words(arguments).filter_map(|word| word.strip_prefix('-')?.split_once('=')) {
        direct.set(name, value);
    }
    direct
}

fn words(arguments: &[String]) -> impl Iterator<Item = &str> {
    arguments.iter().flat_map(|argument| {
        let is_line = argument.contains(" -");
        let whole = (!is_line).then_some(argument.as_str());
        let parts = is_line.then(|| argument.split_whitespace().map(|word| word.trim_matches(['"', '\''])));
        whole.into_iter().chain(parts.into_iter().flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables() {
        for (name, key) in [
            ("FLYWAY_LOCATIONS", Some("locations")),
            ("FLYWAY_SQL_MIGRATION_SUFFIXES", Some("sqlMigrationSuffixes")),
            ("FLYWAY_BASELINE_MIGRATION_PREFIX", Some("baselineMigrationPrefix")),
            ("FLYWAY_PLACEHOLDERS_My_Name", Some("placeholders.my_name")),
            ("FLYWAY_PLACEHOLDER_PREFIX", Some("placeholderPrefix")),
            (
                "FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK",
                Some("postgresql.transactional.lock"),
            ),
            ("LOCATIONS", None),
        ] {
            assert_eq!(key_of(name).as_deref(), key, "{name}");
        }
    }

    #[test]
    fn arguments_alone_and_in_the_text_of_a_shell() {
        for given in [
            &["flyway", "-locations=filesystem:a,filesystem:b", "-X", "migrate"][..],
            &["sh", "-c", "flyway -locations=filesystem:a,filesystem:b -X migrate"],
        ] {
            let given: Vec<String> = given.iter().map(|&word| word.to_owned()).collect();
            let locations = arguments(&given).source.flyway.list("locations");
            assert_eq!(locations.expect("locations"), ["filesystem:a", "filesystem:b"]);
        }
    }
}
