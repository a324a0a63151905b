//! Changelogs in YAML.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::document::{Document, Unreadable};

/// Values of one changelog, those that an alias repeats counted each time.
const VALUES_LIMIT: usize = 2_000_000;
/// Lists and tables in each other; those of a changelog are a handful.
const DEEPEST: usize = 128;

/// A list or a table that has begun.
enum Open {
    List(Vec<Value>),
    /// With the key whose value is awaited.
    Table(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Builder {
    open: Vec<(Open, usize)>,
    anchors: BTreeMap<usize, (Value, usize)>,
    /// The lines in which elements of the list of changesets begin.
    lines: Vec<u64>,
    count: usize,
    root: Option<Value>,
}

/// Reads a changelog.
pub(super) fn read(text: &str) -> Result<Document, Unreadable> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| (error.marker().line() as u64, error.info().to_owned()))?;
        let line = span.start.line() as u64;
        builder.event(event, span).map_err(|why| (line, why.to_owned()))?;
        if builder.root.is_some() {
            break;
        }
    }
    let items = match &builder.root {
        Some(Value::Object(root)) => root.get("databaseChangeLog"),
        _ => None,
    };
    let Some(Value::Array(items)) = items else {
        return Err((1, "it has no list databaseChangeLog".to_owned()));
    };
    let mut document = Document::default();
    for (at, item) in items.iter().enumerate() {
        document.add(item, builder.lines.get(at).copied().unwrap_or_default());
    }
    Ok(document)
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        let line = span.start.line() as u64;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match style {
                    ScalarStyle::Plain if tag.is_none() => plain(&text),
                    _ => Value::String(text.into_owned()),
                };
                self.value(value, anchor, 1, line)
            }
            Event::Alias(anchor) => {
                let (value, count) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or("an alias of what has no end yet")?;
                self.value(value, 0, count, line)
            }
            Event::SequenceStart(anchor, ..) => self.begin(Open::List(Vec::new()), anchor, line),
            Event::MappingStart(anchor, ..) => self.begin(Open::Table(Map::new(), None), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((Open::List(list), anchor)) => self.end(Value::Array(list), anchor),
                Some((Open::Table(table, _), anchor)) => self.end(Value::Object(table), anchor),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open, anchor: usize, line: u64) -> Result<(), &'static str> {
        if self.open.len() == DEEPEST {
            return Err("lists and tables in each other, deeper than any changelog");
        }
        self.note(line);
        self.open.push((open, anchor));
        Ok(())
    }

    /// Notes where an element of the list of changesets begins: a list in a table is at depth two.
    fn note(&mut self, line: u64) {
        if let [(Open::Table(_, Some(key)), _), (Open::List(_), _)] = self.open.as_slice()
            && key == "databaseChangeLog"
        {
            self.lines.push(line);
        }
    }

    fn end(&mut self, value: Value, anchor: usize) -> Result<(), &'static str> {
        self.put(value, anchor, 1)
    }

    fn value(&mut self, value: Value, anchor: usize, count: usize, line: u64) -> Result<(), &'static str> {
        self.note(line);
        self.put(value, anchor, count)
    }

    fn put(&mut self, value: Value, anchor: usize, count: usize) -> Result<(), &'static str> {
        self.count += count;
        if self.count > VALUES_LIMIT {
            return Err("more values than any changelog has");
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), size(&value)));
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some((Open::List(list), _)) => list.push(value),
            Some((Open::Table(table, key), _)) => match key.take() {
                Some(key) => {
                    table.insert(key, value);
                }
                None => {
                    *key = Some(match value {
                        Value::String(text) => text,
                        other => other.to_string(),
                    });
                }
            },
        }
        Ok(())
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(size).sum::<usize>(),
        Value::Object(table) => 1 + table.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// A scalar without quotes as the YAML of Liquibase (1.1) reads it: `01` is the number 1.
fn plain(text: &str) -> Value {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let without = digits.replace('_', "");
    let number = if without.is_empty() || !digits.starts_with(|first: char| first.is_ascii_digit()) {
        None
    } else if let Some(hexadecimal) = without.strip_prefix("0x") {
        u128::from_str_radix(hexadecimal, 16).ok()
    } else if without.len() > 1 && without.starts_with('0') {
        u128::from_str_radix(&without, 8).ok()
    } else {
        without.parse().ok()
    };
    Value::String(match number {
        Some(number) => format!("{sign}{number}"),
        None => text.to_owned(),
    })
}
