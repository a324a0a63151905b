//! How the text of one file is read.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::encoding::{Decoder, Encoding};
use super::flyway::config::FlywayConfig;
use super::flyway::name::Kind;
use super::flyway::placeholder::Replacement;
use super::flyway::script_config::ScriptConfig;
use super::inventory::{Entry, Inventory, InventoryError};
use super::tool::Tool;

/// What encoding a file is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// In this one.
    Known(Encoding),
    /// In the one its bytes look like.
    Guessed,
    /// In one that is not known here; nothing is said about its text.
    Unknown,
}

/// What configuration says about the text of one file.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its encoding.
    pub encoding: Encoded,
    /// What its own configuration says, for a script that has one.
    pub script_config: Option<Arc<ScriptConfig>>,
    /// Whether placeholders in it are replaced.
    pub replaces: bool,
    /// What the tool replaces before it sums the text up; none if it sums it up as it is.
    pub replacement: Option<Arc<Replacement>>,
}

impl Default for Reading {
    /// UTF-8 in which nothing is replaced.
    fn default() -> Self {
        Self::in_encoding(Encoding::Utf8)
    }
}

impl Reading {
    /// Text of an encoding, in which nothing is replaced.
    #[must_use]
    pub fn in_encoding(encoding: Encoding) -> Self {
        Self {
            encoding: Encoded::Known(encoding),
            script_config: None,
            replaces: false,
            replacement: None,
        }
    }
}

/// The configuration of one script has a few lines; what is longer is none.
const SCRIPT_CONFIG_LIMIT_BYTES: u64 = 64 * 1024;

impl Inventory {
    /// How the text of every entry is read, in their order. Reads the configuration of single scripts, and nothing else.
    ///
    /// # Errors
    /// A configuration of a script cannot be read.
    pub fn readings(&self) -> Result<Vec<Reading>, InventoryError> {
        let Tool::Flyway(config) = self.tool() else {
            return Ok(vec![Reading::default(); self.entries().len()]);
        };
        let mut script_configs = BTreeMap::new();
        for entry in self.entries().iter().filter(|entry| entry.kind == Kind::ScriptConfig) {
            let script_config = read_script_config(entry, config).map_err(|source| InventoryError::Read {
                path: entry.shown.clone(),
                source,
            })?;
            script_configs.insert(entry.image_path.to_lowercase(), Arc::new(script_config));
        }
        let reading = |entry: &Entry| {
            let script_config = script_configs.get(&format!("{}.conf", entry.image_path).to_lowercase());
            of_flyway(config, entry, script_config.cloned())
        };
        Ok(self.entries().iter().map(reading).collect())
    }
}

fn read_script_config(entry: &Entry, config: &FlywayConfig) -> io::Result<ScriptConfig> {
    let (bytes, _) = entry.content.read(SCRIPT_CONFIG_LIMIT_BYTES)?;
    let mut decoder = Decoder::new(Encoding::of_name(&config.encoding).unwrap_or(Encoding::Utf8));
    Ok(ScriptConfig::parse(decoder.decode(&bytes)))
}

fn of_flyway(config: &FlywayConfig, entry: &Entry, script_config: Option<Arc<ScriptConfig>>) -> Reading {
    let own = script_config.as_ref().and_then(|own| own.encoding.as_deref());
    let encoding = match (own, config.detect_encoding) {
        (None, true) => Encoded::Guessed,
        (own, _) => Encoding::of_name(own.unwrap_or(&config.encoding)).map_or(Encoded::Unknown, Encoded::Known),
    };
    let is_script = !matches!(entry.kind, Kind::Ignored { .. } | Kind::Other | Kind::ScriptConfig);
    let own = script_config.as_ref().and_then(|own| own.placeholder_replacement);
    // The configuration of a script is for SQL only.
    let own = own.filter(|_| !entry.program).unwrap_or(config.placeholders.replace);
    let replaces = is_script && !entry.program && own;
    let replacement = (own && matches!(entry.kind, Kind::Repeatable { .. })).then(|| {
        let name = entry.path.rsplit('/').next().unwrap_or(&entry.path);
        config
            .placeholders
            .replacement(name, entry.program, &config.table)
            .into()
    });
    Reading {
        encoding,
        script_config,
        replaces,
        replacement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::inventory::Listed;

    fn readings(config: FlywayConfig, files: &[(&str, &str)]) -> Vec<Reading> {
        let listed = files
            .iter()
            .map(|(path, text)| Listed::in_memory(path, text.as_bytes()));
        Inventory::of(Tool::Flyway(Box::new(config)), listed)
            .readings()
            .expect("all is in memory")
    }

    #[test]
    fn what_lies_beside_a_script_wins() {
        let config = FlywayConfig {
            detect_encoding: true,
            encoding: "windows-1252".to_owned(),
            ..FlywayConfig::default()
        };
        let files = [
            ("a/V1__a.sql", ""),
            ("a/V1__a.sql.conf", "encoding=UTF-16LE\nplaceholderReplacement=false"),
            ("V1__a.sql", ""),
            ("R__r.sql", ""),
            ("R__r.sql.conf", "encoding=of-nobody"),
        ];
        let read = readings(config.clone(), &files);
        assert_eq!(read[0].encoding, Encoded::Known(Encoding::Utf16Little));
        assert!(!read[0].replaces);
        assert_eq!(read[2].encoding, Encoded::Guessed);
        assert!(read[2].replaces && read[2].replacement.is_none());
        assert_eq!(read[3].encoding, Encoded::Unknown);
        assert!(read[3].replacement.is_some());
        let config = FlywayConfig {
            detect_encoding: false,
            ..config
        };
        let windows = Encoding::of_name("windows-1252").expect("known");
        assert_eq!(readings(config, &files)[2].encoding, Encoded::Known(windows));
    }
}
