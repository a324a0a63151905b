//! `flyway.conf` and the configuration of a script: Java's properties, in Flyway's manner.

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The line it begins on, from one.
    pub line: u64,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Reads properties, in order.
///
/// The form is Java's properties, except that backslashes are literal: Flyway doubles them before it reads. One at the
/// end of a line still continues it, unless the next line is a property of Flyway's itself.
#[must_use]
pub fn read(text: &str) -> Vec<Property> {
    let mut found: Vec<Property> = Vec::new();
    let mut continued = false;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    for (line, number) in text.split(['\n', '\r']).zip(1..) {
        let line = line.trim_matches([' ', '\t', '\x0c']);
        let own = line.starts_with("flyway.") && line.contains('=');
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        if continued && !own {
            if let Some(last) = found.last_mut() {
                last.value.push_str(part);
            }
            // A blank line ends a property even where the line before asked for more.
            continued = goes_on;
            continue;
        }
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let (key, value) = split(part);
        found.push(Property {
            line: number,
            key: key.to_owned(),
            value: value.to_owned(),
        });
        continued = goes_on;
    }
    found
}

/// Splits a property at the first `=`, `:` or white space; white space around a sign belongs to neither side.
fn split(line: &str) -> (&str, &str) {
    let blank = [' ', '\t', '\x0c'];
    let end = line.find(['=', ':', ' ', '\t', '\x0c']).unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, value.trim_start_matches(blank))
}

/// What Flyway takes for yes and no.
#[must_use]
pub fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_backslashes_joins_lines_and_counts_them() {
        let text =
            "# first\r\nflyway.url = C:\\a\\b\r\nflyway.initSql: one \\\n   two\nflyway.user\nflyway.x=y\\\nflyway.z=1";
        let expected = [
            (2, "flyway.url", "C:\\a\\b"),
            (3, "flyway.initSql", "one two"),
            (5, "flyway.user", ""),
            (6, "flyway.x", "y"),
            (7, "flyway.z", "1"),
        ];
        let expected = expected.map(|(line, key, value)| Property {
            line,
            key: key.to_owned(),
            value: value.to_owned(),
        });
        assert_eq!(read(text), expected);
    }
}
