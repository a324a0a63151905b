//! The words of an expression: names of attributes, and values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// What stands for names and values in expressions. DynamoDB refuses words that no expression uses, so a word is made where it is used.
///
/// No name is ever written as it is: `status`, `cluster` and some 500 others are reserved.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Words {
    /// What stands for an attribute.
    pub(super) fn name(&mut self, attribute: &str) -> String {
        let word = format!("#{attribute}");
        self.names.insert(word.clone(), attribute.to_owned());
        word
    }

    /// What stands for a value, which is given a name of its own.
    pub(super) fn value(&mut self, name: &str, value: AttributeValue) -> String {
        let word = format!(":{name}");
        self.values.insert(word.clone(), value);
        word
    }

    /// `attribute = value`.
    pub(super) fn equals(&mut self, attribute: &str, value: AttributeValue) -> String {
        format!("{} = {}", self.name(attribute), self.value(attribute, value))
    }

    /// The names; there are none where an expression has none.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    /// The values; there are none where an expression has none.
    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}
