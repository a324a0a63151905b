//! What holds in the end: files, then variables, then arguments, and above all the settings of the environment that is chosen.

use std::collections::BTreeMap;

use super::given::{Given, Source};
use super::{ConfigFile, FlywayConfig, environment, properties, toml};

/// The folder of Flyway's configuration in its own image.
const FOLDER: &str = "/flyway/conf";
/// The names Flyway looks for, the least important first.
const TOML_NAMES: [&str; 2] = ["flyway.toml", "flyway.user.toml"];
/// The name of the older form.
const CONF_NAME: &str = "flyway.conf";
/// The environment that is chosen if none is named.
const DEFAULT_ENVIRONMENT: &str = "default";

/// The files Flyway reads, in the order in which each overrides those before, and those it would not.
struct Chosen<'a> {
    read: Vec<&'a ConfigFile>,
    is_toml: bool,
    unread: Option<&'a ConfigFile>,
    is_refused: bool,
}

impl FlywayConfig {
    /// What holds, given the configuration files, the environment and the arguments (entrypoint and command) of the image.
    ///
    /// What a value refers to is filled in where the environment says it. The working directory is that of Flyway's own image.
    #[must_use]
    pub fn effective(files: &[ConfigFile], variables: &BTreeMap<String, String>, arguments: &[String]) -> Self {
        Self::effective_in("/flyway", files, variables, arguments)
    }

    /// The same for another working directory.
    #[must_use]
    pub fn effective_in(
        working_directory: &str,
        files: &[ConfigFile],
        variables: &BTreeMap<String, String>,
        arguments: &[String],
    ) -> Self {
        let by_variables = environment::variables(variables);
        let by_arguments = environment::arguments(arguments);
        let working_directory = match by_arguments.source.flyway.text("workingDirectory") {
            Some(own) if own.starts_with('/') => own,
            Some(own) => format!("{working_directory}/{own}"),
            None => working_directory.to_owned(),
        };
        let named = |given: &Given| -> Vec<String> {
            let names = given.list("configFiles").unwrap_or_default();
            let names = names.into_iter().filter(|name| !name.is_empty());
            names
                .map(|name| {
                    if name.starts_with('/') {
                        name
                    } else {
                        format!("{working_directory}/{name}")
                    }
                })
                .collect()
        };
        let by_name = [named(&by_variables.source.flyway), named(&by_arguments.source.flyway)];
        let chosen = choose(files, &by_name, &working_directory);
        let mut source = Source::default();
        for file in &chosen.read {
            source.merge(&if chosen.is_toml {
                toml::read(&file.text)
            } else {
                conf(&file.text, variables)
            });
        }
        source.merge(&by_variables.source);
        source.merge(&by_arguments.source);
        let name = source
            .flyway
            .text("environment")
            .unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned());
        let mut database = source.environments.remove(&name).unwrap_or_default();
        // The older form knows no environments: there the database is a setting like any other.
        database.merge(&Given(
            source
                .flyway
                .0
                .iter()
                .filter(|(key, _)| !chosen.is_toml && of_database(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ));
        database.merge(&by_variables.chosen);
        database.merge(&by_arguments.chosen);
        let own = database
            .0
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("flyway.")?.to_owned(), value.clone())));
        let mut flyway = source.flyway;
        flyway.override_by(&Given(own.collect()));
        let mut config = understand(&flyway, &database, variables);
        config.working_directory = working_directory;
        config.refuses_files = chosen.is_refused;
        config.shadowed = chosen
            .unread
            .and_then(|unread| Some((chosen.read.first()?.shown.clone(), unread.shown.clone())));
        config
    }
}

fn of_database(key: &str) -> bool {
    matches!(key, "url" | "schemas")
}

