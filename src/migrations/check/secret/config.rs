//! Keys and values of configuration files.

use toml::de::{DeTable, DeValue};

use super::file::{self, Syntax};

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
    match file::syntax(name) {
        Some(Syntax::Toml) => match DeTable::parse(text) {
            Ok(table) => {
                let mut found = Vec::new();
                of_table(table.get_ref(), text, &mut Vec::new(), &mut found);
                found
            }
            // A file that Flyway will not read may hold a password all the same.
            Err(_) => lines(text, Syntax::Toml),
        },
        Some(Syntax::Passwords) => passwords(text),
        Some(syntax) => lines(text, syntax),
        None => Vec::new(),
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
fn lines(text: &str, syntax: Syntax) -> Vec<Entry> {
    let has_sections = matches!(syntax, Syntax::Toml | Syntax::Sections);
    let mut section: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if is_comment(line, syntax) {
            continue;
        }
        if has_sections && line.starts_with('[') {
            section = parts(line.trim_matches(['[', ']']));
            continue;
        }
        if let Some((key, value)) = pair(line, syntax) {
            let mut path = section.clone();
            path.extend(parts(key));
            found.push(Entry {
                path,
                value: value.to_owned(),
                line: at + 1,
            });
        }
    }
    found
}

fn is_comment(line: &str, syntax: Syntax) -> bool {
    let is_commented = match syntax {
        Syntax::Properties => line.starts_with(['#', '!']),
        Syntax::Hcl => line.starts_with('#') || line.starts_with("//"),
        Syntax::Sections => line.starts_with(['#', ';']),
        _ => line.starts_with('#'),
    };
    line.is_empty() || is_commented
}

/// The key and the value of a line.
fn pair(line: &str, syntax: Syntax) -> Option<(&str, &str)> {
    let unquoted = |value: &'_ str| -> Option<usize> { value.find(" #") };
    let (key, value) = match syntax {
        Syntax::Properties => line.split_once(['=', ':'])?,
        Syntax::Yaml => line.trim_start_matches("- ").split_once(':')?,
        _ => line.split_once('=')?,
    };
    let (key, value) = (key.trim(), value.trim());
    Some(match syntax {
        Syntax::Properties => (key, value),
        Syntax::Variables => (key.trim_start_matches("export ").trim(), quoted(value).unwrap_or(value)),
        // What is not in quotes is an expression.
        Syntax::Hcl => (key, quoted(value)?),
        // A tag, an anchor, a list, a text that follows.
        Syntax::Yaml if value.starts_with(['!', '&', '*', '|', '>', '{', '[']) => return None,
        _ => {
            let end = unquoted(value).unwrap_or(value.len());
            (key, quoted(value).unwrap_or(value[..end].trim_end()))
        }
    })
}

/// What stands between the quotes a value begins with.
fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let inside = &value[1..];
    Some(&inside[..inside.find(quote).unwrap_or(inside.len())])
}

/// The lines `host:port:database:user:password`.
fn passwords(text: &str) -> Vec<Entry> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_start().starts_with('#'));
    let entry = |(at, line): (usize, &str)| {
        let value = line.splitn(5, ':').nth(4)?;
        Some(Entry {
            path: vec!["password".to_owned()],
            value: value.to_owned(),
            line: at + 1,
        })
    };
    lines.filter_map(entry).collect()
}

fn parts(key: &str) -> Vec<String> {
    key.split('.')
        .map(|part| part.trim().trim_matches(['"', '\'']).to_owned())
        .collect()
}
