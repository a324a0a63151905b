//! What Flyway's configuration says, as far as building an image depends on it.

use std::collections::BTreeMap;

use ::toml::{Table, Value};

use super::placeholder::Replacement;

mod effective;
mod environment;
mod given;
pub mod properties;
mod toml;

#[cfg(test)]
mod tests;

/// A configuration file of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// The absolute path in the image.
    pub image_path: String,
    /// The path as its user knows it, for messages.
    pub shown: String,
    /// Its text.
    pub text: String,
}

/// The first letters of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    /// Of versioned migrations.
    pub versioned: String,
    /// Of repeatable ones.
    pub repeatable: String,
    /// Of baselines.
    pub baseline: String,
    /// Of those that take a version back.
    pub undo: String,
}

/// How placeholders look, and which there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholders {
    /// Whether they are replaced.
    pub replace: bool,
    /// What begins one.
    pub prefix: String,
    /// What ends one.
    pub suffix: String,
    /// What begins one in what an interpreter runs.
    pub script_prefix: String,
    /// What ends one there.
    pub script_suffix: String,
    /// Their names in lower case, each with its value where the image sets one that is no reference.
    pub values: BTreeMap<String, Option<String>>,
}

impl Placeholders {
    /// What is replaced in the script of a name, which an interpreter may run: all whose value the image knows, and those of Flyway's own
    /// that follow from its files.
    #[must_use]
    pub fn replacement(&self, file_name: &str, program: bool, table: &str) -> Replacement {
        // For a program Flyway has still the name of the script it looked at before.
        let file_name = (!program).then_some(("flyway:filename", file_name));
        let own = [("flyway:table", table)].into_iter().chain(file_name);
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let known = self
            .values
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        let (prefix, suffix) = match program {
            true => (&self.script_prefix, &self.script_suffix),
            false => (&self.prefix, &self.suffix),
        };
        Replacement::new(prefix, suffix, known.chain(own))
    }
}

/// What Flyway will go by, as far as scripts are concerned: files, environment and arguments of the image over its defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlywayConfig {
    /// The folder of the image in which Flyway runs.
    pub working_directory: String,
    /// Where scripts are, as written.
    pub locations: Vec<String>,
    /// Where callbacks are besides, as written.
    pub callback_locations: Vec<String>,
    /// The history table.
    pub table: String,
    /// The schema of the history table.
    pub default_schema: Option<String>,
    /// The schemas it manages.
    pub schemas: Vec<String>,
    /// First letters of names.
    pub prefixes: Prefixes,
    /// What stands between version and description.
    pub separator: String,
    /// Last letters of names.
    pub suffixes: Vec<String>,
    /// The encoding of scripts.
    pub encoding: String,
    /// Whether Flyway guesses the encoding.
    pub detect_encoding: bool,
    /// Placeholders.
    pub placeholders: Placeholders,
    /// Whether a version below the highest one still runs.
    pub out_of_order: bool,
    /// Whether a script may mix statements that need a transaction with such that refuse one.
    pub mixed: bool,
    /// Whether all pending migrations are one transaction.
    pub group: bool,
    /// Whether scripts run in a transaction.
    pub execute_in_transaction: bool,
    /// Whether Flyway's lock on PostgreSQL is held by an open transaction.
    pub transactional_lock: bool,
    /// The version of the baseline.
    pub baseline_version: String,
    /// Patterns of what validation passes over.
    pub ignore_migration_patterns: Vec<String>,
    /// The address of the database, if the image says it.
    pub url: Option<String>,
    /// A file that is read and one that is not, if the image holds files of both forms: Flyway reads those of one form only.
    pub shadowed: Option<(String, String)>,
    /// Whether both were named to it, which Flyway refuses.
    pub refuses_files: bool,
}

impl Default for FlywayConfig {
    fn default() -> Self {
        Self {
            working_directory: "/flyway".to_owned(),
            locations: vec!["filesystem:/flyway/sql".to_owned()],
            callback_locations: Vec::new(),
            table: "flyway_schema_history".to_owned(),
            default_schema: None,
            schemas: Vec::new(),
            prefixes: Prefixes {
                versioned: "V".to_owned(),
                repeatable: "R".to_owned(),
                baseline: "B".to_owned(),
                undo: "U".to_owned(),
            },
            separator: "__".to_owned(),
            suffixes: vec![".sql".to_owned()],
            encoding: "UTF-8".to_owned(),
            detect_encoding: false,
            placeholders: Placeholders {
                replace: true,
                prefix: "${".to_owned(),
                suffix: "}".to_owned(),
                script_prefix: "FP__".to_owned(),
                script_suffix: "__".to_owned(),
                values: BTreeMap::new(),
            },
            out_of_order: false,
            mixed: false,
            group: false,
            execute_in_transaction: true,
            transactional_lock: true,
            baseline_version: "1".to_owned(),
            ignore_migration_patterns: vec!["*:future".to_owned()],
            url: None,
            shadowed: None,
            refuses_files: false,
        }
    }
}

/// The environment variable that names the folders of the scripts.
pub const LOCATIONS_VARIABLE: &str = "FLYWAY_LOCATIONS";

/// The key that names the folders of the scripts, in `flyway.conf`.
const LOCATIONS_PROPERTY: &str = "flyway.locations";

/// Tells whether the configuration file called `name` says where the scripts are.
///
/// A name that ends in `.toml` is read as TOML, where `locations` stands in `[flyway]` or in an environment's own
/// `[environments.NAME.flyway]`; any other as the properties of `flyway.conf`. What cannot be read says nothing here:
/// it is Flyway's to complain about it.
#[must_use]
pub fn says_locations(name: &str, text: &str) -> bool {
    let toml = name.len() >= 5 && name.as_bytes()[name.len() - 5..].eq_ignore_ascii_case(b".toml");
    if toml {
        toml_says_locations(text)
    } else {
        properties::read(text)
            .iter()
            .any(|property| property.key == LOCATIONS_PROPERTY)
    }
}

fn toml_says_locations(text: &str) -> bool {
    let Ok(root) = text.trim_start_matches('\u{feff}').parse::<Table>() else {
        return false;
    };
    let says = |table: &Table| {
        let flyway = table.get("flyway").and_then(Value::as_table);
        flyway.is_some_and(|flyway| flyway.contains_key("locations"))
    };
    let environments = root.get("environments").and_then(Value::as_table);
    says(&root) || environments.is_some_and(|all| all.values().filter_map(Value::as_table).any(says))
}
