//! Keys and values of Flyway's configuration files.

use toml::de::{DeTable, DeValue};

/// A key with its value.
pub(super) struct Entry {
    /// The parts of the key, as written.
    pub(super) path: Vec<String>,
    /// The value.
    pub(super) value: String,
    /// The line it stands in, from one.
    pub(super) line: usize,
}

/// What a file holds; nothing, if its name is not that of a configuration file.
pub(super) fn entries(name: &str, text: &str) -> Vec<Entry> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "toml" => match DeTable::parse(text) {
            Ok(table) => {
                let mut found = Vec::new();
                of_table(table.get_ref(), text, &mut Vec::new(), &mut found);
                found
            }
            // A file that Flyway will not read may hold a password all the same.
            Err(_) => lines(text, true),
        },
        "conf" | "properties" => lines(text, false),
        _ => Vec::new(),
    }
}

fn of_table(table: &DeTable<'_>, text: &str, path: &mut Vec<String>, found: &mut Vec<Entry>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        of_value(value.get_ref(), key.span().start, text, path, found);
        path.pop();
    }
}

fn of_value(value: &DeValue<'_>, start: usize, text: &str, path: &mut Vec<String>, found: &mut Vec<Entry>) {
    let value = match value {
        DeValue::Table(table) => return of_table(table, text, path, found),
        DeValue::Array(values) => {
            for value in values {
                of_value(value.get_ref(), value.span().start, text, path, found);
            }
            return;
        }
        DeValue::String(value) => value.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        _ => return,
    };
    found.push(Entry {
        path: path.clone(),
        value,
        line: line_of(text, start),
    });
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// Lines with a key and a value. Flyway takes a backslash in a `.conf` literally, so no line goes on in the next.
fn lines(text: &str, is_toml: bool) -> Vec<Entry> {
    let mut section: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        if is_toml && line.starts_with('[') {
            section = parts(line.trim_matches(['[', ']']));
            continue;
        }
        let Some((key, value)) = line.split_once(|end| end == '=' || end == ':' && !is_toml) else {
            continue;
        };
        let mut path = section.clone();
        path.extend(parts(key));
        let value = value.trim();
        found.push(Entry {
            path,
            value: if is_toml {
                value.trim_matches(['"', '\''])
            } else {
                value
            }
            .to_owned(),
            line: at + 1,
        });
    }
    found
}

fn parts(key: &str) -> Vec<String> {
    key.split('.')
        .map(|part| part.trim().trim_matches(['"', '\'']).to_owned())
        .collect()
}
