//! `flyway.toml`.

use toml::{Table, Value as Toml};

use super::given::{Given, Source, Value};

/// Reads the text of one; what is no TOML says nothing, and Flyway refuses to run with it.
pub(super) fn read(text: &str) -> Source {
    let Ok(root) = text.trim_start_matches('\u{feff}').parse::<Table>() else {
        return Source::default();
    };
    let mut source = Source::default();
    if let Some(Toml::Table(flyway)) = root.get("flyway") {
        flatten("", flyway, &mut source.flyway);
    }
    if let Some(Toml::Table(environments)) = root.get("environments") {
        for (name, settings) in environments {
            if let Toml::Table(settings) = settings {
                flatten("", settings, source.environments.entry(name.clone()).or_default());
            }
        }
    }
    source
}

fn flatten(before: &str, table: &Table, given: &mut Given) {
    for (key, value) in table {
        let key = format!("{before}{key}");
        let value = match value {
            Toml::Table(table) => {
                flatten(&format!("{key}."), table, given);
                continue;
            }
            Toml::Array(items) => Value::List(items.iter().map(text).collect()),
            other => Value::Text(text(other)),
        };
        given.0.insert(key, value);
    }
}

fn text(value: &Toml) -> String {
    match value {
        Toml::String(text) => text.clone(),
        Toml::Integer(number) => number.to_string(),
        Toml::Float(number) => number.to_string(),
        Toml::Boolean(boolean) => boolean.to_string(),
        Toml::Datetime(date) => date.to_string(),
        // None of Flyway's settings is a list of such.
        Toml::Array(_) | Toml::Table(_) => String::new(),
    }
}
