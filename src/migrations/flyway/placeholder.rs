//! Placeholders, replaced as Flyway replaces them: by their look alone, in comments and strings too.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What is replaced by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    prefix: String,
    suffix: String,
    /// By names in lower case.
    values: BTreeMap<String, String>,
}

impl Replacement {
    /// What begins and ends a placeholder, and the values, by names in any case.
    #[must_use]
    pub fn new(prefix: &str, suffix: &str, values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_lowercase(), value));
        Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            values: values.collect(),
        }
    }
}

/// Finds placeholders in text that comes piece by piece.
///
/// A prefix that begins within the beginning of another is not seen: `$${name}` stays as it is, since the second `$` was read to compare
/// it with the `{` behind the first. Flyway does the same.
#[derive(Debug, Clone)]
pub struct Finding {
    prefix: Vec<char>,
    suffix: String,
    /// How many characters of the prefix agreed so far; `None` inside a placeholder.
    matched: Option<usize>,
    /// The inside of a placeholder whose end has not come yet.
    name: String,
}

/// A piece of text as [`Finding`] takes it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text that is no part of a placeholder.
    Text(&'a str),
    /// Characters of a prefix that turned out to be none.
    Prefix(&'a [char]),
    /// The name of a placeholder, as written.
    Name(&'a str),
}

/// A name that is longer is none: a prefix without a suffix would have the rest of the file kept in memory.
const NAME_LIMIT_BYTES: usize = 64 * 1024;

impl Finding {
    /// Starts outside of a placeholder.
    #[must_use]
    pub fn new(prefix: &str, suffix: &str) -> Self {
        Self {
            prefix: prefix.chars().collect(),
            suffix: suffix.to_owned(),
            matched: Some(0),
            name: String::new(),
        }
    }

    /// Whether the text ended inside of a placeholder.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.matched.is_none()
    }

    /// Takes the next text and tells what it holds, in order.
    pub fn update(&mut self, text: &str, mut tell: impl FnMut(Part<'_>)) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if self.matched == Some(0)
                && let Some(first) = self.prefix.first()
            {
                let plain = rest.find(*first).unwrap_or(rest.len());
                if plain > 0 {
                    tell(Part::Text(&rest[..plain]));
                    rest = &rest[plain..];
                    continue;
                }
            }
            let (this, behind) = rest.split_at(character.len_utf8());
            rest = behind;
            let Some(matched) = self.matched else {
                if self.name.len() < NAME_LIMIT_BYTES {
                    self.name.push(character);
                }
                if let Some(name) = self.name.strip_suffix(&self.suffix) {
                    tell(Part::Name(name));
                    self.name.clear();
                    self.matched = Some(0);
                }
                continue;
            };
            if self.prefix.get(matched) == Some(&character) {
                let is_whole = matched + 1 == self.prefix.len();
                self.matched = (!is_whole).then_some(matched + 1);
                continue;
            }
            tell(Part::Prefix(&self.prefix[..matched]));
            tell(Part::Text(this));
            self.matched = Some(0);
        }
    }

    /// Ends the text: tells what was the beginning of a prefix.
    pub fn finish(&mut self, mut tell: impl FnMut(Part<'_>)) {
        if let Some(matched) = self.matched.filter(|matched| *matched > 0) {
            tell(Part::Prefix(&self.prefix[..matched]));
            self.matched = Some(0);
        }
    }
}

/// Replaces placeholders in text that comes piece by piece.
#[derive(Debug, Clone)]
pub struct Replacing {
    replacement: Arc<Replacement>,
    finding: Finding,
    text: String,
    is_known: bool,
}

impl Replacing {
    /// Starts with no text.
    #[must_use]
    pub fn new(replacement: Arc<Replacement>) -> Self {
        Self {
            finding: Finding::new(&replacement.prefix, &replacement.suffix),
            replacement,
            text: String::new(),
            is_known: true,
        }
    }

    /// Adds text and gives what became of it so far. Nothing more comes behind a placeholder without a value.
    pub fn update(&mut self, text: &str) -> &str {
        self.text.clear();
        let values = &self.replacement.values;
        if self.is_known {
            self.finding.update(text, |part| match part {
                Part::Text(text) => self.text.push_str(text),
                Part::Prefix(prefix) => self.text.extend(prefix),
                Part::Name(name) => match values.get(&name.to_lowercase()) {
                    Some(value) => self.text.push_str(value),
                    None => self.is_known = false,
                },
            });
        }
        &self.text
    }

    /// Ends the text: gives what is left, and whether every placeholder had a value.
    pub fn finish(&mut self) -> (&str, bool) {
        self.text.clear();
        self.finding.finish(|part| {
            if let Part::Prefix(prefix) = part {
                self.text.extend(prefix);
            }
        });
        (&self.text, self.is_known && !self.finding.is_open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str, size: usize) -> Option<String> {
        let values = [("Name", "VAL"), ("empty", ""), ("a.b", "${name}")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut replacing = Replacing::new(Replacement::new("${", "}", values).into());
        let mut result = String::new();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size) {
            result.push_str(replacing.update(&piece.iter().collect::<String>()));
        }
        let (rest, is_known) = replacing.finish();
        result.push_str(rest);
        is_known.then_some(result)
    }

    #[test]
    fn replaces_what_flyway_replaces() {
        for (text, expected) in [
            ("", Some("")),
            ("x ${name} y", Some("x VAL y")),
            ("${NAME}", Some("VAL")),
            ("$${name}", Some("$${name}")),
            ("$$${name}", Some("$$VAL")),
            ("$$ b $$ ${name}", Some("$$ b $$ VAL")),
            ("x${empty}${name}", Some("xVAL")),
            ("${a.b}", Some("${name}")),
            ("a$", Some("a$")),
            ("{name} $name", Some("{name} $name")),
            ("-- ${name}é", Some("-- VALé")),
            ("${ name }", None),
            ("${}", None),
            ("${{name}}", None),
            ("a${name", None),
            ("a${", None),
            ("${unknown}", None),
        ] {
            for size in 1..=text.len().max(1) {
                assert_eq!(replaced(text, size).as_deref(), expected, "{text} by {size}");
            }
        }
    }
}