fn choose<'a>(files: &'a [ConfigFile], named: &[Vec<String>; 2], directory: &str) -> Chosen<'a> {
    let at = |path: &str| files.iter().find(|file| file.image_path == path);
    let is_toml = |file: &&ConfigFile| file.image_path.ends_with(".toml");
    let places = [FOLDER, directory];
    let default_toml: Vec<&ConfigFile> = places
        .iter()
        .flat_map(|folder| {
            TOML_NAMES
                .iter()
                .filter_map(move |name| at(&format!("{folder}/{name}")))
        })
        .collect();
    let default_conf: Vec<&ConfigFile> = places
        .iter()
        .filter_map(|folder| at(&format!("{folder}/{CONF_NAME}")))
        .collect();
    let [by_variable, by_argument] = named
        .each_ref()
        .map(|paths| paths.iter().filter_map(|path| at(path)).collect::<Vec<_>>());
    // The form of those that are named last decides, then of those found.
    let mut form = None;
    let mut is_refused = false;
    for found in [&by_argument, &by_variable] {
        let (toml, conf) = (found.iter().any(is_toml), found.iter().any(|file| !is_toml(file)));
        is_refused |= form.is_none() && toml && conf;
        form = form.or((toml || conf).then_some(toml));
    }
    let read_toml = form.unwrap_or(!default_toml.is_empty() || default_conf.is_empty());
    let all = default_toml
        .into_iter()
        .chain(default_conf)
        .chain(by_variable)
        .chain(by_argument);
    let (toml, conf): (Vec<&ConfigFile>, Vec<&ConfigFile>) = all.partition(is_toml);
    let (read, unread) = if read_toml { (toml, conf) } else { (conf, toml) };
    Chosen {
        read,
        is_toml: read_toml,
        unread: unread.first().copied(),
        is_refused,
    }
}

/// Reads a `flyway.conf`; variables in it that the image does not set stay as they are written.
fn conf(text: &str, variables: &BTreeMap<String, String>) -> Source {
    let mut source = Source::default();
    for property in properties::read(&expanded(text, "${", variables)) {
        if let Some(key) = property.key.strip_prefix("flyway.") {
            source.flyway.set(key, property.value);
        }
    }
    source
}

/// A text with the variables filled in that the image sets.
fn expanded(text: &str, before: &str, variables: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let behind = &rest[at + before.len()..];
        let reference = behind
            .find('}')
            .and_then(|end| Some((end, variables.get(&behind[..end])?)));
        let Some((end, value)) = reference else {
            result.push_str(&rest[..at + before.len()]);
            rest = behind;
            continue;
        };
        result.push_str(&rest[..at]);
        result.push_str(value);
        rest = &behind[end + 1..];
    }
    result + rest
}

fn understand(flyway: &Given, database: &Given, variables: &BTreeMap<String, String>) -> FlywayConfig {
    let mut config = FlywayConfig::default();
    let text = |key: &str, place: &mut String| {
        if let Some(value) = flyway.text(key) {
            *place = value;
        }
    };
    let boolean = |key: &str, place: &mut bool| {
        if let Some(value) = flyway.boolean(key) {
            *place = value;
        }
    };
    let list = |key: &str, place: &mut Vec<String>| {
        if let Some(value) = flyway.list(key) {
            *place = value;
        }
    };
    list("locations", &mut config.locations);
    list("callbackLocations", &mut config.callback_locations);
    list("sqlMigrationSuffixes", &mut config.suffixes);
    list("ignoreMigrationPatterns", &mut config.ignore_migration_patterns);
    text("table", &mut config.table);
    text("sqlMigrationPrefix", &mut config.prefixes.versioned);
    text("repeatableSqlMigrationPrefix", &mut config.prefixes.repeatable);
    text("baselineMigrationPrefix", &mut config.prefixes.baseline);
    text("undoSqlMigrationPrefix", &mut config.prefixes.undo);
    text("sqlMigrationSeparator", &mut config.separator);
    text("encoding", &mut config.encoding);
    text("baselineVersion", &mut config.baseline_version);
    text("placeholderPrefix", &mut config.placeholders.prefix);
    text("placeholderSuffix", &mut config.placeholders.suffix);
    text("scriptPlaceholderPrefix", &mut config.placeholders.script_prefix);
    text("scriptPlaceholderSuffix", &mut config.placeholders.script_suffix);
    boolean("detectEncoding", &mut config.detect_encoding);
    boolean("placeholderReplacement", &mut config.placeholders.replace);
    boolean("outOfOrder", &mut config.out_of_order);
    boolean("mixed", &mut config.mixed);
    boolean("group", &mut config.group);
    boolean("executeInTransaction", &mut config.execute_in_transaction);
    boolean("postgresql.transactional.lock", &mut config.transactional_lock);
    config.default_schema = flyway.text("defaultSchema");
    config.schemas = database.list("schemas").unwrap_or_default();
    config.url = database
        .text("url")
        .map(|url| expanded(&url, "${env.", variables))
        .filter(|url| !is_reference(url));
    let values = flyway.placeholders().into_iter().map(|(name, value)| {
        let value = expanded(&value, "${env.", variables);
        let is_known = !is_reference(&value);
        (name, is_known.then_some(value))
    });
    config.placeholders.values = values.collect();
    config
}

/// Whether a value refers to something the image does not say.
fn is_reference(value: &str) -> bool {
    value.split_once("${").is_some_and(|(_, behind)| behind.contains('}'))
}
