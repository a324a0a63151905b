//! What Liquibase's configuration says about changelogs: arguments over environment over `liquibase.properties`.

use std::collections::BTreeMap;

use super::FOLDER;

/// The variable that names the changelog.
pub const CHANGELOG_VARIABLE: &str = "LIQUIBASE_COMMAND_CHANGELOG_FILE";
/// The variable that names the folders in which files are looked for.
pub const SEARCH_PATH_VARIABLE: &str = "LIQUIBASE_SEARCH_PATH";
/// Where its image starts it.
const HOME: &str = "/liquibase";

/// What Liquibase's configuration says about changelogs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiquibaseConfig {
    /// The changelog it starts from, as configured.
    pub changelog: Option<String>,
    /// The folders of the image in which files are looked for; none means the folder of changelogs.
    pub search_path: Vec<String>,
    /// Whether somebody named them.
    pub has_search_path: bool,
    /// The address of the database, if it is in the configuration.
    pub url: Option<String>,
}

impl LiquibaseConfig {
    /// What holds, given the keys of `liquibase.properties`, the variables of the image, and the words it is started with.
    #[must_use]
    pub fn effective(
        properties: &BTreeMap<String, String>,
        environment: &BTreeMap<String, String>,
        arguments: &[String],
    ) -> Self {
        let given = arguments_of(arguments);
        let find = |names: &[&str]| {
            let of = |map: &BTreeMap<String, String>| {
                let found = map.iter().find(|(key, _)| names.contains(&plain(key).as_str()));
                found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
            };
            of(&given).or_else(|| of(environment)).or_else(|| of(properties))
        };
        let search_path = find(&["searchpath", "liquibasesearchpath"]);
        let folders = search_path.iter().flat_map(|list| list.split(','));
        Self {
            changelog: find(&[
                "changelogfile",
                "liquibasecommandchangelogfile",
                "liquibasecommandupdatechangelogfile",
                "liquibasechangelogfile",
            ]),
            search_path: folders.map(|folder| absolute(folder.trim())).collect(),
            has_search_path: search_path.is_some(),
            url: find(&["url", "liquibasecommandurl"]),
        }
    }

    /// The folders in which files are looked for.
    pub(super) fn folders(&self) -> Vec<&str> {
        match self.search_path.is_empty() {
            true => vec![FOLDER],
            false => self.search_path.iter().map(String::as_str).collect(),
        }
    }
}

fn absolute(folder: &str) -> String {
    match folder.starts_with('/') {
        true => folder.trim_end_matches('/').to_owned(),
        false => super::path::join(HOME, folder),
    }
}

/// A name as Liquibase compares it: `changelog-file`, `changeLogFile` and `CHANGELOG_FILE` are one.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|character| !matches!(character, '-' | '_' | '.'));
    kept.flat_map(char::to_lowercase).collect()
}

/// Arguments with values: `--key=value` or `--key value`.
fn arguments_of(words: &[String]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(argument) = word.strip_prefix("--") else {
            continue;
        };
        if let Some((key, value)) = argument.split_once('=') {
            found.insert(key.to_owned(), value.to_owned());
        } else if let Some(value) = words.peek().filter(|next| !next.starts_with("--")) {
            found.insert(argument.to_owned(), (*value).clone());
        }
    }
    found
}

/// Keys and values of a file of properties.
#[must_use]
pub fn properties(text: &str) -> BTreeMap<String, String> {
    let entry = |line: &str| {
        let line = line.trim();
        if line.starts_with(['#', '!']) {
            return None;
        }
        let (key, value) = line.split_once(['=', ':'])?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(entry).collect()
}
