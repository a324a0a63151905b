//! Items: their keys, and values in the types of DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Number, Value};

use crate::execute::{Record, RunId};

/// What an item holds.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The attribute by which items are put together.
pub(super) const PK: &str = "pk";
/// The attribute by which those that are together are sorted.
pub(super) const SK: &str = "sk";
/// The attribute that tells when an item goes away, in seconds since the epoch.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// What an item is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// Those with the same are together.
    pub(super) pk: String,
    /// And sorted by this.
    pub(super) sk: String,
}

impl Key {
    /// The lock of a family in an environment.
    pub(super) fn of_lock(family: &str, environment: &str) -> Self {
        Self {
            pk: format!("lock#{family}#{environment}"),
            sk: "lock".to_owned(),
        }
    }

    /// Where the newest attempt of a run is: the same name in another family or environment is another run.
    pub(super) fn of_pointer(run: &RunId, family: &str, environment: &str) -> Self {
        Self {
            pk: pointers_of(run),
            sk: runs_of(family, environment),
        }
    }

    /// A run.
    pub(super) fn of_run(record: &Record, run: &RunId) -> Self {
        Self {
            pk: runs_of(&record.family, &record.environment),
            sk: format!("{}#{run}#{}", time(record.started_at), record.attempt),
        }
    }

    /// As DynamoDB is told.
    pub(super) fn attributes(&self) -> Item {
        Item::from([(PK.to_owned(), string(&self.pk)), (SK.to_owned(), string(&self.sk))])
    }
}

/// Where the newest attempts of all runs of a name are.
pub(super) fn pointers_of(run: &RunId) -> String {
    format!("run#{run}")
}

/// Where the runs of a family in an environment are.
pub(super) fn runs_of(family: &str, environment: &str) -> String {
    format!("family#{family}#{environment}")
}

/// RFC 3339 in UTC, always of the same length, so that order of text is order in time.
fn time(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    format!("{time:.3}")
}

/// A text.
pub(super) fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A whole number.
pub(super) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A text in an item.
pub(super) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// A whole number in an item.
pub(super) fn number_of(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// A value in the types of DynamoDB; nothing for what is not there: `null`, and an object that holds nothing.
pub(super) fn attribute(value: &Value) -> Option<AttributeValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(value) => AttributeValue::N(value.to_string()),
        Value::String(value) => AttributeValue::S(value.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().filter_map(attribute).collect()),
        Value::Object(members) => {
            let members: Item = attributes(members);
            if members.is_empty() {
                return None;
            }
            AttributeValue::M(members)
        }
    })
}

/// The members of an object in the types of DynamoDB.
pub(super) fn attributes(members: &Map<String, Value>) -> Item {
    let members = members
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), attribute(value)?)));
    members.collect()
}

/// A value as it was before it was kept; `null` for types that are never written here.
fn value(attribute: &AttributeValue) -> Value {
    match attribute {
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::N(text) => text.parse::<Number>().map_or(Value::Null, Value::Number),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::L(values) => values.iter().map(value).collect(),
        AttributeValue::M(members) => Value::Object(object(members)),
        _ => Value::Null,
    }
}

/// The object that an item was made of.
pub(super) fn object(item: &Item) -> Map<String, Value> {
    item.iter().map(|(name, kept)| (name.clone(), value(kept))).collect()
}
