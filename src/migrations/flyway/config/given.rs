//! Settings as they are given, by key, before they are understood.

use std::collections::BTreeMap;

use super::properties;

/// A value as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// One text; a list is still separated by commas.
    Text(String),
    /// A list.
    List(Vec<String>),
}

/// Settings by key, without `flyway.` before it: `locations`, `placeholders.name`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Given(pub(super) BTreeMap<String, Value>);

/// What comes before the name of a placeholder.
pub(super) const PLACEHOLDERS: &str = "placeholders.";

impl Given {
    /// Sets a text.
    pub(super) fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), Value::Text(value.into()));
    }

    /// Adds settings that override these. An empty list overrides nothing.
    pub(super) fn merge(&mut self, above: &Self) {
        for (key, value) in &above.0 {
            if *value != Value::List(Vec::new()) {
                self.0.insert(key.clone(), value.clone());
            }
        }
    }

    /// Adds settings of an environment, whose placeholders take the place of all others.
    pub(super) fn override_by(&mut self, above: &Self) {
        let is_placeholder = |key: &str| key.starts_with(PLACEHOLDERS);
        if above.0.keys().any(|key| is_placeholder(key)) {
            self.0.retain(|key, _| !is_placeholder(key));
        }
        self.merge(above);
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::Text(text) => Some(text.clone()),
            Value::List(list) => Some(list.join(",")),
        }
    }

    /// Yes or no.
    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        properties::boolean(&self.text(key)?)
    }

    /// A list.
    pub(super) fn list(&self, key: &str) -> Option<Vec<String>> {
        match self.0.get(key)? {
            Value::Text(text) => Some(text.split(',').map(|item| item.trim().to_owned()).collect()),
            Value::List(list) => Some(list.clone()),
        }
    }

    /// The placeholders, by names in lower case.
    pub(super) fn placeholders(&self) -> BTreeMap<String, String> {
        let texts = self
            .0
            .keys()
            .filter_map(|key| Some((key.strip_prefix(PLACEHOLDERS)?, self.text(key)?)));
        texts.map(|(name, value)| (name.to_lowercase(), value)).collect()
    }
}

/// All that a source gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Source {
    /// What holds in every environment.
    pub(super) flyway: Given,
    /// The environments by name: what each says of its database, and with `flyway.` before the key, of all else.
    pub(super) environments: BTreeMap<String, Given>,
}

impl Source {
    /// Adds what overrides this.
    pub(super) fn merge(&mut self, above: &Self) {
        self.flyway.merge(&above.flyway);
        for (name, given) in &above.environments {
            self.environments.entry(name.clone()).or_default().merge(given);
        }
    }
}
